package wire

import (
	"bytes"
	"encoding/binary"
	"io"
	"reflect"
	"slices"
	"testing"

	"github.com/zeebo/xxh3"
)

func testSnapshot(events ...*Event) []byte {
	return AppendSnapshot(nil, 0x102, 2<<40|9, 1_700_000_000_000_000, slices.Values(events), testSecret)
}

// readSnapshotEvents returns all events of a snapshot, or the first error.
func readSnapshotEvents(file []byte) (SnapshotHead, []Event, error) {
	h, r, err := ReadSnapshot(file, testSecret)
	if err != nil {
		return h, nil, err
	}
	var events []Event
	for {
		e, err := r.Next()
		if err == io.EOF {
			return h, events, nil
		}
		if err != nil {
			return h, events, err
		}
		events = append(events, e)
	}
}

func TestSnapshot(t *testing.T) {
	wantHex(t, testSnapshot(testEvents()[3]), `47414c474f534e50 01000000 00000000 0201000000000000 0900000000020000
		00401e18240a0600 3000000000000000 67ce0c1966fda53c 71ac6c39c3ea9d78
		30000000 1100 0000 0300000000020000 03401e18240a0600
		0200000001000000 05000000 6f72646572 00000000000000`)
	events := testEvents()
	file := append(testSnapshot(events...), "what an older one left"...)
	h, got, err := readSnapshotEvents(file)
	wantError(t, err, nil)
	want := SnapshotHead{LastNumber: 0x102, LastSeq: 2<<40 | 9, Time: 1_700_000_000_000_000, BodyLength: h.BodyLength}
	if h != want {
		t.Errorf("got %+v, want %+v", h, want)
	}
	if len(got) != len(events) {
		t.Fatalf("got %d events, want %d", len(got), len(events))
	}
	for i := range got {
		if !reflect.DeepEqual(got[i], *events[i]) {
			t.Errorf("got %+v, want %+v", got[i], *events[i])
		}
	}
	if h, got, err := readSnapshotEvents(testSnapshot()); err != nil || len(got) != 0 || h.BodyLength != 0 {
		t.Errorf("got %+v %d events %v, want an empty snapshot", h, len(got), err)
	}
}

func TestSnapshotEachBit(t *testing.T) {
	file := testSnapshot(testEvents()...)
	flipEachBit(t, file, func() bool { _, _, err := readSnapshotEvents(file); return err == nil })
	for n := range file {
		_, _, err := readSnapshotEvents(file[:n])
		wantError(t, err, ErrShort)
	}
	head := testSnapshot()
	testHead(t, head, testSecret, func(b []byte, secret uint64) error { _, _, err := ReadSnapshot(b, secret); return err })
}

// A body whose checksum holds and that is not made of events was written by another build.
func TestSnapshotMalformed(t *testing.T) {
	whole := testSnapshot(testEvents()[3])
	for _, cut := range []int{4, 8, 24} {
		body := whole[HeadSize : len(whole)-cut]
		file := append(bytes.Clone(whole[:HeadSize]), body...)
		restamp(file)
		_, _, err := readSnapshotEvents(file)
		wantError(t, err, ErrMalformed)
	}
	file := bytes.Clone(whole)
	file[HeadSize+4] = 0x77
	restamp(file)
	_, _, err := readSnapshotEvents(file)
	wantError(t, err, ErrVersion)
}

func FuzzReadSnapshot(f *testing.F) {
	f.Add(testSnapshot(testEvents()...), false)
	f.Add(testSnapshot(), true)
	f.Fuzz(func(t *testing.T, b []byte, stamp bool) {
		if stamp && len(b) >= HeadSize { // or no change would get behind the checksums
			b = bytes.Clone(b)
			restamp(b)
		}
		h, events, err := readSnapshotEvents(b)
		if err != nil {
			return
		}
		again := func(yield func(*Event) bool) {
			for i := range events {
				if !yield(&events[i]) {
					return
				}
			}
		}
		got := AppendSnapshot(nil, h.LastNumber, h.LastSeq, h.Time, again, testSecret)
		if want := b[:HeadSize+int(h.BodyLength)]; !bytes.Equal(got, want) {
			t.Errorf("got %x, want %x", got, want)
		}
	})
}

// restamp makes the head of a snapshot fit the body behind it.
func restamp(file []byte) {
	body := file[HeadSize:]
	binary.LittleEndian.PutUint64(file[40:], uint64(len(body)))
	binary.LittleEndian.PutUint64(file[48:], xxh3.HashSeed(body, testSecret))
	sealHead(file[:HeadSize], snapshotMagic, testSecret)
}

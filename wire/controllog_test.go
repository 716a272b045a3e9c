package wire

import (
	"bytes"
	"encoding/binary"
	"io"
	"reflect"
	"testing"

	"github.com/zeebo/xxh3"
)

func TestControlLogName(t *testing.T) {
	const name = "control-0000000000000102.log"
	if got := ControlLogName(0x102); got != name || len(got) != ControlLogNameMax {
		t.Errorf("got %q of %d bytes, want %q of %d", got, len(got), name, ControlLogNameMax)
	}
	if first, ok := ParseControlLogName(name); !ok || first != 0x102 {
		t.Errorf("got %x %v, want 102 true", first, ok)
	}
	for _, bad := range []string{"", "control-.log", "control-000000000000102.log", "control-000000000000010G.log",
		"control-0000000000000102.log.new", "offsets-0000000000000102.log"} {
		if first, ok := ParseControlLogName(bad); ok {
			t.Errorf("%q: got %x, want it refused", bad, first)
		}
	}
}

func TestControlLogHead(t *testing.T) {
	b := AppendControlLogHead([]byte("x"), 0x102, testSecret)[1:]
	wantHex(t, b, `47414c474f43544c 01000000 00000000 0201000000000000
		0000000000000000 0000000000000000 0000000000000000 0000000000000000 cc30cb8322ffe669`)
	first, err := DecodeControlLogHead(b, testSecret)
	wantError(t, err, nil)
	if first != 0x102 {
		t.Errorf("got %x, want 102", first)
	}
	testHead(t, b, testSecret, func(b []byte, secret uint64) error { _, err := DecodeControlLogHead(b, secret); return err })
}

func TestControlRecord(t *testing.T) {
	event := testEvents()[3]
	b := AppendControlRecord([]byte("x"), 0x102, 0x101, event, testSecret)[1:]
	wantHex(t, b, `30000000 1100 0000 0300000000020000 03401e18240a0600
		0200000001000000 05000000 6f72646572 00000000000000
		0201000000000000 0101000000000000 0a68a856b2ba635a`)
	file := append(AppendControlLogHead(nil, 0x102, testSecret), b...)
	read := func() bool {
		r, err := NewControlReader(file, testSecret)
		if err != nil {
			t.Fatal(err)
		}
		number, e, err := r.Next()
		return err == nil && number == 0x102 && reflect.DeepEqual(e, *event)
	}
	flipEachBit(t, file[HeadSize:], read)
}

// controlFile is a file of the control log, starting at number 5, with the position of each record and of the end.
// Each write holds the number of records that writes says.
func controlFile(writes ...int) (file []byte, positions []int) {
	events := testEvents()
	file = AppendControlLogHead(nil, 5, testSecret)
	number := uint64(5)
	for _, count := range writes {
		safeBelow := number
		for range count {
			positions = append(positions, len(file))
			file = AppendControlRecord(file, number, safeBelow, events[(number-5)%uint64(len(events))], testSecret)
			number++
		}
	}
	return file, append(positions, len(file))
}

// readControl reads file to its end or first error and returns the reader there.
func readControl(t *testing.T, file []byte) (r ControlReader, count int, err error) {
	t.Helper()
	r, err = NewControlReader(file, testSecret)
	if err != nil {
		t.Fatal(err)
	}
	for {
		number, e, err := r.Next()
		if err != nil {
			return r, count, err
		}
		if want := testEvents()[count%len(testEvents())]; number != uint64(5+count) || !reflect.DeepEqual(e, *want) {
			t.Errorf("got record %d %+v, want %d %+v", number, e, 5+count, *want)
		}
		count++
	}
}

func TestControlReader(t *testing.T) {
	file, positions := controlFile(1, 3, 25)
	for _, c := range []struct {
		what string
		file []byte
	}{
		{"bytes end", file},
		{"zeros", append(bytes.Clone(file), make([]byte, 5000)...)},
		{"few zeros", append(bytes.Clone(file), 0, 0, 0)},
	} {
		r, count, err := readControl(t, c.file)
		if err != io.EOF || count != 29 || r.Position() != positions[29] || r.Number() != 34 {
			t.Errorf("%s: got %d records, %v at %d, next %d, want 29, EOF at %d, next 34",
				c.what, count, err, r.Position(), r.Number(), positions[29])
		}
	}
	empty, _ := controlFile()
	if _, count, err := readControl(t, empty); err != io.EOF || count != 0 {
		t.Errorf("got %d records, %v, want 0, EOF", count, err)
	}
}

// A write ends anywhere: whatever the disk kept of it, the tail is torn and not damaged.
func TestControlTornTail(t *testing.T) {
	file, positions := controlFile(2, 1, 4)
	last := positions[3] // where the last write begins
	torn := func(what string, file []byte, count int) {
		t.Helper()
		r, got, err := readControl(t, file)
		if err != ErrChecksum || got != count || r.Position() != positions[count] || !r.TailTorn() {
			t.Errorf("%s: got %d records, %v at %d, torn %v, want %d, %v at %d, torn",
				what, got, err, r.Position(), r.TailTorn(), count, ErrChecksum, positions[count])
		}
	}
	for n := last + 1; n < len(file); n++ {
		count := 3
		for positions[count+1] <= n {
			count++
		}
		if n > positions[count] {
			torn("bytes end", file[:n], count)
			torn("zeros", append(bytes.Clone(file[:n]), make([]byte, 4096)...), count)
		}
	}
	// The disk kept a later part of the write and not an earlier one: its records are valid, and still nobody was told.
	for lost := 3; lost < 6; lost++ {
		b := bytes.Clone(file)
		clear(b[positions[lost]:positions[lost+1]])
		torn("earlier part lost", b, lost)
	}
	garbage := append(bytes.Clone(file), "written by nobody"...)
	torn("garbage", garbage, 7)
}

// Bad bytes before a record of a later write were durable once.
func TestControlDamage(t *testing.T) {
	file, positions := controlFile(2, 1, 4)
	for at := HeadSize; at < positions[3]; at++ {
		b := bytes.Clone(file)
		b[at] ^= 0x10
		bad := 0
		for positions[bad+1] <= at {
			bad++
		}
		r, count, err := readControl(t, b)
		if err != ErrChecksum || count != bad || r.Position() != positions[bad] || r.TailTorn() {
			t.Fatalf("byte %d: got %d records, %v at %d, torn %v, want %d, %v at %d, damaged",
				at, count, err, r.Position(), r.TailTorn(), bad, ErrChecksum, positions[bad])
		}
	}
	b := bytes.Clone(file)
	clear(b[positions[0]:positions[1]])
	if r, _, err := readControl(t, b); err != ErrChecksum || r.TailTorn() {
		t.Errorf("first record zero: got %v, torn %v, want %v, damaged", err, r.TailTorn(), ErrChecksum)
	}
}

func TestControlNumbers(t *testing.T) {
	head := AppendControlLogHead(nil, 5, testSecret)
	event := testEvents()[0]
	for _, c := range []struct {
		number, safeBelow uint64
		want              error
	}{{4, 4, ErrNumber}, {6, 6, ErrNumber}, {5, 6, ErrMalformed}, {5, 5, nil}, {5, 0, nil}} {
		r, err := NewControlReader(AppendControlRecord(bytes.Clone(head), c.number, c.safeBelow, event, testSecret), testSecret)
		wantError(t, err, nil)
		if _, _, err := r.Next(); err != c.want {
			t.Errorf("number %d, safe below %d: got %v, want %v", c.number, c.safeBelow, err, c.want)
		}
	}
}

func TestControlUnknownEvent(t *testing.T) {
	file := AppendControlRecord(AppendControlLogHead(nil, 5, testSecret), 5, 5, testEvents()[0], testSecret)
	binary.LittleEndian.PutUint16(file[HeadSize+4:], 0x7777)
	binary.LittleEndian.PutUint64(file[len(file)-8:], xxh3.HashSeed(file[HeadSize:len(file)-8], testSecret))
	r, err := NewControlReader(file, testSecret)
	wantError(t, err, nil)
	_, _, err = r.Next()
	wantError(t, err, ErrVersion)
	if r.Position() != HeadSize {
		t.Errorf("got position %d, want %d", r.Position(), HeadSize)
	}
}

func FuzzControlReader(f *testing.F) {
	file, _ := controlFile(1, 3, 25)
	f.Add(file[HeadSize:])
	f.Add(file[HeadSize : len(file)-20])
	f.Add(append(bytes.Clone(file[HeadSize:]), 1, 2, 3, 4, 5, 6, 7, 8, 9))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := NewControlReader(append(AppendControlLogHead(nil, 5, testSecret), b...), testSecret)
		if err != nil {
			t.Fatal(err)
		}
		for {
			start := r.Position()
			_, e, err := r.Next()
			if err != nil {
				_ = r.TailTorn()
				return
			}
			if got, want := AppendEvent(nil, &e), b[start-HeadSize:r.Position()-HeadSize-controlTrailer]; !bytes.Equal(got, want) {
				t.Errorf("got %x, want %x", got, want)
			}
		}
	})
}

package wire

import (
	"bytes"
	"testing"
)

func TestOffsetLogName(t *testing.T) {
	const name = "offsets-0000000000000102-0000000f.log"
	if got := OffsetLogName(0x102, 15); got != name || len(got) != OffsetLogNameMax {
		t.Errorf("got %q of %d bytes, want %q of %d", got, len(got), name, OffsetLogNameMax)
	}
	if run, shard, ok := ParseOffsetLogName(name); !ok || run != 0x102 || shard != 15 {
		t.Errorf("got %x %d %v, want 102 15 true", run, shard, ok)
	}
	for _, bad := range []string{"", "offsets-.log", "offsets-0000000000000102-000000f.log", "offsets-0000000000000102-0000000F.log",
		"offsets-0000000000000102-0000000f.log.new", "control-0000000000000102-0000000f.log"} {
		if run, shard, ok := ParseOffsetLogName(bad); ok {
			t.Errorf("%q: got %x %d, want it refused", bad, run, shard)
		}
	}
}

func TestOffsetLogHead(t *testing.T) {
	head := OffsetLogHead{Run: 0x102, Shard: 15}
	b := AppendOffsetLogHead([]byte("x"), head, testSecret)[1:]
	wantHex(t, b, `47414c474f4f4646 01000000 0f000000 0201000000000000
		0000000000000000 0000000000000000 0000000000000000 0000000000000000 647be3328c9b028c`)
	got, err := DecodeOffsetLogHead(b, testSecret)
	wantError(t, err, nil)
	if got != head {
		t.Errorf("got %+v, want %+v", got, head)
	}
	testHead(t, b, testSecret, func(b []byte, secret uint64) error { _, err := DecodeOffsetLogHead(b, secret); return err })
}

var testOffsetRecord = OffsetRecord{Partition: 0x500000006, Epoch: 4, Value: 1010, Order: 2<<40 | 9, Consumer: 0xabcdef,
	Kind: ConsumerGroup, Deleted: true}

func TestOffsetRecord(t *testing.T) {
	b := bytes.Repeat([]byte{0xee}, OffsetRecordSize)
	PutOffsetRecord(b, testOffsetRecord, testSecret)
	wantHex(t, b, `0600000005000000 0400000000000000 02 01 0000 efcdab00 f203000000000000
		0900000000020000 0000000000000000 0000000000000000 cb411be696e9fff7`)
	r, err := DecodeOffsetRecord(b, testSecret)
	wantError(t, err, nil)
	if r != testOffsetRecord {
		t.Errorf("got %+v, want %+v", r, testOffsetRecord)
	}
	flipEachBit(t, b, func() bool { _, err := DecodeOffsetRecord(b, testSecret); return err == nil })
	_, err = DecodeOffsetRecord(b[:63], testSecret)
	wantError(t, err, ErrShort)
	_, err = DecodeOffsetRecord(b, testSecret+1)
	wantError(t, err, ErrChecksum)
	begin := OffsetRecord{Partition: 0x500000006, Epoch: 4, Value: 1010, Order: 2<<40 | 9, Kind: OffsetOfLog}
	PutOffsetRecord(b, begin, testSecret)
	if got, err := DecodeOffsetRecord(b, testSecret); err != nil || got != begin {
		t.Errorf("begin of a log: got %+v, %v, want %+v", got, err, begin)
	}
	bad := testOffsetRecord
	bad.Kind = 4
	PutOffsetRecord(b, bad, testSecret)
	_, err = DecodeOffsetRecord(b, testSecret)
	wantError(t, err, ErrMalformed)
}

// appendOffsets appends count records whose values are 0, 1, 2 and so on.
func appendOffsets(dst []byte, count int) []byte {
	for i := range count {
		var b [OffsetRecordSize]byte
		PutOffsetRecord(b[:], OffsetRecord{Partition: 1, Kind: ConsumerSingle, Value: uint64(i)}, testSecret)
		dst = append(dst, b[:]...)
	}
	return dst
}

func TestReadOffsetRecords(t *testing.T) {
	torn := appendOffsets(nil, 5)
	clear(torn[3*OffsetRecordSize+32:]) // the disk kept half of a write
	rotten := appendOffsets(nil, 5)
	rotten[OffsetRecordSize+3] ^= 8
	for _, c := range []struct {
		what    string
		src     []byte
		count   int
		garbage bool
	}{
		{"nothing", nil, 0, false},
		{"records to the end", appendOffsets(nil, 5), 5, false},
		{"records, then zeros", append(appendOffsets(nil, 5), make([]byte, 1000)...), 5, false},
		{"zeros", make([]byte, 1000), 0, false},
		{"a torn write", torn, 3, true},
		{"rot", rotten, 1, true},
		{"a part of a record", appendOffsets(nil, 5)[:5*OffsetRecordSize-1], 4, true},
		{"a part of a record, all zero", append(appendOffsets(nil, 1), 0, 0), 1, false},
	} {
		var next uint64
		count, garbage := ReadOffsetRecords(c.src, testSecret, func(r OffsetRecord) {
			if r.Value != next {
				t.Errorf("%s: got value %d, want %d", c.what, r.Value, next)
			}
			next++
		})
		if count != c.count || garbage != c.garbage || next != uint64(c.count) {
			t.Errorf("%s: got %d records garbage %v, want %d %v", c.what, count, garbage, c.count, c.garbage)
		}
	}
}

func TestOffsetLogAllocatesNothing(t *testing.T) {
	log := appendOffsets(nil, 5)
	var sum uint64
	wantAllocs(t, "offset log", func() {
		PutOffsetRecord(log, testOffsetRecord, testSecret)
		ReadOffsetRecords(log, testSecret, func(r OffsetRecord) { sum += r.Value })
	})
}

func FuzzDecodeOffsetRecord(f *testing.F) {
	f.Add(appendOffsets(nil, 1))
	f.Add(appendOffsets(nil, 3)[:150])
	f.Fuzz(func(t *testing.T, b []byte) {
		var got []byte
		count, _ := ReadOffsetRecords(b, testSecret, func(r OffsetRecord) {
			got = append(got, make([]byte, OffsetRecordSize)...)
			PutOffsetRecord(got[len(got)-OffsetRecordSize:], r, testSecret)
		})
		if want := b[:count*OffsetRecordSize]; !bytes.Equal(got, want) {
			t.Errorf("got %x, want %x", got, want)
		}
	})
}

func FuzzDecodeOffsetLogHead(f *testing.F) {
	f.Add(AppendOffsetLogHead(nil, OffsetLogHead{Run: 2, Shard: 1}, testSecret))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := DecodeOffsetLogHead(b, testSecret)
		if err != nil {
			return
		}
		if got := AppendOffsetLogHead(nil, h, testSecret); !bytes.Equal(got, b[:HeadSize]) {
			t.Errorf("got %x, want %x", got, b[:HeadSize])
		}
	})
}

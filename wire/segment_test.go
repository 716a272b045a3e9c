package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
)

func TestSegmentName(t *testing.T) {
	for _, c := range []struct {
		file SegmentFile
		name string
	}{
		{SegmentFile{Kind: SegmentLog}, "0000000000000000-00000000-0000000000000000.log"},
		{SegmentFile{CreatedSeq: 0x0000010000000abc, PartitionID: 0xf, SegmentID: 0x20000000003, Kind: SegmentIndex},
			"0000010000000abc-0000000f-0000020000000003.index"},
		{SegmentFile{CreatedSeq: 1<<64 - 1, PartitionID: 1<<32 - 1, SegmentID: 1<<64 - 1, Kind: SegmentLog},
			"ffffffffffffffff-ffffffff-ffffffffffffffff.log"},
	} {
		if got := SegmentName(c.file.CreatedSeq, c.file.PartitionID, c.file.SegmentID, c.file.Kind); got != c.name {
			t.Errorf("got %q, want %q", got, c.name)
		}
		if got, ok := ParseSegmentName(c.name); !ok || got != c.file {
			t.Errorf("%s: got %+v %v, want %+v true", c.name, got, ok, c.file)
		}
	}
	for _, name := range []string{
		"", ".log", "0000000000000000-00000000-0000000000000000", "0000000000000000-00000000-0000000000000000.txt",
		"000000000000000A-00000000-0000000000000000.log", "0000000000000000-00000000-000000000000000.log",
		"0000000000000000_00000000-0000000000000000.log", "0000000000000000-00000000-0000000000000000.log.index",
	} {
		if got, ok := ParseSegmentName(name); ok {
			t.Errorf("%q: got %+v, want it refused", name, got)
		}
	}
	buffer := make([]byte, 0, SegmentNameMax)
	wantAllocs(t, "AppendSegmentName", func() {
		buffer = AppendSegmentName(buffer[:0], 1<<40, 7, 2<<40, SegmentIndex)
	})
	if len(buffer) != SegmentNameMax {
		t.Errorf("got a name of %d bytes, want %d", len(buffer), SegmentNameMax)
	}
}

var testSegmentHead = SegmentHead{SegmentID: 0x20000000003, Partition: 0x0000000500000006, CreatedSeq: 0x10000000abc,
	PurgeEpoch: 4, BaseOffset: 1000, Run: 2, Created: 1_700_000_000_000_000, PartitionID: 7}

func TestSegmentHead(t *testing.T) {
	b := bytes.Repeat([]byte{0xee}, SegmentHeadSize)
	PutSegmentHead(b, testSegmentHead, testSecret)
	wantHex(t, b[:72], `47414c474f534547 01000000 07000000
		0300000000020000 0600000005000000 bc0a000000010000 0400000000000000
		e803000000000000 0200000000000000 00401e18240a0600`)
	wantHex(t, b[SegmentHeadSize-8:], `21b90262e21c9fc9`)
	if !allZero(b[72 : SegmentHeadSize-8]) {
		t.Error("got reserved bytes in use, want zeros")
	}
	h, err := DecodeSegmentHead(b, testSecret)
	wantError(t, err, nil)
	if h != testSegmentHead {
		t.Errorf("got %+v, want %+v", h, testSegmentHead)
	}
	testHead(t, b, testSecret, func(b []byte, secret uint64) error { _, err := DecodeSegmentHead(b, secret); return err })
	_, err = DecodeSegmentHead(b, testSecret+1)
	wantError(t, err, ErrChecksum)

	b[3000] = 1
	sealHead(b, segmentMagic, testSecret)
	_, err = DecodeSegmentHead(b, testSecret)
	wantError(t, err, ErrMalformed)
}

func TestPoolName(t *testing.T) {
	name := string(AppendPoolName(nil, 5<<40|0xAB))
	if want := "pool-00000500000000ab.log"; name != want || len(name) != PoolNameSize {
		t.Errorf("got %q of %d bytes, want %q", name, PoolNameSize, want)
	}
	if _, ok := ParseSegmentName(name); ok {
		t.Errorf("%q: got it as the name of a segment, want none", name)
	}
	if number, ok := ParsePoolName(name); !ok || number != 5<<40|0xAB {
		t.Errorf("%q: got %#x %v, want the number back", name, number, ok)
	}
	for _, name := range []string{"", "pool-", "pool-00000500000000AB.log", "pool-00000500000000ab.index", "pool-00000500000000ab.lo", "pool_00000500000000ab.log",
		SegmentName(1, 2, 3, SegmentLog), SegmentName(1, 2, 3, SegmentIndex)} {
		if number, ok := ParsePoolName(name); ok {
			t.Errorf("%q: got number %#x of a file of the pool, want none", name, number)
		}
	}
}

func FuzzParseNames(f *testing.F) {
	f.Add("pool-00000500000000ab.log")
	f.Add(SegmentName(1, 2, 3, SegmentIndex))
	f.Fuzz(func(t *testing.T, name string) {
		if number, ok := ParsePoolName(name); ok && string(AppendPoolName(nil, number)) != name {
			t.Errorf("got number %#x of %q, want one that names it", number, name)
		}
		if file, ok := ParseSegmentName(name); ok && SegmentName(file.CreatedSeq, file.PartitionID, file.SegmentID, file.Kind) != name {
			t.Errorf("got %+v of %q, want a file of that name", file, name)
		}
	})
}

func FuzzDecodeSegmentHead(f *testing.F) {
	b := make([]byte, SegmentHeadSize)
	PutSegmentHead(b, testSegmentHead, testSecret)
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := DecodeSegmentHead(b, testSecret)
		if err != nil {
			return
		}
		got := make([]byte, SegmentHeadSize)
		PutSegmentHead(got, h, testSecret)
		if !bytes.Equal(got, b[:SegmentHeadSize]) {
			t.Errorf("got %x, want %x", got, b[:SegmentHeadSize])
		}
	})
}

const testSegmentID = 0x20000000003

// appendRecord appends a sealed record with a message per payload to file.
func appendRecord(file []byte, baseOffset uint64, run uint64, payloads ...string) []byte {
	position := len(file)
	var batch BatchBuilder
	batch.Reset(1_000_000)
	for i, payload := range payloads {
		batch.Add(U128{Lo: uint64(i + 1)}, 0, []byte(payload), nil)
	}
	file = append(file, batch.Bytes()...)
	record := file[position:]
	var sum BatchHasher
	sum.StampBatch(record, 7, baseOffset, 2_000_000+baseOffset)
	PutSeal(record, Seal{SegmentID: testSegmentID, Run: run, SafeBelow: baseOffset}, uint64(position), testSecret)
	return file
}

// reseal makes the record at position say what it says with a valid seal.
func reseal(file []byte, position int) {
	PutSeal(file[position:], Seal{SegmentID: testSegmentID, Run: 2, SafeBelow: 10}, uint64(position), testSecret)
}

func TestCheckRecord(t *testing.T) {
	file := make([]byte, SegmentHeadSize)
	file = appendRecord(file, 10, 2, "hello", "", "world!")
	end := uint64(len(file))
	file = appendRecord(file, 13, 3, "again")

	record := file[SegmentHeadSize:]
	want := RecordInfo{BaseOffset: 10, Timestamp: 2_000_010, Length: end - SegmentHeadSize, Run: 2, SafeBelow: 10, Count: 3}
	info, err := CheckRecord(record, SegmentHeadSize, testSegmentID, testSecret)
	wantError(t, err, nil)
	if info != want || info.OffsetNext() != 13 {
		t.Errorf("got %+v next %d, want %+v next 13", info, info.OffsetNext(), want)
	}
	if next, err := CheckRecord(file[end:], end, testSegmentID, testSecret); err != nil || next.BaseOffset != 13 || next.Run != 3 {
		t.Errorf("got %+v %v, want offset 13 of run 3", next, err)
	}
	for n := range int(want.Length) {
		info, err := CheckRecord(record[:n], SegmentHeadSize, testSegmentID, testSecret)
		wantError(t, err, ErrShort)
		needed := uint64(BatchHeaderSize)
		if n >= BatchHeaderSize {
			needed = want.Length
		}
		if info.Length != needed {
			t.Errorf("%d bytes: got %d needed, want %d", n, info.Length, needed)
		}
	}
	for _, c := range []struct {
		what               string
		position, id, seed uint64
	}{
		{"another position", SegmentHeadSize + 1, testSegmentID, testSecret},
		{"another segment", SegmentHeadSize, testSegmentID + 1, testSecret},
		{"another directory", SegmentHeadSize, testSegmentID, testSecret + 1},
	} {
		if _, err := CheckRecord(record, c.position, c.id, c.seed); err != ErrSeal {
			t.Errorf("%s: got error %v, want %v", c.what, err, ErrSeal)
		}
	}
	_, err = CheckRecord(make([]byte, BatchHeaderSize), end, testSegmentID, testSecret)
	wantError(t, err, ErrSeal)
	flipEachBit(t, record[:want.Length], func() bool {
		_, err := CheckRecord(record, SegmentHeadSize, testSegmentID, testSecret)
		return err == nil
	})
}

// A seal vouches for the batch checksum, not for the lengths: they are looked at whatever it says.
func TestCheckRecordBehindItsSeal(t *testing.T) {
	put32 := func(at int, v uint32) func([]byte) {
		return func(b []byte) { binary.LittleEndian.PutUint32(b[at:], v) }
	}
	put64 := func(at int, v uint64) func([]byte) {
		return func(b []byte) { binary.LittleEndian.PutUint64(b[at:], v) }
	}
	for _, c := range []struct {
		what   string
		change func(b []byte)
		header error // of CheckRecordHeader
		record error // of CheckRecord
	}{
		{"length below a header", put64(32, 255), ErrChecksum, ErrChecksum},
		{"length above the longest", put64(32, RecordSizeMax+1), ErrChecksum, ErrChecksum},
		{"length of all bits", put64(32, 1<<64-1), ErrChecksum, ErrChecksum},
		{"length too small for the count", put64(32, 256+47), ErrChecksum, ErrChecksum},
		{"no messages", put32(48, 0), ErrChecksum, ErrChecksum},
		{"too many messages", put32(48, 1<<32-1), ErrChecksum, ErrChecksum},
		{"longer than the bytes", put64(32, 5000), nil, ErrShort},
		{"one message less", put32(48, 1), nil, ErrChecksum},
		{"another offset", put64(8, 11), nil, ErrChecksum},
		{"another time", put64(16, 11), nil, ErrChecksum},
		{"a batch checksum of its own", put64(40, 11), nil, ErrChecksum},
		{"a message longer than the record", put32(256+36, 1<<31), nil, ErrChecksum},
		{"a message of all bits", put32(256+32, 1<<32-1), nil, ErrChecksum},
		{"another payload", put32(256+48, 11), nil, ErrChecksum},
	} {
		record := appendRecord(nil, 10, 2, "hello", "world")
		c.change(record)
		reseal(record, 0)
		if _, err := CheckRecordHeader(record, 0, testSegmentID, testSecret); err != c.header {
			t.Errorf("%s: got error %v of the header, want %v", c.what, err, c.header)
		}
		if _, err := CheckRecord(record, 0, testSegmentID, testSecret); err != c.record {
			t.Errorf("%s: got error %v of the record, want %v", c.what, err, c.record)
		}
	}
}

func TestFindSeal(t *testing.T) {
	file := make([]byte, SegmentHeadSize)
	file = appendRecord(file, 10, 2, "hello")
	second := len(file)
	file = appendRecord(file, 11, 2, "a seal is looked for byte by byte")
	third := len(file)
	file = appendRecord(file, 12, 2, "world")

	find := func(from int) int {
		at := FindSeal(file[from:], uint64(from), testSegmentID, testSecret)
		if at < 0 {
			return at
		}
		return from + at
	}
	for _, c := range []struct{ from, want int }{
		{0, SegmentHeadSize}, {SegmentHeadSize, SegmentHeadSize}, {SegmentHeadSize + 1, second}, {second + 1, third},
		{third, third}, {third + 1, -1}, {len(file), -1},
	} {
		if got := find(c.from); got != c.want {
			t.Errorf("from %d: got %d, want %d", c.from, got, c.want)
		}
	}
	file[second+sealHash] ^= 1
	if got := find(SegmentHeadSize + 1); got != third {
		t.Errorf("second seal broken: got %d, want %d", got, third)
	}
	if got := FindSeal(file[third:third+255], uint64(third), testSegmentID, testSecret); got != -1 {
		t.Errorf("got %d in 255 bytes, want -1", got)
	}
}

func TestRecordAllocatesNothing(t *testing.T) {
	payloads := make([]string, 200) // more than the hasher buffers
	record := appendRecord(nil, 10, 2, payloads...)
	wantAllocs(t, "CheckRecord, CheckRecordHeader, FindSeal", func() {
		if _, err := CheckRecord(record, 0, testSegmentID, testSecret); err != nil {
			t.Fatal(err)
		}
		_, _ = CheckRecordHeader(record, 0, testSegmentID, testSecret)
		_ = FindSeal(record[1:], 1, testSegmentID, testSecret)
	})
}

func FuzzCheckRecord(f *testing.F) {
	record := appendRecord(nil, 10, 2, "hello", "world")
	f.Add(record, false)
	f.Add(record, true)
	f.Add(record[:300], true)
	f.Fuzz(func(t *testing.T, b []byte, seal bool) {
		if seal && len(b) >= BatchHeaderSize { // or no change would get behind the seal
			b = bytes.Clone(b)
			reseal(b, 0)
		}
		info, err := CheckRecord(b, 0, testSegmentID, testSecret)
		switch {
		case errors.Is(err, ErrShort):
			if info.Length <= uint64(len(b)) {
				t.Errorf("got %d bytes needed, want more than the %d there", info.Length, len(b))
			}
		case err == nil:
			var v BatchVerifier
			v.reset(b[:info.Length])
			if _, status := v.Step(len(b)); status != StatusOK {
				t.Errorf("got a record accepted with status %v, want %v", status, StatusOK)
			}
		}
	})
}

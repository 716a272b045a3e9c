package wire

import (
	"bytes"
	"testing"
)

var testSeal = Seal{SegmentID: 0x0000020000000003, Run: 2, SafeBelow: 9}

// testHeader is a batch header whose reserved bytes are garbage.
func testHeader() []byte {
	b := bytes.Repeat([]byte{0xee}, BatchHeaderSize)
	putBatchFields(b, BatchHeader{PartitionID: 1, BaseOffset: 10, BaseTimestamp: 2_000_000, OriginTimestamp: 1_000_000,
		Length: 374, Checksum: 0xcd73ae64ff3046a7, MessageCount: 2})
	return b
}

func TestSeal(t *testing.T) {
	header := testHeader()
	before := bytes.Clone(header[:batchFieldsSize])
	PutSeal(header, testSeal, 4096, testSecret)
	wantHex(t, header[batchFieldsSize:sealRest], `00000000 0300000000020000 0200000000000000 0900000000000000 9584dd69dfa178b3`)
	if !bytes.Equal(header[:batchFieldsSize], before) {
		t.Errorf("got fields %x, want %x", header[:batchFieldsSize], before)
	}
	if got, ok := ReadSeal(header, 4096, testSecret); !ok || got != testSeal {
		t.Errorf("got %+v %v, want %+v true", got, ok, testSeal)
	}
	durably := testSeal
	durably.Durably = true
	PutSeal(header, durably, 4096, testSecret)
	if got, ok := ReadSeal(header, 4096, testSecret); !ok || got != durably {
		t.Errorf("got %+v %v, want %+v true", got, ok, durably)
	}
	PutSeal(header, testSeal, 4096, testSecret)
	if _, ok := ReadSeal(header, 4097, testSecret); ok {
		t.Error("got a seal at another position, want none")
	}
	if _, ok := ReadSeal(header, 4096, testSecret+1); ok {
		t.Error("got a seal with another secret, want none")
	}
	if _, ok := ReadSeal(header[:255], 4096, testSecret); ok {
		t.Error("got a seal in 255 bytes, want none")
	}
	ClearSeal(header)
	if !allZero(header[batchFieldsSize:]) || !bytes.Equal(header[:batchFieldsSize], before) {
		t.Errorf("got %x, want fields kept and reserved bytes zero", header)
	}
	if _, ok := ReadSeal(header, 4096, testSecret); ok {
		t.Error("got a seal in zeros, want none")
	}
}

// What the seal covers is the batch checksum and all that stands behind the fields.
func TestSealEachBit(t *testing.T) {
	header := testHeader()
	PutSeal(header, testSeal, 4096, testSecret)
	accepts := func() bool { _, ok := ReadSeal(header, 4096, testSecret); return ok }
	flipEachBit(t, header[40:48], accepts)
	flipEachBit(t, header[batchFieldsSize:], accepts)
	for bit := range 64 {
		if _, ok := ReadSeal(header, 4096^1<<bit, testSecret); ok {
			t.Errorf("got a seal at position %d, want none", uint64(4096^1<<bit))
		}
	}
}

func TestSealAllocatesNothing(t *testing.T) {
	header := testHeader()
	wantAllocs(t, "PutSeal, ReadSeal, ClearSeal", func() {
		PutSeal(header, testSeal, 4096, testSecret)
		ReadSeal(header, 4096, testSecret)
		ClearSeal(header)
	})
}

func FuzzReadSeal(f *testing.F) {
	header := testHeader()
	PutSeal(header, testSeal, 4096, testSecret)
	f.Add(header, uint64(4096))
	f.Add(header[:100], uint64(0))
	f.Fuzz(func(t *testing.T, b []byte, position uint64) {
		s, ok := ReadSeal(b, position, testSecret)
		if !ok {
			return
		}
		got := bytes.Clone(b)
		PutSeal(got, s, position, testSecret)
		if !bytes.Equal(got, b) {
			t.Errorf("got %x, want %x", got, b)
		}
	})
}

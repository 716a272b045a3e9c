package wire

import (
	"bytes"
	"testing"
)

var testIndexEntry = IndexEntry{SegmentID: testSegmentID, Offset: 1010, Time: 1_700_000_000_000_000, Position: 8192,
	Run: 2, BaseOffset: 1000, Kind: IndexRecord, Synced: true}

func TestIndexEntry(t *testing.T) {
	b := bytes.Repeat([]byte{0xee}, IndexEntrySize)
	PutIndexEntry(b, testIndexEntry, testSecret)
	wantHex(t, b, `01 01 000000000000 0300000000020000 f203000000000000 00401e18240a0600
		0020000000000000 0200000000000000 e803000000000000 b67b8e945fee4d41`)
	e, err := DecodeIndexEntry(b, testSecret)
	wantError(t, err, nil)
	if e != testIndexEntry {
		t.Errorf("got %+v, want %+v", e, testIndexEntry)
	}
	flipEachBit(t, b, func() bool { _, err := DecodeIndexEntry(b, testSecret); return err == nil })
	_, err = DecodeIndexEntry(b[:63], testSecret)
	wantError(t, err, ErrShort)
	_, err = DecodeIndexEntry(b, testSecret+1)
	wantError(t, err, ErrChecksum)
	_, err = DecodeIndexEntry(make([]byte, IndexEntrySize), testSecret)
	wantError(t, err, ErrChecksum)

	voucher := testIndexEntry
	voucher.Kind, voucher.Synced = IndexVoucher, false
	PutIndexEntry(b, voucher, testSecret)
	wantHex(t, b[:8], `0200000000000000`)
	voucher.Kind = 3
	PutIndexEntry(b, voucher, testSecret)
	_, err = DecodeIndexEntry(b, testSecret)
	wantError(t, err, ErrMalformed)
}

// appendIndex appends entries of the segment.
func appendIndex(dst []byte, entries ...IndexEntry) []byte {
	for _, e := range entries {
		var b [IndexEntrySize]byte
		e.SegmentID = testSegmentID
		PutIndexEntry(b[:], e, testSecret)
		dst = append(dst, b[:]...)
	}
	return dst
}

func TestVouches(t *testing.T) {
	ofBoot := func(run uint64) bool { return run == 2 }
	for _, c := range []struct {
		what  string
		entry IndexEntry
		want  bool
	}{
		{"an entry of a run of this boot", IndexEntry{Kind: IndexRecord, Run: 2}, true},
		{"an entry of an earlier boot", IndexEntry{Kind: IndexRecord, Run: 1}, false},
		{"one whose log write was synced", IndexEntry{Kind: IndexRecord, Run: 1, Synced: true}, true},
		{"a voucher", IndexEntry{Kind: IndexVoucher, Run: 1}, true},
	} {
		if got := c.entry.Vouches(ofBoot); got != c.want {
			t.Errorf("%s: got %t, want %t", c.what, got, c.want)
		}
	}
}

// searchSlowly is what the searches say in one loop.
func searchSlowly(entries []byte, below func(IndexEntry) bool) (best IndexEntry, found bool) {
	for ; len(entries) >= IndexEntrySize; entries = entries[IndexEntrySize:] {
		e, err := DecodeIndexEntry(entries, testSecret)
		if err == nil && e.SegmentID == testSegmentID && e.Kind == IndexRecord && below(e) {
			best, found = e, true
		}
	}
	return best, found
}

func TestSearchIndex(t *testing.T) {
	const entriesMax = 9
	for count := range entriesMax + 1 {
		// Every choice of valid entries, the others being vouchers, torn or zero in turn.
		for valid := range 1 << count {
			var entries []byte
			for i := range count {
				e := IndexEntry{Kind: IndexRecord, Offset: uint64(10 * i), Time: uint64(10 * (i / 2)), Position: uint64(i)}
				at := len(entries)
				if valid>>i&1 == 0 && i%3 == 0 {
					e.Kind = IndexVoucher
				}
				entries = appendIndex(entries, e)
				switch {
				case valid>>i&1 != 0:
				case i%3 == 1:
					entries[at+30] ^= 4
				case i%3 == 2:
					clear(entries[at:])
				}
			}
			entries = append(entries, 1, 2, 3)
			for _, v := range []uint64{0, 5, 10, 20, 39, 40, 41, 80, 1000} {
				got, found := SearchIndex(entries, testSegmentID, testSecret, v)
				want, wanted := searchSlowly(entries, func(e IndexEntry) bool { return e.Offset <= v })
				if got != want || found != wanted {
					t.Fatalf("count %d valid %b offset %d: got %+v %v, want %+v %v", count, valid, v, got, found, want, wanted)
				}
				got, found = SearchIndexTime(entries, testSegmentID, testSecret, v)
				want, wanted = searchSlowly(entries, func(e IndexEntry) bool { return e.Time < v })
				if got != want || found != wanted {
					t.Fatalf("count %d valid %b time %d: got %+v %v, want %+v %v", count, valid, v, got, found, want, wanted)
				}
			}
		}
	}
	entries := appendIndex(nil, testIndexEntry)
	if _, found := SearchIndex(entries, testSegmentID+1, testSecret, 1<<63); found {
		t.Error("got an entry of another segment, want none")
	}
}

func TestIndexAllocatesNothing(t *testing.T) {
	entries := appendIndex(nil, testIndexEntry, testIndexEntry, testIndexEntry)
	wantAllocs(t, "index", func() {
		PutIndexEntry(entries, testIndexEntry, testSecret)
		_, _ = DecodeIndexEntry(entries, testSecret)
		_, _ = SearchIndex(entries, testSegmentID, testSecret, 1010)
		_, _ = SearchIndexTime(entries, testSegmentID, testSecret, 1010)
	})
}

func FuzzDecodeIndexEntry(f *testing.F) {
	f.Add(appendIndex(nil, testIndexEntry), uint64(1010))
	f.Add(appendIndex(nil, IndexEntry{Kind: IndexVoucher}, testIndexEntry, testIndexEntry), uint64(9))
	f.Fuzz(func(t *testing.T, b []byte, v uint64) {
		_, _ = SearchIndex(b, testSegmentID, testSecret, v)
		_, _ = SearchIndexTime(b, testSegmentID, testSecret, v)
		e, err := DecodeIndexEntry(b, testSecret)
		if err != nil {
			return
		}
		var got [IndexEntrySize]byte
		PutIndexEntry(got[:], e, testSecret)
		if !bytes.Equal(got[:], b[:IndexEntrySize]) {
			t.Errorf("got %x, want %x", got, b[:IndexEntrySize])
		}
	})
}

package wire

import (
	"encoding/binary"

	"github.com/zeebo/xxh3"
)

// IndexEntrySize is the size of an index entry, in bytes.
const IndexEntrySize = 64

// IndexKind tells what an index entry says.
type IndexKind uint8

const (
	IndexRecord  IndexKind = 1 // an entry: a record begins at Position
	IndexVoucher IndexKind = 2 // a voucher: the log was synced up to Position
)

// indexSynced is the flag bit of IndexEntry.Synced.
const indexSynced = 1

// IndexEntry is one line of a segment's index, written after the log write it speaks of has completed.
//
//	0      1       2   8           16       24     32         40    48           56
//	| Kind | flags | 0 | SegmentID | Offset | Time | Position | Run | BaseOffset | checksum, seeded |
//
// Valid entries of a file ascend in Offset and Position: whoever cuts a log first cuts its index to the entries below.
type IndexEntry struct {
	SegmentID  uint64
	Offset     uint64 // entry: base offset of the record at Position; voucher: the next offset
	Time       uint64 // µs; entry: base timestamp of that record; voucher: the last base timestamp
	Position   uint64 // bytes; entry: where the record begins; voucher: where the last one ends
	Run        uint64 // the run that wrote the entry
	BaseOffset uint64 // of the segment
	Kind       IndexKind
	Synced     bool // the log write was made durable (DSYNC) before the entry was written
}

// PutIndexEntry writes e into the first IndexEntrySize bytes of dst.
func PutIndexEntry(dst []byte, e IndexEntry, secret uint64) {
	dst = dst[:IndexEntrySize]
	clear(dst[:8])
	dst[0] = byte(e.Kind)
	if e.Synced {
		dst[1] = indexSynced
	}
	binary.LittleEndian.PutUint64(dst[8:], e.SegmentID)
	binary.LittleEndian.PutUint64(dst[16:], e.Offset)
	binary.LittleEndian.PutUint64(dst[24:], e.Time)
	binary.LittleEndian.PutUint64(dst[32:], e.Position)
	binary.LittleEndian.PutUint64(dst[40:], e.Run)
	binary.LittleEndian.PutUint64(dst[48:], e.BaseOffset)
	binary.LittleEndian.PutUint64(dst[56:], xxh3.HashSeed(dst[:56], secret))
}

// DecodeIndexEntry reads the entry at the start of src. It returns ErrShort, ErrChecksum (zeros and torn entries
// too) or ErrMalformed.
func DecodeIndexEntry(src []byte, secret uint64) (IndexEntry, error) {
	if len(src) < IndexEntrySize {
		return IndexEntry{}, ErrShort
	}
	src = src[:IndexEntrySize]
	// The kind is looked at first: space that was never written is zero and need not be hashed.
	if src[0] == 0 || binary.LittleEndian.Uint64(src[56:]) != xxh3.HashSeed(src[:56], secret) {
		return IndexEntry{}, ErrChecksum
	}
	e := IndexEntry{
		Kind:       IndexKind(src[0]),
		Synced:     src[1]&indexSynced != 0,
		SegmentID:  binary.LittleEndian.Uint64(src[8:]),
		Offset:     binary.LittleEndian.Uint64(src[16:]),
		Time:       binary.LittleEndian.Uint64(src[24:]),
		Position:   binary.LittleEndian.Uint64(src[32:]),
		Run:        binary.LittleEndian.Uint64(src[40:]),
		BaseOffset: binary.LittleEndian.Uint64(src[48:]),
	}
	if (e.Kind != IndexRecord && e.Kind != IndexVoucher) || src[1]&^indexSynced != 0 || !allZero(src[2:8]) {
		return IndexEntry{}, ErrMalformed
	}
	return e, nil
}

// Vouches reports whether everything below the entry's Position can be relied on: the entry is a voucher, or its log
// write was synced, or its run belongs to this boot of the machine, which is what runBelongs says.
func (e *IndexEntry) Vouches(runBelongs func(run uint64) bool) bool {
	return e.Kind == IndexVoucher || e.Synced || runBelongs(e.Run)
}

// SearchIndex returns the entry with the greatest Offset that is at most offset, and false when there is none: the
// walk then starts behind the segment's head. It skips vouchers and what is not valid.
func SearchIndex(entries []byte, segmentID, secret, offset uint64) (IndexEntry, bool) {
	return searchIndex(entries, segmentID, secret, func(e IndexEntry) bool { return e.Offset <= offset })
}

// SearchIndexTime returns the last entry whose Time is before micros, from which a walk finds the first batch with a
// base timestamp of at least micros; false when there is none: the walk then starts behind the segment's head. An
// entry with that very time will not do, since a record before it may carry the same. It skips vouchers and what is
// not valid.
func SearchIndexTime(entries []byte, segmentID, secret, micros uint64) (IndexEntry, bool) {
	return searchIndex(entries, segmentID, secret, func(e IndexEntry) bool { return e.Time < micros })
}

// searchIndex returns the last entry that is below; entries that are come before those that are not.
func searchIndex(entries []byte, segmentID, secret uint64, below func(IndexEntry) bool) (best IndexEntry, found bool) {
	lo, hi := 0, len(entries)/IndexEntrySize
	for lo < hi {
		mid := int(uint(lo+hi) / 2)
		at := mid
		e, ok := indexEntryAt(entries, at, segmentID, secret)
		for (!ok || e.Kind != IndexRecord) && at > lo {
			at--
			e, ok = indexEntryAt(entries, at, segmentID, secret)
		}
		switch {
		case !ok || e.Kind != IndexRecord:
			lo = mid + 1 // nothing to go by in [lo, mid]
		case below(e):
			best, found = e, true
			lo = mid + 1
		default:
			hi = at
		}
	}
	return best, found
}

// indexEntryAt returns entry number i, and false when it is not a valid one of the segment.
func indexEntryAt(entries []byte, i int, segmentID, secret uint64) (IndexEntry, bool) {
	e, err := DecodeIndexEntry(entries[i*IndexEntrySize:], secret)
	return e, err == nil && e.SegmentID == segmentID
}

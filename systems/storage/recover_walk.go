package storage

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"slices"
	"sync"
	"syscall"

	"galgo/components"
	"galgo/uring"
	"galgo/wire"
)

const (
	// walkReadMin and walkReadMax bound how many bytes a walk reads at a time: one block at first, since most walks end at once, and then four times
	// as many each time.
	walkReadMin = components.UnitSize
	walkReadMax = 1 << 20
	// indexReadSize is how much of an index is read at a time: entries of some hundred megabytes of log.
	indexReadSize = 64 << 10
	// sealLookahead is how far bad bytes are searched for a seal: the longest record.
	sealLookahead = wire.RecordSizeMax
)

// segmentLog is a segment at recovery: what its head and index say, and its log for walking.
type segmentLog struct {
	files  uring.Files
	secret uint64
	id     uint64
	path   string
	size   uint64 // bytes

	head     wire.SegmentHead
	headless error // why the head is of no use, or nil
	index    segmentIndex

	fd    int32 // -1: not open
	bytes []byte
	at    uint64 // position of bytes[0]
	ahead int    // bytes that a walk reads next
}

// segmentIndex is what the end of an index says.
type segmentIndex struct {
	path     string
	size     uint64           // bytes
	end      uint64           // position after the last valid entry
	last     *wire.IndexEntry // the last valid entry
	vouching *wire.IndexEntry // the last one that vouches
}

// place is how far a walk has come: between two records.
type place struct {
	position uint64
	offset   uint64 // of the next record
	time     uint64 // µs, base timestamp of the record before
	run      uint64 // of the record before: no valid one behind it is of a lower run
}

// newSegmentLog is a segment of which nothing is read yet.
func newSegmentLog(files uring.Files, in *RecoverInput, id uint64) *segmentLog {
	name := func(kind wire.SegmentKind) string {
		return path.Join(in.Root, components.SegmentsDir, wire.SegmentName(in.CreatedSeq, in.PartitionID, id, kind))
	}
	l := &segmentLog{files: files, secret: in.Secret, id: id, fd: -1, path: name(wire.SegmentLog)}
	l.index.path = name(wire.SegmentIndex)
	return l
}

// load reads head and index.
func (l *segmentLog) load(belongs func(run uint64) bool) error {
	if err := l.open(); err != nil {
		return err
	}
	head, err := l.peek(0, wire.SegmentHeadSize)
	if err != nil {
		return err
	}
	l.head, l.headless = wire.DecodeSegmentHead(head, l.secret)
	if errors.Is(l.headless, wire.ErrVersion) {
		return fileError("recover", l.path, 0, l.headless)
	}
	return l.loadIndex(belongs)
}

func (l *segmentLog) open() error {
	if l.fd >= 0 {
		return nil
	}
	fd, err := l.files.Open(l.path, uring.O_RDONLY, 0)
	if err != nil {
		return fileError("open", l.path, 0, err)
	}
	l.fd = fd
	if l.size, err = l.files.Size(fd); err != nil {
		return fileError("read", l.path, 0, err)
	}
	return nil
}

func (l *segmentLog) close() {
	if l.fd >= 0 {
		_ = l.files.Close(l.fd) // nothing was written through it
		l.fd = -1
	}
	l.release()
}

// walkBuffers are buffers of walkBufferSize bytes: at a start with many partitions, memory for each would be most of what the process ever takes.
var walkBuffers = sync.Pool{New: func() any {
	b := make([]byte, walkBufferSize)
	return &b
}}

// walkBufferSize is room for the longest read of a walk: it begins with a block.
const walkBufferSize = walkReadMax + components.UnitSize

// release gives the buffer back. What peek returned is good no more.
func (l *segmentLog) release() {
	if b := l.bytes[:0]; cap(b) == walkBufferSize {
		walkBuffers.Put(&b)
	}
	l.bytes = nil
}

// loadIndex reads the index backwards until an entry vouches.
func (l *segmentLog) loadIndex(belongs func(run uint64) bool) error {
	return l.entriesBackwards(func(e wire.IndexEntry, end uint64) bool {
		if l.index.last == nil {
			l.index.last, l.index.end = &e, end
		}
		if e.Vouches(belongs) {
			l.index.vouching = &e
		}
		return l.index.vouching == nil
	})
}

// entriesBackwards visits the valid entries of the segment, the last one first, until visit says false. End is the position after the
// entry. A missing index is an empty one.
func (l *segmentLog) entriesBackwards(visit func(e wire.IndexEntry, end uint64) bool) error {
	fd, err := l.files.Open(l.index.path, uring.O_RDONLY, 0)
	if errors.Is(err, syscall.ENOENT) {
		return nil
	}
	if err != nil {
		return fileError("open", l.index.path, 0, err)
	}
	defer func() { _ = l.files.Close(fd) }()
	if l.index.size, err = l.files.Size(fd); err != nil {
		return fileError("read", l.index.path, 0, err)
	}
	var piece []byte
	end := l.index.size / wire.IndexEntrySize * wire.IndexEntrySize
	begin := components.AlignDown(max(end, 1) - 1) // the last block at first: it is most often the last entry that vouches
	for ; end > 0; begin = end - min(end, indexReadSize) {
		piece = slices.Grow(piece[:0], int(end-begin))[:end-begin]
		if n, err := l.files.ReadAt(fd, piece, begin); err != nil || n < len(piece) {
			return fileError("read", l.index.path, begin, errors.Join(err, shortRead(n, len(piece))))
		}
		for ; end > begin; end -= wire.IndexEntrySize {
			e, err := wire.DecodeIndexEntry(piece[end-begin-wire.IndexEntrySize:], l.secret)
			if err == nil && e.SegmentID == l.id && e.Position >= wire.SegmentHeadSize && !visit(e, end) {
				return nil
			}
		}
	}
	return nil
}

// shortRead is the error of a read that ended before the size that the file was said to have.
func shortRead(got, want int) error {
	if got < want {
		return fmt.Errorf("%w: got %d bytes, want %d", syscall.EIO, got, want)
	}
	return nil
}

// peek returns the n bytes at position, fewer only where the file ends. They are good until the next call.
func (l *segmentLog) peek(position uint64, n int) ([]byte, error) {
	if n = int(min(uint64(n), l.size-min(l.size, position))); n == 0 {
		return nil, nil
	}
	if from := position - l.at; position < l.at || from > uint64(len(l.bytes)) || uint64(n) > uint64(len(l.bytes))-from {
		if err := l.read(position, n); err != nil {
			return nil, err
		}
	}
	from := position - l.at
	return l.bytes[from : from+uint64(n)], nil
}

// read fills the buffer with the n bytes at position, what lies before them in their block, and what lies behind them if a walk goes on there. So the
// block in which a log ends is read once.
func (l *segmentLog) read(position uint64, n int) error {
	if err := l.open(); err != nil {
		return err
	}
	from := components.AlignDown(position)
	want := int(min(uint64(max(int(position-from)+n, l.ahead)), l.size-from))
	if cap(l.bytes) < want {
		l.release()
		if want <= walkBufferSize {
			l.bytes = *walkBuffers.Get().(*[]byte)
		} else {
			l.bytes = make([]byte, want)
		}
	}
	l.bytes, l.at = l.bytes[:want], from
	l.ahead = min(4*l.ahead, walkReadMax)
	got, err := l.files.ReadAt(l.fd, l.bytes, from)
	if err != nil || got < want {
		l.bytes = l.bytes[:0]
		return fileError("read", l.path, max(position, from+uint64(got)), errors.Join(err, shortRead(got, want)))
	}
	return nil
}

// start is the place of the segment's first record.
func (l *segmentLog) start() place {
	return place{position: wire.SegmentHeadSize, offset: l.head.BaseOffset}
}

// enter goes on to the first record of the next segment. What an entry says of the run is of the run that wrote it, and a segment may be
// vouched for long after the next one was begun.
func (p *place) enter(next *segmentLog) {
	p.position = wire.SegmentHeadSize
	if next.headless == nil {
		p.run = min(p.run, next.head.Run)
	}
}

// placeOf is where an entry says that a record begins or the log ends.
func placeOf(e *wire.IndexEntry) place {
	return place{position: e.Position, offset: e.Offset, time: e.Time, run: e.Run}
}

// walk moves p over valid records, up to the record that begins with the offset until. What stands behind the last one is said
// by bad, which is empty when until was reached.
func (l *segmentLog) walk(p *place, until uint64) (bad string, err error) {
	l.ahead = walkReadMin
	defer func() { l.ahead = 0 }()
	for p.offset != until {
		b, err := l.peek(p.position, wire.BatchHeaderSize)
		if err != nil {
			return "", err
		}
		info, err := wire.CheckRecordHeader(b, p.position, l.id, l.secret)
		if err == nil {
			if b, err = l.peek(p.position, int(info.Length)); err != nil {
				return "", err
			}
			info, err = wire.CheckRecord(b, p.position, l.id, l.secret)
		}
		switch {
		case err != nil:
			return err.Error(), nil
		case info.BaseOffset != p.offset:
			return fmt.Sprintf("a record of offset %d, want %d", info.BaseOffset, p.offset), nil
		case info.Run < p.run:
			return fmt.Sprintf("a record of run %d behind one of run %d", info.Run, p.run), nil
		}
		*p = place{position: p.position + info.Length, offset: info.OffsetNext(), time: info.Timestamp, run: info.Run}
	}
	return "", nil
}

// remains is what lies behind the last good record.
type remains struct {
	seals     int    // of this segment, of whatever run
	counting  int    // seals that count
	least     uint64 // the lowest safeBelow of those
	safeBelow uint64 // the highest
	at        uint64 // where the seal with the highest safeBelow stands
	end       uint64 // position after the last record with a seal, or, without any, after the last byte that is not zero
}

// search looks from position on, as far as the longest record reaches, for seals of this segment. A seal alone is proof enough of what was
// written before it, whether or not the bytes behind it arrived. Counts says whether one says anything.
func (l *segmentLog) search(position uint64, counts func(wire.Seal) bool) (remains, error) {
	found := remains{end: position}
	ranges, err := l.written(position, min(l.size, position+sealLookahead))
	for _, r := range ranges {
		if err == nil {
			err = l.searchRange(r, counts, &found)
		}
	}
	return found, err
}

// byteRange is [from, to) of a file, with zeros around it: so many before it, and some behind it, unless it was cut short.
type byteRange struct {
	from, to uint64
	before   uint64
	cut      bool
}

// written lists the ranges of [position, limit) in which something may have been written; the rest is zero. Files are allocated far ahead of
// what is written to them, and most searches end in that. Reading comes after the list is whole: what was read counts as written.
func (l *segmentLog) written(position, limit uint64) (ranges []byteRange, err error) {
	if err := l.open(); err != nil {
		return nil, err
	}
	for position < limit {
		from, to, err := l.files.NextData(l.fd, position)
		if err != nil {
			return nil, fileError("read", l.path, position, err)
		}
		if from >= limit || from == to {
			break
		}
		ranges = append(ranges, byteRange{from: from, to: min(to, limit), before: from - position, cut: to >= limit})
		position = to
	}
	return ranges, nil
}

// searchRange searches a range. A header may begin or end in the zeros around it.
func (l *segmentLog) searchRange(r byteRange, counts func(wire.Seal) bool, found *remains) error {
	const margin = wire.BatchHeaderSize - 1
	for position := r.from; position < r.to; {
		b, err := l.peek(position, int(min(walkReadMax, r.to-position)))
		if err != nil {
			return err
		}
		if used := trimZeros(b); len(used) > 0 && found.seals == 0 {
			found.end = position + uint64(len(used))
		}
		before, after, end := uint64(0), 0, position+uint64(len(b))
		if position == r.from {
			before = min(margin, r.before)
		}
		if end == r.to && !r.cut {
			after = margin
		}
		if before > 0 || after > 0 {
			b = slices.Concat(zeros[:before], b, zeros[:after])
		}
		l.searchPiece(b, position-before, counts, found)
		if end == r.to {
			break
		}
		position = end - margin // a header may lie across two pieces
	}
	return nil
}

func (l *segmentLog) searchPiece(b []byte, position uint64, counts func(wire.Seal) bool, found *remains) {
	for from := 0; ; from++ {
		at := wire.FindSeal(b[from:], position+uint64(from), l.id, l.secret)
		if at < 0 {
			return
		}
		from += at
		seal, _ := wire.ReadSeal(b[from:], position+uint64(from), l.secret)
		header, _ := wire.DecodeBatchHeader(b[from:]) // it is there whole
		end := min(position+uint64(from)+min(header.Length, wire.RecordSizeMax), l.size)
		if found.seals++; found.seals == 1 {
			found.end = end
		}
		found.end = max(found.end, end)
		if counts(seal) {
			if found.counting++; found.counting == 1 {
				found.least = seal.SafeBelow
			}
			found.least = min(found.least, seal.SafeBelow)
			if seal.SafeBelow > found.safeBelow {
				found.safeBelow, found.at = seal.SafeBelow, position+uint64(from)
			}
		}
	}
}

var zeros [4096]byte

// trimZeros returns b without the zeros at its end.
func trimZeros(b []byte) []byte {
	for len(b) >= len(zeros) && bytes.Equal(b[len(b)-len(zeros):], zeros[:]) {
		b = b[:len(b)-len(zeros)]
	}
	for len(b) > 0 && b[len(b)-1] == 0 {
		b = b[:len(b)-1]
	}
	return b
}

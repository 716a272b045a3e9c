package components

import (
	"fmt"

	"galgo/wire"
)

// Reader walks the bytes of one segment in the journal's memory, which may lie in several extents.
type Reader struct {
	s       *State
	row     int
	segment uint32
	index   int    // extent number in the partition's list
	at      uint64 // position
}

// Reader begins at a position of a segment that is in memory.
func (s *State) Reader(row int, segment uint32, position uint64) Reader {
	list, x := &s.Partitions.Extents[row], &s.Journal.Extents
	i := list.Len() - 1
	for i > 0 && !(x.Segment[list.At(i)] == segment && x.File[list.At(i)] <= position) {
		i--
	}
	return Reader{s: s, row: row, segment: segment, index: i, at: position}
}

// span is the memory from the reader's position on, at most n bytes in one piece.
func (r *Reader) span(n uint64) (Span, uint64) {
	list, x := &r.s.Partitions.Extents[r.row], &r.s.Journal.Extents
	for ; r.index < list.Len(); r.index++ {
		e := list.At(r.index)
		if x.Segment[e] != r.segment {
			break
		}
		if r.at < x.end(e) {
			n = min(n, x.end(e)-r.at)
			return r.s.extentSpan(e, r.at, r.at+n), n
		}
	}
	panic(fmt.Sprintf("components: position %d of partition %v is not in memory", r.at, r.s.Partitions.Entity(r.row)))
}

// Peek copies the next len(dst) bytes without moving on.
func (r *Reader) Peek(dst []byte) {
	ahead := *r
	for len(dst) > 0 {
		span, n := ahead.span(uint64(len(dst)))
		copy(dst, r.s.Memory.Bytes(span))
		dst = dst[n:]
		ahead.at += n
	}
}

// Poke writes src over the next bytes without moving on. Blocks of a write in flight must not be among them.
func (r *Reader) Poke(src []byte) {
	ahead := *r
	for len(src) > 0 {
		span, n := ahead.span(uint64(len(src)))
		copy(r.s.Memory.Bytes(span), src)
		src = src[n:]
		ahead.at += n
	}
}

// Skip moves n bytes on.
func (r *Reader) Skip(n uint64) { r.at += n }

// Next returns the memory of the next bytes, at most n, in one piece, with the run it lies in, and moves behind it.
func (r *Reader) Next(n uint64) (span Span, run uint32) {
	span, n = r.span(n)
	run = r.s.Journal.Extents.Run[r.s.Partitions.Extents[r.row].At(r.index)]
	r.at += n
	return span, run
}

// PadBlock makes the rest of the block in which a position lies zero, as the file gets it, and returns the extent that holds the
// byte before it.
func (s *State) PadBlock(row int, segment uint32, position uint64) (extent uint32) {
	reader := s.Reader(row, segment, position-1)
	reader.span(1)
	extent = s.Partitions.Extents[row].At(reader.index)
	x := &s.Journal.Extents
	if position == x.end(extent) && position%UnitSize != 0 {
		room := s.extentRoom(extent)
		from := uint32(position - x.File[extent])
		clear(s.Memory.Bytes(room.Slice(from, uint32(AlignUp(position)-position))))
	}
	return extent
}

// Pieces is how many pieces the next n bytes lie in.
func (r Reader) Pieces(n uint64) (pieces uint32) {
	for n > 0 {
		_, got := r.span(n)
		r.at += got
		n -= got
		pieces++
	}
	return pieces
}

// Walk goes through the records in a partition's memory, from one segment into the next.
type Walk struct{ Reader }

// Walk begins at a record.
func (s *State) Walk(row int, at Place) Walk {
	x := s.Partitions.Extents[row].At(at.Index)
	return Walk{Reader{s: s, row: row, segment: s.Journal.Extents.Segment[x], index: at.Index, at: at.Position}}
}

// Header is the header of the record at hand; false at the end of what is in memory.
func (w *Walk) Header() (wire.BatchHeader, bool) {
	s := w.s
	for w.at == s.Segments.End[w.segment] {
		list, x := &s.Partitions.Extents[w.row], &s.Journal.Extents
		for w.index < list.Len() && x.Segment[list.At(w.index)] == w.segment {
			w.index++
		}
		if w.index == list.Len() {
			return wire.BatchHeader{}, false
		}
		w.segment, w.at = x.Segment[list.At(w.index)], wire.SegmentHeadSize
	}
	var header [wire.BatchHeaderSize]byte
	w.Peek(header[:])
	batch, err := wire.DecodeBatchHeader(header[:])
	if err != nil {
		panic(fmt.Sprintf("components: no batch header at %d of partition %v", w.at, s.Partitions.Entity(w.row)))
	}
	return batch, true
}

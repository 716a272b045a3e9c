package components

import (
	"cmp"
	"fmt"

	"galgo/ecs"
)

// runSize is the memory a partition takes at a time for small batches, in bytes. A larger batch takes what it needs.
const runSize = 64 << 10

// adoptMin is the length of a batch from which it is worth a run of its own, in bytes: runs are whole chunks.
const adoptMin = 2 * ChunkSize

// NoPosition is the position of nothing.
const NoPosition = ^uint64(0)

// Journal is the State component of accepted batches: memory laid out as the log's next blocks, and, once written, the hot
// part of the log that polls are served from.
//
// Memory comes in runs; a run belongs to one partition and is cut into extents. A large frame whose batch lies as the log's next blocks would
// becomes a run itself, so that its bytes are not copied. An extent is a piece of the log: bytes
// [File, File+Len) of one segment at memory [Mem, Mem+Len). File and Mem are block-aligned, so that an extent can be written
// as it lies. While a write is in flight nobody touches the blocks it covers: an append that would go on in its last,
// partly filled block begins a new extent with a copy of that block. So neighbouring extents may overlap by
// less than a block; both hold the same bytes there.
type Journal struct {
	Runs    Runs
	Extents Extents
	Hot     ecs.Bits // partition rows that have extents
	cursor  int      // where the clock of eviction stands in Hot
	growing int      // the partition row that memory is being taken for, plus one: it keeps a tail that is small
	bare    uint64   // mono µs, plus one, of the tick that last found nothing to be evicted that helps
	Adopted uint64   // how many batches were left where they were received since the start
	Evicted uint64   // how many runs were evicted since the start: what was found in memory before may be gone after
}

// Runs are the pieces of memory that the journal holds.
type Runs struct {
	slots   ecs.Slots
	Span    []Span
	Extents []uint32 // how many extents lie in it; none, while it has Refs, is a run that goes with the last of those
	Refs    []uint32 // replies being sent from it
}

// Extents are pieces of logs in memory, listed by partition in Partitions.Extents.
type Extents struct {
	slots   ecs.Slots
	Run     []uint32
	Mem     []uint64 // offset in the arena's slab
	File    []uint64 // position in the segment
	Len     []uint64 // bytes
	Segment []uint32 // row in Segments
	// FirstPos is the position of the first record that starts in the extent's own bytes (not in a copied block), or NoPosition.
	// FirstOffset is that record's offset, or the offset after the record that fills the extent.
	FirstPos    []uint64
	FirstOffset []uint64
}

func (r *Runs) add(span Span) uint32 {
	row, n := r.slots.Take(), r.slots.Cap()
	r.Span = ecs.Grow(r.Span, n)
	r.Extents = ecs.Grow(r.Extents, n)
	r.Refs = ecs.Grow(r.Refs, n)
	r.Span[row], r.Extents[row], r.Refs[row] = span, 0, 0
	return row
}

func (x *Extents) add(run uint32, mem, file uint64, segment uint32) uint32 {
	row, n := x.slots.Take(), x.slots.Cap()
	x.Run = ecs.Grow(x.Run, n)
	x.Mem = ecs.Grow(x.Mem, n)
	x.File = ecs.Grow(x.File, n)
	x.Len = ecs.Grow(x.Len, n)
	x.Segment = ecs.Grow(x.Segment, n)
	x.FirstPos = ecs.Grow(x.FirstPos, n)
	x.FirstOffset = ecs.Grow(x.FirstOffset, n)
	x.Run[row], x.Mem[row], x.File[row], x.Len[row], x.Segment[row] = run, mem, file, 0, segment
	x.FirstPos[row], x.FirstOffset[row] = NoPosition, 0
	return row
}

// end is the position after the extent's last byte.
func (x *Extents) end(row uint32) uint64 { return x.File[row] + x.Len[row] }

// AppendSegment is the row of the segment that takes appends.
func (p *Partitions) AppendSegment(row int) uint32 { return p.Segments[row].Last() }

// tailExtent is the extent that ends where the next append begins, if it is in memory.
func (s *State) tailExtent(row int) (uint32, bool) {
	list := &s.Partitions.Extents[row]
	if list.Len() == 0 {
		return 0, false
	}
	x, segment := list.Last(), s.Partitions.AppendSegment(row)
	if s.Journal.Extents.Segment[x] != segment || s.Journal.Extents.end(x) != s.Segments.End[segment] {
		return 0, false
	}
	return x, true
}

// frozen says whether the block in which the tail extent ends is covered by a write in flight.
func (s *State) frozen(row int, tail uint32) bool {
	p := &s.Partitions
	return p.Writing(row) && p.Write[row] == p.AppendSegment(row) && p.SealedExtent[row] == tail &&
		s.Segments.End[p.Write[row]] < AlignUp(p.Sealed[row])
}

// ReserveJournal makes sure that n bytes can be appended to the partition's journal: false when neither free memory nor
// eviction gives room now. The partition's last block must be in memory (TailCold false).
func (s *State) ReserveJournal(row int, n uint64) bool {
	p := &s.Partitions
	if tail, ok := s.tailExtent(row); ok && s.room(row, tail) >= n {
		return true
	}
	// What room there is behind the tail does not count: eviction may move the tail.
	n = AlignUp(n + UnitSize) // a copied block may come first
	if spare := p.Spare[row]; spare != NoRow {
		if uint64(s.Journal.Runs.Span[spare].Len) >= n {
			return true
		}
		s.dropSpare(row)
	}
	s.Journal.growing = row + 1
	defer func() { s.Journal.growing = 0 }()
	span, ok := s.AllocHot(uint32(max(n, runSize)))
	if !ok {
		return false
	}
	span = span.Whole()
	p.Spare[row] = s.Journal.Runs.add(span)
	s.makeRoom(row, span)
	return true
}

// room is how many bytes can be appended behind the tail extent within its run.
func (s *State) room(row int, tail uint32) uint64 {
	x := &s.Journal.Extents
	span := s.Journal.Runs.Span[x.Run[tail]]
	end := span.Off + uint64(span.Len)
	if !s.frozen(row, tail) {
		return end - x.Mem[tail] - x.Len[tail]
	}
	if next := x.Mem[tail] + AlignUp(x.Len[tail]) + x.end(tail)%UnitSize; next < end {
		return end - next
	}
	return 0
}

// AppendJournal copies src to the end of the partition's log. startsRecord is set for the first piece of a record
// whose first offset is base; next is the offset after it. ReserveJournal must have said yes to at least as many bytes.
func (s *State) AppendJournal(row int, src []byte, base, next uint64, startsRecord bool) {
	x, segment := &s.Journal.Extents, s.Partitions.AppendSegment(row)
	for len(src) > 0 {
		tail := s.writableExtent(row, segment)
		span := s.Journal.Runs.Span[x.Run[tail]]
		to := s.Memory.Bytes(span)[x.Mem[tail]+x.Len[tail]-span.Off:]
		n := copy(to, src)
		s.extend(row, tail, uint64(n), base, next, startsRecord)
		startsRecord = false
		src = src[n:]
	}
}

// extend makes the n bytes behind the last extent part of the log.
func (s *State) extend(row int, tail uint32, n, base, next uint64, startsRecord bool) {
	p, x := &s.Partitions, &s.Journal.Extents
	end := &s.Segments.End[x.Segment[tail]]
	if x.FirstPos[tail] == NoPosition {
		x.FirstOffset[tail] = next
		if startsRecord {
			x.FirstPos[tail], x.FirstOffset[tail] = *end, base
		}
	}
	x.Len[tail] += n
	*end += n
	if p.Waiting[row] == 0 {
		p.Waiting[row] = max(s.Now.MonoMicros, 1)
		s.Unsealed.Set(row)
	}
}

// Adoptable says whether a batch lies in memory as it would in the partition's log, and is large enough to be left there. One that begins a segment
// goes behind the head, which needs memory anyway.
func (s *State) Adoptable(row int, batch Span) bool {
	end := s.Segments.End[s.Partitions.AppendSegment(row)]
	return batch.Len >= s.adoptLeast() && end > 0 && batch.Off%UnitSize == end%UnitSize
}

// adoptLeast is the length of a batch from which it is left where it was received, in bytes.
func (s *State) adoptLeast() uint32 { return cmp.Or(s.AdoptMin, adoptMin) }

// AdoptJournal makes an Adoptable batch the end of the partition's log where it lies: the memory of its frame becomes a run, of which what lies
// before the batch is not looked at any more. The partition's last block must be in memory. For base and next see AppendJournal.
func (s *State) AdoptJournal(row int, frame, batch Span, base, next uint64) {
	segment, startsRecord := s.Partitions.AppendSegment(row), true
	tail, ok := s.tailExtent(row)
	if head := uint32(s.Segments.End[segment] % UnitSize); head > 0 && ok && !s.frozen(row, tail) {
		rest := UnitSize - head // fills the last block, which has one place only while it is not sealed
		s.AppendJournal(row, s.Memory.Bytes(batch.Slice(0, rest)), base, next, startsRecord)
		batch, startsRecord = batch.Slice(rest, batch.Len-rest), false
	}
	s.Journal.Adopted++
	run := s.Journal.Runs.add(frame.Whole())
	fresh := s.addExtent(row, run, batch.Off-s.Segments.End[segment]%UnitSize)
	s.extend(row, fresh, uint64(batch.Len), base, next, startsRecord)
	s.makeRoom(row, frame)
}

// writableExtent is the extent that the next byte goes to: the tail while it has room, else a new one.
func (s *State) writableExtent(row int, segment uint32) uint32 {
	p, x := &s.Partitions, &s.Journal.Extents
	tail, ok := s.tailExtent(row)
	if ok && s.room(row, tail) > 0 {
		if !s.frozen(row, tail) {
			return tail
		}
		return s.addExtent(row, x.Run[tail], x.Mem[tail]+AlignUp(x.Len[tail]))
	}
	run := p.Spare[row]
	if run == NoRow {
		panic(fmt.Sprintf("components: partition %v appends without reserved memory", p.Entity(row)))
	}
	p.Spare[row] = NoRow
	return s.addExtent(row, run, s.Journal.Runs.Span[run].Off)
}

// addExtent begins an extent where the partition's log ends, at mem in a run: with a copy of the last block as far as that is filled.
func (s *State) addExtent(row int, run uint32, mem uint64) uint32 {
	p, x := &s.Partitions, &s.Journal.Extents
	segment := p.AppendSegment(row)
	end := s.Segments.End[segment]
	tail, ok := s.tailExtent(row)
	fresh := x.add(run, mem, AlignDown(end), segment)
	s.Journal.Runs.Extents[run]++
	if head := end % UnitSize; head > 0 {
		if !ok {
			panic(fmt.Sprintf("components: partition %v appends at %d without its last block", p.Entity(row), end))
		}
		from := s.extentBytes(tail)
		copy(s.Memory.Bytes(s.extentRoom(fresh)), from[uint64(len(from))-head:])
		x.Len[fresh] = head
	}
	p.Extents[row].Append(fresh)
	s.Journal.Hot.Set(row)
	return fresh
}

// PlaceTail puts a last block that was read back into the journal, so that appends can go on behind it.
func (s *State) PlaceTail(row int, block []byte) bool {
	span, ok := s.AllocHot(runSize)
	if !ok {
		return false
	}
	p, x := &s.Partitions, &s.Journal.Extents
	segment := p.AppendSegment(row)
	run := s.Journal.Runs.add(span)
	fresh := x.add(run, span.Off, AlignDown(s.Segments.End[segment]), segment)
	s.Journal.Runs.Extents[run] = 1
	x.Len[fresh] = uint64(copy(s.Memory.Bytes(span), block))
	x.FirstOffset[fresh] = p.OffsetNext[row]
	if x.end(fresh) != s.Segments.End[segment] {
		panic(fmt.Sprintf("components: a tail of %d bytes for a log that ends at %d", len(block), s.Segments.End[segment]))
	}
	p.Extents[row].Append(fresh)
	p.TailCold[row] = false
	s.Journal.Hot.Set(row)
	return true
}

// extentBytes is an extent's memory.
func (s *State) extentBytes(x uint32) []byte {
	return s.Memory.Bytes(s.extentSpan(x, s.Journal.Extents.File[x], s.Journal.Extents.end(x)))
}

// extentRoom is an extent's memory up to the end of its run.
func (s *State) extentRoom(x uint32) Span {
	span := s.Journal.Runs.Span[s.Journal.Extents.Run[x]]
	from := s.Journal.Extents.Mem[x] - span.Off
	return span.Slice(uint32(from), span.Len-uint32(from))
}

// extentSpan is where the bytes [from, to) of the log lie in an extent.
func (s *State) extentSpan(x uint32, from, to uint64) Span {
	room := s.extentRoom(x)
	return room.Slice(uint32(from-s.Journal.Extents.File[x]), uint32(to-from))
}

// A Place is a position in the hot part of a log: extent number Index of the partition's list, and a position in that extent's
// segment.
type Place struct {
	Index    int
	Position uint64
}

// HotFirst is the offset of the first record that polls find in memory; false when there is none.
func (s *State) HotFirst(row int) (uint64, bool) {
	list := &s.Partitions.Extents[row]
	if list.Len() == 0 {
		return 0, false
	}
	first := s.Journal.Extents.FirstOffset[list.At(0)]
	return first, first < s.Partitions.OffsetNext[row]
}

// HotPlace finds the last extent in which a record starts at or below offset, which must not be below HotFirst, and the place of the first
// record that starts there.
func (s *State) HotPlace(row int, offset uint64) Place {
	list, x := &s.Partitions.Extents[row], &s.Journal.Extents
	lo, hi := 0, list.Len() // the first extent whose FirstOffset is above offset
	for lo < hi {
		if mid := (lo + hi) / 2; x.FirstOffset[list.At(mid)] <= offset {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	i := lo - 1
	for i >= 0 && x.FirstPos[list.At(i)] == NoPosition {
		i--
	}
	if i < 0 {
		panic(fmt.Sprintf("components: offset %d of partition %v is not in memory", offset, s.Partitions.Entity(row)))
	}
	return Place{Index: i, Position: x.FirstPos[list.At(i)]}
}

package components

import (
	"fmt"

	"galgo/ecs"
)

// Phase is where a partition is in its life. It is the barrier for requests: only a Ready partition takes appends.
type Phase uint8

const (
	Opening  Phase = iota // recovery has not reported yet; requests wait
	Ready                 // takes appends, serves polls
	Faulted               // its storage failed or is damaged: no appends, good ranges are served
	Deleting              // gone from the catalog; its files go once nothing refers to them
	Purging               // empty, and takes appends again once what was in flight has returned
)

// String is the phase's name.
func (p Phase) String() string {
	return [...]string{"opening", "ready", "faulted", "deleting", "purging"}[p]
}

// Level says when a send is answered, and so what an answer promises.
type Level uint8

const (
	LevelMemory  Level = iota // journaled in memory: survives a clean stop only
	LevelWritten              // the write to the file completed: survives the death of the process
	LevelDurable              // the write was made durable: survives power loss
)

// String is the level's name, as the configuration spells it.
func (l Level) String() string { return [...]string{"memory", "written", "durable"}[l] }

// Partitions is the State component of the partitions that this shard owns: one row each. State systems write it.
//
// Invariants in every row:
//
//	OffsetFirst <= OffsetWritten <= OffsetNext
//	in the segment being written: Written <= Sealed; a write is in flight exactly while Written < Sealed
//	a partition has journal memory for every byte from Written on, unless that is Abandoned
type Partitions struct {
	ecs.Rows
	Topic       []ecs.Entity
	ID          []uint32 // wire id within the topic
	Created     []uint64 // creating seq: with ID it names the files
	Epoch       []uint64 // purge epoch
	Phase       []Phase
	Doubted     []bool   // a deletion or purge of it may be in the control log, and would come with the next start: no appends
	Level       []Level  // of sends
	OffsetLevel []Level  // of stored offsets
	SegmentSize []uint64 // roll limit

	OffsetFirst   []uint64 // earliest retained message
	OffsetNext    []uint64 // the offset the next message gets
	OffsetWritten []uint64 // messages below it are in the file, durably so at LevelDurable
	TimeLast      []uint64 // µs, base timestamp of the last batch: never falls
	Size          []uint64 // bytes of records in all segments

	Segments   []List   // rows of Segments, oldest first; the last one takes appends
	Retired    []List   // rows of Segments that are not part of the log any more, oldest first: their files go once nothing uses them
	Write      []uint32 // row in Segments being written: at or before the last
	Written    []uint64 // position in that segment: bytes below it are in the file
	Sealed     []uint64 // position in that segment: bytes below it are handed to a write
	SealedNext []uint64 // the offset after the last message handed over
	MarkLast   []uint64 // position of the last index mark in the append segment
	Waiting    []uint64 // mono µs since when unsealed bytes wait; 0 is none
	Quiet      []uint64 // mono µs of the last completed write
	Vouched    []bool   // everything written is below a voucher
	Vouching   []bool   // a voucher is being made
	VouchFrom  []uint64 // segments with ids below it are vouched for to their ends
	VouchAfter []uint64 // mono µs before which a voucher is not tried again after a failure
	Late       []bool   // a write has not returned in time: no appends until it does
	Growing    []bool   // a growth of the append segment's file is under way
	GrowTo     []uint64 // bytes that the append segment's file is to have blocks for
	GrowAfter  []uint64 // mono µs before which growing or making a file is not tried again after a failure
	Ahead      []uint32 // row in Segments of the segment that comes after the last one, or NoRow: its file is made before it is needed
	Making     []bool   // that file is being made
	MakeTo     []uint64 // bytes that it is to have blocks for

	Extents      []List   // rows of Journal.Extents, oldest first: the hot part of the log
	SealedExtent []uint32 // the extent in which the last sealed byte lies
	Spare        []uint32 // a run of memory reserved for the append at hand, or NoRow
	TailHash     []uint64 // of the last, partly filled block when it is not in memory
	TailCold     []bool   // that block must be read back before the next append
	TailBusy     []bool   // it is being read back
	Touched      []bool   // polled since the clock passed by: second chance
	InFlight     []uint32 // storage operations and replies that still refer to the partition
}

// Insert adds a row for a partition that has no data.
func (p *Partitions) Insert(entity ecs.Entity) int {
	row := p.Rows.Insert(entity)
	n := p.Cap()
	p.Topic = ecs.Grow(p.Topic, n)
	p.ID = ecs.Grow(p.ID, n)
	p.Created = ecs.Grow(p.Created, n)
	p.Epoch = ecs.Grow(p.Epoch, n)
	p.Phase = ecs.Grow(p.Phase, n)
	p.Doubted = ecs.Grow(p.Doubted, n)
	p.Level = ecs.Grow(p.Level, n)
	p.OffsetLevel = ecs.Grow(p.OffsetLevel, n)
	p.SegmentSize = ecs.Grow(p.SegmentSize, n)
	p.OffsetFirst = ecs.Grow(p.OffsetFirst, n)
	p.OffsetNext = ecs.Grow(p.OffsetNext, n)
	p.OffsetWritten = ecs.Grow(p.OffsetWritten, n)
	p.TimeLast = ecs.Grow(p.TimeLast, n)
	p.Size = ecs.Grow(p.Size, n)
	p.Segments = ecs.Grow(p.Segments, n)
	p.Retired = ecs.Grow(p.Retired, n)
	p.Write = ecs.Grow(p.Write, n)
	p.Written = ecs.Grow(p.Written, n)
	p.Sealed = ecs.Grow(p.Sealed, n)
	p.SealedNext = ecs.Grow(p.SealedNext, n)
	p.MarkLast = ecs.Grow(p.MarkLast, n)
	p.Waiting = ecs.Grow(p.Waiting, n)
	p.Quiet = ecs.Grow(p.Quiet, n)
	p.Vouched = ecs.Grow(p.Vouched, n)
	p.Vouching = ecs.Grow(p.Vouching, n)
	p.VouchFrom = ecs.Grow(p.VouchFrom, n)
	p.VouchAfter = ecs.Grow(p.VouchAfter, n)
	p.Late = ecs.Grow(p.Late, n)
	p.Growing = ecs.Grow(p.Growing, n)
	p.GrowTo = ecs.Grow(p.GrowTo, n)
	p.GrowAfter = ecs.Grow(p.GrowAfter, n)
	p.Ahead = ecs.Grow(p.Ahead, n)
	p.Making = ecs.Grow(p.Making, n)
	p.MakeTo = ecs.Grow(p.MakeTo, n)
	p.Extents = ecs.Grow(p.Extents, n)
	p.SealedExtent = ecs.Grow(p.SealedExtent, n)
	p.Spare = ecs.Grow(p.Spare, n)
	p.TailHash = ecs.Grow(p.TailHash, n)
	p.TailCold = ecs.Grow(p.TailCold, n)
	p.TailBusy = ecs.Grow(p.TailBusy, n)
	p.Touched = ecs.Grow(p.Touched, n)
	p.InFlight = ecs.Grow(p.InFlight, n)

	p.Topic[row], p.ID[row], p.Created[row], p.Epoch[row] = ecs.None, 0, 0, 0
	p.Phase[row], p.Doubted[row], p.Level[row], p.OffsetLevel[row], p.SegmentSize[row] = Ready, false, 0, 0, 0
	p.OffsetFirst[row], p.OffsetNext[row], p.OffsetWritten[row], p.TimeLast[row], p.Size[row] = 0, 0, 0, 0, 0
	p.Segments[row].Clear()
	p.Retired[row].Clear()
	p.Write[row], p.Written[row], p.Sealed[row], p.SealedNext[row], p.MarkLast[row] = NoRow, 0, 0, 0, 0
	p.Waiting[row], p.Quiet[row], p.Late[row] = 0, 0, false
	p.Vouched[row], p.Vouching[row], p.VouchFrom[row], p.VouchAfter[row] = true, false, 0, 0
	p.Growing[row], p.GrowTo[row], p.GrowAfter[row] = false, 0, 0
	p.Ahead[row], p.Making[row], p.MakeTo[row] = NoRow, false, 0
	p.Extents[row].Clear()
	p.SealedExtent[row], p.Spare[row] = NoRow, NoRow
	p.TailHash[row], p.TailCold[row], p.TailBusy[row] = 0, false, false
	p.Touched[row], p.InFlight[row] = false, 0
	return row
}

// Visible is the watermark of polls: messages below it are acknowledged, or will be without fail.
func (p *Partitions) Visible(row int) uint64 {
	if p.Level[row] == LevelMemory {
		return p.OffsetNext[row]
	}
	return p.OffsetWritten[row]
}

// Ends says whether what the partition has is about to go: no watermark moves any more, and no failure matters.
func (p *Partitions) Ends(row int) bool { return p.Phase[row] == Deleting || p.Phase[row] == Purging }

// Writing says whether a write is in flight.
func (p *Partitions) Writing(row int) bool { return p.Sealed[row] > p.Written[row] }

// Abandoned says whether what a partition has appended and not written never will be, and no poll shows it.
func (p *Partitions) Abandoned(row int) bool {
	return p.Phase[row] == Faulted && p.Level[row] != LevelMemory && !p.Writing(row)
}

// NoRow is the row number of nothing.
const NoRow = ^uint32(0)

// Segments is the State component of the segments of this shard's partitions: one row each, listed in Partitions.Segments, made ahead, or, when the
// segment is gone from the log, in Partitions.Retired.
type Segments struct {
	slots     ecs.Slots
	ID        []uint64 // run << 40 | (counter * shards + shard): names the file
	Base      []uint64 // offset of the first message
	Next      []uint64 // offset after the last message appended
	End       []uint64 // position after the last record appended
	Allocated []uint64 // bytes the file has blocks for
	TimeLast  []uint64 // µs, base timestamp of the last batch
	Users     []uint32 // reads and vouchers that are ordered and have not returned: the files stay until they have
	Gone      []bool   // not part of the log any more
}

// Add enters a segment and returns its row.
func (s *Segments) Add(id, base, end uint64) uint32 {
	row, n := s.slots.Take(), s.slots.Cap()
	s.ID = ecs.Grow(s.ID, n)
	s.Base = ecs.Grow(s.Base, n)
	s.Next = ecs.Grow(s.Next, n)
	s.End = ecs.Grow(s.End, n)
	s.Allocated = ecs.Grow(s.Allocated, n)
	s.TimeLast = ecs.Grow(s.TimeLast, n)
	s.Users = ecs.Grow(s.Users, n)
	s.Gone = ecs.Grow(s.Gone, n)
	s.ID[row], s.Base[row], s.Next[row], s.End[row], s.Allocated[row], s.TimeLast[row] = id, base, base, end, 0, 0
	s.Users[row], s.Gone[row] = 0, false
	return row
}

// Drop frees a row.
func (s *Segments) Drop(row uint32) {
	if s.ID[row] == 0 {
		panic(fmt.Sprintf("components: segment row %d dropped twice", row))
	}
	if s.Users[row] > 0 {
		panic(fmt.Sprintf("components: segment %#x dropped with %d users", s.ID[row], s.Users[row]))
	}
	s.ID[row] = 0
	s.slots.Put(row)
}

// List is a short queue of row numbers that one table row owns, oldest first.
type List struct {
	rows []uint32
	head int
}

// Len is how many there are.
func (l *List) Len() int { return len(l.rows) - l.head }

// At is number i from the oldest.
func (l *List) At(i int) uint32 { return l.rows[l.head+i] }

// Last is the newest. It panics on an empty list.
func (l *List) Last() uint32 { return l.rows[len(l.rows)-1] }

// Append adds the newest. Room that Pop left is used before the list grows.
func (l *List) Append(row uint32) {
	if len(l.rows) == cap(l.rows) && l.head >= len(l.rows)/2 {
		l.rows = l.rows[:copy(l.rows, l.rows[l.head:])]
		l.head = 0
	}
	l.rows = append(l.rows, row)
}

// Pop takes the oldest.
func (l *List) Pop() uint32 {
	row := l.rows[l.head]
	if l.head++; l.head == len(l.rows) {
		l.rows, l.head = l.rows[:0], 0
	}
	return row
}

// Clear empties the list.
func (l *List) Clear() { l.rows, l.head = l.rows[:0], 0 }

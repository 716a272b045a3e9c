package components

import (
	"slices"

	"galgo/ecs"
)

// ColdPartsMax is how many reads the answer to a poll is made of at most.
const ColdPartsMax = 8

// ColdPart is what one read brought for the answer to a poll: whole records in memory that is the poll's.
type ColdPart struct {
	Memory  Span
	Records Span
}

// Polls is the State component of polls that wait for the disk, and of reads ahead of them: one row each. A read ahead has a row without a request,
// until the poll comes that it was made for.
type Polls struct {
	slots   ecs.Slots
	Request []Request
	Target  []uint64 // offset of the first message wanted
	Time    []uint64 // with ByTime: µs
	ByTime  []bool
	Segment []uint32 // row in Segments of the segment being read, which stays until it is
	Size    []uint32 // bytes asked for
	Begin   []uint64 // offset of the first message taken for the answer
	Taken   []uint32 // messages
	Bytes   []uint64 // of the records taken
	Parts   [][]ColdPart
	Told    []bool     // it was refused: the read has not returned in time
	Goes    []bool     // it went on where another one ended: the next one most likely will, too
	Read    []ColdRead // what a read ahead brought
	Of      []uint64   // id of the segment it is of: its row may be another one's by the time it is wanted
	Guess   []uint64   // position from which a read ahead was made in the hope that what is wanted lies there; 0: that was known
	At      []uint64   // position of what is wanted of such a read; 0: it is not known yet, or not asked
	Live    int        // polls that wait
	Aheads  []uint32   // rows of reads ahead, oldest first
}

// Add takes a row.
func (p *Polls) Add(r Request) uint32 {
	row, n := p.slots.Take(), p.slots.Cap()
	p.Request = ecs.Grow(p.Request, n)
	p.Target = ecs.Grow(p.Target, n)
	p.Time = ecs.Grow(p.Time, n)
	p.ByTime = ecs.Grow(p.ByTime, n)
	p.Segment = ecs.Grow(p.Segment, n)
	p.Size = ecs.Grow(p.Size, n)
	p.Begin = ecs.Grow(p.Begin, n)
	p.Taken = ecs.Grow(p.Taken, n)
	p.Bytes = ecs.Grow(p.Bytes, n)
	p.Parts = ecs.Grow(p.Parts, n)
	p.Told = ecs.Grow(p.Told, n)
	p.Goes = ecs.Grow(p.Goes, n)
	p.Read = ecs.Grow(p.Read, n)
	p.Of = ecs.Grow(p.Of, n)
	p.Guess = ecs.Grow(p.Guess, n)
	p.At = ecs.Grow(p.At, n)
	p.Request[row] = r
	p.Target[row], p.Time[row], p.ByTime[row], p.Segment[row], p.Size[row], p.Told[row] = 0, 0, false, 0, 0, false
	p.Goes[row], p.Read[row], p.Of[row], p.Guess[row], p.At[row] = false, ColdRead{}, 0, 0, 0
	p.Begin[row], p.Taken[row], p.Bytes[row], p.Parts[row] = 0, 0, 0, p.Parts[row][:0]
	p.Live++
	return row
}

// Drop frees a row.
func (p *Polls) Drop(row uint32) {
	p.Request[row] = Request{}
	p.slots.Put(row)
	p.Live--
}

// AddAhead takes a row for a read ahead of the poll of a partition that begins at target.
func (p *Polls) AddAhead(partition ecs.Entity, target uint64) uint32 {
	row := p.Add(Request{Partition: partition})
	p.Live--
	p.Target[row] = target
	p.Aheads = append(p.Aheads, row)
	return row
}

// TakeAhead takes a row off the reads ahead: it is a poll's from now on, or about to be dropped.
func (p *Polls) TakeAhead(i int) uint32 {
	row := p.Aheads[i]
	p.Aheads = slices.Delete(p.Aheads, i, i+1)
	p.Live++
	return row
}

// Ahead says whether a row is of a read ahead.
func (p *Polls) Ahead(row uint32) bool { return p.Request[row].Kind == 0 }

// Guessed says whether a read ahead was made of a place that was guessed, and nobody knows yet what of it is wanted.
func (p *Polls) Guessed(row uint32) bool { return p.Guess[row] > 0 && p.At[row] == 0 }

// Here says whether a read ahead has returned.
func (p *Polls) Here(row uint32) bool { return p.Read[row].Memory.Len > 0 }

// Cursor remembers where a sequential reader of a partition left the disk, so that its next poll needs no index.
type Cursor struct {
	Partition ecs.Entity
	Offset    uint64
	SegmentID uint64
	Position  uint64
}

// Cursors is a small cache of cursors, overwritten in turn by hash.
type Cursors [256]Cursor

func cursorSlot(partition ecs.Entity, offset uint64) uint64 {
	return (uint64(partition)*0x9E3779B97F4A7C15 ^ offset*0xC2B2AE3D27D4EB4F) >> 56
}

// Put remembers that offset begins at a position of a segment.
func (c *Cursors) Put(cursor Cursor) { c[cursorSlot(cursor.Partition, cursor.Offset)] = cursor }

// Get finds the position of an offset.
func (c *Cursors) Get(partition ecs.Entity, offset, segmentID uint64) (position uint64, ok bool) {
	cursor := &c[cursorSlot(partition, offset)]
	if cursor.Partition != partition || cursor.Offset != offset || cursor.SegmentID != segmentID {
		return 0, false
	}
	return cursor.Position, true
}

// Ack is a send that is appended and waits for its level.
type Ack struct {
	Home        uint8
	Conn        ecs.Entity
	Base        uint64 // offset of its first message
	Next        uint64 // offset after its last
	Since       uint64 // mono µs
	StreamID    uint32
	TopicID     uint32
	PartitionID uint32
	Kept        bool   // the journal has its frame
	Lead        uint16 // see Reply
}

// StoredAck is an offset change that waits for its level.
type StoredAck struct {
	Home  uint8
	Conn  ecs.Entity
	Order uint64
	Since uint64 // mono µs
}

// Truncation is a removal at the beginning of a log that waits until the offset log says so.
type Truncation struct {
	Request   Request
	Partition ecs.Entity
	Epoch     uint64
	Below     uint64 // an offset at which a segment begins
	Order     uint64
}

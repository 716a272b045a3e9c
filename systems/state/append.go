package state

import (
	"galgo/components"
	"galgo/ecs"
	"galgo/wire"
)

// appendBudget bounds what a tick copies into journals.
var appendBudget = ecs.Budget{Rows: 4096, Bytes: 64 << 20}

const (
	// growMin and growMax bound the steps in which a segment's file grows ahead, in bytes.
	growMin = 256 << 10
	growMax = 64 << 20
	// growRetryMicros is how long a failed growth is not tried again.
	growRetryMicros = 500_000
	// memoryRetryMicros is how soon is looked again for memory that others may have let go of.
	memoryRetryMicros = 2_000
)

// AppendBatches gives each waiting batch its offsets and puts it in the journal.
// Reads Sends. Writes Partitions, Segments, Journal, Acks, Marks, Out.Grow, Out.Make, Out.ReadTail, Replies.
// A batch is taken only when its segment's file has blocks for it, so no later write can run out of space; until then it waits in its
// partition's line, 20 s at most, and its connection is not read meanwhile. A batch it takes is answered by AckSends once
// its level is reached.
func AppendBatches(s *components.State, hasher *wire.BatchHasher) {
	budget := appendBudget
	for row := range s.Sends.Ready(&budget) {
		for s.Sends.Len(row) > 0 {
			r := s.Sends.Front(row)
			if s.Partitions.Phase[row] == components.Faulted || s.Partitions.Doubted[row] {
				s.Refuse(r, wire.StatusCannotSaveMessagesToSegment)
				s.Sends.Pop(row)
				continue
			}
			size := uint64(r.Batch.Len)
			if !roomFor(s, row, r) {
				if s.Waited(r.Since) < waitMicros {
					s.WakeAt(min(r.Since+waitMicros, s.Now.MonoMicros+growRetryMicros))
					break
				}
				s.Refuse(r, wire.StatusCannotAppendMessage)
				s.Sends.Pop(row)
				continue
			}
			appendBatch(s, row, r, hasher)
			s.Sends.Pop(row)
			budget.Spend(0, int(size))
			if !budget.Left() {
				break
			}
		}
	}
	if !budget.Left() && s.Sends.Total() > 0 {
		s.WakeAt(s.Now.MonoMicros)
	}
}

// roomFor says whether the partition can take a batch now, and asks for what is missing: a segment, blocks, the
// last block of the log, memory.
func roomFor(s *components.State, row int, r *components.Request) bool {
	p, size := &s.Partitions, uint64(r.Batch.Len)
	if p.Phase[row] != components.Ready || p.TailBusy[row] || p.Late[row] {
		return false
	}
	if needsRoll(s, row, size) && !roll(s, row, size) {
		return false
	}
	segment := p.AppendSegment(row)
	end := max(s.Segments.End[segment], wire.SegmentHeadSize) // the head goes with the first batch
	if need := components.AlignUp(end + size); need > s.Segments.Allocated[segment] {
		if !p.Growing[row] && s.Now.MonoMicros >= p.GrowAfter[row] {
			grow(s, row, need)
		}
		return false
	}
	if p.TailCold[row] {
		p.TailBusy[row] = true
		p.InFlight[row]++
		s.Out.ReadTail.Set(row)
		return false
	}
	if s.Marks.Free() == 0 || !(r.Own && s.Adoptable(row, r.Batch)) && !s.ReserveJournal(row, size+wire.SegmentHeadSize) || p.TailCold[row] {
		s.WakeAt(s.Now.MonoMicros + memoryRetryMicros)
		return false
	}
	return true
}

// needsRoll says whether a batch belongs into the next segment: a batch is never split, and a segment has one at least.
func needsRoll(s *components.State, row int, size uint64) bool {
	if s.Partitions.Segments[row].Len() == 0 {
		return true
	}
	segment := s.Partitions.AppendSegment(row)
	end := s.Segments.End[segment]
	return end > wire.SegmentHeadSize && end+size > s.Partitions.SegmentSize[row]
}

// roll begins the next segment at the partition's next offset. It returns false while that has no file, which it asks for if nobody has.
func roll(s *components.State, row int, size uint64) bool {
	p := &s.Partitions
	segment := p.Ahead[row]
	if segment == components.NoRow && s.Now.MonoMicros >= p.GrowAfter[row] {
		makeAhead(s, row, wire.SegmentHeadSize+size)
	}
	if segment == components.NoRow || p.Making[row] || p.Growing[row] {
		return false
	}
	p.Ahead[row] = components.NoRow
	s.Segments.Base[segment], s.Segments.Next[segment], s.Segments.TimeLast[segment] = p.OffsetNext[row], p.OffsetNext[row], p.TimeLast[row]
	p.Segments[row].Append(segment)
	if p.Write[row] == components.NoRow {
		p.Write[row], p.Written[row], p.Sealed[row] = segment, 0, 0
	}
	p.MarkLast[row] = 0
	p.TailCold[row] = false
	return true
}

// makeAhead asks for the file of the next segment, with blocks for so many bytes. What its head says is known when it is needed and not before:
// the head is written with the first batch.
func makeAhead(s *components.State, row int, need uint64) {
	p := &s.Partitions
	s.SegmentIDs++
	p.Ahead[row] = s.Segments.Add(s.Number(s.SegmentIDs), 0, 0)
	p.MakeTo[row] = max(components.AlignUp(need), growMin)
	p.Making[row] = true
	p.InFlight[row]++
	s.Out.Make.Set(row)
}

// rollAhead asks for the next segment's file once three quarters of the present one are used, so that a roll need not wait. It gets as
// many blocks as a file grows by, but not so many that small segments double what they take of the disk.
func rollAhead(s *components.State, row int) {
	p := &s.Partitions
	if p.Ahead[row] == components.NoRow && s.Segments.End[p.AppendSegment(row)] >= p.SegmentSize[row]/4*3 && !s.Stopping &&
		s.Now.MonoMicros >= p.GrowAfter[row] {
		makeAhead(s, row, min(p.SegmentSize[row]/4, growMax))
	}
}

// grow asks for blocks up to need, and more ahead.
func grow(s *components.State, row int, need uint64) {
	p := &s.Partitions
	have := s.Segments.Allocated[p.AppendSegment(row)]
	to := min(have+growStep(have), max(have, components.AlignUp(p.SegmentSize[row]))) // never ahead of the roll limit
	p.GrowTo[row] = max(to, need)
	p.Growing[row] = true
	p.InFlight[row]++
	s.Out.Grow.Set(row)
}

// growStep is how much a file of so many bytes grows: files double, between the two limits.
func growStep(have uint64) uint64 { return min(max(have, growMin), growMax) }

// growAhead asks for the next blocks before the present ones are used up, so that appends need not wait.
func growAhead(s *components.State, row int) {
	p := &s.Partitions
	segment := p.AppendSegment(row)
	have := s.Segments.Allocated[segment]
	if have-s.Segments.End[segment] < growStep(have)/2 && have < components.AlignUp(p.SegmentSize[row]) &&
		!p.Growing[row] && s.Now.MonoMicros >= p.GrowAfter[row] {
		grow(s, row, have)
	}
}

// appendBatch stamps one batch and puts it behind the log: as a copy, or where it lies.
func appendBatch(s *components.State, row int, r *components.Request, hasher *wire.BatchHasher) {
	p := &s.Partitions
	segment, kept := p.AppendSegment(row), r.Own && s.Adoptable(row, r.Batch)
	if s.Segments.End[segment] == 0 {
		appendHead(s, row, segment)
	}
	batch := s.Memory.Bytes(r.Batch)
	base, next := p.OffsetNext[row], p.OffsetNext[row]+uint64(r.Count)
	stamp := max(s.Now.WallMicros, p.TimeLast[row])
	hasher.StampBatch(batch, uint64(p.ID[row]), base, stamp)

	position := s.Segments.End[segment]
	if position-p.MarkLast[row] >= markEvery(s) || position == wire.SegmentHeadSize {
		p.MarkLast[row] = position
		s.Marks.Push(row, components.IndexMark{Partition: p.Entity(row), SegmentID: s.Segments.ID[segment], Since: s.Now.MonoMicros, Entry: wire.IndexEntry{
			Kind: wire.IndexRecord, SegmentID: s.Segments.ID[segment], Offset: base, Time: stamp, Position: position,
			Run: s.Run, BaseOffset: s.Segments.Base[segment], Synced: p.Level[row] == components.LevelDurable,
		}})
	}
	if kept {
		s.AdoptJournal(row, r.Frame, r.Batch, base, next)
	} else {
		s.AppendJournal(row, batch, base, next, true)
	}

	p.OffsetNext[row], p.TimeLast[row] = next, stamp
	s.Segments.Next[segment], s.Segments.TimeLast[segment] = next, stamp
	p.Size[row] += uint64(len(batch))
	p.Vouched[row] = false
	s.Gauges.Appended.Add(uint64(r.Count))
	ack := components.Ack{Home: r.Home, Conn: r.Conn, Base: base, Next: next, Since: s.Now.MonoMicros,
		StreamID: r.StreamID, TopicID: r.TopicID, PartitionID: r.PartitionID,
		Kept: kept, Lead: uint16((s.Segments.End[segment] - (r.Batch.Off - r.Frame.Off)) % components.UnitSize)}
	if p.Level[row] == components.LevelMemory {
		s.Publish(row)
		confirm(s, ack)
	} else {
		s.Acks.Push(row, ack)
	}
	growAhead(s, row)
	rollAhead(s, row)
}

// appendHead begins a segment's file.
func appendHead(s *components.State, row int, segment uint32) {
	p := &s.Partitions
	var head [wire.SegmentHeadSize]byte
	wire.PutSegmentHead(head[:], wire.SegmentHead{
		SegmentID: s.Segments.ID[segment], Partition: uint64(p.Entity(row)), CreatedSeq: p.Created[row], PartitionID: p.ID[row],
		PurgeEpoch: p.Epoch[row], BaseOffset: s.Segments.Base[segment], Run: s.Run, Created: s.Now.WallMicros,
	}, s.Secret)
	s.AppendJournal(row, head[:], s.Segments.Base[segment], s.Segments.Base[segment], false)
}

// confirm answers a send.
func confirm(s *components.State, a components.Ack) {
	s.Answer(a.Home, components.Reply{Kind: components.ReplySent, Conn: a.Conn,
		StreamID: a.StreamID, TopicID: a.TopicID, PartitionID: a.PartitionID, Offset: a.Base, Kept: a.Kept, Lead: a.Lead})
}

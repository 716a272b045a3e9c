package state

import (
	"math"

	"galgo/components"
	"galgo/ecs"
	"galgo/wire"
)

// truncate begins what RequestTruncate asks for: the offset at which the log is to begin is noted durably before anything is removed, so
// that no crash brings back a part of it, whatever files are left. Nothing to be removed is a success.
func truncate(s *components.State, row int, r *components.Request) {
	p := &s.Partitions
	below := removable(s, row, r.Offset, math.MaxInt)
	switch {
	case below <= p.OffsetFirst[row]:
		s.Refuse(r, wire.StatusOK)
		return
	case s.OffsetsFailed || s.Cuts.Free() == 0:
		s.Refuse(r, wire.StatusCannotWriteToFile)
		return
	}
	order := nextOrder(s)
	logOffset(s, wire.OffsetRecord{Partition: uint64(p.Entity(row)), Epoch: p.Epoch[row], Kind: wire.OffsetOfLog, Value: below, Order: order})
	s.OffsetsWanted, s.OffsetsDurable = true, true
	s.Cuts.Push(components.Truncation{Request: *r, Partition: p.Entity(row), Epoch: p.Epoch[row], Below: below, Order: order})
}

// finishTruncation removes what is noted to be removed, unless the partition is gone, or was purged meanwhile.
func finishTruncation(s *components.State, cut *components.Truncation, status wire.Status) {
	if row, ok := s.Partitions.Row(cut.Partition); ok && status == wire.StatusOK && s.Partitions.Epoch[row] == cut.Epoch {
		removeHead(s, row, cut.Below)
	}
	s.Refuse(&cut.Request, status)
}

// propose answers shard 0, which wants to remove the oldest closed segments of a partition: up to Count, and none with a message that
// a stored offset has not passed. The answer is the offset below which all of them lie, 0 if there is none.
func propose(s *components.State, row int, r *components.Request) {
	passed := uint64(math.MaxUint64)
	for _, value := range s.Offsets.Values(s.Partitions.Entity(row)) {
		passed = min(passed, value+1)
	}
	below := removable(s, row, passed, int(r.Count))
	if below == s.Partitions.OffsetFirst[row] {
		below = 0
	}
	s.Answer(r.Home, components.Reply{Kind: components.ReplyProposed, Conn: r.Conn, Offset: below, Epoch: s.Partitions.Epoch[row]})
}

// removable is the offset up to which a log may lose its oldest segments: count of them at most, with no message at or above below.
// They are closed, and written to their end; and the one that is the first then has its head in its file, so that recovery knows where the
// log begins.
func removable(s *components.State, row int, below uint64, count int) (bound uint64) {
	p, list := &s.Partitions, &s.Partitions.Segments[row]
	bound = p.OffsetFirst[row]
	if p.Ends(row) {
		return bound
	}
	for i := 0; i < count && i+1 < list.Len(); i++ {
		segment, next := list.At(i), list.At(i+1)
		if segment == p.Write[row] || next == p.Write[row] && p.Written[row] == 0 || s.Segments.Next[segment] > below {
			break
		}
		bound = s.Segments.Next[segment]
	}
	return bound
}

// removeHead takes the segments below an offset, at which one begins, out of a log. It is absolute: what is gone already changes nothing.
func removeHead(s *components.State, row int, below uint64) {
	p, list := &s.Partitions, &s.Partitions.Segments[row]
	if p.Ends(row) || below <= p.OffsetFirst[row] {
		return
	}
	for list.Len() > 1 && s.Segments.Next[list.At(0)] <= below {
		segment := list.Pop()
		s.Segments.Gone[segment] = true
		p.Size[row] -= s.Segments.End[segment] - wire.SegmentHeadSize
		p.Retired[row].Append(segment)
	}
	p.OffsetFirst[row] = s.Segments.Base[list.At(0)]
	for s.Marks.Len(row) > 0 && s.Marks.Front(row).SegmentID < s.Segments.ID[list.At(0)] {
		s.Marks.Pop(row)
	}
	s.ForgetExtents(row)
	s.Retiring.Set(row)
	s.Publish(row)
}

// RetireSegments hands the files of segments that are gone to storage, oldest first, once no read and no voucher uses them. What a reply
// refers to is memory of its own.
// Reads Retiring. Writes Partitions.Retired, Segments, Out.Unlink.
func RetireSegments(s *components.State) {
	for row := range s.Retiring.All {
		if handRetired(s, row) {
			s.Retiring.Clear(row)
		} else {
			s.WakeAt(s.Now.MonoMicros + retireMicros)
		}
	}
}

// retireMicros is how soon is looked again for room to hand over files. A read that returns makes a tick of its own.
const retireMicros = 10_000

// handRetired hands over what may go of a partition's retired segments, and says whether that is all.
func handRetired(s *components.State, row int) bool {
	p, list := &s.Partitions, &s.Partitions.Retired[row]
	for list.Len() > 0 && s.Segments.Users[list.At(0)] == 0 && s.Out.Unlink.Free() > 1 {
		segment := list.Pop()
		s.Out.Unlink.Push(components.Unlink{Partition: p.Entity(row), File: wire.SegmentFile{CreatedSeq: p.Created[row],
			PartitionID: p.ID[row], SegmentID: s.Segments.ID[segment]}})
		s.Segments.Drop(segment)
	}
	return list.Len() == 0
}

// removeSegments applies SegmentsRemoved, as the partition's owner.
func removeSegments(s *components.State, e *wire.Event) {
	if row, owned := s.Partitions.Row(ecs.Entity(e.Partition)); owned {
		removeHead(s, row, e.Offset)
	}
}

package state

import (
	"galgo/components"
	"galgo/ecs"
)

const (
	// aheadMax is how many reads ahead a shard has, under way or kept.
	aheadMax = 16
	// aheadMicros is how long what was read ahead is kept for a poll that does not come.
	aheadMicros = 1_000_000
)

// readAhead orders what the next poll of a sequential reader will want, while the reader is busy with what it got: from an offset on, as much
// as the last time. It does not where memory has it, and gives up the oldest one that nobody came for.
func readAhead(s *components.State, row int, offset uint64, size uint32) {
	p := &s.Partitions
	if hot, ok := s.HotFirst(row); ok && offset >= hot || offset >= p.Visible(row) || p.Phase[row] == components.Deleting || s.Stopping {
		return
	}
	if segment := segmentOf(s, row, offset); coldEnd(s, row, segment) == 0 || s.Out.Cold.Free() == 0 {
		return
	}
	if _, ok := findAhead(s, p.Entity(row), offset); ok {
		return
	}
	if len(s.Polls.Aheads) == aheadMax && !dropAheads(s, 1) {
		return
	}
	slot := s.Polls.AddAhead(p.Entity(row), offset)
	s.Polls.Size[slot] = size
	readCold(s, row, slot, components.NoPosition)
}

// findAhead finds the read ahead from an offset of a partition.
func findAhead(s *components.State, partition ecs.Entity, offset uint64) (i int, ok bool) {
	for i, slot := range s.Polls.Aheads {
		if s.Polls.Request[slot].Partition == partition && s.Polls.Target[slot] == offset {
			return i, true
		}
	}
	return 0, false
}

// takeAhead gives a poll what was read ahead for it, or what is still being read. A segment that went in the meantime gives nothing.
func takeAhead(s *components.State, row int, r *components.Request, offset uint64) bool {
	i, ok := findAhead(s, r.Partition, offset)
	if !ok {
		return false
	}
	slot, segment := s.Polls.Aheads[i], segmentOf(s, row, offset)
	if !s.Polls.Here(slot) && s.Polls.Segment[slot] != segment {
		return false
	}
	if s.Polls.Here(slot) {
		if s.Polls.Of[slot] != s.Segments.ID[segment] || s.In.ColdReads.Free() == 0 {
			return false
		}
		s.Polls.Segment[slot] = segment
		s.Segments.Users[segment]++
		s.Partitions.InFlight[row]++
		s.In.ColdReads.Push(s.Polls.Read[slot])
		s.Polls.Read[slot] = components.ColdRead{}
		s.WakeAt(s.Now.MonoMicros)
	}
	s.Polls.TakeAhead(i)
	s.Polls.Request[slot], s.Polls.Goes[slot] = *r, true
	return true
}

// keepAhead keeps what a read ahead brought until its poll comes. One that failed is forgotten: if somebody wants the range, that is found
// out again.
func keepAhead(s *components.State, row int, read *components.ColdRead, segment uint32) {
	s.Polls.Read[read.Slot], s.Polls.Of[read.Slot] = *read, s.Segments.ID[segment]
	if read.Memory.Len > 0 && !s.Segments.Gone[segment] && s.Partitions.Phase[row] != components.Deleting && !s.Stopping {
		s.Polls.Request[read.Slot].Since = s.Now.MonoMicros
		s.WakeAt(s.Now.MonoMicros + aheadMicros)
		return
	}
	i, ok := findAhead(s, s.Polls.Request[read.Slot].Partition, s.Polls.Target[read.Slot])
	if !ok {
		panic("state: a read ahead returned that nobody ordered")
	}
	forgetAhead(s, i)
}

// forgetAhead gives up number i of the reads ahead, which has returned.
func forgetAhead(s *components.State, i int) {
	slot := s.Polls.TakeAhead(i)
	if s.Polls.Here(slot) {
		s.Out.FreeCold.Push(s.Polls.Read[slot].Memory)
		s.Polls.Read[slot] = components.ColdRead{}
	}
	s.Polls.Drop(slot)
}

// dropAheads gives up as many of the reads ahead that have returned, oldest first, and says whether there was one.
func dropAheads(s *components.State, count int) (any bool) {
	for i := 0; i < len(s.Polls.Aheads) && count > 0; {
		if !s.Polls.Here(s.Polls.Aheads[i]) {
			i++
			continue
		}
		forgetAhead(s, i)
		any = true
		count--
	}
	if any {
		s.WakeAt(s.Now.MonoMicros) // the memory is free in the next tick
	}
	return any
}

// dropAheadsOf gives up what was read ahead of a partition that goes. What is still being read is given up when it returns.
func dropAheadsOf(s *components.State, partition ecs.Entity) {
	for i := 0; i < len(s.Polls.Aheads); {
		if slot := s.Polls.Aheads[i]; s.Polls.Request[slot].Partition != partition || !s.Polls.Here(slot) {
			i++
			continue
		}
		forgetAhead(s, i)
	}
}

// expireAheads gives up what was read ahead for polls that have not come, and all of it in a shard that stops.
func expireAheads(s *components.State) {
	if s.Stopping {
		dropAheads(s, aheadMax)
	}
	for i := 0; i < len(s.Polls.Aheads); {
		slot := s.Polls.Aheads[i]
		if !s.Polls.Here(slot) {
			i++
			continue
		}
		if since := s.Polls.Request[slot].Since; s.Waited(since) < aheadMicros {
			s.WakeAt(since + aheadMicros)
			i++
			continue
		}
		forgetAhead(s, i)
	}
}

package state

import (
	"iter"
	"slices"

	"galgo/components"
	"galgo/ecs"
)

const (
	// aheadMax is how many reads ahead a shard has, under way or kept.
	aheadMax = 16
	// aheadMicros is how long what was read ahead is kept for a poll that does not come.
	aheadMicros = 1_000_000
)

// readAhead orders what the next poll of a sequential reader will want, while the reader is busy with what it got: from an offset on, as many messages
// in as many bytes as the last time. It orders also what the poll after that will want, so that the disk has always something to read: where that begins
// is not known, so it is a guess. It does not where memory has it, and gives up the oldest one that nobody came for.
func readAhead(s *components.State, row int, offset, messages, bytes uint64) {
	if !onlyOnDisk(s, row, offset) || s.Partitions.Phase[row] == components.Deleting || s.Stopping {
		return
	}
	segment := segmentOf(s, row, offset)
	position := coldPlace(s, row, segment, offset)
	if _, ok := findAhead(s, s.Partitions.Entity(row), offset); !ok && !takeGuess(s, row, segment, offset, position, bytes) {
		if !orderAhead(s, row, offset, position, bytes+slackOf(bytes)) {
			return
		}
	}
	guessAhead(s, row, segment, offset+messages, position, bytes)
}

// onlyOnDisk says whether a message is there for polls, and not in memory.
func onlyOnDisk(s *components.State, row int, offset uint64) bool {
	hot, ok := s.HotFirst(row)
	return !(ok && offset >= hot) && offset < s.Partitions.Visible(row)
}

// orderAhead orders a read ahead, unless too many are under way.
func orderAhead(s *components.State, row int, offset, position, size uint64) bool {
	if coldEnd(s, row, segmentOf(s, row, offset)) == 0 || s.Out.Cold.Free() == 0 || len(s.Polls.Aheads) == aheadMax && !dropAheads(s, 1) {
		return false
	}
	slot := s.Polls.AddAhead(s.Partitions.Entity(row), offset)
	s.Polls.Size[slot] = uint32(min(size+components.UnitSize, coldMax))
	readCold(s, row, slot, position)
	return true
}

// guessAhead orders a read of where the messages from an offset on may begin: so many bytes behind a position, or a little before or behind that. There is
// one guess at a time for a reader, so one that is wrong is not followed by others at once.
func guessAhead(s *components.State, row int, segment uint32, offset, position, bytes uint64) {
	if position == components.NoPosition || len(s.Polls.Aheads) >= aheadMax/2 || !onlyOnDisk(s, row, offset) || segmentOf(s, row, offset) != segment {
		return
	}
	slack := slackOf(bytes)
	guess := position + bytes - slack
	for slot := range guesses(s, row) {
		if max(s.Polls.Guess[slot], guess)-min(s.Polls.Guess[slot], guess) < 2*bytes {
			return
		}
	}
	if guess >= coldEnd(s, row, segment) || !orderAhead(s, row, offset, guess, bytes+2*slack) {
		return
	}
	slot := s.Polls.Aheads[len(s.Polls.Aheads)-1]
	s.Polls.Guess[slot], s.Polls.Target[slot] = guess, components.NoPosition
}

// slackOf is by how much the next so many bytes may be more, or fewer, than those that a poll has got.
func slackOf(bytes uint64) uint64 { return bytes / 32 }

// guesses yields the guesses of a partition of which nobody knows yet what is wanted.
func guesses(s *components.State, row int) iter.Seq[uint32] {
	return func(yield func(slot uint32) bool) {
		for _, slot := range s.Polls.Aheads {
			if s.Polls.Guessed(slot) && s.Polls.Request[slot].Partition == s.Partitions.Entity(row) && !yield(slot) {
				return
			}
		}
	}
}

// takeGuess finds the guess that holds so many bytes from a position on, which is now known to be that of an offset. One that begins too far before it
// holds a part of them, and the poll would wait for the rest: that is read anew, ahead of the poll.
func takeGuess(s *components.State, row int, segment uint32, offset, position, bytes uint64) bool {
	for slot := range guesses(s, row) {
		if aheadOf(s, slot) == s.Segments.ID[segment] && position >= s.Polls.Guess[slot] &&
			position-s.Polls.Guess[slot] <= 2*slackOf(bytes)+components.UnitSize {
			s.Polls.Target[slot], s.Polls.At[slot] = offset, position
			return true
		}
	}
	return false
}

// aheadOf is the id of the segment that is read ahead.
func aheadOf(s *components.State, slot uint32) uint64 {
	if s.Polls.Here(slot) {
		return s.Polls.Of[slot]
	}
	return s.Segments.ID[s.Polls.Segment[slot]]
}

// fromPlace leaves of a guess what begins at the place that is wanted.
func fromPlace(s *components.State, read *components.ColdRead) {
	if at := s.Polls.At[read.Slot]; at > 0 && read.Memory.Len > 0 {
		skip := min(uint32(at-read.Position), read.Span.Len)
		read.Position, read.Span = at, read.Span.Slice(skip, read.Span.Len-skip)
	}
	s.Polls.At[read.Slot] = 0
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
	if aheadOf(s, slot) != s.Segments.ID[segment] {
		return false
	}
	if s.Polls.Here(slot) {
		if s.In.ColdReads.Free() == 0 {
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
	forgetAhead(s, slices.Index(s.Polls.Aheads, read.Slot))
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

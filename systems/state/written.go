package state

import (
	"syscall"

	"galgo/components"
	"galgo/wire"
)

// TakeWrites moves the watermarks on for each journal write that returned, and frees what waited for it.
// Reads In.Wrote. Writes Partitions, Unsealed, Unvouched, Marks, Out.Index. A failed write faults the partition.
func TakeWrites(s *components.State) {
	for s.In.Wrote.Len() > 0 {
		wrote := s.In.Wrote.Pop()
		row := landed(s, wrote.Partition)
		p := &s.Partitions
		if wrote.Err != 0 {
			position := p.Written[row]
			p.Sealed[row] = position
			fault(s, row, s.Segments.ID[p.Write[row]], "write failed", position, uint64(wrote.Err))
			continue
		}
		p.Written[row], p.Sealed[row] = wrote.To, wrote.To
		if p.Ends(row) {
			continue
		}
		p.OffsetWritten[row] = p.SealedNext[row]
		p.Quiet[row], p.Late[row] = s.Now.MonoMicros, false
		s.Unsealed.Set(row)
		s.Unvouched.Set(row)
		s.WakeAt(s.Now.MonoMicros + idleMicros)
		takeMarks(s, row)
		if p.Level[row] != components.LevelMemory {
			s.Publish(row)
			s.Acked.Set(row)
		}
	}
}

// AckSends answers every send whose level is reached. Reads Acks, Partitions.OffsetWritten. Writes Replies.
func AckSends(s *components.State) {
	for row := range s.Acked.TakeAll {
		for s.Acks.Len(row) > 0 && s.Acks.Front(row).Next <= s.Partitions.OffsetWritten[row] {
			confirm(s, s.Acks.Pop(row))
		}
	}
}

// expireAcks answers sends whose write has not returned for 20 s: StatusCannotSaveMessagesToSegment, "may have happened".
// The write itself goes on; the partition takes no appends until it returns, so that what is sent again is not stored behind it.
func expireAcks(s *components.State) {
	unlimited := maxBudget
	for row := range s.Acks.Ready(&unlimited) {
		for s.Acks.Len(row) > 0 && s.Waited(s.Acks.Front(row).Since) >= waitMicros {
			ack := s.Acks.Pop(row)
			answerAck(s, &ack, wire.StatusCannotSaveMessagesToSegment)
			s.Partitions.Late[row] = true
		}
	}
}

// TakeGrown notes files that were made or grown. Without space the partition's appends wait, and are refused in time;
// any other failure faults it.
func TakeGrown(s *components.State) {
	for s.In.Grown.Len() > 0 {
		grown := s.In.Grown.Pop()
		row := landed(s, grown.Partition)
		p := &s.Partitions
		segment := p.Ahead[row]
		ahead := segment != components.NoRow && s.Segments.ID[segment] == grown.SegmentID
		if ahead {
			p.Making[row] = false
		} else {
			segment = p.AppendSegment(row)
			p.Growing[row] = false
		}
		if p.Phase[row] == components.Deleting || !ahead && p.Ends(row) {
			continue
		}
		switch grown.Err {
		case 0:
			s.Segments.Allocated[segment] = max(s.Segments.Allocated[segment], grown.Allocated)
			if ahead && s.Stopping && s.Sends.Len(row) == 0 {
				dropAhead(s, row) // nobody will need it
			}
		case syscall.ENOSPC, syscall.EDQUOT, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM:
			p.GrowAfter[row] = s.Now.MonoMicros + growRetryMicros
			if ahead {
				dropAhead(s, row)
			}
			if s.Sends.Len(row) > 0 && !p.Ends(row) && (!ahead || needsRoll(s, row, uint64(s.Sends.Front(row).Batch.Len))) {
				refuseFull(s, row, grown.Err)
			}
		default:
			allocated := s.Segments.Allocated[segment]
			if ahead {
				dropAhead(s, row)
			}
			fault(s, row, grown.SegmentID, "file cannot be made or grown", allocated, uint64(grown.Err))
		}
	}
}

// dropAhead gives up the segment that was to come after the last one, and the file that may have been made for it.
func dropAhead(s *components.State, row int) {
	p := &s.Partitions
	segment := p.Ahead[row]
	p.Ahead[row] = components.NoRow
	if s.Out.Unlink.Free() > 1 { // else recovery finds that it was never used
		s.Out.Unlink.Push(components.Unlink{Partition: p.Entity(row), File: wire.SegmentFile{CreatedSeq: p.Created[row],
			PartitionID: p.ID[row], SegmentID: s.Segments.ID[segment]}})
	}
	s.Segments.Drop(segment)
}

// refuseFull answers the sends that cannot be stored for want of space: StatusCannotAppendMessage, nothing has happened.
func refuseFull(s *components.State, row int, errno syscall.Errno) {
	if s.Now.MonoMicros >= s.FullLogged+60_000_000 {
		s.FullLogged = max(s.Now.MonoMicros, 1)
		s.Log.Log(components.LogError, "no space for appends: they are refused until there is", components.Num("errno", uint64(errno)))
	}
	s.Sends.Drop(row, func(r components.Request) { s.Refuse(&r, wire.StatusCannotAppendMessage) })
}

// TakeTails puts last blocks that were read back into their journals, after checking them.
func TakeTails(s *components.State) {
	for s.In.Tails.Len() > 0 {
		tail := s.In.Tails.Pop()
		row := landed(s, tail.Partition)
		p := &s.Partitions
		p.TailBusy[row] = false
		position := components.AlignDown(p.Written[row])
		switch {
		case p.Ends(row):
		case tail.Err == syscall.ENOMEM || tail.Err == syscall.EMFILE || tail.Err == syscall.ENFILE:
			s.WakeAt(s.Now.MonoMicros + 10_000) // the next tick asks again
		case tail.Err != 0:
			fault(s, row, s.Segments.ID[p.Write[row]], "last block cannot be read back", position, uint64(tail.Err))
		default:
			block := s.Memory.Bytes(tail.Span)[:p.Written[row]-position]
			if s.Hash(block) != p.TailHash[row] {
				fault(s, row, s.Segments.ID[p.Write[row]], "last block is not what was written", position, 0)
			} else if !s.PlaceTail(row, block) {
				s.WakeAt(s.Now.MonoMicros + 10_000)
			}
		}
		if tail.Span.Len > 0 {
			s.Out.FreeCold.Push(tail.Span)
		}
	}
}

package state

import (
	"fmt"

	"galgo/components"
	"galgo/ecs"
	"galgo/wire"
)

// OpenPartition makes the owner's row for a partition of the catalog. It has no file before its first append, so it
// is ready at once; one that recovery is looking at is told by the start-up to be Opening.
func OpenPartition(s *components.State, catalogRow int) int {
	catalog := s.Catalog
	topic := catalog.Topics.MustRow(catalog.Partitions.Topic[catalogRow])
	entity := catalog.Partitions.Entity(catalogRow)
	p := &s.Partitions
	row := p.Insert(entity)
	s.Sends.Grow(p.Cap())
	s.Acks.Grow(p.Cap())
	s.Marks.Grow(p.Cap())
	p.Topic[row], p.ID[row], p.Created[row] = catalog.Partitions.Topic[catalogRow], catalog.Partitions.ID[catalogRow], catalog.Partitions.Created[catalogRow]
	options := catalog.Topics.Options[topic]
	p.Level[row], p.OffsetLevel[row] = s.LevelOf(options.Persisted), s.LevelOf(options.OffsetsPersisted)
	p.SegmentSize[row], p.Epoch[row] = options.SegmentSize, catalog.Partitions.Epoch[catalogRow]
	s.Counters.Reach(entity)
	s.Publish(row)
	return row
}

// RestorePartition puts what recovery found into the owner's row.
func RestorePartition(s *components.State, row int, found *components.Recovered) {
	p := &s.Partitions
	p.OffsetFirst[row], p.OffsetNext[row], p.OffsetWritten[row] = found.OffsetFirst, found.OffsetNext, found.OffsetNext
	p.TimeLast[row], p.Size[row] = found.TimeLast, found.Size
	for _, segment := range found.Segments {
		at := s.Segments.Add(segment.ID, segment.Base, segment.End)
		s.Segments.Next[at], s.Segments.TimeLast[at], s.Segments.Allocated[at] = segment.Next, segment.TimeLast, segment.Allocated
		p.Segments[row].Append(at)
	}
	if n := len(found.Segments); n > 0 {
		last := found.Segments[n-1]
		p.Write[row] = p.Segments[row].Last()
		p.Written[row], p.Sealed[row], p.MarkLast[row] = last.End, last.End, last.End
		if last.End%components.UnitSize != 0 {
			p.TailCold[row], p.TailHash[row] = true, found.TailHash
		}
		p.Vouched[row], p.VouchFrom[row] = found.Vouched, found.VouchFrom
		if !found.Vouched {
			p.Quiet[row] = s.Now.MonoMicros
			s.Unvouched.Set(row)
		}
	}
	p.Phase[row] = components.Ready
	if found.Faulted {
		p.Phase[row] = components.Faulted
		s.Gauges.Faulted.Add(1)
	}
	s.Publish(row)
}

// DoomPartition begins the end of a partition that is gone from the catalog: whatever waits is answered now, files and
// memory go when nothing refers to them (ReapPartitions).
func DoomPartition(s *components.State, entity ecs.Entity) {
	row := s.Partitions.MustRow(entity)
	if s.Partitions.Phase[row] == components.Faulted {
		s.Gauges.Faulted.Add(-1)
	}
	s.Partitions.Phase[row] = components.Deleting
	s.Purged.Clear(row)
	s.Doomed.Set(row)
	refuseAll(s, row, wire.StatusResourceNotFound)
	dropAheadsOf(s, entity)
}

// doubtPartitions applies an empty event, as the owner of partitions that the event in whose place it stands would have ended. The control log may have
// that event although its write failed; then the next start takes all that the partitions have. So they take nothing more.
func doubtPartitions(s *components.State, e *wire.Event) {
	for i := range e.Partitions.Len() {
		row, owned := s.Partitions.Row(ecs.Entity(e.Partitions.At(i)))
		if !owned || s.Partitions.Doubted[row] {
			continue
		}
		s.Partitions.Doubted[row] = true
		s.Log.Log(components.LogError, "partition takes no more messages until restart: its removal could not be logged, and may happen then",
			components.Num("created", s.Partitions.Created[row]), components.Num("partition", uint64(s.Partitions.ID[row])))
	}
}

// refuseAll answers every send that waits at a partition, for room or for its level.
func refuseAll(s *components.State, row int, status wire.Status) {
	s.Sends.Drop(row, func(r components.Request) { s.Refuse(&r, status) })
	s.Acks.Drop(row, func(a components.Ack) { answerAck(s, &a, status) })
	s.Marks.Drop(row, func(components.IndexMark) {})
}

// answerAck answers a send that is appended and will not be confirmed.
func answerAck(s *components.State, a *components.Ack, status wire.Status) {
	s.Answer(a.Home, components.Reply{Kind: components.ReplyStatus, Conn: a.Conn, Status: status, Kept: a.Kept})
}

// fault stops a partition whose storage failed: waiting sends get StatusCannotSaveMessagesToSegment, which means "may have
// happened"; what is visible stays readable. Nothing is retried. The failure was at a position of the log of a segment.
func fault(s *components.State, row int, segmentID uint64, why string, position uint64, errno uint64) {
	p := &s.Partitions
	if p.Phase[row] != components.Ready && p.Phase[row] != components.Opening {
		return
	}
	p.Phase[row] = components.Faulted
	s.Gauges.Faulted.Add(1)
	s.Unvouched.Clear(row)
	s.Unsealed.Clear(row)
	takeAllMarks(s, row)
	refuseAll(s, row, wire.StatusCannotSaveMessagesToSegment)
	s.Log.Log(components.LogError, "partition faulted: it takes no more messages, and serves those that are safe", components.Str("why", why),
		components.Num("created", p.Created[row]), components.Num("partition", uint64(p.ID[row])), logOf(s, row, segmentID),
		components.Num("position", position), components.Num("errno", errno))
}

// logOf names the file of a segment, for people.
func logOf(s *components.State, row int, segmentID uint64) components.LogField {
	return components.Str("file", wire.SegmentName(s.Partitions.Created[row], s.Partitions.ID[row], segmentID, wire.SegmentLog))
}

// landed counts down the operations in flight of a partition, of which one has come back, and is its row: a partition stays until all have.
func landed(s *components.State, partition ecs.Entity) (row int) {
	p := &s.Partitions
	row = p.MustRow(partition)
	if p.InFlight[row] == 0 {
		panic(fmt.Sprintf("state: an operation of partition %v came back, and none was in flight", partition))
	}
	p.InFlight[row]--
	return row
}

// reapMax is how much of doomed partitions a tick ends: each counts for one, and for its memory, files and stored offsets.
const reapMax = 512

// ReapPartitions ends doomed partitions that nothing refers to any more: memory and stored offsets are dropped, files are handed to storage. It takes
// some in a tick, so that the deletion of many stalls nobody.
// Reads Doomed. Writes Partitions, Segments, Journal, Offsets, Out.Unlink.
func ReapPartitions(s *components.State) {
	spent := 0
	for row := range s.Doomed.All {
		if spent >= reapMax {
			s.WakeAt(max(s.Now.MonoMicros, 1))
			return
		}
		p := &s.Partitions
		cost := 1 + p.Extents[row].Len()/4 + p.Segments[row].Len() + offsetsOf(s, p.Entity(row))/offsetsPerUnit
		if p.InFlight[row] > 0 || p.Growing[row] || p.Making[row] || p.Vouching[row] || p.TailBusy[row] || !s.DropJournal(row) {
			s.WakeAt(s.Now.MonoMicros + 10_000)
			continue
		}
		spent += cost
		if p.Ahead[row] != components.NoRow {
			dropAhead(s, row)
		}
		entity := p.Entity(row)
		s.Offsets.DeleteAll(entity)
		s.GroupReads.ForgetAll(entity)
		for p.Segments[row].Len() > 0 {
			p.Retired[row].Append(p.Segments[row].Pop())
		}
		if !handRetired(s, row) || s.Out.Unlink.Free() == 0 {
			s.WakeAt(s.Now.MonoMicros + 10_000)
			return // the rest when these are gone
		}
		s.Doomed.Clear(row)
		s.Retiring.Clear(row)
		s.Unvouched.Clear(row)
		s.Out.Unlink.Push(components.Unlink{Partition: entity, Last: true})
		p.Remove(entity)
	}
}

// TakeRemoved reports partitions whose files are gone.
func TakeRemoved(s *components.State) {
	for s.In.Removed.Len() > 0 && s.Out.Reports.Removed.Free() > 0 {
		s.Out.Reports.Removed.Push(s.In.Removed.Pop())
		s.Out.Reports.News = true
	}
}

package state

import (
	"galgo/components"
	"galgo/ecs"
	"galgo/wire"
)

// publishMicros is how soon is looked again for room to publish.
const publishMicros = 1000

// PublishEvents gives every shard the events that are written, or need not be, in sequence.
// Shard 0 only. Reads Control.Pending. Writes Control.Published, Counters, Events, Out.Events. What finds no room waits for the next tick.
func PublishEvents(s *components.State) {
	c := s.Control
	if c == nil {
		return
	}
	for ; c.Published < c.Written; c.Published++ {
		e := c.Pending.At(c.Published).Event
		if e == nil {
			continue
		}
		if s.Events.Free() == 0 || s.Shards > 1 && s.Out.Events.Free() == 0 {
			s.WakeAt(s.Now.MonoMicros + publishMicros)
			return
		}
		for i := range e.Partitions.Len() {
			s.Counters.Reach(ecs.Entity(e.Partitions.At(i)))
		}
		s.Events.Push(e)
		if s.Shards > 1 {
			s.Out.Events.Push(e)
		}
	}
}

// TakeReports notes what the shards say of themselves.
// Shard 0 only. Reads Reports. Writes Control.Reported, Removed and Closed.
func TakeReports(s *components.State) {
	c := s.Control
	if c == nil {
		return
	}
	for s.Reports.Len() > 0 {
		report := s.Reports.Pop()
		switch report.Kind {
		case components.ReportApplied:
			c.Reported[report.Shard] = max(c.Reported[report.Shard], report.Seq)
		case components.ReportClosed:
			c.Closed[report.Shard] = max(c.Closed[report.Shard], report.Seq)
		case components.ReportDrained:
			c.Drained = append(c.Drained, report)
		case components.ReportRemoved:
			c.Removed = append(c.Removed, report.Partition)
		}
	}
}

// decideRemovals ends the removals that their owners have reported done. While the control log is broken they stay: the next
// start finds nothing left to remove, and says so again.
func decideRemovals(s *components.State) {
	c := s.Control
	done := 0
	for ; done < len(c.Removed) && (c.ReadOnly || c.Steps > 0 && c.Pending.Free() > decisionsPerAsk); done++ {
		removal, ok := c.Decided.Removals[c.Removed[done]]
		if !ok || c.ReadOnly { // a report may come twice
			continue
		}
		c.Steps--
		decide(s, newEvent(s, wire.Event{Kind: wire.EventRemovalDone, Partition: uint64(removal.Partition),
			CreatedSeq: removal.Created, PartitionID: removal.ID}), nil)
	}
	c.Removed = append(c.Removed[:0], c.Removed[done:]...)
	if len(c.Removed) > 0 {
		s.WakeAt(s.Now.MonoMicros + publishMicros)
	}
}

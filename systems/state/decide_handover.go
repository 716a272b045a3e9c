package state

import (
	"slices"

	"galgo/components"
	"galgo/ecs"
	"galgo/wire"
)

// handOver names a hand-over that is done, as its owner reports it.
type handOver struct {
	group     ecs.Entity
	partition uint32
	since     uint64 // generation
}

// decideHandOvers gives partitions to their heirs: those whose owner says that what was polled is committed, and those that are
// due. All shards have looked at a plan before the first report is believed, so that one event does it for those that were free at once; an
// answer to the join that began it waits for that too, for then the member finds its partitions.
func decideHandOvers(s *components.State) {
	c := s.Control
	if len(c.Handing) == 0 {
		c.Drained = c.Drained[:0] // late: what they tell is over
		return
	}
	if due := firstDue(c); len(c.Drained) == 0 && due > s.Now.MonoMicros {
		s.WakeAt(due)
		return
	}
	drained := make(map[handOver]bool, len(c.Drained))
	for _, report := range c.Drained {
		drained[handOver{report.Group, report.PartitionID, report.Seq}] = true
	}
	everywhere := c.AppliedByAll()
	for _, handing := range slices.Clone(c.Handing) {
		row, ok := c.Decided.Groups.Row(handing.Group)
		if !ok {
			c.Handing = slices.DeleteFunc(c.Handing, func(h components.Handing) bool { return h.Group == handing.Group })
			continue
		}
		looked := everywhere >= handing.Seq && len(drained) > 0
		if !looked && handing.Due > s.Now.MonoMicros {
			continue
		}
		if c.Pending.Free() <= decisionsPerAsk {
			s.WakeAt(s.Now.MonoMicros + lateMicros)
			return // the reports stay
		}
		done := func(change wire.GroupChange) bool {
			return change.Due <= s.Now.MonoMicros || looked && drained[handOver{handing.Group, change.Partition, change.Since}]
		}
		if plan := c.Decided.Groups.Plan[row]; slices.ContainsFunc(plan.HandOvers, done) {
			e := planned(s, wire.EventGroupAssigned, row, planHandOvers(plan, done))
			decide(s, e, nil)
			holdJoins(s, e)
		}
	}
	if len(c.Handing) > 0 {
		s.WakeAt(max(firstDue(c), s.Now.MonoMicros+1))
	}
	c.Drained = slices.DeleteFunc(c.Drained, func(report components.Report) bool { return !waitedFor(c, &report) })
}

// firstDue is when the first of all hand-overs is due.
func firstDue(c *components.Control) uint64 {
	due := c.Handing[0].Due
	for _, handing := range c.Handing {
		due = min(due, handing.Due)
	}
	return due
}

// waitedFor says whether a report is of a hand-over that goes on: the shards have not all looked yet.
func waitedFor(c *components.Control, report *components.Report) bool {
	row, ok := c.Decided.Groups.Row(report.Group)
	if !ok {
		return false
	}
	change, waits := c.Decided.Groups.Plan[row].HandOver(report.PartitionID)
	return waits && change.Since == report.Seq
}

// holdJoins has the answers to joins of a group wait for the event as well.
func holdJoins(s *components.State, e *wire.Event) {
	c := s.Control
	for i := range c.Pending.Len() {
		if d := c.Pending.At(i); d.Event != nil && d.Event.Kind == wire.EventGroupJoined && d.Event.Group == e.Group && d.Seq == d.Event.Seq {
			d.Seq = e.Seq
		}
	}
}

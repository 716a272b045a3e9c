package state

import (
	"galgo/components"
	"galgo/ecs"
	"galgo/wire"
)

// controlWriteMax is how many bytes of records a control log write takes, the last of them excepted.
const controlWriteMax = 1 << 20

// SealControl starts the next control log write with what is decided and not written: one write is in flight at a time, so a slow disk
// gets larger writes, not more of them. What is not logged waits for what was decided before it, and no longer.
// Shard 0 only. Reads Control.Pending. Writes Control.Buffer, Writing, Written and Record, Out.Control.
func SealControl(s *components.State) {
	c := s.Control
	if c == nil {
		return
	}
	if c.Writing == 0 {
		passUnlogged(c)
		sealRecords(s)
	}
	if c.Published < c.Written {
		s.WakeAt(max(s.Now.MonoMicros, 1)) // they are published in the next tick
	}
}

// passUnlogged moves Written over decisions that need no write.
func passUnlogged(c *components.Control) {
	for c.Written < c.Pending.Len() && !logged(c.Pending.At(c.Written), c.ReadOnly) {
		c.Written++
	}
}

// logged says whether a decision waits for the control log. Once that has failed only what is not logged is decided.
func logged(d *components.Decision, readOnly bool) bool {
	return !readOnly && d.Event != nil && d.Event.Kind.Logged()
}

func sealRecords(s *components.State) {
	c := s.Control
	safeBelow := c.Record // no write is in flight
	c.Buffer = c.Buffer[:0]
	for i := c.Written; i < c.Pending.Len() && len(c.Buffer) < controlWriteMax; i++ {
		c.Writing++
		if d := c.Pending.At(i); logged(d, c.ReadOnly) {
			c.Buffer = wire.AppendControlRecord(c.Buffer, c.Record, safeBelow, d.Event, s.Secret)
			c.Record++
		}
	}
	if c.Writing > 0 {
		s.Out.Control = components.ControlOrder{Bytes: c.Buffer, Number: c.Record}
	}
}

// TakeControlWritten makes the decisions of a completed control log write ready to be published. If the write failed, metadata is
// read-only until the next start: whoever waits for a logged event gets StatusCannotWriteToFile, and the event's place in
// the sequence is taken by an empty one. Sessions go on, and so do messages, save where a partition's end may be in the log.
// Shard 0 only. Reads In.Control. Writes Control, Gauges.ReadOnly.
func TakeControlWritten(s *components.State) {
	c := s.Control
	if c == nil {
		return
	}
	for s.In.Control.Len() > 0 {
		fact := s.In.Control.Pop()
		switch {
		case c.ReadOnly:
		case fact.Err != 0:
			failControl(s)
			s.Log.Log(components.LogError, "control log failed: metadata is read-only until restart",
				components.Num("errno", uint64(fact.Err)), components.Num("record", fact.Number))
		default:
			c.Written += c.Writing
			c.Writing = 0
		}
	}
}

// failControl gives up what is decided and not written.
func failControl(s *components.State) {
	c := s.Control
	c.ReadOnly = true
	s.Gauges.ReadOnly.Store(true)
	type doubt struct{ event, empty *wire.Event } // what the log may have, and what takes its place
	var doubts []doubt
	failed := false // answers behind a failed event were decided on it
	for i := c.Written; i < c.Pending.Len(); i++ {
		d := c.Pending.At(i)
		if d.Event != nil && d.Event.Kind.Logged() {
			empty := &wire.Event{Kind: wire.EventEmpty, Seq: d.Event.Seq, Time: d.Event.Time}
			if i < c.Written+c.Writing { // the others were never handed over
				doubts = append(doubts, doubt{d.Event, empty})
			}
			d.Event, failed = empty, true
		} else if d.Event != nil || !failed {
			continue
		}
		if d.Asker != nil && d.Asker.Answer.Kind == components.ReplyFrame {
			d.Asker.Status, d.Asker.Build = wire.StatusCannotWriteToFile, components.BuildNothing
		}
	}
	c.Written, c.Writing = c.Pending.Len(), 0
	decideAgain(s)
	for _, d := range doubts {
		ended := deletedBy(c.Decided, d.event)
		if d.event.Kind == wire.EventPurged {
			ended = append(ended, ecs.Entity(d.event.Partition))
		}
		for _, partition := range ended {
			d.empty.Partitions = d.empty.Partitions.AppendEntity(uint64(partition))
		}
	}
}

// decideAgain takes what was given up out of the deciding catalog: memberships go on to be decided on it. What was planned for a
// group that does not come to be is given up too; the other groups are looked at, for what they were planned on may be gone.
func decideAgain(s *components.State) {
	c := s.Control
	c.Decided, c.Handing = s.Catalog.Clone(), c.Handing[:0]
	for i := c.Applied; i < c.Pending.Len(); i++ {
		d := c.Pending.At(i)
		if d.Event == nil {
			continue
		}
		if _, ok := c.Decided.Groups.Row(ecs.Entity(d.Event.Group)); !ok && d.Event.Plan != nil {
			d.Event = &wire.Event{Kind: wire.EventEmpty, Seq: d.Event.Seq, Time: d.Event.Time}
			if d.Asker != nil && d.Asker.Answer.Kind == components.ReplyFrame {
				d.Asker.Status = wire.StatusCannotWriteToFile
			}
		}
		c.Decided.Apply(d.Event)
	}
	for row := range c.Decided.Groups.All {
		group := c.Decided.Groups.Entity(row)
		unsettle(s, group)
		if len(c.Decided.Groups.Plan[row].HandOvers) > 0 {
			c.Handing = append(c.Handing, handingOf(group, c.Decided.Applied, c.Decided.Groups.Plan[row]))
		}
	}
}

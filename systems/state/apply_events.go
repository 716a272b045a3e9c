package state

import (
	"fmt"

	"galgo/components"
	"galgo/ecs"
	"galgo/wire"
)

// ApplyEvents applies every published event to the catalog, in sequence, and lets partitions of this shard begin and end with it.
// Shard 0 makes the answers that show what an event created.
// A tick applies some, and goes on in the next: applied is a number, and whoever depends on it waits.
// Reads Events. Writes Catalog, Partitions, Control.Pending, Out.Reports. A gap in the sequence is our bug and panics.
func ApplyEvents(s *components.State) {
	s.Happened = s.Happened[:0]
	for spent := 0; s.Events.Len() > 0; {
		if spent >= applyMax {
			s.WakeAt(max(s.Now.MonoMicros, 1))
			break
		}
		e := s.Events.Pop()
		spent += 1 + costOf(s, e)
		applyEvent(s, e)
	}
	if s.Control != nil {
		passApplied(s)
		s.Control.Reported[s.Shard] = s.Catalog.Applied
	}
}

const (
	// applyMax is how much of events a tick applies: each counts for one and for what it takes with it.
	applyMax = 2048
	// offsetsPerUnit is how many stored offsets count as much as one event.
	offsetsPerUnit = 8
)

// costOf is what an event takes with it.
func costOf(s *components.State, e *wire.Event) int {
	switch e.Kind {
	case wire.EventPurged:
		return offsetsOf(s, ecs.Entity(e.Partition)) / offsetsPerUnit
	case wire.EventTopicDeleted, wire.EventStreamDeleted, wire.EventPartitionsDeleted:
		return weightOf(s.Catalog, e)
	}
	return e.Partitions.Len()
}

// offsetsOf is how many offsets a partition has stored.
func offsetsOf(s *components.State, partition ecs.Entity) int {
	return s.Offsets.Count(partition, wire.ConsumerSingle) + s.Offsets.Count(partition, wire.ConsumerGroup)
}

func applyEvent(s *components.State, e *wire.Event) {
	if last := s.Catalog.Applied; e.Seq>>wire.RunShift == last>>wire.RunShift && e.Seq != last+1 {
		panic(fmt.Sprintf("state: shard %d applies event %d after %d", s.Shard, e.Seq, last))
	}
	doomed := ownedPartitions(s, e)
	var before *wire.GroupPlan
	if e.Kind == wire.EventGroupDeleted {
		dropGroup(s, ecs.Entity(e.Group))
	} else if e.Plan != nil {
		before = s.Catalog.Groups.Plan[s.Catalog.Groups.MustRow(ecs.Entity(e.Group))]
	}
	s.Catalog.Apply(e)
	if e.Plan != nil {
		watchPlan(s, e, before)
	}
	if s.Control != nil {
		passApplied(s) // before the next event can delete what this one created
	}
	for _, partition := range doomed {
		DoomPartition(s, partition)
	}
	switch e.Kind {
	case wire.EventEmpty:
		doubtPartitions(s, e)
	case wire.EventPurged:
		purge(s, e)
	case wire.EventSegmentsRemoved:
		removeSegments(s, e)
	}
	if e.Kind == wire.EventTopicCreated || e.Kind == wire.EventPartitionsCreated {
		openPartitions(s, e)
	}
	s.Out.Reports.Applied = e.Seq
	if len(s.Plugins.Conn) > 0 {
		s.Happened = append(s.Happened, components.HappenedOf(e))
	}
}

func openPartitions(s *components.State, e *wire.Event) {
	for i := range e.Partitions.Len() {
		row := s.Catalog.Partitions.MustRow(ecs.Entity(e.Partitions.At(i)))
		if s.Catalog.OwnerOf(row, s.Shards) == s.Shard {
			OpenPartition(s, row)
		}
	}
}

// ownedPartitions lists the partitions of this shard that an event is about to delete.
func ownedPartitions(s *components.State, e *wire.Event) (owned []ecs.Entity) {
	for _, partition := range deletedBy(s.Catalog, e) {
		if s.Catalog.OwnerOf(s.Catalog.Partitions.MustRow(partition), s.Shards) == s.Shard {
			owned = append(owned, partition)
		}
	}
	return owned
}

// deletedBy lists the partitions that an event deletes from a catalog. Streams and topics that are not there have none.
func deletedBy(c *components.Catalog, e *wire.Event) (deleted []ecs.Entity) {
	switch e.Kind {
	case wire.EventStreamDeleted:
		if stream, ok := c.Streams.Row(ecs.Entity(e.Stream)); ok {
			deleted = appendPartitionsBelow(nil, c, stream)
		}
	case wire.EventTopicDeleted:
		if topic, ok := c.Topics.Row(ecs.Entity(e.Topic)); ok {
			deleted = appendPartitions(nil, c, topic)
		}
	case wire.EventPartitionsDeleted:
		for i := range e.Partitions.Len() {
			deleted = append(deleted, ecs.Entity(e.Partitions.At(i)))
		}
	}
	return deleted
}

// passApplied moves Control.Applied over what this shard has applied, and builds the answers of what it passes.
func passApplied(s *components.State) {
	c := s.Control
	for c.Applied < c.Published {
		d := c.Pending.At(c.Applied)
		if d.Event != nil && d.Event.Seq > s.Catalog.Applied {
			return
		}
		if d.Asker != nil {
			buildAnswer(s, d)
		}
		c.Applied++
	}
}

package state

import (
	"slices"

	"galgo/components"
	"galgo/ecs"
	"galgo/wire"
)

// drainMax is how many hand-overs a tick reports done.
const drainMax = 256

// watchPlan notes, as the owner of partitions, which of them an applied plan takes from their members. A later plan covers an earlier one;
// what was reported of a hand-over that goes on is not reported again.
func watchPlan(s *components.State, e *wire.Event, before *wire.GroupPlan) {
	reads, catalog := &s.GroupReads, s.Catalog
	group := ecs.Entity(e.Group)
	reads.Leaves = slices.DeleteFunc(reads.Leaves, func(l components.Leave) bool {
		change, goesOn := e.Plan.HandOver(l.ID)
		return l.Group == group && !(goesOn && change.Since == l.Since)
	})
	row := catalog.Groups.MustRow(group)
	topic := catalog.Topics.MustRow(catalog.Groups.Topic[row])
	for _, change := range e.Plan.HandOvers {
		if old, known := before.HandOver(change.Partition); known && old.Since == change.Since {
			continue
		}
		at, ok := catalog.PartitionByID(topic, change.Partition)
		if !ok || catalog.OwnerOf(at, s.Shards) != s.Shard {
			continue
		}
		seat, _ := e.Plan.Member(e.Plan.Owners[change.Partition])
		reads.Leaves = append(reads.Leaves, components.Leave{Group: group, GroupID: catalog.Groups.ID[row], Partition: catalog.Partitions.Entity(at),
			ID: change.Partition, Session: seat.Session, Since: change.Since})
		reads.Fresh = true
	}
}

// DrainGroups reports the hand-overs for which everything is committed that the old member has polled.
// Reads Catalog, Offsets. Writes GroupReads, Reports or Out.Reports. Runs after ApplyEvents, before anything more is polled: a poll is answered
// only to the member who has the partition then, so what is drained stays drained.
func DrainGroups(s *components.State) {
	reads := &s.GroupReads
	if len(reads.Leaves) == 0 || !reads.Fresh && reads.Looked == s.Offsets.Orders {
		return
	}
	reads.Fresh, reads.Looked = false, s.Offsets.Orders
	told := 0
	reads.Leaves = slices.DeleteFunc(reads.Leaves, func(l components.Leave) bool {
		if _, there := s.Catalog.Groups.Row(l.Group); !there {
			return true
		}
		if _, there := s.Catalog.Partitions.Row(l.Partition); !there {
			return true
		}
		if !drained(s, &l) {
			return false
		}
		if told == drainMax || !tellDrained(s, &l) {
			reads.Fresh = true // again in the next tick
			return false
		}
		told++
		return true
	})
	if reads.Fresh {
		s.WakeAt(s.Now.MonoMicros + publishMicros)
	}
}

func drained(s *components.State, l *components.Leave) bool {
	next := s.GroupReads.Next(l.Partition, l.GroupID, l.Session)
	if next == 0 {
		return true
	}
	at, ok := s.Offsets.Find(l.Partition, components.ConsumerKey{Kind: wire.ConsumerGroup, ID: l.GroupID})
	return ok && s.Offsets.Value[at]+1 >= next
}

// tellDrained says it to shard 0; false is no room now.
func tellDrained(s *components.State, l *components.Leave) bool {
	report := components.Report{Kind: components.ReportDrained, Shard: uint8(s.Shard), Seq: l.Since, Group: l.Group, PartitionID: l.ID}
	if s.Control != nil {
		return s.Reports.TryPush(report)
	}
	return s.Out.Reports.Drained.TryPush(report)
}

// dropGroup forgets, as the owner of partitions, a group that is about to be deleted: stored offsets go, for good.
func dropGroup(s *components.State, group ecs.Entity) {
	catalog := s.Catalog
	row := catalog.Groups.MustRow(group)
	id := catalog.Groups.ID[row]
	key := components.ConsumerKey{Kind: wire.ConsumerGroup, ID: id}
	for partition := range catalog.PartitionsByID(catalog.Topics.MustRow(catalog.Groups.Topic[row])) {
		at, owned := s.Partitions.Row(catalog.Partitions.Entity(partition))
		if !owned {
			continue
		}
		entity := s.Partitions.Entity(at)
		s.GroupReads.Forget(entity, id)
		if _, stored := s.Offsets.Find(entity, key); stored {
			changeOffset(s, at, key, 0, true)
		}
	}
	s.GroupReads.Fresh = true // the next look drops its hand-overs
}

package components

import (
	"cmp"
	"maps"
	"slices"

	"galgo/wire"
)

// Events yields the events that rebuild this catalog from an empty one through Restore, free lists, generations and pending
// removals included: what a snapshot holds. An event and its slices are good until the next is yielded.
func (c *Catalog) Events(yield func(*wire.Event) bool) {
	var e wire.Event
	emit := func(next wire.Event) bool { e = next; return yield(&e) }

	if !emit(wire.Event{Kind: wire.EventRunStarted, Run: c.BootFirst, BootID: c.bootID}) ||
		!emit(wire.Event{Kind: wire.EventRunStarted, Run: c.Run, BootID: c.bootID}) {
		return
	}
	u := &c.Users
	for id := range u.IDs.All {
		row := u.byID[id]
		status := uint8(userInactive)
		if u.Active[row] {
			status = userActive
		}
		if !emit(wire.Event{Kind: wire.EventUserCreated, Seq: u.Created[row], Time: u.CreatedAt[row], User: uint64(u.Entity(int(row))), UserID: id,
			Name: c.Text(u.Name[row]), PasswordHash: c.Text(u.PasswordHash[row]), UserStatus: status, Permissions: c.Text(u.Permissions[row])}) ||
			!c.tokenEvents(int(row), emit) {
			return
		}
	}
	for stream := range c.StreamsByID {
		s := &c.Streams
		if !emit(wire.Event{Kind: wire.EventStreamCreated, Seq: s.Created[stream], Time: s.CreatedAt[stream], Stream: uint64(s.Entity(stream)),
			StreamID: s.ID[stream], Name: c.Text(s.Name[stream])}) {
			return
		}
		for topic := range c.TopicsByID(stream) {
			if !c.topicEvents(topic, emit) {
				return
			}
		}
	}
	// A pending removal is a partition of a topic that is gone: restated as a removal record of its own.
	for _, removal := range c.RemovalsInOrder() {
		if !emit(wire.Event{Kind: wire.EventRemovalPending, Partition: uint64(removal.Partition),
			PartitionID: removal.ID, CreatedSeq: removal.Created}) {
			return
		}
	}
	for kind := StreamEntity; kind <= GroupEntity; kind++ {
		for entity := range c.entities(kind).Free {
			if !emit(wire.Event{Kind: wire.EventEntityFreed, EntityKind: kind, Entity: uint64(entity)}) {
				return
			}
		}
	}
}

// topicEvents emits the creation of a topic and of its partitions, one event for each seq that created some.
func (c *Catalog) topicEvents(topic int, emit func(wire.Event) bool) bool {
	t, p := &c.Topics, &c.Partitions
	var entities wire.Entities
	e := wire.Event{Kind: wire.EventTopicCreated, Seq: t.Created[topic], Time: t.CreatedAt[topic], Stream: uint64(t.Stream[topic]),
		Topic: uint64(t.Entity(topic)), TopicID: t.ID[topic], Name: c.Text(t.Name[topic]),
		Explicit: c.Text(t.Explicit[topic]), Derived: c.Text(t.Derived[topic]),
		CompressionAlgorithm: t.Options[topic].Compression, MessageExpiry: t.Options[topic].MessageExpiry,
		MaxTopicSize: t.Options[topic].MaxSize, SegmentSize: t.Options[topic].SegmentSize,
		Durability: flag(t.Options[topic].Persisted), OffsetDurability: flag(t.Options[topic].OffsetsPersisted)}
	for row := range c.PartitionsByID(topic) {
		if p.Created[row] != e.Seq {
			e.Partitions = entities
			if !emit(e) {
				return false
			}
			entities = nil
			e = wire.Event{Kind: wire.EventPartitionsCreated, Seq: p.Created[row], Time: p.CreatedAt[row],
				Topic: uint64(t.Entity(topic)), PartitionID: p.ID[row]}
		}
		entities = entities.AppendEntity(uint64(p.Entity(row)))
	}
	e.Partitions = entities
	return emit(e) && c.headEvents(topic, emit) && (t.GroupIDNext[topic] == 0 ||
		emit(wire.Event{Kind: wire.EventGroupIDNext, Topic: uint64(t.Entity(topic)), GroupID: t.GroupIDNext[topic]})) &&
		c.groupEvents(topic, emit)
}

// headEvents emits where the logs of a topic's partitions begin, if not where they were created.
func (c *Catalog) headEvents(topic int, emit func(wire.Event) bool) bool {
	p := &c.Partitions
	for row := range c.PartitionsByID(topic) {
		if p.Epoch[row] > 0 && !emit(wire.Event{Kind: wire.EventPurged, Partition: uint64(p.Entity(row)), Epoch: p.Epoch[row]}) {
			return false
		}
		if p.Removed[row] > 0 && !emit(wire.Event{Kind: wire.EventSegmentsRemoved, Partition: uint64(p.Entity(row)), Offset: p.Removed[row]}) {
			return false
		}
	}
	return true
}

func flag(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

// Restore applies an event of a snapshot. After the last one, Finish says where the snapshot stands.
func (c *Catalog) Restore(e *wire.Event) { c.restore(e) }

// Finish sets the sequence after a snapshot's events.
func (c *Catalog) Finish(lastSeq uint64) { c.Applied, c.Committed = lastSeq, lastSeq }

// Clone is an equal catalog that shares nothing with this one.
func (c *Catalog) Clone() *Catalog {
	clone := NewCatalog()
	for e := range c.Events {
		clone.restore(e)
	}
	c.copyPlans(clone)
	maps.Copy(clone.Sessions, c.Sessions)
	clone.Applied, clone.Committed = c.Applied, c.Committed
	return clone
}

// RemovalsInOrder lists the pending removals by partition entity.
func (c *Catalog) RemovalsInOrder() []Removal {
	list := make([]Removal, 0, len(c.Removals))
	for _, removal := range c.Removals {
		list = append(list, removal)
	}
	slices.SortFunc(list, func(a, b Removal) int { return cmp.Compare(a.Partition, b.Partition) })
	return list
}

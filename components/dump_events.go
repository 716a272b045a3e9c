package components

import (
	"galgo/ecs"
	"galgo/wire"
)

// Event prints an event, as a record of the control log with that number. Number 0 is none: an event of a snapshot, or one that is not logged.
func (p *Printer) Event(number uint64, e *wire.Event) {
	p.begin(1)
	p.addIf(number > 0, "%d: ", number)
	p.addIf(e.Seq > 0, "%s ", RunCounter(e.Seq))
	p.add("%v", e.Kind)
	p.eventFields(e)
	p.addIf(e.Time > 0, " time=%s", moment(e.Time))
	p.end()
	if e.Kind == wire.EventTopicCreated || e.Kind == wire.EventTopicUpdated {
		p.options("explicit", e.Explicit)
	}
}

// eventFields adds the fields that events of a kind have, in the order of wire.Event.
func (p *Printer) eventFields(e *wire.Event) {
	entity := func(name string, n uint64) { p.add(" %s=%v", name, ecs.Entity(n)) }
	switch e.Kind {
	case wire.EventRunStarted:
		p.add(" run=%d boot=%x shards=%d", e.Run, e.BootID, e.Shards)
	case wire.EventStreamCreated:
		entity("stream", e.Stream)
		p.add(" id=%d name=%q", e.StreamID, e.Name)
	case wire.EventStreamUpdated:
		entity("stream", e.Stream)
		p.add(" name=%q", e.Name)
	case wire.EventStreamDeleted:
		entity("stream", e.Stream)
	case wire.EventTopicCreated:
		entity("stream", e.Stream)
		entity("topic", e.Topic)
		p.add(" id=%d name=%q durability=%s offsets=%s segment-size=%d", e.TopicID, e.Name, eventLevel(e.Durability),
			eventLevel(e.OffsetDurability), e.SegmentSize)
		p.topicLimits(e)
		p.entities(e.Partitions)
	case wire.EventTopicUpdated:
		entity("topic", e.Topic)
		p.add(" name=%q", e.Name)
		p.topicLimits(e)
	case wire.EventTopicDeleted:
		entity("topic", e.Topic)
	case wire.EventPartitionsCreated, wire.EventPartitionsDeleted:
		entity("topic", e.Topic)
		p.add(" first-id=%d", e.PartitionID)
		p.entities(e.Partitions)
	case wire.EventSegmentsRemoved:
		entity("partition", e.Partition)
		p.add(" below=%d", e.Offset)
	case wire.EventPurged:
		entity("partition", e.Partition)
		p.add(" epoch=%d", e.Epoch)
	case wire.EventRemovalPending, wire.EventRemovalDone:
		entity("partition", e.Partition)
		p.add(" id=%d created=%s", e.PartitionID, RunCounter(e.CreatedSeq))
	case wire.EventUserCreated:
		entity("user", e.User)
		p.add(" id=%d name=%q %s permissions=%dB", e.UserID, e.Name, either(e.UserStatus == userActive, "active", "inactive"), len(e.Permissions))
	case wire.EventUserUpdated:
		entity("user", e.User)
		p.add(" name=%q %s", e.Name, either(e.UserStatus == userActive, "active", "inactive"))
	case wire.EventUserDeleted, wire.EventPasswordChanged:
		entity("user", e.User)
	case wire.EventPermissionsChanged:
		entity("user", e.User)
		p.add(" permissions=%dB", len(e.Permissions))
	case wire.EventTokenCreated:
		entity("user", e.User)
		p.add(" name=%q", e.Name)
		p.addIf(e.Expiry > 0, " expiry=%s", moment(e.Expiry))
	case wire.EventTokenDeleted:
		entity("user", e.User)
		p.add(" name=%q", e.Name)
	case wire.EventGroupCreated:
		entity("topic", e.Topic)
		entity("group", e.Group)
		p.add(" id=%d name=%q", e.GroupID, e.Name)
	case wire.EventGroupDeleted:
		entity("group", e.Group)
	case wire.EventGroupIDNext:
		entity("topic", e.Topic)
		p.add(" id=%d", e.GroupID)
	case wire.EventEntityFreed:
		p.add(" %s=%v", entityKind(e.EntityKind), ecs.Entity(e.Entity))
	case wire.EventGroupJoined, wire.EventGroupLeft, wire.EventGroupAssigned:
		entity("group", e.Group)
		if e.Plan != nil {
			p.plan(e.Plan)
		}
	case wire.EventSessionOpened, wire.EventSessionClosed:
		entity("user", e.User)
		p.add(" client=%x session=%s home=%d", e.Client.Lo, RunCounter(e.Session), e.Shard)
	}
}

func (p *Printer) topicLimits(e *wire.Event) {
	p.add(" expiry=%s max-size=%s compression=%v", bound(e.MessageExpiry, "never"), bound(e.MaxTopicSize, "unlimited"), wire.Compression(e.CompressionAlgorithm))
}

func (p *Printer) entities(list wire.Entities) {
	p.add(" partitions=[")
	for i := range list.Len() {
		p.addIf(i > 0, " ")
		p.add("%v", ecs.Entity(list.At(i)))
	}
	p.add("]")
}

// plan adds who is in a group, and what each member has.
func (p *Printer) plan(plan *wire.GroupPlan) {
	p.add(" generation=%d", plan.Generation)
	for _, seat := range plan.Members {
		p.add(" member=%d session=%s partitions=[", seat.ID, RunCounter(seat.Session))
		first := true
		for id, owner := range plan.Owners {
			if owner == seat.ID {
				p.addIf(!first, " ")
				p.add("%d", id)
				first = false
			}
		}
		p.add("]")
	}
	for _, change := range plan.HandOvers {
		p.add(" hand-over=%d to=%d", change.Partition, change.Heir)
	}
}

func eventLevel(durability uint8) string {
	return either(durability == wire.DurabilityDurable, "durable", "default")
}

func entityKind(kind uint8) string {
	switch kind {
	case StreamEntity:
		return "stream"
	case TopicEntity:
		return "topic"
	case PartitionEntity:
		return "partition"
	case UserEntity:
		return "user"
	case GroupEntity:
		return "group"
	}
	return "unknown"
}

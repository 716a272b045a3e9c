package components

import (
	"fmt"

	"galgo/ecs"
	"galgo/wire"
)

// Apply changes the catalog as an event says. Events carry everything, ids and entities included, so that applying needs
// no decision: an event that does not fit is our bug, and panics. Seq must grow.
func (c *Catalog) Apply(e *wire.Event) {
	if e.Seq <= c.Applied {
		panic(fmt.Sprintf("components: event %d applied after %d", e.Seq, c.Applied))
	}
	c.restore(e)
	c.Applied = e.Seq
	if e.Kind.Logged() && e.Kind != wire.EventEmpty {
		c.Committed = e.Seq
	}
}

// restore is Apply without the order of seq: the events of a snapshot keep the seq of what they restate.
func (c *Catalog) restore(e *wire.Event) {
	switch e.Kind {
	case wire.EventRunStarted:
		c.startRun(e)
	case wire.EventStreamCreated:
		c.createStream(e)
	case wire.EventStreamDeleted:
		c.deleteStream(ecs.Entity(e.Stream))
	case wire.EventStreamUpdated:
		c.updateStream(e)
	case wire.EventTopicCreated:
		c.createTopic(e)
	case wire.EventTopicUpdated:
		c.updateTopic(c.topicRow(e), e)
	case wire.EventTopicDeleted:
		c.deleteTopic(c.topicRow(e))
	case wire.EventPartitionsCreated:
		c.createPartitions(c.topicRow(e), e)
	case wire.EventPartitionsDeleted:
		c.deletePartitions(c.topicRow(e), e)
	case wire.EventPurged:
		c.purge(e)
	case wire.EventSegmentsRemoved:
		c.removeSegments(e)
	case wire.EventRemovalDone:
		c.finishRemoval(ecs.Entity(e.Partition))
	case wire.EventRemovalPending:
		c.resumeRemoval(e)
	case wire.EventUserCreated:
		c.createUser(e)
	case wire.EventUserUpdated:
		c.updateUser(c.userRow(e), e)
	case wire.EventUserDeleted:
		c.deleteUser(c.userRow(e))
	case wire.EventPasswordChanged:
		c.changePassword(c.userRow(e), e)
	case wire.EventPermissionsChanged:
		c.changePermissions(c.userRow(e), e)
	case wire.EventTokenCreated:
		c.createToken(c.userRow(e), e)
	case wire.EventTokenDeleted:
		c.deleteToken(c.userRow(e), e)
	case wire.EventEntityFreed:
		c.entities(e.EntityKind).Freed(ecs.Entity(e.Entity))
	case wire.EventGroupCreated:
		c.createGroup(e)
	case wire.EventGroupDeleted:
		c.deleteGroup(ecs.Entity(e.Group))
	case wire.EventGroupJoined, wire.EventGroupLeft, wire.EventGroupAssigned:
		c.planGroup(e)
	case wire.EventGroupIDNext:
		c.Topics.GroupIDNext[c.topicRow(e)] = e.GroupID
	case wire.EventSessionOpened:
		c.Sessions[e.Client] = Session{Number: e.Session, User: ecs.Entity(e.User)}
	case wire.EventSessionClosed:
		if c.Sessions[e.Client].Number == e.Session { // the client may have logged in again
			delete(c.Sessions, e.Client)
		}
	case wire.EventEmpty:
		// It fills a sequence number whose log write failed.
	default:
		panic(fmt.Sprintf("components: event of unknown kind %d", e.Kind))
	}
}

// The kinds of entities, as EntityFreed events name them.
const (
	StreamEntity = uint8(iota + 1)
	TopicEntity
	PartitionEntity
	UserEntity
	GroupEntity
)

func (c *Catalog) entities(kind uint8) *ecs.Entities {
	switch kind {
	case StreamEntity:
		return &c.Streams.Entities
	case TopicEntity:
		return &c.Topics.Entities
	case PartitionEntity:
		return &c.Partitions.Entities
	case UserEntity:
		return &c.Users.Entities
	case GroupEntity:
		return &c.Groups.Entities
	}
	panic(fmt.Sprintf("components: entities of kind %d", kind))
}

func (c *Catalog) startRun(e *wire.Event) {
	if e.BootID != c.bootID || c.Run == 0 {
		c.BootFirst = e.Run
	}
	c.Run, c.bootID = e.Run, e.BootID
}

// occupy marks an entity alive that an event names: shard 0's deciding catalog took it already.
func occupy(entities *ecs.Entities, e ecs.Entity) {
	if !entities.Alive(e) {
		entities.Restore(e)
	}
}

func (c *Catalog) createStream(e *wire.Event) {
	entity := ecs.Entity(e.Stream)
	t := &c.Streams
	occupy(&t.Entities, entity)
	row := t.Insert(entity)
	n := t.Cap()
	t.ID = ecs.Grow(t.ID, n)
	t.CreatedAt = ecs.Grow(t.CreatedAt, n)
	t.Created = ecs.Grow(t.Created, n)
	t.Name = ecs.Grow(t.Name, n)
	t.TopicIDs = ecs.Grow(t.TopicIDs, n)

	t.ID[row], t.CreatedAt[row], t.Created[row] = e.StreamID, e.Time, e.Seq
	t.Name[row] = c.text.Add(e.Name)
	t.TopicIDs[row] = &ecs.IDs{}
	t.IDs.Mark(e.StreamID)
	t.byID[e.StreamID] = uint32(row)
	c.streamNames.Put(0, e.Name, uint32(row))
}

func (c *Catalog) deleteStream(entity ecs.Entity) {
	t := &c.Streams
	row, ok := t.Row(entity)
	if !ok {
		panic(fmt.Sprintf("components: stream %v deleted twice", entity))
	}
	topics := make([]int, 0, t.TopicIDs[row].Len())
	for topic := range c.TopicsByID(row) {
		topics = append(topics, topic)
	}
	for _, topic := range topics {
		c.deleteTopic(topic)
	}
	c.forgetName(&c.streamNames, 0, &t.Name[row])
	t.IDs.Put(t.ID[row])
	delete(t.byID, t.ID[row])
	t.TopicIDs[row] = nil
	t.Remove(entity)
	t.Entities.Put(entity)
	c.compactText()
}

func (c *Catalog) forgetName(names *ecs.Names, parent uint64, name *ecs.Span) {
	names.Delete(parent, c.text.Get(*name))
	c.text.Remove(name)
}

func (c *Catalog) topicRow(e *wire.Event) int {
	row, ok := c.Topics.Row(ecs.Entity(e.Topic))
	if !ok {
		panic(fmt.Sprintf("components: event %d for topic %v, which is gone", e.Seq, ecs.Entity(e.Topic)))
	}
	return row
}

func (c *Catalog) createTopic(e *wire.Event) {
	stream, ok := c.Streams.Row(ecs.Entity(e.Stream))
	if !ok {
		panic(fmt.Sprintf("components: topic created in stream %v, which is gone", ecs.Entity(e.Stream)))
	}
	entity := ecs.Entity(e.Topic)
	t := &c.Topics
	occupy(&t.Entities, entity)
	row := t.Insert(entity)
	n := t.Cap()
	t.Stream = ecs.Grow(t.Stream, n)
	t.ID = ecs.Grow(t.ID, n)
	t.CreatedAt = ecs.Grow(t.CreatedAt, n)
	t.Created = ecs.Grow(t.Created, n)
	t.Name = ecs.Grow(t.Name, n)
	t.Options = ecs.Grow(t.Options, n)
	t.Explicit = ecs.Grow(t.Explicit, n)
	t.Derived = ecs.Grow(t.Derived, n)
	t.Partitions = ecs.Grow(t.Partitions, n)
	t.GroupIDNext = ecs.Grow(t.GroupIDNext, n)

	t.Stream[row] = ecs.Entity(e.Stream)
	t.ID[row], t.CreatedAt[row], t.Created[row] = e.TopicID, e.Time, e.Seq
	t.Name[row] = c.text.Add(e.Name)
	t.Options[row] = TopicOptions{
		MessageExpiry: e.MessageExpiry, MaxSize: e.MaxTopicSize, SegmentSize: e.SegmentSize,
		Compression: e.CompressionAlgorithm, Persisted: e.Durability != 0, OffsetsPersisted: e.OffsetDurability != 0,
	}
	t.Explicit[row], t.Derived[row] = c.text.Add(e.Explicit), c.text.Add(e.Derived)
	t.Partitions[row], t.GroupIDNext[row] = 0, 0
	c.Streams.TopicIDs[stream].Mark(e.TopicID)
	t.byID[below(stream, e.TopicID)] = uint32(row)
	c.topicNames.Put(uint64(stream), e.Name, uint32(row))
	c.createPartitions(row, e)
}

func (c *Catalog) deleteTopic(row int) {
	t := &c.Topics
	entity := t.Entity(row)
	c.deleteGroups(row)
	for t.Partitions[row] > 0 {
		c.deleteLastPartition(row)
	}
	stream, _ := c.Streams.Row(t.Stream[row])
	c.forgetName(&c.topicNames, uint64(stream), &t.Name[row])
	c.text.Remove(&t.Explicit[row])
	c.text.Remove(&t.Derived[row])
	c.Streams.TopicIDs[stream].Put(t.ID[row])
	delete(t.byID, below(stream, t.ID[row]))
	t.Remove(entity)
	t.Entities.Put(entity)
	c.compactText()
}

func (c *Catalog) createPartitions(topic int, e *wire.Event) {
	t := &c.Partitions
	for i := range e.Partitions.Len() {
		entity, id := ecs.Entity(e.Partitions.At(i)), e.PartitionID+uint32(i)
		occupy(&t.Entities, entity)
		row := t.Insert(entity)
		n := t.Cap()
		t.Topic = ecs.Grow(t.Topic, n)
		t.ID = ecs.Grow(t.ID, n)
		t.CreatedAt = ecs.Grow(t.CreatedAt, n)
		t.Created = ecs.Grow(t.Created, n)
		t.Epoch = ecs.Grow(t.Epoch, n)
		t.Removed = ecs.Grow(t.Removed, n)
		if id != c.Topics.Partitions[topic] {
			panic(fmt.Sprintf("components: partition %d created as number %d", id, c.Topics.Partitions[topic]))
		}
		t.Topic[row], t.ID[row], t.CreatedAt[row], t.Created[row] = c.Topics.Entity(topic), id, e.Time, e.Seq
		t.Epoch[row], t.Removed[row] = 0, 0
		t.byID[below(topic, id)] = uint32(row)
		c.Topics.Partitions[topic]++
	}
}

// purge begins a partition's log anew, at offset 0.
func (c *Catalog) purge(e *wire.Event) {
	t, row := &c.Partitions, c.partitionRow(e)
	if e.Epoch <= t.Epoch[row] {
		panic(fmt.Sprintf("components: event %d purges partition %v to epoch %d, which has epoch %d", e.Seq, ecs.Entity(e.Partition), e.Epoch, t.Epoch[row]))
	}
	t.Epoch[row], t.Removed[row] = e.Epoch, 0
}

// removeSegments notes what is removed at the beginning of a log. It is absolute: less than what is removed already changes nothing.
func (c *Catalog) removeSegments(e *wire.Event) {
	row := c.partitionRow(e)
	c.Partitions.Removed[row] = max(c.Partitions.Removed[row], e.Offset)
}

func (c *Catalog) partitionRow(e *wire.Event) int {
	row, ok := c.Partitions.Row(ecs.Entity(e.Partition))
	if !ok {
		panic(fmt.Sprintf("components: event %d for partition %v, which is gone", e.Seq, ecs.Entity(e.Partition)))
	}
	return row
}

// deletePartitions takes exactly the partitions that the event names, which are the highest of the topic.
func (c *Catalog) deletePartitions(topic int, e *wire.Event) {
	for i := e.Partitions.Len() - 1; i >= 0; i-- {
		if deleted := c.deleteLastPartition(topic); deleted != ecs.Entity(e.Partitions.At(i)) {
			panic(fmt.Sprintf("components: event %d deletes partition %v, the last is %v", e.Seq, ecs.Entity(e.Partitions.At(i)), deleted))
		}
	}
}

// deleteLastPartition takes the highest partition of a topic out of the catalog and notes the removal of its files.
func (c *Catalog) deleteLastPartition(topic int) ecs.Entity {
	t := &c.Partitions
	c.Topics.Partitions[topic]--
	key := below(topic, c.Topics.Partitions[topic])
	row := int(t.byID[key])
	entity := t.Entity(row)
	c.Removals[entity] = Removal{Partition: entity, Created: t.Created[row], ID: t.ID[row]}
	delete(t.byID, key)
	t.Remove(entity)
	return entity
}

// resumeRemoval restates a removal that a snapshot found unfinished.
func (c *Catalog) resumeRemoval(e *wire.Event) {
	entity := ecs.Entity(e.Partition)
	occupy(&c.Partitions.Entities, entity)
	c.Removals[entity] = Removal{Partition: entity, Created: e.CreatedSeq, ID: e.PartitionID}
}

func (c *Catalog) finishRemoval(partition ecs.Entity) {
	if _, ok := c.Removals[partition]; !ok {
		panic(fmt.Sprintf("components: removal of %v done, but never begun", partition))
	}
	delete(c.Removals, partition)
	c.Partitions.Entities.Put(partition)
}

// The statuses of users. Source: protocol.md, 8.7.
const (
	userActive   = 1
	userInactive = 2
)

func (c *Catalog) createUser(e *wire.Event) {
	entity := ecs.Entity(e.User)
	t := &c.Users
	occupy(&t.Entities, entity)
	row := t.Insert(entity)
	n := t.Cap()
	t.ID = ecs.Grow(t.ID, n)
	t.CreatedAt = ecs.Grow(t.CreatedAt, n)
	t.Created = ecs.Grow(t.Created, n)
	t.Active = ecs.Grow(t.Active, n)
	t.Name = ecs.Grow(t.Name, n)
	t.PasswordHash = ecs.Grow(t.PasswordHash, n)
	t.Permissions = ecs.Grow(t.Permissions, n)
	t.Grants = ecs.Grow(t.Grants, n)
	t.Tokens = ecs.Grow(t.Tokens, n)

	t.ID[row], t.CreatedAt[row], t.Created[row] = e.UserID, e.Time, e.Seq
	t.Active[row] = e.UserStatus == userActive
	t.Name[row] = c.text.Add(e.Name)
	t.PasswordHash[row] = c.text.Add(e.PasswordHash)
	t.Permissions[row] = c.text.Add(e.Permissions)
	t.Grants[row] = grantsOf(e.Permissions)
	t.Tokens[row] = nil
	t.IDs.Mark(e.UserID)
	t.byID[e.UserID] = uint32(row)
	c.userNames.Put(0, e.Name, uint32(row))
}

// compactText rewrites the text arena once enough of it is garbage.
func (c *Catalog) compactText() {
	if c.text.Wasteful() {
		c.text.Compact(c.Streams.Name, c.Topics.Name, c.Topics.Explicit, c.Topics.Derived,
			c.Users.Name, c.Users.PasswordHash, c.Users.Permissions, c.Tokens.Name, c.Groups.Name)
	}
}

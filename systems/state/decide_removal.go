package state

import (
	"galgo/components"
	"galgo/ecs"
	"galgo/wire"
)

// stepsPerTick is how many events of operations that take many a tick decides, removals that end included.
const stepsPerTick = 256

// purgeStream decides PurgeStream: every partition below it begins anew. Statuses of this and the next two: protocol.md, 7.2 and 7.3.
func purgeStream(s *components.State, a *ask) outcome {
	row, out := locateStream(s, a)
	if out != (outcome{}) {
		return out
	}
	return outcome{series: &components.Series{Partitions: appendPartitionsBelow(nil, s.Control.Decided, row)}}
}

// purgeTopic decides PurgeTopic.
func purgeTopic(s *components.State, a *ask) outcome {
	ref, status := wire.DecodeTopicRef(a.body)
	if status != wire.StatusOK {
		return denied(status)
	}
	topic, out := a.topicFor(s, ManageTopic, ref.Stream, ref.Topic)
	if out != (outcome{}) {
		return out
	}
	return outcome{series: &components.Series{Partitions: appendPartitions(nil, s.Control.Decided, topic)}}
}

// deleteSegments decides DeleteSegments, once the partition's owner has said how far it can go.
func deleteSegments(s *components.State, a *ask) outcome {
	remove, status := wire.DecodeDeleteSegments(a.body)
	if status != wire.StatusOK {
		return denied(status)
	}
	topic, status := locateTopic(s, remove.Stream, remove.Topic)
	if status != wire.StatusOK {
		return rejected(status)
	}
	catalog := s.Control.Decided
	row, ok := catalog.PartitionByID(topic, remove.PartitionID)
	if !ok {
		return rejected(wire.StatusPartitionNotFound)
	}
	if !a.may(s, ManageTopic, catalog.Topics.Stream[topic], catalog.Topics.Entity(topic)) {
		return rejected(wire.StatusUnauthorized)
	}
	if remove.SegmentsCount == 0 {
		return outcome{}
	}
	return outcome{proposal: &components.Proposal{Partition: catalog.Partitions.Entity(row), Count: remove.SegmentsCount}}
}

// appendPartitionsBelow appends those of all topics of a stream.
func appendPartitionsBelow(list []ecs.Entity, catalog *components.Catalog, stream int) []ecs.Entity {
	for topic := range catalog.TopicsByID(stream) {
		list = appendPartitions(list, catalog, topic)
	}
	return list
}

func appendPartitions(list []ecs.Entity, catalog *components.Catalog, topic int) []ecs.Entity {
	for row := range catalog.PartitionsByID(topic) {
		list = append(list, catalog.Partitions.Entity(row))
	}
	return list
}

// decideSeries decides the next events of operations that take many, one of each in turn.
func decideSeries(s *components.State) {
	c := s.Control
	for len(c.Series) > 0 && c.Steps > 0 && c.Pending.Free() > decisionsPerAsk {
		series := c.Series[0]
		copy(c.Series, c.Series[1:])
		if e, more := nextOf(c.Decided, series); !more || c.ReadOnly {
			c.Series = c.Series[:len(c.Series)-1]
			answerLater(s, series.Asker)
		} else {
			c.Series[len(c.Series)-1] = series
			c.Steps -= 1 + weightOf(c.Decided, &e)/partitionsPerStep
			decide(s, newEvent(s, e), nil)
		}
	}
	for _, series := range c.Series {
		refuseIfLate(s, series.Asker)
	}
	if len(c.Series) > 0 {
		s.WakeAt(s.Now.MonoMicros + publishMicros)
	}
}

const (
	// pieceMax is how many partitions are deleted at a time: what is larger is deleted piece by piece. A server that ends in between leaves what
	// was not deleted yet.
	pieceMax = 1000
	// partitionsPerStep is how many partitions of a deletion count as one step.
	partitionsPerStep = 4
)

// nextOf is the next event of a series; false is that there is nothing left to do. What was deleted meanwhile by others is.
func nextOf(catalog *components.Catalog, series *components.Series) (e wire.Event, more bool) {
	for len(series.Partitions) > 0 {
		partition := series.Partitions[0]
		series.Partitions = series.Partitions[1:]
		if row, ok := catalog.Partitions.Row(partition); ok {
			return wire.Event{Kind: wire.EventPurged, Partition: uint64(partition), Epoch: catalog.Partitions.Epoch[row] + 1}, true
		}
	}
	if row, ok := catalog.Topics.Row(series.Topic); ok {
		return deletionOfTopic(catalog, row), true
	}
	if row, ok := catalog.Streams.Row(series.Stream); ok {
		return deletionOfStream(catalog, row), true
	}
	return e, false
}

// deletionOfTopic is the event that deletes a topic, or the last of its partitions if there are too many for one.
func deletionOfTopic(catalog *components.Catalog, topic int) wire.Event {
	entity, have := uint64(catalog.Topics.Entity(topic)), catalog.Topics.Partitions[topic]
	if have <= pieceMax {
		return wire.Event{Kind: wire.EventTopicDeleted, Topic: entity}
	}
	return wire.Event{Kind: wire.EventPartitionsDeleted, Topic: entity, PartitionID: have - pieceMax, Partitions: lastPartitions(catalog, topic, pieceMax)}
}

// deletionOfStream is the event that deletes a stream, or one of its topics, if there is too much in it for one.
func deletionOfStream(catalog *components.Catalog, stream int) wire.Event {
	weight, first := 0, -1
	for topic := range catalog.TopicsByID(stream) {
		if first < 0 {
			first = topic
		}
		if weight += 1 + int(catalog.Topics.Partitions[topic]); weight > pieceMax {
			return deletionOfTopic(catalog, first)
		}
	}
	return wire.Event{Kind: wire.EventStreamDeleted, Stream: uint64(catalog.Streams.Entity(stream))}
}

// weightOf is how many topics and partitions an event deletes.
func weightOf(catalog *components.Catalog, e *wire.Event) (weight int) {
	switch e.Kind {
	case wire.EventPartitionsDeleted:
		return e.Partitions.Len()
	case wire.EventTopicDeleted:
		return int(catalog.Topics.Partitions[catalog.Topics.MustRow(ecs.Entity(e.Topic))])
	case wire.EventStreamDeleted:
		for topic := range catalog.TopicsByID(catalog.Streams.MustRow(ecs.Entity(e.Stream))) {
			weight += 1 + int(catalog.Topics.Partitions[topic])
		}
	}
	return weight
}

// answerLater answers an operation that is decided in full, once every shard has applied all of it; or, if the control log has failed, says
// that it may have happened.
func answerLater(s *components.State, asker *components.Asker) {
	if s.Control.ReadOnly {
		asker.Status = wire.StatusCannotWriteToFile
	}
	if asker.Client != nil {
		asker.Client.Commit = s.Control.Decided.Applied
	}
	answerInOrder(s, asker)
}

// refuseIfLate answers whoever has waited too long: what was asked for goes on, and may have happened in part.
func refuseIfLate(s *components.State, asker *components.Asker) {
	if due := asker.Since + waitMicros; due > s.Now.MonoMicros {
		s.WakeAt(due)
	} else if !asker.Told {
		asker.Told = true
		s.Answer(asker.Home, components.Reply{Kind: components.ReplyStatus, Conn: asker.Answer.Conn, Status: wire.StatusCannotWriteToFile})
	}
}

// askOwner asks the owner of the partition of which segments are to be removed next. One question is under way at a time.
func askOwner(s *components.State) {
	c := s.Control
	for len(c.Proposals) > 0 && !c.Proposals[0].Asked && c.Pending.Free() > decisionsPerAsk {
		proposal := c.Proposals[0]
		row, ok := c.Decided.Partitions.Row(proposal.Partition)
		if !ok || c.ReadOnly {
			answerLater(s, proposal.Asker)
			c.Proposals = c.Proposals[1:]
			continue
		}
		proposal.Asked = true
		s.Ask(c.Decided.OwnerOf(row, s.Shards), components.Request{Kind: components.RequestPropose, Home: uint8(s.Shard), Conn: components.ControlConn,
			Fence: c.Decided.Applied, Since: s.Now.MonoMicros, Partition: proposal.Partition, Count: proposal.Count})
	}
	for _, proposal := range c.Proposals {
		refuseIfLate(s, proposal.Asker)
	}
}

// decideProposals decides the removal that an owner has proposed. A partition that was purged since has nothing of what the owner spoke of, and
// one that was deleted has nothing at all: that is a success.
func decideProposals(s *components.State) {
	c := s.Control
	if c.Proposed == nil {
		return
	}
	if c.Pending.Free() <= decisionsPerAsk {
		s.WakeAt(s.Now.MonoMicros + lateMicros)
		return
	}
	proposal, reply := c.Proposals[0], c.Proposed
	c.Proposals, c.Proposed = c.Proposals[1:], nil
	if reply.Kind == components.ReplyStatus && reply.Status != wire.StatusPartitionNotFound {
		proposal.Asker.Status = reply.Status
	}
	row, ok := c.Decided.Partitions.Row(proposal.Partition)
	if ok && !c.ReadOnly && reply.Kind == components.ReplyProposed && reply.Epoch == c.Decided.Partitions.Epoch[row] &&
		reply.Offset > c.Decided.Partitions.Removed[row] {
		decide(s, newEvent(s, wire.Event{Kind: wire.EventSegmentsRemoved, Partition: uint64(proposal.Partition), Offset: reply.Offset}), nil)
	}
	answerLater(s, proposal.Asker)
}

package state

import (
	"galgo/components"
	"galgo/wire"
)

// partitionsPerTopicMax is how many partitions a topic may have. Source: protocol.md, 9.
const partitionsPerTopicMax = 1_000_000

// createPartitions decides CreatePartitions. Statuses: protocol.md, 7.3.
func createPartitions(s *components.State, a *ask) outcome {
	change, topic, out := locateChange(s, a)
	if out != (outcome{}) {
		return out
	}
	catalog := s.Control.Decided
	have := catalog.Topics.Partitions[topic]
	if have+change.Count > partitionsPerTopicMax {
		return rejected(wire.StatusPartitionIdSpaceExhausted)
	}
	if !partitionsFit(s, change.Count) {
		return rejected(wire.StatusTooManyPartitions)
	}
	return outcome{event: newEvent(s, wire.Event{Kind: wire.EventPartitionsCreated, Topic: uint64(catalog.Topics.Entity(topic)),
		PartitionID: have, Partitions: takePartitions(catalog, change.Count)})}
}

// deletePartitions decides DeletePartitions: the highest ids go.
func deletePartitions(s *components.State, a *ask) outcome {
	change, topic, out := locateChange(s, a)
	if out != (outcome{}) {
		return out
	}
	catalog := s.Control.Decided
	have := catalog.Topics.Partitions[topic]
	if change.Count > have {
		return rejected(wire.StatusInvalidPartitionsCount)
	}
	return outcome{event: newEvent(s, wire.Event{Kind: wire.EventPartitionsDeleted, Topic: uint64(catalog.Topics.Entity(topic)),
		PartitionID: have - change.Count, Partitions: lastPartitions(catalog, topic, change.Count)})}
}

// lastPartitions lists so many partitions of a topic, those with the highest ids.
func lastPartitions(catalog *components.Catalog, topic int, count uint32) (entities wire.Entities) {
	have := catalog.Topics.Partitions[topic]
	for id := have - count; id < have; id++ {
		row, _ := catalog.PartitionByID(topic, id)
		entities = entities.AppendEntity(uint64(catalog.Partitions.Entity(row)))
	}
	return entities
}

// locateChange decodes a body and finds the topic whose partitions it is about; out is not zero if that fails.
func locateChange(s *components.State, a *ask) (change wire.ChangePartitions, topic int, out outcome) {
	change, status := wire.DecodeChangePartitions(a.body)
	if status != wire.StatusOK {
		return change, 0, denied(status)
	}
	topic, out = a.topicFor(s, ManageTopic, change.Stream, change.Topic)
	return change, topic, out
}

// partitionsFit says whether the server may have so many more partitions. One whose files are not removed yet counts.
func partitionsFit(s *components.State, count uint32) bool {
	have := s.Control.Decided.Partitions.Entities.Len()
	return have+int(count) <= min(s.PartitionsMax, s.Control.Decided.Partitions.Max())
}

// takePartitions takes entities for new partitions.
func takePartitions(catalog *components.Catalog, count uint32) (entities wire.Entities) {
	for range count {
		entities = entities.AppendEntity(uint64(catalog.Partitions.Entities.Take()))
	}
	return entities
}

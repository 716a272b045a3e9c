package state

import (
	"bytes"

	"galgo/components"
	"galgo/wire"
)

// topicsPerStreamMax is how many topics a stream may have. Source: protocol.md, 9.
const topicsPerStreamMax = 4096

// createTopic decides CreateTopic. Statuses: protocol.md, 7.3.
func createTopic(s *components.State, a *ask) outcome {
	create, status := wire.DecodeCreateTopic(a.body)
	if status != wire.StatusOK {
		return denied(status)
	}
	options, badKey, status := wire.ParseTopicOptions(create.Options, create.PartitionsCount)
	if status != wire.StatusOK {
		return deniedOption(s, badKey, status)
	}
	row, out := a.streamFor(s, ManageTopics, create.Stream)
	if out != (outcome{}) {
		return out
	}
	catalog := s.Control.Decided
	if _, taken := catalog.TopicNamed(row, create.Name); taken {
		return rejected(wire.StatusTopicNameAlreadyExists)
	}
	if catalog.Streams.TopicIDs[row].Len() >= topicsPerStreamMax || catalog.Topics.Free() == 0 {
		return rejected(wire.StatusTooManyTopics)
	}
	if !partitionsFit(s, create.PartitionsCount) {
		return rejected(wire.StatusTooManyPartitions)
	}
	return outcome{build: components.BuildTopic, event: newEvent(s, wire.Event{Kind: wire.EventTopicCreated,
		Stream: uint64(catalog.Streams.Entity(row)), Topic: uint64(catalog.Topics.Entities.Take()), TopicID: catalog.NextTopicID(row),
		Name: bytes.Clone(create.Name), Explicit: options.AppendExplicit(nil), Derived: options.AppendDerived(nil),
		CompressionAlgorithm: uint8(options.Compression), MessageExpiry: options.MessageExpiryMicros,
		MaxTopicSize: options.MaxTopicSize, SegmentSize: options.SegmentSize,
		Durability:       durability(options.Persisted()),
		OffsetDurability: durability(options.OffsetDurability == wire.DurabilityPersisted),
		Partitions:       takePartitions(catalog, create.PartitionsCount)})}
}

// deniedOption refuses an option, and names it in the log: clients are told the status only.
func deniedOption(s *components.State, key string, status wire.Status) outcome {
	s.Log.Log(components.LogWarn, "topic option refused", components.Str("key", key), components.Num("status", uint64(status)))
	return denied(status)
}

func durability(persisted bool) uint8 {
	if persisted {
		return wire.DurabilityDurable
	}
	return wire.DurabilityDefault
}

// deleteTopic decides DeleteTopic: with one event, unless that would take too long.
func deleteTopic(s *components.State, a *ask) outcome {
	ref, status := wire.DecodeTopicRef(a.body)
	if status != wire.StatusOK {
		return denied(status)
	}
	row, out := a.topicFor(s, ManageTopic, ref.Stream, ref.Topic)
	if out != (outcome{}) {
		return out
	}
	catalog := s.Control.Decided
	if e := deletionOfTopic(catalog, row); e.Kind == wire.EventTopicDeleted {
		return outcome{event: newEvent(s, e)}
	}
	return outcome{series: &components.Series{Topic: catalog.Topics.Entity(row)}}
}

// topicFor finds a topic, if the asker may do with it what is to be done; out is not zero if that fails.
func (a *ask) topicFor(s *components.State, action Action, stream, topic wire.Ident) (row int, out outcome) {
	row, status := locateTopic(s, stream, topic)
	if status != wire.StatusOK {
		return 0, rejected(status)
	}
	topics := &s.Control.Decided.Topics
	if !a.may(s, action, topics.Stream[row], topics.Entity(row)) {
		return 0, rejected(wire.StatusUnauthorized)
	}
	return row, outcome{}
}

// locateTopic resolves stream and topic on the deciding catalog.
func locateTopic(s *components.State, stream, topic wire.Ident) (row int, status wire.Status) {
	catalog := s.Control.Decided
	streamRow, ok := catalog.FindStream(stream)
	if !ok {
		return 0, wire.StatusStreamIdNotFound
	}
	row, ok = catalog.FindTopic(streamRow, topic)
	if !ok {
		return 0, wire.StatusTopicIdNotFound
	}
	return row, wire.StatusOK
}

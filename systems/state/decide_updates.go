package state

import (
	"bytes"
	"fmt"

	"galgo/components"
	"galgo/wire"
)

// updateStream decides UpdateStream. What changes nothing succeeds without an event. Statuses: protocol.md, 7.2.
func updateStream(s *components.State, a *ask) outcome {
	update, status := wire.DecodeUpdateStream(a.body)
	if status != wire.StatusOK {
		return denied(status)
	}
	row, out := a.streamFor(s, ManageStream, update.Stream)
	if out != (outcome{}) {
		return out
	}
	catalog := s.Control.Decided
	owner, taken := catalog.StreamNamed(update.Name)
	switch {
	case !taken:
		return outcome{event: newEvent(s, wire.Event{Kind: wire.EventStreamUpdated, Stream: uint64(catalog.Streams.Entity(row)), Name: bytes.Clone(update.Name)})}
	case owner != row:
		return rejected(wire.StatusStreamNameAlreadyExists)
	}
	return outcome{}
}

// updateTopic decides UpdateTopic. Options that no topic takes are refused before the topic is looked for, those that this topic does not
// take after. Statuses: protocol.md, 7.3 and 7.8.
func updateTopic(s *components.State, a *ask) outcome {
	update, status := wire.DecodeUpdateTopic(a.body)
	if status != wire.StatusOK {
		return denied(status)
	}
	_, _, badKey, status := wire.UpdateTopicOptions(nil, wire.DefaultTopicOptions(), nil, update.Options)
	if status != wire.StatusOK && status != wire.StatusInvalidTopicSize { // the size limit depends on the topic's segment size
		return deniedOption(s, badKey, status)
	}
	row, out := a.topicFor(s, ManageTopic, update.Stream, update.Topic)
	if out != (outcome{}) {
		return out
	}
	catalog := s.Control.Decided
	topics := &catalog.Topics
	present := catalog.Text(topics.Explicit[row])
	current, _, status := wire.ParseTopicOptions(present, 0) // how many partitions it has does not matter any more
	if status != wire.StatusOK {
		panic(fmt.Sprintf("state: the stored options of topic %v are bad: %v", topics.Entity(row), status))
	}
	options, explicit, badKey, status := wire.UpdateTopicOptions(nil, current, present, update.Options)
	if status != wire.StatusOK {
		return deniedOption(s, badKey, status)
	}
	stream := catalog.Streams.MustRow(topics.Stream[row])
	owner, taken := catalog.TopicNamed(stream, update.Name)
	if taken && owner != row {
		return rejected(wire.StatusTopicNameAlreadyExists)
	}
	if taken && bytes.Equal(explicit, present) {
		return outcome{}
	}
	return outcome{event: newEvent(s, wire.Event{Kind: wire.EventTopicUpdated, Topic: uint64(topics.Entity(row)), Name: bytes.Clone(update.Name),
		CompressionAlgorithm: uint8(options.Compression), MessageExpiry: options.MessageExpiryMicros, MaxTopicSize: options.MaxTopicSize,
		Explicit: explicit, Derived: options.AppendDerived(nil)})}
}

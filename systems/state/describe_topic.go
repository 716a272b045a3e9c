package state

import (
	"galgo/components"
	"galgo/wire"
)

func describeTopic(dst []byte, s *components.State, row int, body []byte) ([]byte, wire.Status) {
	ref, status := wire.DecodeTopicRef(body)
	if status != wire.StatusOK {
		return dst, status
	}
	stream, ok := s.Catalog.FindStream(ref.Stream)
	if !ok {
		return dst, wire.StatusOK
	}
	topic, ok := s.Catalog.FindTopic(stream, ref.Topic)
	if !ok {
		return dst, wire.StatusOK
	}
	if !allowed(s, row, ReadTopic, stream, topic) {
		return dst, wire.StatusUnauthorized
	}
	dst = appendTopic(dst, s, topic)
	for partition := range s.Catalog.PartitionsByID(topic) {
		dst = appendPartition(dst, s, partition)
	}
	return dst, wire.StatusOK
}

func describeTopics(dst []byte, s *components.State, row int, body []byte) ([]byte, wire.Status) {
	ident, status := wire.DecodeStreamRef(body)
	if status != wire.StatusOK {
		return dst, status
	}
	stream, ok := s.Catalog.FindStream(ident)
	if !ok {
		return wire.AppendTopicsCount(dst, 0), wire.StatusOK
	}
	if !allowed(s, row, ReadTopics, stream, noRow) {
		return dst, wire.StatusUnauthorized
	}
	dst = wire.AppendTopicsCount(dst, uint32(s.Catalog.Streams.TopicIDs[stream].Len()))
	for topic := range s.Catalog.TopicsByID(stream) {
		dst = appendTopic(dst, s, topic)
	}
	return dst, wire.StatusOK
}

func appendTopic(dst []byte, s *components.State, topic int) []byte {
	t := &s.Catalog.Topics
	var counts totals
	counts.addTopic(s, topic)
	options := &t.Options[topic]
	return wire.AppendTopic(dst, wire.Topic{
		ID:                  t.ID[topic],
		CreatedAt:           t.CreatedAt[topic],
		PartitionsCount:     t.Partitions[topic],
		MessageExpiryMicros: options.MessageExpiry,
		Compression:         wire.Compression(options.Compression),
		MaxTopicSize:        options.MaxSize,
		Size:                counts.size,
		MessagesCount:       counts.messages,
		Name:                s.Catalog.Text(t.Name[topic]),
		ExplicitOptions:     s.Catalog.Text(t.Explicit[topic]),
		DerivedOptions:      s.Catalog.Text(t.Derived[topic]),
	})
}

func appendPartition(dst []byte, s *components.State, partition int) []byte {
	p := &s.Catalog.Partitions
	counts := s.Counters.Of(p.Entity(partition))
	return wire.AppendPartition(dst, wire.Partition{
		ID:            p.ID[partition],
		CreatedAt:     p.CreatedAt[partition],
		SegmentsCount: max(counts.Segments, 1), // its owner may be about to open it
		CurrentOffset: counts.Current(),
		Size:          counts.Size,
		MessagesCount: counts.Messages(),
	})
}

// appendNewTopic appends a topic that was just created: its partitions have no segment yet.
func appendNewTopic(dst []byte, s *components.State, topic int) []byte {
	dst = appendTopic(dst, s, topic)
	p := &s.Catalog.Partitions
	for partition := range s.Catalog.PartitionsByID(topic) {
		dst = wire.AppendPartition(dst, wire.Partition{ID: p.ID[partition], CreatedAt: p.CreatedAt[partition]})
	}
	return dst
}

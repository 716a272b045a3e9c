package state

import (
	"galgo/components"
	"galgo/ecs"
	"galgo/wire"
)

// noRow is the row of a stream or topic that a command is not about.
const noRow = -1

func entityAt(rows *ecs.Rows, row int) ecs.Entity {
	if row == noRow {
		return ecs.None
	}
	return rows.Entity(row)
}

func describeStream(dst []byte, s *components.State, row int, body []byte) ([]byte, wire.Status) {
	ident, status := wire.DecodeStreamRef(body)
	if status != wire.StatusOK {
		return dst, status
	}
	stream, ok := s.Catalog.FindStream(ident)
	if !ok {
		return dst, wire.StatusOK
	}
	if !allowed(s, row, ReadStream, stream, noRow) {
		return dst, wire.StatusUnauthorized
	}
	return appendStreamDetails(dst, s, stream), wire.StatusOK
}

func describeStreams(dst []byte, s *components.State, row int, _ []byte) ([]byte, wire.Status) {
	if !allowed(s, row, ReadStreams, noRow, noRow) {
		return dst, wire.StatusUnauthorized
	}
	for stream := range s.Catalog.StreamsByID {
		if len(dst) > wire.FrameSizeMax {
			break // too long already: Describe refuses it
		}
		dst = appendStream(dst, s, stream)
	}
	return dst, wire.StatusOK
}

func appendStream(dst []byte, s *components.State, stream int) []byte {
	t := &s.Catalog.Streams
	var counts totals
	for topic := range s.Catalog.TopicsByID(stream) {
		counts.addTopic(s, topic)
	}
	return wire.AppendStream(dst, wire.Stream{
		ID:            t.ID[stream],
		CreatedAt:     t.CreatedAt[stream],
		TopicsCount:   uint32(t.TopicIDs[stream].Len()),
		Size:          counts.size,
		MessagesCount: counts.messages,
		Name:          s.Catalog.Text(t.Name[stream]),
	})
}

// appendStreamDetails appends a stream and its topics.
func appendStreamDetails(dst []byte, s *components.State, stream int) []byte {
	dst = appendStream(dst, s, stream)
	for topic := range s.Catalog.TopicsByID(stream) {
		dst = appendTopic(dst, s, topic)
	}
	return dst
}

// totals sums what the counters say of partitions.
type totals struct{ size, messages uint64 }

func (t *totals) addTopic(s *components.State, topic int) {
	for partition := range s.Catalog.PartitionsByID(topic) {
		counts := s.Counters.Of(s.Catalog.Partitions.Entity(partition))
		t.size += counts.Size
		t.messages += counts.Messages()
	}
}

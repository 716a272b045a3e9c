package state

import (
	"bytes"
	"testing"

	"galgo/components"
	"galgo/wire"
)

func updateStreamBody(stream, name string) []byte {
	return wire.AppendUpdateStream(nil, wire.UpdateStream{Stream: named(stream), Name: []byte(name)})
}

func updateTopicBody(topic, name string, options ...[]byte) []byte {
	return wire.AppendUpdateTopic(nil, wire.UpdateTopic{Stream: named("s"), Topic: named(topic), Name: []byte(name), Options: bytes.Join(options, nil)})
}

func textOption(key, value string) []byte {
	return wire.AppendPair(nil, wire.StringValue([]byte(key)), wire.StringValue([]byte(value)))
}

func TestUpdateStream(t *testing.T) {
	w := newWorld(t, 2)
	c := w.root(1, 1)
	c.must(wire.OpCreateStream, streamBody("a"))
	c.must(wire.OpCreateStream, streamBody("b"))
	before := w.shards[0].Catalog.Committed
	if payload := c.must(wire.OpUpdateStream, updateStreamBody("a", "a")); len(payload) != 0 || w.shards[0].Catalog.Committed != before {
		t.Errorf("own name: got %d bytes and seq %d, want none and no event", len(payload), w.shards[0].Catalog.Committed)
	}
	c.must(wire.OpUpdateStream, updateStreamBody("a", "c"))
	for _, s := range w.shards {
		row, ok := s.Catalog.StreamNamed([]byte("c"))
		if _, old := s.Catalog.StreamNamed([]byte("a")); !ok || old || s.Catalog.Streams.ID[row] != 0 {
			t.Errorf("shard %d: got the new name %v, the old one %v", s.Shard, ok, old)
		}
	}
	for _, test := range []struct {
		name   string
		body   []byte
		want   wire.Status
		header bool
	}{
		{"taken", updateStreamBody("c", "b"), wire.StatusStreamNameAlreadyExists, false},
		{"unknown", updateStreamBody("a", "b"), wire.StatusStreamIdNotFound, false},
		{"option", append(updateStreamBody("c", "d"), textOption("a", "b")...), wire.StatusUnsupportedOptionKey, true},
	} {
		c.ask(wire.OpUpdateStream, test.body)
		w.settle()
		r := c.reply()
		if _, status := result(t, r); status != test.want || (r.Kind == components.ReplyStatus) != test.header {
			t.Errorf("%s: got status %d in kind %d, want %d", test.name, status, r.Kind, test.want)
		}
	}
	c.must(wire.OpCreateStream, streamBody("a"))
	w.equalCatalogs()
}

func TestUpdateTopic(t *testing.T) {
	w := newWorld(t, 2)
	c := w.root(1, 1)
	c.must(wire.OpCreateStream, streamBody("s"))
	c.must(wire.OpCreateTopic, append(topicBody("s", "a", 1), bytes.Join([][]byte{textOption("durability", "PERSISTED"), textOption("segment_size", "1 MiB")}, nil)...))
	c.must(wire.OpCreateTopic, topicBody("s", "b", 0))
	expiry, size := textOption("message_expiry", "1h 5m"), textOption("max_topic_size", "10 GB")
	c.must(wire.OpUpdateTopic, updateTopicBody("a", "c", expiry, size, textOption("compression_algorithm", "gzip")))
	body, _ := c.read(wire.CodeGetTopic, topicRef("s", "c"))
	topic, err := wire.DecodeTopicDetails(body)
	if err != nil || topic.MessageExpiryMicros != 65*60*1_000_000 || topic.MaxTopicSize != 10_000_000_000 || topic.Compression != wire.CompressionGzip {
		t.Fatalf("updated topic: got %+v, %v", topic.Topic, err)
	}
	if !bytes.Contains(topic.ExplicitOptions, expiry) || !bytes.Contains(topic.ExplicitOptions, size) || bytes.Contains(topic.DerivedOptions, []byte("message_expiry")) {
		t.Errorf("options: got explicit %q, derived %q, want what was sent, verbatim", topic.ExplicitOptions, topic.DerivedOptions)
	}
	for _, s := range w.shards {
		row, _ := s.Catalog.TopicNamed(0, []byte("c"))
		want := components.TopicOptions{MessageExpiry: topic.MessageExpiryMicros, MaxSize: topic.MaxTopicSize, SegmentSize: 1 << 20, Compression: 2, Persisted: true}
		if got := s.Catalog.Topics.Options[row]; got != want {
			t.Errorf("options of shard %d: got %+v, want %+v", s.Shard, got, want)
		}
	}
	// Zero leaves a value as it is, and so does an update of the name alone.
	before := w.shards[0].Catalog.Committed
	zero := wire.AppendPair(nil, wire.StringValue([]byte("message_expiry")), wire.TypedValue{Kind: wire.ValueUint64, Data: make([]byte, 8)})
	c.must(wire.OpUpdateTopic, updateTopicBody("c", "c", zero))
	if got := w.shards[0].Catalog.Committed; got != before {
		t.Errorf("an update that changes nothing: got event %d, want none", got)
	}
	c.must(wire.OpUpdateTopic, updateTopicBody("c", "d"))
	body, _ = c.read(wire.CodeGetTopic, topicRef("s", "d"))
	if again, err := wire.DecodeTopicDetails(body); err != nil || !bytes.Equal(again.ExplicitOptions, topic.ExplicitOptions) || !bytes.Equal(again.DerivedOptions, topic.DerivedOptions) {
		t.Errorf("after a change of name: got %+v, %v, want the same options", again.Topic, err)
	}
	for _, test := range []struct {
		name   string
		body   []byte
		want   wire.Status
		header bool
	}{
		{"taken", updateTopicBody("d", "b"), wire.StatusTopicNameAlreadyExists, false},
		{"unknown", updateTopicBody("x", "b"), wire.StatusTopicIdNotFound, false},
		{"fixed option of an unknown topic", updateTopicBody("x", "b", textOption("segment_size", "2 MiB")), wire.StatusUnsupportedOptionKey, true},
		{"unknown option", updateTopicBody("d", "d", textOption("a", "b")), wire.StatusUnsupportedOptionKey, true},
		{"bad value", updateTopicBody("d", "d", textOption("message_expiry", "soon")), wire.StatusInvalidOptionValue, true},
		{"cap below a segment", updateTopicBody("d", "d", textOption("max_topic_size", "1 MB")), wire.StatusInvalidTopicSize, true},
		{"cap below the default segment", updateTopicBody("b", "b", textOption("max_topic_size", "1 GB")), wire.StatusInvalidTopicSize, true},
		{"cap of one segment", updateTopicBody("d", "d", textOption("max_topic_size", "1 MiB")), wire.StatusOK, false},
	} {
		c.ask(wire.OpUpdateTopic, test.body)
		w.settle()
		r := c.reply()
		if _, status := result(t, r); status != test.want || (r.Kind == components.ReplyStatus) != test.header {
			t.Errorf("%s: got status %d in kind %d, want %d", test.name, status, r.Kind, test.want)
		}
	}
	w.equalCatalogs()
}

package acceptance

import (
	"bytes"
	"encoding/binary"
	"testing"

	"galgo/wire"
)

// badRequests are frames whose headers are sound and whose bodies are not, or ask for what there is not. Stream and topic `here`
// exist, with partition 0. Answers: protocol.md, 7, 9.1 and 11.4.
var badRequests = []struct {
	name string
	op   wire.Operation
	code wire.Code
	body []byte
	want string
}{
	{"create stream of nothing", wire.OpCreateStream, 0, nil, "status 3"},
	{"create stream with an empty name", wire.OpCreateStream, 0, []byte{0}, "status 3"},
	{"create stream with half a name", wire.OpCreateStream, 0, []byte{9, 'a'}, "status 3"},
	{"create stream with no UTF-8", wire.OpCreateStream, 0, []byte{2, 0xff, 0xfe}, "status 3"},
	{"create stream with an option", wire.OpCreateStream, 0, append([]byte{1, 'x'}, option("durability", "persisted")...), "status 4041"},
	{"create stream that exists", wire.OpCreateStream, 0, []byte("\x04here"), "result 1012"},
	{"delete stream of nothing", wire.OpDeleteStream, 0, nil, "status 3"},
	{"delete stream that does not exist", wire.OpDeleteStream, 0, absent, "result 1009"},
	{"delete stream 4294967295", wire.OpDeleteStream, 0, wire.AppendIdent(nil, wire.IdentOf(1<<32-1)), "result 1009"},
	{"create topic of nothing", wire.OpCreateTopic, 0, nil, "status 3"},
	{"create topic in no stream", wire.OpCreateTopic, 0, topic(absent, 1, "x", nil), "result 1009"},
	{"create topic that exists", wire.OpCreateTopic, 0, topic(here, 1, "here", nil), "result 2013"},
	{"create topic with 1001 partitions", wire.OpCreateTopic, 0, topic(here, 1001, "x", nil), "status 2015"},
	{"create topic with all partitions", wire.OpCreateTopic, 0, topic(here, 1<<32-1, "x", nil), "status 2015"},
	{"create topic with an unknown option", wire.OpCreateTopic, 0, topic(here, 1, "x", option("colour", "red")), "status 4041"},
	{"create topic with a bad value", wire.OpCreateTopic, 0, topic(here, 1, "x", option("durability", "perhaps")), "status 4042"},
	{"create topic with half an option", wire.OpCreateTopic, 0, topic(here, 1, "x", option("durability", "persisted")[:20]), "status 3"},
	{"create topic smaller than a segment", wire.OpCreateTopic, 0, topic(here, 1, "x", option("max_topic_size", "10 MiB")), "status 1019"},
	{"create topic with options of 200 KB", wire.OpCreateTopic, 0, topic(here, 1, "x", bytes.Repeat(option("durability", "persisted"), 7000)), "status 3 or status 4042 or status 4043"},
	{"delete topic that does not exist", wire.OpDeleteTopic, 0, append(bytes.Clone(here), absent...), "result 2010"},
	{"delete topic of nothing", wire.OpDeleteTopic, 0, here, "status 3"},
	{"no more partitions", wire.OpCreatePartitions, 0, partitionsOf(here, here, 0), "status 2015"},
	{"1001 more partitions", wire.OpCreatePartitions, 0, partitionsOf(here, here, 1001), "status 2015"},
	{"partitions of nothing", wire.OpCreatePartitions, 0, here, "status 3"},
	{"partitions of no topic", wire.OpCreatePartitions, 0, partitionsOf(here, absent, 1), "result 2010"},
	{"fewer partitions than 0", wire.OpDeletePartitions, 0, partitionsOf(here, here, 2), "result 2019"},
	{"no fewer partitions", wire.OpDeletePartitions, 0, partitionsOf(here, here, 0), "status 2015"},

	{"get stream of nothing", wire.OpNonReplicated, wire.CodeGetStream, nil, "status 3"},
	{"get stream by a bad identifier", wire.OpNonReplicated, wire.CodeGetStream, []byte{3, 4, 0, 0, 0, 0}, "status 3 or status 6"},
	{"get stream by a short number", wire.OpNonReplicated, wire.CodeGetStream, []byte{1, 2, 0, 0}, "status 3 or status 6"},
	{"get stream that does not exist", wire.OpNonReplicated, wire.CodeGetStream, absent, "ok"},
	{"get topic of nothing", wire.OpNonReplicated, wire.CodeGetTopic, here, "status 3"},
	{"describe options of nothing", wire.OpNonReplicated, wire.CodeDescribeOptions, nil, "status 3"},
	{"describe options of another scope", wire.OpNonReplicated, wire.CodeDescribeOptions, []byte{9}, "status 3"},

	{"poll nothing", wire.OpNonReplicated, wire.CodePollMessages, nil, "status 3"},
	{"poll half", wire.OpNonReplicated, wire.CodePollMessages, pollBody(func(*wire.PollMessages) {})[:20], "status 3"},
	{"poll as a consumer of no kind", wire.OpNonReplicated, wire.CodePollMessages, pollBody(func(p *wire.PollMessages) { p.Consumer.Kind = 3 }), "status 3"},
	{"poll by no strategy", wire.OpNonReplicated, wire.CodePollMessages, pollBody(func(p *wire.PollMessages) { p.Strategy.Kind = 6 }), "status 3"},
	{"poll no stream", wire.OpNonReplicated, wire.CodePollMessages, pollBody(func(p *wire.PollMessages) { p.Stream = wire.IdentOf(77) }), "status 1009"},
	{"poll no topic", wire.OpNonReplicated, wire.CodePollMessages, pollBody(func(p *wire.PollMessages) { p.Topic = wire.IdentOf(77) }), "status 2010"},
	{"poll no partition", wire.OpNonReplicated, wire.CodePollMessages, pollBody(func(p *wire.PollMessages) { p.Partition.ID = 77 }), "status 3007"},
	{"poll as a group without a partition", wire.OpNonReplicated, wire.CodePollMessages, pollBody(func(p *wire.PollMessages) {
		p.Consumer.Kind, p.Partition = wire.ConsumerGroup, wire.OptionalPartition{}
	}), "status 6"},
	{"poll 0 messages", wire.OpNonReplicated, wire.CodePollMessages, pollBody(func(p *wire.PollMessages) { p.Count = 0 }), "ok"},
	{"poll all messages", wire.OpNonReplicated, wire.CodePollMessages, pollBody(func(p *wire.PollMessages) { p.Count = 1<<32 - 1 }), "ok"},
	{"poll the last of all messages", wire.OpNonReplicated, wire.CodePollMessages, pollBody(func(p *wire.PollMessages) {
		p.Strategy, p.Count = wire.Strategy{Kind: wire.PollLast}, 1<<32-1
	}), "ok"},
	{"poll at the last of all offsets", wire.OpNonReplicated, wire.CodePollMessages, pollBody(func(p *wire.PollMessages) { p.Strategy.Value = 1<<64 - 1 }), "ok"},

	{"get offset of nothing", wire.OpNonReplicated, wire.CodeGetConsumerOffset, nil, "status 3"},
	{"get offset of no partition", wire.OpNonReplicated, wire.CodeGetConsumerOffset, offsetBody(77), "status 3007"},
	{"store offset of nothing", wire.OpStoreConsumerOffset, 0, nil, "status 3"},
	{"store half an offset", wire.OpStoreConsumerOffset, 0, offsetBody(0), "status 3"},
	{"store offset of no partition", wire.OpStoreConsumerOffset, 0, append(offsetBody(77), make([]byte, 9)...), "status 3007"},
	{"store offset of an empty partition", wire.OpStoreConsumerOffset, 0, append(offsetBody(0), make([]byte, 9)...), "status 4100"},
	{"delete offset that is not stored", wire.OpDeleteConsumerOffset, 0, append(offsetBody(0), 1), "status 3021"},

	{"send nothing", wire.OpSendMessages, 0, nil, "status 20"},
	{"send to no stream", wire.OpSendMessages, 0, sendBody(func(m *wire.SendMessages) { m.Stream = wire.IdentOf(77) }), "status 20"},
	{"send to no topic", wire.OpSendMessages, 0, sendBody(func(m *wire.SendMessages) { m.Topic = wire.IdentOf(77) }), "status 20"},
	{"send to no partition", wire.OpSendMessages, 0, sendBody(func(m *wire.SendMessages) { m.Partitioning.ID = 77 }), "status 20"},
	{"send with another metadata length", wire.OpSendMessages, 0, edited(0, 99), "status 20"},
	{"send with a metadata length beyond the body", wire.OpSendMessages, 0, edited(3, 0x7f), "status 20"},
	{"send with another count", wire.OpSendMessages, 0, sendBody(func(m *wire.SendMessages) { m.MessagesCount = 3 }), "status 3 or status 4009"},
	{"send no batch", wire.OpSendMessages, 0, sendBody(func(m *wire.SendMessages) { m.Batch = nil }), "status 3"},
	{"send half a batch header", wire.OpSendMessages, 0, sendBody(func(m *wire.SendMessages) { m.Batch = m.Batch[:100] }), "status 3"},
	{"send no messages", wire.OpSendMessages, 0, sendBody(func(m *wire.SendMessages) { m.Batch, m.MessagesCount = batchOf(), 0 }), "status 3 or status 4009"},
	{"send a batch cut short", wire.OpSendMessages, 0, sendBody(func(m *wire.SendMessages) { m.Batch = m.Batch[:len(m.Batch)-1] }), "status 3"},
	{"send bytes behind a batch", wire.OpSendMessages, 0, sendBody(func(m *wire.SendMessages) { m.Batch = append(m.Batch, 0) }), "status 3"},
	{"send another batch length", wire.OpSendMessages, 0, editedBatch(32, 0xff), "status 3"},
	{"send another batch count", wire.OpSendMessages, 0, editedBatch(48, 7), "status 3 or status 4009"},
	{"send a batch with reserved bytes", wire.OpSendMessages, 0, editedBatch(255, 1), "status 3"},
	{"send another batch checksum", wire.OpSendMessages, 0, editedBatch(40, 0xff), "status 4039"},
	{"send another origin time", wire.OpSendMessages, 0, editedBatch(24, 0xff), "status 4039"},
	{"send another payload", wire.OpSendMessages, 0, editedBatch(256+48, 0xff), "status 4027"},
	{"send another message id", wire.OpSendMessages, 0, editedBatch(256+8, 0xff), "status 4027"},
	{"send another message checksum", wire.OpSendMessages, 0, editedBatch(256, 0xff), "status 4027"},
	{"send a message longer than its batch", wire.OpSendMessages, 0, editedBatch(256+36+3, 0xff), "status 3"},
	{"send headers longer than the batch", wire.OpSendMessages, 0, editedBatch(256+32+2, 0xff), "status 3"},
}

var (
	here   = wire.AppendIdent(nil, wire.IdentNamed([]byte("here")))
	absent = wire.AppendIdent(nil, wire.IdentNamed([]byte("absent")))
)

func ident(block []byte) wire.Ident {
	id, _, _ := wire.DecodeIdent(block)
	return id
}

func option(key, value string) []byte {
	return wire.AppendPair(nil, wire.StringValue([]byte(key)), wire.StringValue([]byte(value)))
}

func topic(stream []byte, count uint32, name string, options []byte) []byte {
	return wire.AppendCreateTopic(nil, wire.CreateTopic{Stream: ident(stream), PartitionsCount: count, Name: []byte(name), Options: options})
}

func partitionsOf(stream, topic []byte, count uint32) []byte {
	return wire.AppendChangePartitions(nil, wire.ChangePartitions{Stream: ident(stream), Topic: ident(topic), Count: count})
}

// pollBody is a sound poll of partition 0 of topic `here`, changed.
func pollBody(change func(p *wire.PollMessages)) []byte {
	p := wire.PollMessages{
		Consumer: wire.Consumer{Kind: wire.ConsumerSingle, Ident: wire.IdentOf(1)}, Stream: ident(here), Topic: ident(here),
		Partition: wire.OptionalPartition{Present: true}, Strategy: wire.Strategy{Kind: wire.PollOffset}, Count: 10,
	}
	change(&p)
	return wire.AppendPollMessages(nil, p)
}

func offsetBody(partition uint32) []byte {
	return wire.AppendOffsetKey(nil, wire.OffsetKey{
		Consumer: wire.Consumer{Kind: wire.ConsumerSingle, Ident: wire.IdentOf(1)}, Stream: ident(here), Topic: ident(here),
		Partition: wire.OptionalPartition{Present: true, ID: partition},
	})
}

func batchOf(payloads ...string) []byte {
	var b wire.BatchBuilder
	b.Reset(1000)
	for i, payload := range payloads {
		b.Add(wire.U128{Lo: uint64(i) + 1}, uint32(i), []byte(payload), nil)
	}
	return bytes.Clone(b.Bytes())
}

// sendBody is a sound send of two messages to partition 0 of topic `here`, changed.
func sendBody(change func(m *wire.SendMessages)) []byte {
	m := wire.SendMessages{
		Stream: ident(here), Topic: ident(here), Partitioning: wire.Partitioning{Kind: wire.PartitionNumbered},
		MessagesCount: 2, Batch: batchOf("first", "second"),
	}
	change(&m)
	return wire.AppendSendMessages(nil, m)
}

// edited is a sound send with one byte set.
func edited(at int, value byte) []byte {
	body := sendBody(func(*wire.SendMessages) {})
	body[at] = value
	return body
}

// editedBatch is a sound send with one byte of its batch set.
func editedBatch(at int, value byte) []byte {
	return sendBody(func(m *wire.SendMessages) { m.Batch[at] = value })
}

func TestBadRequests(t *testing.T) {
	s := start(t, options{})
	watch(t, s)
	c := loginRaw(t, s)
	c.expect(c.request(wire.OpCreateStream, 0, []byte("\x04here")), "ok")
	c.expect(c.request(wire.OpCreateTopic, 0, topic(here, 1, "here", nil)), "ok")
	for _, test := range badRequests {
		t.Run(test.name, func(t *testing.T) {
			c.t = t
			c.expect(c.request(test.op, test.code, test.body), test.want)
		})
	}
	c.t = t
	t.Run("nothing was stored", func(t *testing.T) {
		details, found, err := s.dial(t).Topic(ident(here), ident(here))
		if err != nil || !found || details.MessagesCount != 0 || details.PartitionsCount != 1 {
			t.Errorf("got %d messages in %d partitions, %v, want 0 in 1", details.MessagesCount, details.PartitionsCount, err)
		}
	})
	t.Run("empty payloads are messages", func(t *testing.T) {
		c.t = t
		c.expect(c.request(wire.OpSendMessages, 0, sendBody(func(m *wire.SendMessages) { m.Batch = batchOf("", "") })), "ok")
	})
}

// A numbered request that comes again is answered again and not executed again. Source: protocol.md, 5.2.
func TestRepeatedRequests(t *testing.T) {
	s := start(t, options{})
	c := loginRaw(t, s)
	create := func(name string) []byte {
		h := c.header(wire.OpCreateStream, 0)
		body := append([]byte{byte(len(name))}, name...)
		h.RequestChecksum = wire.BodyChecksum(body)
		return frame(h, body)
	}
	once := create("once")
	first := c.ask(once)
	if again := c.ask(once); first.String() != "ok" || !bytes.Equal(again.raw, first.raw) {
		t.Errorf("again: got %s, other bytes than the first answer, which was %s", again, first)
	}
	refused := create("once")
	rejection := c.ask(refused)
	if again := c.ask(refused); rejection.String() != "result 1012" || !bytes.Equal(again.raw, rejection.raw) {
		t.Errorf("rejection again: got %s, other bytes than the first answer, which was %s", again, rejection)
	}
	other := bytes.Clone(create("other"))
	binary.LittleEndian.PutUint64(other[168:], 1) // the number of the first
	c.expect(other, "status 4")
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		c.expect(create(name), "ok")
	}
	c.expect(once, "result 59")
	streams, err := s.dial(t).Streams()
	if err != nil || len(streams) != 7 {
		t.Errorf("got %d streams, %v, want 7", len(streams), err)
	}
}

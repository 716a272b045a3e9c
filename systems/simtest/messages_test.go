package simtest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"galgo/components"
	"galgo/wire"
)

// dataStream is never deleted, nor are its topics: what was acknowledged there has to be there.
var dataStream = []byte("data")

// messages is what is known of the messages in the data stream's topics.
type messages struct {
	p      *play
	heavy  uint64 // one of so many messages is large
	topics []*dataTopic
	next   uint64            // number of the next message: each is sent once
	sends  map[uint64]*batch // by the number of the first message
}

// dataTopic is one of the topics that stay.
type dataTopic struct {
	name       []byte
	durable    bool // whatever the server's level is
	partitions []*dataPartition
}

func (t *dataTopic) ident() wire.Ident { return wire.IdentNamed(t.name) }

// dataPartition is what is known of a partition.
type dataPartition struct {
	topic   *dataTopic
	id      uint32
	log     map[uint64]*batch // by offset of the first message, of those that were answered or seen
	visible uint64            // messages below were acknowledged or seen: every later reader sees them
	times   map[uint64]uint64 // by offset of a batch: its time
	unread  bool              // the audit could not read all of it: rot
}

func (t *dataPartition) String() string { return fmt.Sprintf("%s/%d", t.topic.name, t.id) }

// batch is one send.
type batch struct {
	topic     *dataTopic
	partition *dataPartition // nil while nobody knows: the server chose, and has not said
	first     uint64         // number of its first message
	count     uint64
	offset    uint64 // once placed
	placed    bool   // answered or seen
	level     components.Level
	answered  bool // or the connection is lost
	promised  bool // acknowledged or seen, and no crash since that its level does not survive
	gone      bool // refused for good, or taken by a crash: never to be seen
}

func (m *messages) init() {
	m.sends = map[uint64]*batch{}
	for _, t := range []*dataTopic{{name: []byte("t0"), partitions: make([]*dataPartition, 3)}, {name: []byte("t1"), durable: true, partitions: make([]*dataPartition, 2)}} {
		for i := range t.partitions {
			t.partitions[i] = &dataPartition{topic: t, id: uint32(i), log: map[uint64]*batch{}, times: map[uint64]uint64{}}
		}
		m.topics = append(m.topics, t)
	}
}

// level is what an acknowledgement in the present life means.
func (m *messages) level(t *dataTopic) components.Level {
	if t.durable {
		return components.LevelDurable
	}
	return m.p.server.level
}

// survives reports whether something acknowledged at a level is there after a crash.
func survives(level components.Level, power bool) bool {
	if power {
		return level == components.LevelDurable
	}
	return level >= components.LevelWritten
}

// body of message number n: its size and bytes follow from the number. Every heavy-th is a large one.
func (m *messages) body(dst []byte, n uint64) []byte {
	x := n*0x9E3779B97F4A7C15 + 1
	size := 8 + x>>33%120
	switch {
	case x>>20%m.heavy == 0:
		size = 8 + x>>33%(60<<10)
	case x>>20%16 == 0:
		size = 8 + x>>33%3000
	}
	at := len(dst)
	for uint64(len(dst)-at) < size {
		dst = binary.LittleEndian.AppendUint64(dst, x)
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
	}
	dst = dst[:uint64(at)+size]
	binary.LittleEndian.PutUint64(dst[at:], n)
	return dst
}

// headers of message number n; most have none.
func headers(n uint64) []byte {
	if n%11 != 0 {
		return nil
	}
	return options("number", fmt.Sprint(n))
}

// build makes a batch of new messages, and its bytes.
func (m *messages) build(t *dataTopic, count int) (*batch, []byte) {
	b := &batch{topic: t, first: m.next, count: uint64(count), level: m.level(t)}
	m.next += b.count
	m.sends[b.first] = b
	return b, m.encode(b.first, count)
}

// encode makes the bytes of a batch of messages.
func (m *messages) encode(first uint64, count int) []byte {
	var builder wire.BatchBuilder
	builder.Reset(first + 1)
	var scratch []byte
	for n := first; n < first+uint64(count); n++ {
		scratch = m.body(scratch[:0], n)
		builder.Add(wire.U128{Lo: n + 1}, 0, scratch, headers(n))
	}
	return builder.Bytes()
}

// place learns where a batch is: from an answer, or from a reader.
func (m *messages) place(b *batch, t *dataPartition, offset uint64, how string) {
	p := m.p
	switch {
	case b.gone:
		p.fail("%s: batch [%d,+%d) was %s at offset %d, though it had been refused, or lost in a crash", t, b.first, b.count, how, offset)
	case b.topic != t.topic || b.partition != nil && b.partition != t:
		p.fail("%s: batch [%d,+%d) was %s at offset %d, and sent to %s, %v", t, b.first, b.count, how, offset, b.topic.name, b.partition)
	case b.placed && b.offset != offset:
		p.fail("%s: batch [%d,+%d) was %s at offset %d, and is at %d", t, b.first, b.count, how, offset, b.offset)
	}
	if how == "seen" && !b.placed && !b.answered {
		p.tempted = true
	}
	if other := t.log[offset]; other != nil && other != b && t.unread {
		other.placed, other.gone = false, true // it was in what could not be read, and is lost to rot
	} else if other != nil && other != b {
		p.fail("%s: batch [%d,+%d) was %s at offset %d, where batch [%d,+%d) is", t, b.first, b.count, how, offset, other.first, other.count)
	}
	b.partition, b.placed, b.promised, b.offset = t, true, true, offset
	t.log[offset] = b
	t.visible = max(t.visible, offset+b.count)
}

// acknowledged takes the answer to a send.
func (m *messages) acknowledged(b *batch, got answer) {
	p := m.p
	b.answered = true
	switch {
	case got.gone():
	case got.ok():
		c, err := wire.DecodeSendReply(got.payload)
		if err != nil {
			p.fail("send reply: %v", err)
		}
		if int(c.PartitionID) >= len(b.topic.partitions) {
			p.fail("send to %s: got partition %d, want one of %d", b.topic.name, c.PartitionID, len(b.topic.partitions))
		}
		m.place(b, b.topic.partitions[c.PartitionID], c.BaseOffset, "acknowledged")
	case got.status == wire.StatusCannotSaveMessagesToSegment && (p.weather.disk || p.weather.slow): // it may have happened
		p.note("send refused: storage failed")
	case got.status == wire.StatusCannotSaveMessagesToSegment && p.rotten():
		p.note("send refused: partition damaged")
	case got.status == wire.StatusCannotAppendMessage && (p.weather.space || p.weather.slow || p.weather.disk):
		p.note("send refused: no room")
		b.gone = true
	default:
		p.fail("send to %s: got %v, want ok in weather %s", b.topic.name, got, p.weather.name)
	}
}

// crashed forgets the promises that a crash may break.
func (m *messages) crashed(power bool) {
	for _, b := range m.sends {
		b.promised = b.promised && survives(b.level, power)
	}
}

// read checks a run of stored batches, which a poll brought, and returns how many messages are in it. The first is at offset from, when exact.
func (m *messages) read(t *dataPartition, from uint64, exact bool, batches []byte) (count, next uint64) {
	p := m.p
	next = from
	latest := uint64(0)
	var scratch []byte
	for len(batches) > 0 {
		batch, rest, err := wire.NextBatch(batches)
		if err != nil {
			p.fail("%s: poll at %d: batch: %v", t, from, err)
		}
		header, _ := wire.DecodeBatchHeader(batch)
		if header.PartitionID != uint64(t.id) {
			p.fail("%s: poll at %d: got a batch of partition %d", t, from, header.PartitionID)
		}
		at := header.BaseOffset
		if last, ok := t.times[at]; ok && last != header.BaseTimestamp {
			p.fail("%s: the time of the batch at %d was %d and is %d", t, at, last, header.BaseTimestamp)
		}
		if header.BaseTimestamp < latest {
			p.fail("%s: the time of the batch at %d is %d, and that of the one before %d", t, at, header.BaseTimestamp, latest)
		}
		t.times[at], latest = header.BaseTimestamp, header.BaseTimestamp
		it := wire.MessagesIn(batch)
		in := uint32(0)
		for message, ok := it.Next(); ok; message, ok = it.Next() {
			offset := at + uint64(message.OffsetDelta)
			if exact && count == 0 && offset != from || count > 0 && offset != next {
				p.fail("%s: poll at %d: got offset %d, want %d", t, from, offset, next)
			}
			n := binary.LittleEndian.Uint64(message.Payload)
			b := m.sends[n-uint64(message.OffsetDelta)]
			if b == nil || uint64(message.OffsetDelta) >= b.count {
				p.fail("%s: offset %d: got message number %d, which nobody sent", t, offset, n)
			}
			if scratch = m.body(scratch[:0], n); !bytes.Equal(scratch, message.Payload) || !bytes.Equal(headers(n), message.UserHeaders) {
				p.fail("%s: offset %d: the bytes of message %d are not its own", t, offset, n)
			}
			if message.OffsetDelta == 0 || !b.placed || b.offset != at {
				m.place(b, t, at, "seen")
			}
			next = offset + 1
			count++
			in++
		}
		if in != header.MessageCount {
			p.fail("%s: batch at %d: got %d messages, want %d", t, at, in, header.MessageCount)
		}
		batches = rest
	}
	return count, next
}

// audit reads a partition from its first message to its last, after a start, and compares with what was promised.
func (m *messages) audit(c *client, t *dataPartition) {
	p := m.p
	old := t.log
	t.log, t.visible = map[uint64]*batch{}, 0 // place fills them again
	at, refused := uint64(0), false
	for !refused {
		got := c.call(wire.OpNonReplicated, wire.CodePollMessages, pollBody(single(1), t, wire.Strategy{Kind: wire.PollOffset, Value: at}, 300, false))
		if got.status == wire.StatusCannotReadMessage && p.rotten() {
			p.note("unreadable range refused")
			refused = true
			continue
		}
		if got.status == wire.StatusCannotReadMessage && p.diskForgot() {
			return
		}
		if !got.ok() {
			p.fail("%s: poll at %d after the start: got %v, want ok", t, at, got)
		}
		count, next := m.poll(t, at, true, got)
		if count == 0 {
			break
		}
		at = next
	}
	for _, offset := range slices.Sorted(maps.Keys(old)) {
		b := old[offset]
		switch {
		case t.log[offset] == b:
			continue
		case refused && offset >= at && b.promised: // nobody knows
			t.log[offset] = b
			t.visible = max(t.visible, offset+b.count)
			continue
		case refused && offset >= at:
			b.placed = false
			continue
		case b.promised && !p.rotten():
			p.fail("%s: batch [%d,+%d) was acknowledged at offset %d, level %s, and is not there: the log ends at %d", t, b.first, b.count, offset, b.level, at)
		case b.promised:
			p.note("acknowledged tail lost to rot inside the last write")
		default:
			p.note("batch lost in a crash that its level does not survive")
		}
		b.gone = true
	}
	for _, offset := range slices.Sorted(maps.Keys(t.log)) {
		if b := t.log[offset]; !refused && offset+b.count > at {
			p.fail("%s: batch [%d,+%d) at offset %d is there in part: the log ends at %d", t, b.first, b.count, offset, at)
		}
	}
	maps.DeleteFunc(t.times, func(offset, _ uint64) bool { return offset >= at })
	t.unread = refused
}

// settle ends the audit: what was not found never comes back, and recovery answers for what was.
func (m *messages) settle() {
	for _, b := range m.sends {
		switch {
		case b.gone:
		case b.placed && b.partition.log[b.offset] == b:
			b.promised, b.level = true, max(b.level, m.level(b.topic))
		default:
			b.gone = !slices.ContainsFunc(b.topic.partitions, func(t *dataPartition) bool { return t.unread })
		}
	}
}

// poll checks the answer to a poll; see read.
func (m *messages) poll(t *dataPartition, from uint64, exact bool, got answer) (count, next uint64) {
	prefix, batches, err := wire.DecodePollPrefix(got.payload)
	if err != nil || prefix.PartitionID != t.id {
		m.p.fail("%s: poll reply: partition %d, error %v", t, prefix.PartitionID, err)
	}
	if count, next = m.read(t, from, exact, batches); count != uint64(prefix.Count) {
		m.p.fail("%s: poll at %d: got %d messages, want the %d that the reply counts", t, from, count, prefix.Count)
	}
	return count, next
}

func single(id uint32) wire.Consumer {
	return wire.Consumer{Kind: wire.ConsumerSingle, Ident: wire.IdentOf(id)}
}

func pollBody(consumer wire.Consumer, t *dataPartition, strategy wire.Strategy, count uint32, commit bool) []byte {
	return wire.AppendPollMessages(nil, wire.PollMessages{Consumer: consumer, Stream: wire.IdentNamed(dataStream), Topic: t.topic.ident(),
		Partition: wire.OptionalPartition{Present: true, ID: t.id}, Strategy: strategy, Count: count, AutoCommit: commit})
}

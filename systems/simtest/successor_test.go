package simtest

import (
	"encoding/binary"
	"fmt"
	"slices"

	"galgo/components"
	"galgo/wire"
)

var _ = register(family{name: "successor", weight: 14, act: useOwn})

// ownTopic is a topic that one actor makes, fills, empties by deleting it, and makes again under the same name: it gets the ids of the one
// before, and nothing else of it. Others look in while that goes on. When an answer is lost the actor takes another name.
type ownTopic struct {
	number  int
	stream  bool // made
	making  bool // under way
	there   bool
	numbers []uint64 // what it holds, in order
	stored  bool     // an offset is
}

func (a *actor) ownStream() wire.Ident {
	return wire.IdentNamed(fmt.Appendf(nil, "own-%d-%d-%d", a.p.life, a.id, a.own.number))
}

// Every other actor's topic is even: one partition, one message in a batch, all of one size, evenFull of them a little more than three segments. Where
// a log gets a file of the pool, an even topic's records stand where those of its predecessor stood. They fill whole blocks, so that the last
// write leaves what stands behind it: where a record ends within a block, its writer makes the rest of that zero.
const (
	evenRecord  = 61 * components.UnitSize // bytes of a record
	evenSize    = evenRecord - wire.BatchHeaderSize - wire.MessageHeaderSize
	evenSegment = "1 MiB"
	evenFull    = 13 // messages: three segments and one that is open
	evenOpen    = 4  // messages of a segment
)

func (a *actor) even() bool { return a.id%2 == 0 || a.p.recycling }

// evenBatch is the batch of one message of an even topic.
func evenBatch(n uint64) []byte {
	var builder wire.BatchBuilder
	builder.Reset(n + 1)
	builder.Add(wire.U128{Lo: n + 1}, 0, binary.LittleEndian.AppendUint64(make([]byte, 0, evenSize), n)[:evenSize], nil)
	return builder.Bytes()
}

// ownTopicName is the same for everybody: streams differ.
var ownTopicName = []byte("x")

// useOwn does the next thing with the actor's topic, or looks at somebody else's.
func useOwn(a *actor) {
	own := &a.own
	switch n := a.rng.IntN(10); {
	case n < 1:
		a.intrude()
	case !own.stream:
		a.ownWrite(wire.OpCreateStream, wire.AppendCreateStream(nil, wire.CreateStream{Name: a.ownStream().Name}), func() { own.stream = true }, "create its stream")
	case n < 3:
		a.intrude()
	case !own.there:
		create := wire.CreateTopic{Stream: a.ownStream(), Name: ownTopicName, PartitionsCount: uint32(1 + a.rng.IntN(3))}
		if a.even() {
			create.PartitionsCount, create.Options = 1, options("segment_size", evenSegment)
		}
		own.making = true
		a.ownWrite(wire.OpCreateTopic, wire.AppendCreateTopic(nil, create), func() {
			own.making = false
			own.there, own.numbers, own.stored = true, nil, false
			a.then = a.ownCheck // it is empty, whatever was there before
		}, "create its topic")
	case n < 6 && !(a.even() && len(own.numbers) >= evenFull), n >= 8 && a.even() && len(own.numbers) < evenFull:
		a.ownSend()
	case n == 6:
		a.ownCheck()
	case n == 7 && len(own.numbers) > 0:
		body := wire.AppendStoreConsumerOffset(nil, wire.StoreConsumerOffset{OffsetKey: a.ownKey(), Ack: wire.AckQuorum})
		a.ownWrite(wire.OpStoreConsumerOffset, body, func() { own.stored = true }, "store an offset in its topic")
	default:
		a.ownWrite(wire.OpDeleteTopic, wire.AppendTopicRef(nil, wire.TopicRef{Stream: a.ownStream(), Topic: wire.IdentNamed(ownTopicName)}), func() { own.there = false }, "delete its topic")
	}
}

// ownWrite asks for a change of the own topic. Whatever is not certain makes the actor take another name.
func (a *actor) ownWrite(op wire.Operation, body []byte, done func(), format string) {
	judge := func(got answer) {
		if got.ok() {
			done()
			return
		}
		a.p.mustWrite(got, format)
		a.own = ownTopic{number: a.own.number + 1}
	}
	if op.Metadata() {
		a.write(op, body, judge, "%s", format)
	} else {
		a.ask(op, 0, body, judge, "%s", format)
	}
}

func (a *actor) ownKey() wire.OffsetKey {
	return wire.OffsetKey{Consumer: single(7), Stream: a.ownStream(), Topic: wire.IdentNamed(ownTopicName), Partition: wire.OptionalPartition{Present: true}}
}

func (a *actor) ownSend() {
	p, own := a.p, &a.own
	first, count := p.messages.next, 1+a.rng.IntN(5)
	if a.even() {
		count = 1
	}
	p.messages.next += uint64(count)
	batch := p.messages.encode(first, count)
	if a.even() {
		batch = evenBatch(first)
	}
	prefix := wire.AppendSendMessages(nil, wire.SendMessages{Stream: a.ownStream(), Topic: wire.IdentNamed(ownTopicName), MessagesCount: uint32(count),
		Partitioning: wire.Partitioning{Kind: wire.PartitionNumbered}})
	a.ask(wire.OpSendMessages, 0, append(prefix, batch...), func(got answer) {
		switch {
		case got.ok():
			c, err := wire.DecodeSendReply(got.payload)
			if err != nil || c.BaseOffset != uint64(len(own.numbers)) {
				p.fail("send to a topic with %d messages: got offset %d, error %v", len(own.numbers), c.BaseOffset, err)
			}
			for n := first; n < first+uint64(count); n++ {
				own.numbers = append(own.numbers, n)
			}
			if a.even() && len(own.numbers) < evenFull && a.rng.IntN(10) > 0 {
				a.then = a.ownSend
			}
			return
		case got.gone():
		case got.status == wire.StatusCannotSaveMessagesToSegment && (p.weather.disk || p.weather.slow):
		case got.status == wire.StatusCannotAppendMessage && (p.weather.space || p.weather.slow || p.weather.disk):
		default:
			p.fail("send to its topic: got %v, want ok in weather %s", got, p.weather.name)
		}
		a.own = ownTopic{number: own.number + 1}
	}, "send messages [%d,+%d) to its topic", first, count)
}

// ownCheck reads all of the own topic, and the stored offset.
func (a *actor) ownCheck() { a.ownRead(nil) }

// ownRead goes on reading behind what was read so far: a poll from disk ends with a segment.
func (a *actor) ownRead(read []uint64) {
	p, own := a.p, &a.own
	a.ask(wire.OpNonReplicated, wire.CodePollMessages, wire.AppendPollMessages(nil, ownPoll(a.ownStream(), len(read), len(own.numbers)+10)), func(got answer) {
		switch {
		case got.gone():
			return
		case got.status == wire.StatusCannotReadMessage && (p.weather.reads || p.weather.slow):
			return
		case !got.ok():
			p.fail("poll its topic: got %v, want ok in weather %s", got, p.weather.name)
		}
		_, batches, err := wire.DecodePollPrefix(got.payload)
		if err != nil {
			p.fail("poll reply: %v", err)
		}
		numbers := numbersIn(batches)
		read := append(read, numbers...)
		if len(numbers) > 0 && len(read) < len(own.numbers) {
			a.then = func() { a.ownRead(read) }
			return
		}
		if !slices.Equal(read, own.numbers) {
			p.fail("its topic %s: got messages %v, want %v", a.ownStream().Name, read, own.numbers)
		}
		a.then = a.ownOffset
	}, "read its topic")
}

// ownPoll polls an own topic from an offset on; at 0 from whatever comes first, which has to be the same.
func ownPoll(stream wire.Ident, offset, count int) wire.PollMessages {
	strategy := wire.Strategy{Kind: wire.PollOffset, Value: uint64(offset)}
	if offset == 0 {
		strategy = wire.Strategy{Kind: wire.PollFirst}
	}
	return wire.PollMessages{Consumer: single(7), Stream: stream, Topic: wire.IdentNamed(ownTopicName), Partition: wire.OptionalPartition{Present: true},
		Strategy: strategy, Count: uint32(count)}
}

func (a *actor) ownOffset() {
	p, own := a.p, &a.own
	a.ask(wire.OpNonReplicated, wire.CodeGetConsumerOffset, wire.AppendOffsetKey(nil, a.ownKey()), func(got answer) {
		switch {
		case got.gone():
		case !got.ok():
			p.fail("read the offset of its topic: got %v, want ok", got)
		case own.stored != (len(got.payload) > 0):
			p.fail("its topic %s: got a stored offset: %v, want %v", a.ownStream().Name, len(got.payload) > 0, own.stored)
		}
		a.then = a.ownCounters
	}, "read the offset of its topic")
}

// ownCounters wants the numbers of the own topic to be exact, on whatever shard.
func (a *actor) ownCounters() {
	p, own := a.p, &a.own
	a.ask(wire.OpNonReplicated, wire.CodeGetTopic, wire.AppendTopicRef(nil, wire.TopicRef{Stream: a.ownStream(), Topic: wire.IdentNamed(ownTopicName)}), func(got answer) {
		if got.gone() {
			return
		}
		topic, err := wire.DecodeTopicDetails(got.payload)
		if !got.ok() || err != nil {
			p.fail("details of its topic: got %v, error %v", got, err)
		}
		if topic.MessagesCount != uint64(len(own.numbers)) || (topic.Size > 0) != (len(own.numbers) > 0) {
			p.fail("its topic %s: got %d messages, %d bytes, want %d messages", a.ownStream().Name, topic.MessagesCount, topic.Size, len(own.numbers))
		}
	}, "read the details of its topic")
}

// left is an own topic as it was when a life ended, and nothing was under way.
type left struct {
	stream  wire.Ident
	numbers []uint64
	stored  bool
}

// leftovers notes the own topics that a life leaves.
func (p *play) leftovers() {
	p.left = p.left[:0]
	for _, a := range p.actors {
		if a.own.there && (a.c == nil || a.c.reply == nil) {
			p.left = append(p.left, left{a.ownStream(), a.own.numbers, a.own.stored})
		}
	}
}

// auditOwn looks at the topics that the last life left: nothing of those that were there before them under the same name is in them.
func (p *play) auditOwn(c *client) {
	if p.rotten() {
		return
	}
	for _, l := range p.left {
		var numbers []uint64
		for more := true; more; {
			got := c.call(wire.OpNonReplicated, wire.CodePollMessages, wire.AppendPollMessages(nil, ownPoll(l.stream, len(numbers), len(l.numbers)+10)))
			_, batches, err := wire.DecodePollPrefix(got.payload)
			if !got.ok() || err != nil {
				p.fail("poll %s after the start: got %v, error %v", l.stream.Name, got, err)
			}
			read := numbersIn(batches)
			numbers = append(numbers, read...)
			more = len(read) > 0 && len(numbers) <= len(l.numbers)
		}
		if !slices.Equal(numbers, l.numbers[:min(len(l.numbers), len(numbers))]) {
			p.fail("%s after the start: got messages %v, want the first of %v", l.stream.Name, numbers, l.numbers)
		}
		key := wire.OffsetKey{Consumer: single(7), Stream: l.stream, Topic: wire.IdentNamed(ownTopicName), Partition: wire.OptionalPartition{Present: true}}
		if got := c.call(wire.OpNonReplicated, wire.CodeGetConsumerOffset, wire.AppendOffsetKey(nil, key)); !got.ok() || len(got.payload) > 0 && !l.stored {
			p.fail("%s after the start: got an offset that nobody stored: %v", l.stream.Name, got)
		}
	}
}

// intrude looks for somebody else's topic, best of all while that is being made, and polls what is there. What this connection was shown has to be
// there for it, even if the partition's owner is behind.
func (a *actor) intrude() {
	other := a.p.actors[a.rng.IntN(len(a.p.actors))]
	for _, candidate := range a.p.actors {
		if candidate != a && candidate.own.making {
			other = candidate
		}
	}
	stream := other.ownStream()
	a.find(stream, func(created uint64) {
		if created > 0 {
			a.then = func() { a.pollFound(stream, created) }
		}
	})
}

// curious says whether now is the moment to look into somebody's topic: it is being made, and some shards may know of it already.
func (a *actor) curious() bool {
	for _, other := range a.p.actors {
		if other != a && other.own.making {
			return a.rng.IntN(2) == 0
		}
	}
	return false
}

// find asks for a topic and tells when it was created; 0: it is not there, or nobody knows.
func (a *actor) find(stream wire.Ident, found func(created uint64)) {
	a.ask(wire.OpNonReplicated, wire.CodeGetTopic, wire.AppendTopicRef(nil, wire.TopicRef{Stream: stream, Topic: wire.IdentNamed(ownTopicName)}), func(got answer) {
		created := uint64(0)
		switch {
		case got.gone():
		case !got.ok():
			a.p.fail("look for somebody's topic: got %v, want ok", got)
		case len(got.payload) > 0:
			topic, err := wire.DecodeTopicDetails(got.payload)
			if err != nil {
				a.p.fail("topic details: %v", err)
			}
			created = topic.CreatedAt
		}
		found(created)
	}, "look for the topic of %s", stream.Name)
}

func (a *actor) pollFound(stream wire.Ident, created uint64) {
	p, c := a.p, a.c
	poll := wire.PollMessages{Consumer: single(8), Stream: stream, Topic: wire.IdentNamed(ownTopicName), Partition: wire.OptionalPartition{Present: true},
		Strategy: wire.Strategy{Kind: wire.PollFirst}, Count: 5}
	a.ask(wire.OpNonReplicated, wire.CodePollMessages, wire.AppendPollMessages(nil, poll), func(got answer) {
		switch {
		case got.gone(), got.ok():
		case got.status == wire.StatusCannotReadMessage && (p.weather.reads || p.weather.slow):
		case got.status == wire.StatusStreamIdNotFound, got.status == wire.StatusTopicIdNotFound, got.status == wire.StatusPartitionNotFound:
			a.then = func() {
				a.find(stream, func(again uint64) {
					if again == created && a.c == c {
						p.fail("poll a topic that this connection was shown before and after: got %v, want ok", got)
					}
				})
			}
		default:
			p.fail("poll somebody's topic: got %v, want ok or not found in weather %s", got, p.weather.name)
		}
	}, "poll the topic of %s", stream.Name)
}

// numbersIn lists the messages of stored batches.
func numbersIn(batches []byte) (numbers []uint64) {
	for len(batches) > 0 {
		header, err := wire.DecodeBatchHeader(batches)
		if err != nil {
			return nil
		}
		it := wire.MessagesIn(batches[:header.Length])
		for message, ok := it.Next(); ok; message, ok = it.Next() {
			numbers = append(numbers, binary.LittleEndian.Uint64(message.Payload))
		}
		batches = batches[header.Length:]
	}
	return numbers
}

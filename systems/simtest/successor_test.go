package simtest

import (
	"fmt"

	"galgo/wire"
)

var _ = register(family{name: "successor", weight: 24, act: useOwn})

// ownTopic is a topic that one actor makes, fills, empties by deleting it, and makes again under the same name: it gets the ids of the one
// before, and nothing else of it. Others look in while that goes on. When an answer is lost the actor takes another name.
type ownTopic struct {
	number  int
	stream  bool // made
	making  bool // under way
	changes bool // a change is under way
	there   bool
	kind    *topicKind
	numbers []uint64 // by offset, of all that it ever got
	times   []uint64 // µs, of the batches in which they came; 0: nobody has looked
	first   int      // what lies below this offset is gone
	removed int      // and below this one it may be, for it was to be removed
	stored  int      // offset; -1: none
	doubted bool     // a purge has failed, and may have happened
}

func (a *actor) ownStream() wire.Ident {
	return wire.IdentNamed(fmt.Appendf(nil, "own-%d-%d-%d", a.p.life, a.id, a.own.number))
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
		kind := a.drawKind()
		create := wire.CreateTopic{Stream: a.ownStream(), Name: ownTopicName, PartitionsCount: uint32(kind.partitions), Options: kind.options}
		if kind.partitions == 0 {
			create.PartitionsCount = uint32(1 + a.rng.IntN(3))
		}
		own.making = true
		a.ownWrite(wire.OpCreateTopic, wire.AppendCreateTopic(nil, create), func() {
			own.making, own.there, own.kind = false, true, kind
			own.empty()
			a.then = a.ownCheck // whatever was there before
		}, "create its topic, kind "+kind.name)
	case own.full() && n < 5:
		deleteSegments(a)
	case n < 6 && !own.full(), n >= 8 && own.kind.full > 0 && !own.full():
		a.ownSend()
	case n == 6:
		a.ownCheck()
	case n == 7 && len(own.numbers) > 0:
		offset := a.rng.IntN(len(own.numbers))
		body := wire.AppendStoreConsumerOffset(nil, wire.StoreConsumerOffset{OffsetKey: a.ownKey(), Offset: uint64(offset), Ack: wire.AckQuorum})
		a.ownWrite(wire.OpStoreConsumerOffset, body, func() { own.stored = offset }, "store an offset in its topic")
	default:
		a.ownWrite(wire.OpDeleteTopic, wire.AppendTopicRef(nil, wire.TopicRef{Stream: a.ownStream(), Topic: wire.IdentNamed(ownTopicName)}), func() { own.there = false }, "delete its topic")
	}
}

// empty makes it what it is when it is new.
func (own *ownTopic) empty() {
	own.numbers, own.times, own.first, own.removed, own.stored, own.doubted = nil, nil, 0, 0, -1, false
}

// full says whether it takes no more.
func (own *ownTopic) full() bool {
	return own.kind.full > 0 && len(own.numbers)-own.first >= own.kind.full
}

// ownWrite asks for a change of the own topic. Whatever is not certain makes the actor take another name.
func (a *actor) ownWrite(op wire.Operation, body []byte, done func(), format string) {
	a.own.changes = true
	a.turns++
	judge := func(got answer) {
		if a.own.changes = false; got.ok() {
			done()
			return
		}
		a.p.mustWrite(got, format)
		purges := op == wire.OpPurgeTopic || op == wire.OpPurgeStream
		if purges && got.status == wire.StatusCannotWriteToFile && a.p.weather.disk && !a.p.weather.slow { // it has or has not, and is not under way
			a.p.note("purge in doubt")
			a.p.asForecast()
			a.own.doubted = true
			a.then = a.ownSend
			return
		}
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
	if own.kind.record > 0 {
		count = 1
	}
	p.messages.next += uint64(count)
	batch := p.messages.encode(first, count)
	if own.kind.record > 0 {
		batch = own.kind.batch(first)
	}
	prefix := wire.AppendSendMessages(nil, wire.SendMessages{Stream: a.ownStream(), Topic: wire.IdentNamed(ownTopicName), MessagesCount: uint32(count),
		Partitioning: wire.Partitioning{Kind: wire.PartitionNumbered}})
	own.changes = true
	a.ask(wire.OpSendMessages, 0, append(prefix, batch...), func(got answer) {
		own.changes = false
		switch {
		case got.ok():
			c, err := wire.DecodeSendReply(got.payload)
			p.tempted = p.tempted || own.doubted
			if own.doubted && c.BaseOffset == 0 {
				own.empty()
			}
			own.doubted = false // what is taken stays
			if err != nil || c.BaseOffset != uint64(len(own.numbers)) {
				p.fail("send to a topic with %d messages: got offset %d, error %v", len(own.numbers), c.BaseOffset, err)
			}
			for n := first; n < first+uint64(count); n++ {
				own.numbers, own.times = append(own.numbers, n), append(own.times, 0)
			}
			switch {
			case own.kind.expiry > 0 && len(own.numbers)%own.kind.open == 0: // how long the segment stays depends on when it ends
				a.then = a.ownLast
			case own.kind.full > 0 && !own.full() && a.rng.IntN(10) > 0:
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

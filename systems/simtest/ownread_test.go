package simtest

import (
	"encoding/binary"
	"slices"

	"galgo/wire"
)

// reading is how much of an own topic was read, from its first message on.
type reading struct {
	first   int // offset; -1: nothing yet
	numbers []uint64
	most    int  // messages at a time
	glance  bool // the beginning has to do
}

// read begins to read a topic: all of it, or a look at its beginning where the messages are large.
func (own *ownTopic) read(all bool) *reading {
	r := &reading{first: -1, most: len(own.numbers) + 10}
	if own.kind.record > 0 {
		if r.glance = !all || own.kind.glance; r.glance {
			r.most = 2
		}
	}
	return r
}

// at is the offset to go on at.
func (r *reading) at() int { return max(r.first, 0) + len(r.numbers) }

// take takes what a poll brought. Where the next message is gone meanwhile the reading begins again at the one that is the first now.
func (r *reading) take(p *play, own *ownTopic, batches []byte) {
	for i, m := range storedIn(batches) {
		switch offset := int(m.offset); {
		case i == 0 && (r.first < 0 || offset > r.at()):
			own.begins(p, offset, "a poll")
			r.first, r.numbers = offset, nil
		case offset != r.at():
			p.fail("a topic of kind %s: got offset %d, want %d", own.kind.name, offset, r.at())
		}
		own.kind.check(p, m)
		if r.at() < len(own.times) {
			own.times[r.at()] = m.time
		}
		r.numbers = append(r.numbers, m.number)
	}
}

// ownCheck reads the own topic, now and then all of it, and the stored offset.
func (a *actor) ownCheck() { a.ownRead(a.own.read(a.rng.IntN(4) == 0)) }

// ownRead goes on reading behind what was read so far: a poll from disk ends with a segment.
func (a *actor) ownRead(r *reading) {
	p, own := a.p, &a.own
	a.ownPoll(ownPoll(a.ownStream(), r.at(), r.most), func(batches []byte) {
		before := len(r.numbers)
		r.take(p, own, batches)
		want := own.numbers[max(r.first, 0):]
		switch read := len(r.numbers); {
		case r.glance && read > 0:
			want = want[:min(read, len(want))]
		case read != before && r.at() < len(own.numbers):
			a.then = func() { a.ownRead(r) }
			return
		}
		if !slices.Equal(r.numbers, want) {
			p.fail("its topic %s: got messages %v from offset %d on, want %v", a.ownStream().Name, r.numbers, r.first, want)
		}
		a.then = a.ownOffset
	}, "read its topic")
}

// ownLast reads the last message, for its time.
func (a *actor) ownLast() {
	p, own := a.p, &a.own
	last := len(own.numbers) - 1
	a.ownPoll(ownPoll(a.ownStream(), last, 1), func(batches []byte) {
		read := storedIn(batches)
		if len(read) != 1 || int(read[0].offset) != last || read[0].number != own.numbers[last] {
			p.fail("its topic %s: got %d messages at offset %d, want one, %d", a.ownStream().Name, len(read), last, own.numbers[last])
		}
		own.kind.check(p, read[0])
		own.times[last] = read[0].time
	}, "read the last message of its topic")
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

// ownPoll asks for messages of the own topic.
func (a *actor) ownPoll(poll wire.PollMessages, take func(batches []byte), what string) {
	p := a.p
	a.ask(wire.OpNonReplicated, wire.CodePollMessages, wire.AppendPollMessages(nil, poll), func(got answer) {
		switch {
		case got.gone(), got.status == wire.StatusCannotReadMessage && (p.weather.reads || p.weather.slow):
			return
		case !got.ok():
			p.fail("poll its topic: got %v, want ok in weather %s", got, p.weather.name)
		}
		_, batches, err := wire.DecodePollPrefix(got.payload)
		if err != nil {
			p.fail("poll reply: %v", err)
		}
		take(batches)
	}, "%s", what)
}

func (a *actor) ownOffset() {
	p, own := a.p, &a.own
	a.ask(wire.OpNonReplicated, wire.CodeGetConsumerOffset, wire.AppendOffsetKey(nil, a.ownKey()), func(got answer) {
		if got.gone() {
			return
		}
		if offset := storedOffset(p, got); offset != own.stored {
			p.fail("its topic %s: got stored offset %d, want %d; -1 is none", a.ownStream().Name, offset, own.stored)
		}
		a.then = a.ownCounters
	}, "read the offset of its topic")
}

// storedOffset is what an answer says; -1: none is.
func storedOffset(p *play, got answer) int {
	if got.ok() && len(got.payload) == 0 {
		return -1
	}
	stored, err := wire.DecodeStoredOffset(got.payload)
	if !got.ok() || err != nil {
		p.fail("read the offset of its topic: got %v, error %v, want ok", got, err)
	}
	return int(stored.StoredOffset)
}

// ownCounters wants the numbers of the own topic to be exact, on whatever shard.
func (a *actor) ownCounters() {
	p, own := a.p, &a.own
	a.ask(wire.OpNonReplicated, wire.CodeGetTopic, wire.AppendTopicRef(nil, wire.TopicRef{Stream: a.ownStream(), Topic: wire.IdentNamed(ownTopicName)}), func(got answer) {
		if got.gone() {
			return
		}
		topic, err := wire.DecodeTopicDetails(got.payload)
		if !got.ok() || err != nil || topic.MessagesCount > uint64(len(own.numbers)) {
			p.fail("details of its topic: got %v, error %v, %d messages, want %d at most", got, err, topic.MessagesCount, len(own.numbers))
		}
		count := int(topic.MessagesCount)
		own.begins(p, len(own.numbers)-count, "the counters")
		if (topic.Size > 0) != (count > 0) || own.kind.record > 0 && topic.Size != uint64(count)*own.kind.record {
			p.fail("its topic %s: got %d bytes of %d messages, want %d each", a.ownStream().Name, topic.Size, count, own.kind.record)
		}
	}, "read the details of its topic")
}

// storedMessage is a message as a poll brings it.
type storedMessage struct {
	offset, time, number uint64
	payload              []byte
}

// storedIn lists the messages of stored batches.
func storedIn(batches []byte) (list []storedMessage) {
	for len(batches) > 0 {
		batch, rest, err := wire.NextBatch(batches)
		if err != nil {
			return nil
		}
		header, _ := wire.DecodeBatchHeader(batch)
		it := wire.MessagesIn(batch)
		for message, ok := it.Next(); ok; message, ok = it.Next() {
			list = append(list, storedMessage{header.BaseOffset + uint64(message.OffsetDelta), header.BaseTimestamp, binary.LittleEndian.Uint64(message.Payload), message.Payload})
		}
		batches = rest
	}
	return list
}

// numbersIn lists the numbers of stored messages.
func numbersIn(batches []byte) (numbers []uint64) {
	for _, m := range storedIn(batches) {
		numbers = append(numbers, m.number)
	}
	return numbers
}

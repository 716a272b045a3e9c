package acceptance

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"

	"galgo/wire"
	"galgo/wire/client"
)

const crashStream = "crash"

func named(name string) wire.Ident { return wire.IdentNamed([]byte(name)) }

// crashTopic is a topic that is written and read while servers are killed, and what is known of it.
type crashTopic struct {
	name             string
	durable          bool // its messages are, whatever the server's default
	offsetsDurable   bool
	partitions       []crashPartition
	producers        uint64 // made so far
	promised         bool   // what has the default level was kept by the last round
	made             bool   // its creation was acknowledged
	making, removing bool   // a request to create or delete it was not answered
}

// crashPartition is what is known of a partition.
type crashPartition struct {
	mutex   sync.Mutex
	kept    []uint64                // the numbers of the messages by offset, as the last check found them
	acked   map[uint64]acknowledged // batches of this round by offset
	pending map[uint64]uint64       // count of messages by the first number, of sends of this round that were not answered
	seen    []uint64                // what its reader was shown in this round, from offset from on
	from    uint64
	keeper  offsetKeeper // of an offset that is stored
	polled  uint64       // offset after the last message of a poll that commits by itself,
	polling uint64       // and of one that was not answered, at most; 0 without one
}

func newCrashTopic(name string, partitions int, durable, offsetsDurable bool) *crashTopic {
	t := &crashTopic{name: name, durable: durable, offsetsDurable: offsetsDurable, partitions: make([]crashPartition, partitions)}
	t.forget()
	return t
}

// forget makes the topic a new one.
func (t *crashTopic) forget() {
	for i := range t.partitions {
		p := &t.partitions[i]
		p.kept, p.polled, p.polling, p.keeper = nil, 0, 0, offsetKeeper{key: wire.OffsetKey{
			Consumer: wire.Consumer{Kind: wire.ConsumerSingle, Ident: named("keeper")}, Stream: named(crashStream), Topic: named(t.name),
			Partition: wire.OptionalPartition{Present: true, ID: uint32(i)},
		}}
		p.forgetRound()
	}
}

func (p *crashPartition) forgetRound() {
	p.acked, p.pending, p.seen, p.from = map[uint64]acknowledged{}, map[uint64]uint64{}, nil, 0
}

// size is about how many bytes the topic has.
func (t *crashTopic) size() (bytes int) {
	for i := range t.partitions {
		bytes += 1500 * len(t.partitions[i].kept)
	}
	return bytes
}

func (t *crashTopic) create(c *client.Client) error {
	block := option("segment_size", "1 MiB")
	if t.durable {
		block = append(block, option("durability", "persisted")...)
	}
	if t.offsetsDurable {
		block = append(block, option("consumer_offset_durability", "persisted")...)
	}
	t.making = true
	_, err := c.CreateTopic(wire.CreateTopic{Stream: named(crashStream), PartitionsCount: uint32(len(t.partitions)), Name: []byte(t.name), Options: block})
	if err == nil {
		t.made, t.making = true, false
	}
	return err
}

// remake deletes the topic and creates it again.
func (t *crashTopic) remake(c *client.Client) error {
	t.removing = true
	if err := c.DeleteTopic(named(crashStream), named(t.name)); err != nil {
		return err
	}
	t.made, t.removing = false, false
	t.forget()
	return t.create(c)
}

// check compares the topic with what was promised, adopts what it finds, and creates it where it may be missing and is.
func (t *crashTopic) check(c *client.Client) error {
	details, found, err := c.Topic(named(crashStream), named(t.name))
	if err != nil {
		return err
	}
	switch {
	case !found && t.made && !t.removing:
		return fmt.Errorf("it is missing, and nobody deleted it")
	case found && !t.made && !t.making:
		return fmt.Errorf("it is there, with %d messages, and its deletion was acknowledged", details.MessagesCount)
	case !found:
		t.removing, t.making = false, false
		t.forget()
		return t.create(c)
	}
	t.made, t.removing, t.making = true, false, false
	total := uint64(0)
	for i := range t.partitions {
		p := &t.partitions[i]
		if err := p.check(c, t, uint32(i)); err != nil {
			return fmt.Errorf("partition %d: %w", i, err)
		}
		total += uint64(len(p.kept))
	}
	if details.MessagesCount != total {
		return fmt.Errorf("it says that it holds %d messages, and %d were polled", details.MessagesCount, total)
	}
	return nil
}

func (p *crashPartition) check(c *client.Client, t *crashTopic, id uint32) error {
	numbers, err := readNumbers(c, named(crashStream), named(t.name), id)
	if err != nil {
		return err
	}
	if len(numbers) < len(p.kept) || !slices.Equal(numbers[:len(p.kept)], p.kept) {
		return fmt.Errorf("%d messages were there after the kill before the last, and now %d, or others", len(p.kept), len(numbers))
	}
	promised := t.durable || t.promised
	if err := p.checkRound(numbers, promised); err != nil {
		return err
	}
	p.kept = numbers
	p.forgetRound()
	if err := p.keeper.check(c, t.offsetsDurable || t.promised, uint64(len(numbers))); err != nil {
		return err
	}
	auto := p.keeper.key
	auto.Consumer.Ident = named("auto")
	stored, found, err := c.Offset(auto)
	if err != nil {
		return err
	}
	if found {
		if stored.StoredOffset >= max(p.polled, min(p.polling, uint64(len(numbers)))) {
			return fmt.Errorf("offset %d is stored for a consumer that polled up to %d, or %d if an answer is missing", stored.StoredOffset, p.polled, p.polling)
		}
		p.polled = max(p.polled, stored.StoredOffset+1)
	}
	p.polling = 0
	return nil
}

// checkRound compares what lies behind kept with what clients of the round know.
func (p *crashPartition) checkRound(numbers []uint64, promised bool) error {
	end := uint64(len(numbers))
	for offset, a := range p.acked {
		if offset < uint64(len(p.kept)) {
			return fmt.Errorf("messages %#x and %d more were acknowledged at offset %d, where others are", a.first, a.count-1, offset)
		}
		if promised && offset+a.count > end {
			return fmt.Errorf("messages %#x and %d more were acknowledged at offset %d, and the partition ends at %d", a.first, a.count-1, offset, end)
		}
	}
	for i, number := range p.seen {
		offset := p.from + uint64(i)
		if offset >= end && promised {
			return fmt.Errorf("offset %d was polled, and the partition ends at %d", offset, end)
		}
		if offset < end && numbers[offset] != number {
			return fmt.Errorf("offset %d: got message %#x, want %#x, as it was polled before", offset, numbers[offset], number)
		}
	}
	for offset := uint64(len(p.kept)); offset < end; {
		first := numbers[offset]
		count, sent := p.pending[first]
		if a, ok := p.acked[offset]; ok {
			if a.first != first {
				return fmt.Errorf("offset %d: got message %#x, want %#x, which was acknowledged", offset, first, a.first)
			}
			count = a.count
		} else if !sent {
			return fmt.Errorf("offset %d: got message %#x, which was acknowledged elsewhere, or never sent, or is there twice", offset, first)
		}
		delete(p.pending, first)
		for i := range count {
			if offset+i >= end || numbers[offset+i] != first+i {
				return fmt.Errorf("offset %d: a batch of %d messages from %#x is there in part", offset, count, first)
			}
		}
		offset += count
	}
	return nil
}

// readNumbers polls a partition from its beginning to its end.
func readNumbers(c *client.Client, stream, topic wire.Ident, partition uint32) (numbers []uint64, err error) {
	for {
		before := len(numbers)
		if numbers, err = pollNumbers(c, wire.PollMessages{
			Consumer: wire.Consumer{Kind: wire.ConsumerSingle, Ident: wire.IdentOf(1)}, Stream: stream, Topic: topic,
			Partition: wire.OptionalPartition{Present: true, ID: partition},
			Strategy:  wire.Strategy{Kind: wire.PollOffset, Value: uint64(len(numbers))}, Count: 2000,
		}, numbers); err != nil || len(numbers) == before {
			return numbers, err
		}
	}
}

// pollNumbers appends the numbers of the messages of a poll, which must be sound and begin at the offset that was asked for.
func pollNumbers(c *client.Client, poll wire.PollMessages, numbers []uint64) ([]uint64, error) {
	polled, err := c.Poll(poll)
	if err != nil {
		return numbers, fmt.Errorf("poll at offset %d: %w", poll.Strategy.Value, err)
	}
	next := poll.Strategy.Value
	for header, message := range polled.All() {
		if got := header.BaseOffset + uint64(message.OffsetDelta); got != next {
			return numbers, wrong("poll: got offset %d, want %d", got, next)
		}
		if len(message.Payload) < 8 || !bytes.Equal(message.Payload, payload(binary.LittleEndian.Uint64(message.Payload))) {
			return numbers, wrong("poll: got a payload of %d bytes at offset %d that nobody sent", len(message.Payload), next)
		}
		numbers = append(numbers, binary.LittleEndian.Uint64(message.Payload))
		next++
	}
	return numbers, nil
}

// crashProducer sends batches to partitions in turn of chance. The numbers of its messages are nobody else's.
type crashProducer struct {
	topic  *crashTopic
	random *rand.Rand
	number uint64
}

func (t *crashTopic) producer(seed uint64) *crashProducer {
	t.producers++
	return &crashProducer{topic: t, random: rand.New(rand.NewPCG(seed, 0)), number: t.producers << 32}
}

func (w *crashProducer) run(c *client.Client, count func()) error {
	var batch wire.BatchBuilder
	for {
		id := w.random.IntN(len(w.topic.partitions))
		p := &w.topic.partitions[id]
		first, n := w.number, 1+uint64(w.random.IntN(40))
		w.number += n
		batch.Reset(1)
		for number := first; number < first+n; number++ {
			batch.Add(wire.U128{Lo: number}, 0, payload(number), nil)
		}
		p.mutex.Lock()
		p.pending[first] = n
		p.mutex.Unlock()
		confirmation, err := c.Send(named(crashStream), named(w.topic.name), wire.Partitioning{Kind: wire.PartitionNumbered, ID: uint32(id)}, batch.Bytes())
		if err != nil {
			return err
		}
		p.mutex.Lock()
		other, taken := p.acked[confirmation.BaseOffset]
		p.acked[confirmation.BaseOffset] = acknowledged{confirmation.BaseOffset, first, n}
		delete(p.pending, first)
		p.mutex.Unlock()
		if taken {
			return wrong("messages %#x and %#x were both acknowledged at offset %d", other.first, first, confirmation.BaseOffset)
		}
		count()
	}
}

// read polls the partitions of the topic, stores offsets in them, and remembers what it was shown.
func (t *crashTopic) read(c *client.Client) error {
	for i := range t.partitions {
		p := &t.partitions[i]
		p.from = uint64(len(p.kept))
	}
	for turn := 0; ; turn++ {
		p := &t.partitions[turn%len(t.partitions)]
		poll := wire.PollMessages{
			Consumer: wire.Consumer{Kind: wire.ConsumerSingle, Ident: named("auto")}, Stream: named(crashStream), Topic: named(t.name),
			Partition: p.keeper.key.Partition, Strategy: wire.Strategy{Kind: wire.PollOffset, Value: p.from + uint64(len(p.seen))}, Count: 100,
			AutoCommit: turn%3 == 0,
		}
		if poll.AutoCommit { // what a kill keeps from being answered may be committed
			p.polling = poll.Strategy.Value + uint64(poll.Count)
		}
		seen, err := pollNumbers(c, poll, p.seen)
		if err != nil {
			return err
		}
		p.seen = seen
		if poll.AutoCommit {
			p.polled, p.polling = max(p.polled, p.from+uint64(len(seen))), 0
		}
		next := p.from + uint64(len(p.seen))
		switch {
		case next == 0:
		case turn%7 == 0:
			err = p.keeper.store(c, next-1)
		case turn%31 == 0 && p.keeper.stored > 0:
			err = p.keeper.remove(c)
		}
		if err != nil {
			return err
		}
	}
}

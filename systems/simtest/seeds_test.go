package simtest

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"

	"galgo/components"
	"galgo/uring/sim"
	"galgo/wire"
)

var (
	firstSeed = flag.Uint64("seed", 1, "the first seed to play")
	seedCount = flag.Uint64("seeds", 2, "how many seeds to play")
)

const (
	partitions = 3
	lives      = 4
)

// play is one seed's history: several lives of the server with crashes between them.
type play struct {
	t     *testing.T
	seed  uint64
	w     *sim.World
	rng   *rand.Rand // of the workload
	level components.Level
	made  bool
	sent  [partitions][]batch // what was sent, in order
	next  uint64              // number of the next message
}

// batch is one send of a producer.
type batch struct {
	first  uint64 // number of its first message
	count  uint32
	offset uint64
	acked  bool // answered: it is at offset
}

// payload is what message number n holds: the number, and bytes that follow from it.
func payload(n uint64) []byte {
	b := make([]byte, 8+n*7919%3000)
	_, _ = rand.NewChaCha8([32]byte{byte(n), byte(n >> 8), byte(n >> 16)}).Read(b)
	binary.LittleEndian.PutUint64(b, n)
	return b
}

func (p *play) fatalf(format string, args ...any) {
	p.t.Helper()
	p.t.Fatalf("seed %d, at %d µs: %s", p.seed, now(p.w), fmt.Sprintf(format, args...))
}

func now(w *sim.World) uint64 {
	_, mono := w.Clock()
	return mono
}

var (
	stream = wire.IdentNamed([]byte("s"))
	topic  = wire.IdentNamed([]byte("t"))
)

// run plays a seed and returns the hash of its history.
func run(t *testing.T, seed uint64) uint64 {
	t.Helper()
	p := &play{t: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 3))}
	p.w = sim.New(sim.Options{Seed: seed, Stepping: true, DiskBytes: 4 << 30, Faults: sim.Rough()})
	p.level = []components.Level{components.LevelWritten, components.LevelDurable}[p.rng.IntN(2)]
	for life := range lives {
		shards := 1 + p.rng.IntN(3)
		if p.rng.IntN(2) == 0 {
			p.crashInStart(shards)
		}
		server, err := start(p.w, shards, p.level)
		if err != nil {
			t.Fatalf("seed %d, life %d: start: %v", seed, life, err)
		}
		if len(server.faults) > 0 {
			t.Fatalf("seed %d, life %d: damage found where only crashes were: %q", seed, life, server.faults)
		}
		if !p.made {
			p.make()
		}
		p.verify(life)
		p.produce()
		p.crash()
	}
	acked := 0
	for partition := range p.sent {
		for _, b := range p.sent[partition] {
			if b.acked {
				acked++
			}
		}
	}
	t.Logf("seed %d: level %v, %d batches acknowledged or seen, %d µs of virtual time", seed, p.level, acked, now(p.w))
	return p.w.Hash()
}

// crash ends the process in a way that the level survives.
func (p *play) crash() {
	if p.level == components.LevelDurable && p.rng.IntN(2) == 0 {
		p.w.PowerCut()
		return
	}
	p.w.Kill()
}

// crashInStart starts a process that ends somewhere in its start-up, if that has so many steps.
func (p *play) crashInStart(shards int) {
	p.w.CrashAfter(1 + p.rng.IntN(150))
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(sim.Crashed); !ok {
				panic(r)
			}
		}
		p.crash()
	}()
	if _, err := start(p.w, shards, p.level); err != nil {
		p.t.Fatalf("seed %d: start: %v", p.seed, err)
	}
}

// connect logs a client in.
func (p *play) connect() *client {
	p.t.Helper()
	c := dial(p.w)
	if err := c.login(); err != nil {
		p.t.Fatalf("seed %d: %v", p.seed, err)
	}
	return c
}

// make creates stream and topic.
func (p *play) make() {
	p.t.Helper()
	c := p.connect()
	for _, create := range []struct {
		op   wire.Operation
		body []byte
	}{
		{wire.OpCreateStream, wire.AppendCreateStream(nil, wire.CreateStream{Name: []byte("s")})},
		{wire.OpCreateTopic, wire.AppendCreateTopic(nil, wire.CreateTopic{Stream: stream, Name: []byte("t"), PartitionsCount: partitions})},
	} {
		if status, _, ok := c.call(create.op, 0, create.body); !ok || status != wire.StatusOK {
			p.t.Fatalf("seed %d: %s: answered %v, status %v", p.seed, create.op, ok, status)
		}
	}
	c.peer.Close()
	p.made = true
}

// produce lets one client for each partition send until a crash is due.
func (p *play) produce() {
	p.t.Helper()
	for partition := range partitions {
		p.sendNext(p.connect(), partition)
	}
	rough := p.w.Faults()
	if p.rng.IntN(2) == 0 { // connections break and the disk is slow, while nobody needs an answer
		worse := rough
		worse.Reset, worse.Slow, worse.Split = 0.002, 0.2, 0.5
		p.w.SetFaults(worse)
	}
	for range 500 + p.rng.IntN(20_000) {
		if !p.w.Step() {
			break
		}
	}
	p.w.SetFaults(rough)
}

// sendNext sends a batch, and the next one once that is answered.
func (p *play) sendNext(c *client, partition int) {
	b := batch{first: p.next, count: 1 + uint32(p.rng.IntN(20))}
	p.next += uint64(b.count)
	var builder wire.BatchBuilder
	builder.Reset(1)
	for i := range uint64(b.count) {
		builder.Add(wire.U128{Lo: b.first + i + 1}, 0, payload(b.first+i), nil)
	}
	body := wire.AppendSendMessages(nil, wire.SendMessages{Stream: stream, Topic: topic, MessagesCount: b.count,
		Partitioning: wire.Partitioning{Kind: wire.PartitionNumbered, ID: uint32(partition)}})
	at := len(p.sent[partition])
	p.sent[partition] = append(p.sent[partition], b)
	c.ask(wire.OpSendMessages, 0, append(body, builder.Bytes()...), func(status wire.Status, reply []byte) {
		if status != wire.StatusOK {
			p.fatalf("send to partition %d: got status %v, want ok", partition, status)
		}
		confirmation, err := wire.DecodeSendReply(reply)
		if err != nil {
			p.fatalf("send reply: %v", err)
		}
		p.sent[partition][at].acked, p.sent[partition][at].offset = true, confirmation.BaseOffset
		p.sendNext(c, partition)
	})
}

// verify reads every partition from its first message on, and compares with what was sent and answered.
func (p *play) verify(life int) {
	p.t.Helper()
	c := p.connect()
	for partition := range partitions {
		numbers := p.readAll(c, uint32(partition))
		next := 0
		for i := range p.sent[partition] {
			b := &p.sent[partition][i]
			here := next < len(numbers) && numbers[next] == b.first
			switch {
			case b.acked && (!here || b.offset != uint64(next)):
				p.t.Fatalf("seed %d, life %d, level %v: partition %d: batch of messages [%d,%d) was acknowledged at offset %d and is not there (%d messages are)",
					p.seed, life, p.level, partition, b.first, b.first+uint64(b.count), b.offset, len(numbers))
			case here:
				for k := range int(b.count) {
					if next+k >= len(numbers) || numbers[next+k] != b.first+uint64(k) {
						p.t.Fatalf("seed %d, life %d: partition %d: batch at offset %d is there in part", p.seed, life, partition, next)
					}
				}
				next += int(b.count)
				b.acked, b.offset = true, uint64(next)-uint64(b.count) // seen: it must not go again
			}
		}
		if next != len(numbers) {
			p.t.Fatalf("seed %d, life %d: partition %d: got message number %d at offset %d, which nobody sent there", p.seed, life, partition, numbers[next], next)
		}
		p.sent[partition] = keep(p.sent[partition])
	}
	c.peer.Close()
}

// keep drops batches that did not make it: they never come back.
func keep(sent []batch) []batch {
	kept := sent[:0]
	for _, b := range sent {
		if b.acked {
			kept = append(kept, b)
		}
	}
	return kept
}

// readAll returns the numbers of a partition's messages; their offsets have no gaps and their bytes are right.
func (p *play) readAll(c *client, partition uint32) []uint64 {
	p.t.Helper()
	var numbers []uint64
	for {
		at := uint64(len(numbers))
		body := wire.AppendPollMessages(nil, wire.PollMessages{Consumer: wire.Consumer{Kind: wire.ConsumerSingle, Ident: wire.IdentOf(1)},
			Stream: stream, Topic: topic, Partition: wire.OptionalPartition{Present: true, ID: partition},
			Strategy: wire.Strategy{Kind: wire.PollOffset, Value: at}, Count: 500})
		status, reply, ok := c.call(wire.OpNonReplicated, wire.CodePollMessages, body)
		if !ok || status != wire.StatusOK {
			p.t.Fatalf("seed %d: poll partition %d at %d: answered %v, status %v", p.seed, partition, at, ok, status)
		}
		prefix, batches, err := wire.DecodePollPrefix(reply)
		if err != nil {
			p.t.Fatalf("seed %d: poll reply: %v", p.seed, err)
		}
		if prefix.Count == 0 {
			return numbers
		}
		numbers = p.read(numbers, batches)
		if uint64(len(numbers)) == at {
			p.t.Fatalf("seed %d: a poll at %d brought %d messages, none of them new", p.seed, at, prefix.Count)
		}
	}
}

// read adds the numbers of the messages of some batches.
func (p *play) read(numbers []uint64, batches []byte) []uint64 {
	p.t.Helper()
	for len(batches) > 0 {
		header, err := wire.DecodeBatchHeader(batches)
		if err != nil {
			p.t.Fatalf("seed %d: batch header: %v", p.seed, err)
		}
		messages := wire.MessagesIn(batches[:header.Length])
		for message, ok := messages.Next(); ok; message, ok = messages.Next() {
			offset := header.BaseOffset + uint64(message.OffsetDelta)
			if offset < uint64(len(numbers)) {
				continue // the batch began before the offset that was asked for
			}
			if offset != uint64(len(numbers)) {
				p.t.Fatalf("seed %d: got offset %d, want %d", p.seed, offset, len(numbers))
			}
			number := binary.LittleEndian.Uint64(message.Payload)
			if !bytes.Equal(message.Payload, payload(number)) {
				p.t.Fatalf("seed %d: the bytes of message %d at offset %d are not its own", p.seed, number, offset)
			}
			numbers = append(numbers, number)
		}
		batches = batches[header.Length:]
	}
	return numbers
}

// A seed that failed can be played again: twice the same seed is twice the same history.
func TestSeedDecides(t *testing.T) {
	first, second := run(t, *firstSeed), run(t, *firstSeed)
	if first != second {
		t.Fatalf("seed %d: got hash %x the second time, want %x", *firstSeed, second, first)
	}
}

// TestSeeds plays seeds: -seed is the first one and -seeds how many.
func TestSeeds(t *testing.T) {
	for seed := *firstSeed; seed < *firstSeed+*seedCount; seed++ {
		run(t, seed)
	}
}

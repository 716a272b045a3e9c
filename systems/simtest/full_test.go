package simtest

import (
	"math/rand/v2"
	"testing"

	"galgo/components"
	"galgo/uring/sim"
	"galgo/wire"
)

// A disk fills: appends are refused with nothing done, reads and deletions go on. What is deleted goes into the pools first, of all shards,
// and these give way before an append is refused again. Nothing that was answered is lost, also not by a loss of power.
func TestFullDisk(t *testing.T) {
	p := &play{t: t, rng: rand.New(rand.NewPCG(1, 1))}
	p.w = sim.New(sim.Options{Seed: 1, Stepping: true, DiskBytes: 96 << 20})
	const shards = 2
	server, err := start(p.w, shards, components.LevelDurable)
	if err != nil {
		t.Fatal(err)
	}
	space := server.Shards[0].Storage.Space
	space.SizeMax = 64 << 20
	c := p.connect()
	p.must(c, wire.OpCreateStream, wire.AppendCreateStream(nil, wire.CreateStream{Name: []byte("s")}))
	make := func(name string) wire.Ident {
		p.must(c, wire.OpCreateTopic, wire.AppendCreateTopic(nil, wire.CreateTopic{Stream: stream, Name: []byte(name), PartitionsCount: shards, Options: smallSegments()}))
		return wire.IdentNamed([]byte(name))
	}
	// fill sends batches to both partitions in turn until the disk is full, or n of them are stored.
	next := uint64(0)
	fill := func(topic wire.Ident, partition, n int) (stored [][]uint64) {
		for len(stored) < n {
			var builder wire.BatchBuilder
			builder.Reset(1)
			var numbers []uint64
			for range 100 {
				builder.Add(wire.U128{Lo: next + 1}, 0, payload(next), nil)
				numbers = append(numbers, next)
				next++
			}
			body := wire.AppendSendMessages(nil, wire.SendMessages{Stream: stream, Topic: topic, MessagesCount: 100,
				Partitioning: wire.Partitioning{Kind: wire.PartitionNumbered, ID: uint32(partition)}})
			status, _, ok := c.call(wire.OpSendMessages, 0, append(body, builder.Bytes()...))
			if ok && status == wire.StatusCannotAppendMessage {
				return stored
			}
			if !ok || status != wire.StatusOK {
				t.Fatalf("send to a disk that fills: answered %v, status %v, want %v", ok, status, wire.StatusCannotAppendMessage)
			}
			stored = append(stored, numbers)
		}
		return stored
	}
	const all = 2000
	old := make("old")
	half := len(fill(old, 0, all)) / 2
	if half < 100 || half == all/2 {
		t.Fatalf("a disk of 96 MiB: got room for %d batches, want some hundred and then no more", 2*half)
	}
	if n := len(fill(old, 0, all)); n > 10 {
		t.Fatalf("a full disk: got %d more batches stored, want hardly any", n)
	}
	p.must(c, wire.OpDeleteTopic, wire.AppendTopicRef(nil, wire.TopicRef{Stream: stream, Topic: old}))
	for space.Pooled.Load() < 32<<20 && p.w.Step() {
	}
	if got := space.Pooled.Load(); got < 32<<20 {
		t.Fatalf("after the deletion: got %d bytes pooled, want what the topic had", got)
	}

	fresh := make("t")
	var sent [shards][]uint64
	for partition := range shards {
		for _, numbers := range fill(fresh, partition, half*3/4) {
			sent[partition] = append(sent[partition], numbers...)
		}
		if got := len(sent[partition]) / 100; got < half*3/4 {
			t.Fatalf("partition %d after the deletion: got %d batches stored, want %d", partition, got, half*3/4)
		}
	}
	p.w.PowerCut()
	if _, err := start(p.w, 1, components.LevelDurable); err != nil {
		t.Fatal(err)
	}
	c = p.connect()
	for partition := range shards {
		got := p.readAll(c, uint32(partition))
		if len(got) != len(sent[partition]) {
			t.Fatalf("partition %d after a loss of power: got %d messages, want %d", partition, len(got), len(sent[partition]))
		}
		for i, number := range got {
			if number != sent[partition][i] {
				t.Fatalf("partition %d, offset %d: got message %d, want %d", partition, i, number, sent[partition][i])
			}
		}
	}
}

package simtest

import (
	"encoding/binary"
	"testing"

	"galgo/components"
	"galgo/uring/sim"
	"galgo/wire"
)

// A disk fills: appends are refused with nothing done, reads and deletions go on. What is deleted goes into the pools first, of all shards,
// and these give way before an append is refused again. Nothing that was answered is lost, also not by a loss of power.
func TestFullDisk(t *testing.T) {
	p := newPlay(sim.Options{Seed: 1, DiskBytes: 96 << 20})
	const shards, memory = 2, 160 << 20
	begin := func(shards int) *client {
		var err error
		if p.server, err = start(p.w, shards, memory, components.LevelDurable); err != nil {
			t.Fatal(err)
		}
		return p.connect("somebody")
	}
	c := begin(shards)
	space := p.server.Shards[0].Storage.Space
	space.SizeMax = 64 << 20
	must := func(op wire.Operation, body []byte) {
		t.Helper()
		if got := c.call(op, 0, body); !got.ok() {
			t.Fatalf("%s: got %v, want ok", op, got)
		}
	}
	stream := wire.IdentNamed([]byte("s"))
	must(wire.OpCreateStream, wire.AppendCreateStream(nil, wire.CreateStream{Name: []byte("s")}))
	create := func(name string) wire.Ident {
		must(wire.OpCreateTopic, wire.AppendCreateTopic(nil, wire.CreateTopic{Stream: stream, Name: []byte(name), PartitionsCount: shards, Options: options("segment_size", "1 MiB")}))
		return wire.IdentNamed([]byte(name))
	}
	// fill sends batches to both partitions in turn until the disk is full, or n of them are stored.
	next, filler := uint64(0), make([]byte, 3000)
	fill := func(topic wire.Ident, partition, n int) (stored [][]uint64) {
		for len(stored) < n {
			var builder wire.BatchBuilder
			builder.Reset(1)
			var numbers []uint64
			for range 100 {
				builder.Add(wire.U128{Lo: next + 1}, 0, append(binary.LittleEndian.AppendUint64(nil, next), filler[:next*7919%3000]...), nil)
				numbers = append(numbers, next)
				next++
			}
			body := wire.AppendSendMessages(nil, wire.SendMessages{Stream: stream, Topic: topic, MessagesCount: 100,
				Partitioning: wire.Partitioning{Kind: wire.PartitionNumbered, ID: uint32(partition)}})
			got := c.call(wire.OpSendMessages, 0, append(body, builder.Bytes()...))
			if got.status == wire.StatusCannotAppendMessage {
				return stored
			}
			if !got.ok() {
				t.Fatalf("send to a disk that fills: got %v, want it stored or status %v", got, wire.StatusCannotAppendMessage)
			}
			stored = append(stored, numbers)
		}
		return stored
	}
	const all = 2000
	old := create("old")
	half := len(fill(old, 0, all)) / 2
	if half < 100 || half == all/2 {
		t.Fatalf("a disk of 96 MiB: got room for %d batches, want some hundred and then no more", 2*half)
	}
	if n := len(fill(old, 0, all)); n > 10 {
		t.Fatalf("a full disk: got %d more batches stored, want hardly any", n)
	}
	must(wire.OpDeleteTopic, wire.AppendTopicRef(nil, wire.TopicRef{Stream: stream, Topic: old}))
	for space.Pooled.Load() < 32<<20 && p.w.Step() {
	}
	if got := space.Pooled.Load(); got < 32<<20 {
		t.Fatalf("after the deletion: got %d bytes pooled, want what the topic had", got)
	}

	fresh := create("t")
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
	c = begin(1)
	for partition := range shards {
		var got []uint64
		for {
			polled := c.call(wire.OpNonReplicated, wire.CodePollMessages, wire.AppendPollMessages(nil, wire.PollMessages{Consumer: single(1), Stream: stream, Topic: fresh,
				Partition: wire.OptionalPartition{Present: true, ID: uint32(partition)}, Strategy: wire.Strategy{Kind: wire.PollOffset, Value: uint64(len(got))}, Count: 500}))
			prefix, batches, err := wire.DecodePollPrefix(polled.payload)
			if !polled.ok() || err != nil {
				t.Fatalf("poll: got %v %v, want messages", polled, err)
			}
			if prefix.Count == 0 {
				break
			}
			got = append(got, numbersIn(batches)...)
		}
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

package state

import (
	"math/rand/v2"
	"testing"

	"galgo/components"
	"galgo/ecs"
	"galgo/wire"
)

// coldLog is a partition whose messages are on disk alone.
func coldLog(t *testing.T, batches int) (*engine, ecs.Entity) {
	t.Helper()
	return coldLogOf(t, batches, func(int) int { return 1000 })
}

// coldLogOf is one whose batches of ten messages have messages of different sizes.
func coldLogOf(t *testing.T, batches int, size func(batch int) int) (*engine, ecs.Entity) {
	t.Helper()
	e := newEngine(t, 8<<20)
	partition := e.partition(components.LevelWritten, 1<<20)
	for i := range batches {
		e.settle(e.send(partition, plain(10, size(i))))
	}
	e.s.Now.MonoMicros += idleMicros
	e.run(5)
	e.s.Evict(8 << 20)
	e.s.Evict(8 << 20)
	return e, partition
}

// readOn polls from an offset and wants what the reader of a log gets: ten messages, or what is left of it.
func (e *engine) readOn(partition ecs.Entity, offset uint64) uint64 {
	e.t.Helper()
	first, messages, _ := e.messages(e.body(e.settle(e.poll(partition, wire.Strategy{Kind: wire.PollOffset, Value: offset}, 10, false))))
	if first != offset || len(messages) == 0 {
		e.t.Fatalf("poll at %d: got %d messages from %d, want some from there", offset, len(messages), first)
	}
	e.run(1) // what was ordered with the answer returns
	return offset + uint64(len(messages))
}

// A reader that goes on where it ended finds what it wants in memory: its poll orders no read, but the next read ahead is ordered.
func TestSequentialReadersAreReadAhead(t *testing.T) {
	e, partition := coldLog(t, 300)
	s := e.s
	next := e.readOn(partition, 0)
	if len(s.Polls.Aheads) != 0 {
		t.Fatal("after one poll: got a read ahead, want none for who may not go on")
	}
	next = e.readOn(partition, next)
	for range 250 { // over the end of two segments
		if i, ok := findAhead(s, partition, next); !ok || !s.Polls.Here(s.Polls.Aheads[i]) || len(s.Polls.Aheads) > 2 {
			t.Fatalf("at %d: got %d reads ahead, want one from there that has returned, and one more at most", next, len(s.Polls.Aheads))
		}
		conn := e.poll(partition, wire.Strategy{Kind: wire.PollOffset, Value: next}, 10, false)
		for range 2 {
			e.tick() // without a disk
		}
		first, messages, _ := e.messages(e.body(e.settle(conn)))
		if first != next || len(messages) != 10 {
			t.Fatalf("poll at %d: got %d messages from %d, want 10", next, len(messages), first)
		}
		next += 10
		e.run(2)
	}
	e.tick() // for whatever else
	if due := s.Deadline; due == 0 || due > s.Now.MonoMicros+aheadMicros {
		t.Errorf("with a read ahead that nobody comes for: got deadline %d at %d, want one in time to give it up", due, s.Now.MonoMicros)
	}
	s.Now.MonoMicros += aheadMicros
	e.run(2)
	if len(s.Polls.Aheads) != 0 || e.reads.InUse() != 0 {
		t.Fatalf("after a while: got %d reads ahead, %d bytes, want none", len(s.Polls.Aheads), e.reads.InUse())
	}
}

// While the next poll's messages are read, those of the poll after that are, too: from where they most likely begin. A guess that is wrong costs a read
// and nothing else.
func TestReadersAreGuessedAhead(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, test := range []struct {
		name     string
		count    uint32
		size     func(batch int) int
		readsMax int // for 100 polls
		waitMax  int // of them: ordered by a poll that waits
		right    int // guesses at least, of as many
	}{
		{"equal", 10, func(int) int { return 1000 }, 110, 5, 90},
		{"much the same", 10, func(int) int { return 990 + random.IntN(20) }, 110, 5, 90},
		{"not quite the same", 10, func(int) int { return 950 + random.IntN(100) }, 120, 5, 0},
		{"as many large ones", 10, func(int) int { return 5 * (950 + random.IntN(100)) }, 120, 5, 0},
		{"different", 10, func(int) int { return 100 + random.IntN(2000) }, 200, 40, 0},
		{"growing", 10, func(batch int) int { return 100 + 20*batch }, 200, 5, 0},
		{"parts of records", 5, func(int) int { return 1000 }, 110, 5, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			e, partition := coldLogOf(t, 110, test.size)
			s, reads, waited, right, next := e.s, 0, 0, 0, uint64(0)
			for range 100 {
				conn := e.poll(partition, wire.Strategy{Kind: wire.PollOffset, Value: next}, test.count, false)
				for range 6 {
					if i, ok := findAhead(s, partition, next); ok && s.Polls.At[s.Polls.Aheads[i]] > 0 {
						right++
					}
					e.tick()
					reads += s.Out.Cold.Len()
					for i := range s.Out.Cold.Len() {
						if !s.Polls.Ahead(s.Out.Cold.At(i).Slot) {
							waited++
						}
					}
					e.disk()
				}
				first, messages, _ := e.messages(e.body(e.settle(conn)))
				if first != next || len(messages) != int(test.count) {
					t.Fatalf("poll at %d: got %d messages from %d, want %d", next, len(messages), first, test.count)
				}
				next += uint64(test.count)
			}
			if reads > test.readsMax || waited > test.waitMax || right < test.right {
				t.Errorf("got %d reads, %d of them waited for, and %d right guesses for 100 polls, want %d and %d at most and %d at least", reads, waited, right,
					test.readsMax, test.waitMax, test.right)
			}
			s.Now.MonoMicros += aheadMicros
			e.run(2)
			if len(s.Polls.Aheads) != 0 || e.reads.InUse() != 0 {
				t.Errorf("after a while: got %d reads ahead, %d bytes, want none", len(s.Polls.Aheads), e.reads.InUse())
			}
		})
	}
}

// What is read ahead is bounded, and gives way: to memory that is wanted, to a partition that goes, to the end of the shard.
func TestReadsAheadGiveWay(t *testing.T) {
	ahead := func() (*engine, ecs.Entity) {
		e, partition := coldLog(t, 300)
		for i := range uint64(2 * aheadMax) {
			e.readOn(partition, e.readOn(partition, 60*i))
		}
		if got := len(e.s.Polls.Aheads); got != aheadMax {
			t.Fatalf("reads ahead of many readers: got %d, want %d", got, aheadMax)
		}
		return e, partition
	}
	for name, end := range map[string]func(*engine, ecs.Entity){
		"memory": func(e *engine, _ ecs.Entity) {
			e.s.Arena.Refuse(8 << 20)
			GiveWay(e.s)
		},
		"stop":     func(e *engine, _ ecs.Entity) { Stop(e.s) },
		"deletion": func(e *engine, partition ecs.Entity) { DoomPartition(e.s, partition) },
	} {
		e, partition := ahead()
		end(e, partition)
		e.run(3)
		if len(e.s.Polls.Aheads) != 0 || e.reads.InUse() != 0 || e.s.Polls.Live != 0 {
			t.Errorf("%s: got %d reads ahead, %d bytes, %d polls, want none", name, len(e.s.Polls.Aheads), e.reads.InUse(), e.s.Polls.Live)
		}
	}
}

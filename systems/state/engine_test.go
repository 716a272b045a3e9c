package state

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"

	"galgo/components"
	"galgo/ecs"
	"galgo/wire"
)

// plain is a batch of so many messages of so many bytes.
func plain(count, size int) []byte {
	var b wire.BatchBuilder
	b.Reset(1)
	for i := range count {
		b.Add(wire.U128{Lo: uint64(i + 1)}, 0, make([]byte, size), nil)
	}
	return b.Bytes()
}

func TestAcksWaitForTheirLevel(t *testing.T) {
	for level := components.LevelMemory; level <= components.LevelDurable; level++ {
		e := newEngine(t, 8<<20)
		partition := e.partition(level, 1<<30)
		conn := e.send(partition, plain(3, 100))
		e.tick() // asks for a file
		e.none(conn)
		e.grow()
		e.tick() // appends
		counts := e.s.Counters.Of(partition)
		if level == components.LevelMemory {
			if counts.Next != 3 {
				t.Fatalf("%v: counters with the answer: got next offset %d, want 3", level, counts.Next)
			}
			e.want(conn, wire.StatusOK)
			continue
		}
		e.none(conn)
		if counts.Next != 0 {
			t.Fatalf("%v: counters before the write: got next offset %d, want 0", level, counts.Next)
		}
		if poll := e.poll(partition, wire.Strategy{Kind: wire.PollFirst}, 10, false); len(e.body(e.settleIdle(poll))) != wire.PollPrefixSize {
			t.Fatalf("%v: poll before the write: got messages, want none", level)
		}
		e.write()
		e.tick()
		e.want(conn, wire.StatusOK)
		if got := e.s.Counters.Of(partition).Next; got != 3 {
			t.Fatalf("%v: counters with the answer: got next offset %d, want 3", level, got)
		}
	}
}

// settleIdle runs one tick without the disk.
func (e *engine) settleIdle(conn ecs.Entity) components.Reply {
	e.t.Helper()
	e.tick()
	r, ok := e.replies[conn]
	if !ok {
		e.t.Fatal("got no answer")
	}
	delete(e.replies, conn)
	return r
}

func TestFailedWrite(t *testing.T) {
	e := newEngine(t, 8<<20)
	partition := e.partition(components.LevelWritten, 1<<30)
	e.settle(e.send(partition, plain(5, 100)))
	e.failing = syscall.EIO
	first := e.send(partition, plain(5, 100))
	e.tick()
	second := e.send(partition, plain(5, 100)) // journaled behind the write that fails
	e.tick()
	e.write()
	e.tick()
	third := e.send(partition, plain(5, 100))
	e.tick()
	for _, conn := range []ecs.Entity{first, second, third} {
		if r := e.settleIdle(conn); r.Status != wire.StatusCannotSaveMessagesToSegment {
			t.Fatalf("send: got %v, want %v", r.Status, wire.StatusCannotSaveMessagesToSegment)
		}
	}
	for _, from := range []string{"memory", "disk"} {
		at, messages, _ := e.messages(e.body(e.settle(e.poll(partition, wire.Strategy{Kind: wire.PollFirst}, 100, false))))
		if at != 0 || len(messages) != 5 {
			t.Fatalf("poll of a faulted partition from %s: got %d messages from %d, want the 5 that are safe", from, len(messages), at)
		}
		e.s.Evict(8 << 20) // and with that what is not safe
		if got := e.s.Arena.InUse(); got != 0 {
			t.Fatalf("memory of a faulted partition: got %d bytes in use, want 0", got)
		}
	}
	DoomPartition(e.s, partition)
	e.failing = 0
	e.run(5)
	e.empty()
}

func TestNoSpace(t *testing.T) {
	e := newEngine(t, 8<<20)
	partition := e.partition(components.LevelWritten, 1<<20)
	row := e.row(partition)
	e.space = 0
	conn := e.send(partition, plain(1, 100))
	e.run(2)
	e.tick()
	e.want(conn, wire.StatusCannotAppendMessage)
	e.disk()
	if n := e.s.Partitions.Segments[row].Len(); n != 0 || len(e.files) != 0 {
		t.Fatalf("after a segment that could not be made: got %d segments, %d files, want none", n, len(e.files))
	}
	e.space = 1 << 30
	conn = e.send(partition, plain(1, 100))
	e.run(3)
	e.none(conn) // growth is tried again after a while
	e.s.Now.MonoMicros += growRetryMicros
	e.run(5)
	e.want(conn, wire.StatusOK)
}

// When the next segment cannot be made, a batch that is small enough still goes behind the last one, whose last block may have left memory.
func TestNoSpaceForTheNextSegment(t *testing.T) {
	for _, cold := range []bool{false, true} {
		e := newEngine(t, 4<<20)
		partition := e.partition(components.LevelWritten, 1<<20)
		row := e.row(partition)
		e.settle(e.send(partition, plain(1, 900_000)))
		e.s.Now.MonoMicros += idleMicros
		e.run(5)
		if !e.s.Partitions.Vouched[row] {
			t.Fatal("an idle partition: got it without a voucher")
		}
		if cold {
			e.s.Evict(8 << 20)
			e.s.Evict(8 << 20)
			if !e.s.Partitions.TailCold[row] {
				t.Fatal("an idle partition after eviction: got its last block in memory")
			}
		}
		e.space = 0
		conn := e.send(partition, plain(1, 500_000))
		e.tick()
		e.s.Evict(8 << 20) // while the segment is being made
		e.s.Evict(8 << 20)
		e.disk()
		e.tick()
		e.want(conn, wire.StatusCannotAppendMessage)
		e.s.Now.MonoMicros += growRetryMicros
		if r := e.settle(e.send(partition, plain(1, 100))); r.Kind != components.ReplySent || r.Offset != 1 {
			t.Fatalf("small batch behind the last segment: got %+v", r)
		}
		at, messages, _ := e.messages(e.body(e.settle(e.poll(partition, wire.Strategy{Kind: wire.PollLast}, 1, false))))
		if at != 1 || len(messages) != 1 {
			t.Fatalf("poll: got %d messages from %d, want 1 from 1", len(messages), at)
		}
	}
}

// A voucher that was asked for in an idle moment may come back when the partition is in its next segment.
func TestIdleVoucherComesBackLate(t *testing.T) {
	e := newEngine(t, 8<<20)
	partition := e.partition(components.LevelWritten, 1<<20)
	row := e.row(partition)
	e.settle(e.send(partition, plain(1, 600_000)))
	e.run(2)
	e.s.Now.MonoMicros += idleMicros
	e.tick()
	if !e.s.Partitions.Vouching[row] || e.s.Out.Vouch.Len() != 1 {
		t.Fatalf("an idle partition: got %d vouchers ordered, want 1", e.s.Out.Vouch.Len())
	}
	conn := e.send(partition, plain(1, 600_000))
	for range 5 { // rolls; nobody vouches
		e.tick()
		e.grow()
		e.write()
	}
	e.want(conn, wire.StatusOK)
	e.disk()
	e.tick()
	if e.s.Partitions.Vouching[row] {
		t.Fatal("voucher of the segment before: got it in the making for ever")
	}
	e.s.Now.MonoMicros += idleMicros
	e.run(3)
	if !e.s.Partitions.Vouched[row] {
		t.Fatal("an idle partition: got it without a voucher")
	}
	DoomPartition(e.s, partition)
	e.run(5)
	e.empty()
}

// A segment that is complete is vouched for at once, however many partitions want a voucher that is not due.
func TestCompleteSegmentIsVouchedForAtOnce(t *testing.T) {
	e := newEngine(t, 8<<20)
	partition, busy := e.partition(components.LevelWritten, 1<<20), e.partition(components.LevelWritten, 1<<20)
	e.settle(e.send(partition, plain(1, 600_000)))
	e.settle(e.send(busy, plain(1, 100)))
	e.run(2)
	if n := len(e.vouched); n != 0 {
		t.Fatalf("partitions that are not idle: got %d vouchers, want none", n)
	}
	e.settle(e.send(partition, plain(1, 600_000))) // rolls
	e.run(2)
	if n := len(e.vouched); n != 1 {
		t.Fatalf("a complete segment: got %d vouchers, want 1", n)
	}
	e.s.Now.MonoMicros += idleMicros
	e.run(2)
	if n := len(e.vouched); n != 3 {
		t.Fatalf("idle partitions: got %d vouchers, want one more each", n-1)
	}
}

// A voucher says that all before it is safe, so segments are vouched for one after the other, whatever an attempt comes to.
func TestVouchersInOrder(t *testing.T) {
	e := newEngine(t, 8<<20)
	partition := e.partition(components.LevelWritten, 1<<20)
	row := e.row(partition)
	for range 3 { // three segments; nobody vouches
		conn := e.send(partition, plain(1, 600_000))
		for range 5 {
			e.tick()
			e.grow()
			e.write()
		}
		e.want(conn, wire.StatusOK)
	}
	e.s.Now.MonoMicros += idleMicros
	e.tick()
	p := &e.s.Partitions
	for i := range p.Segments[row].Len() {
		for _, errno := range []syscall.Errno{syscall.EMFILE, 0} {
			if n := e.s.Out.Vouch.Len(); n != 1 {
				t.Fatalf("segment %d: got %d vouchers ordered, want 1", i, n)
			}
			if got, want := e.s.Out.Vouch.Front().Segment, p.Segments[row].At(i); got != want {
				t.Fatalf("voucher %d: got segment %d, want %d", i, got, want)
			}
			e.vouch(errno)
			e.tick()
			if errno != 0 {
				if n := e.s.Out.Vouch.Len(); n != 0 || e.s.Deadline == 0 {
					t.Fatalf("after an attempt that failed: got %d vouchers at once and deadline %d, want none and one", n, e.s.Deadline)
				}
				e.s.Now.MonoMicros += idleMicros
				e.tick()
			}
		}
	}
	if !p.Vouched[row] || e.s.Out.Vouch.Len() != 0 {
		t.Fatal("after the voucher of the last segment: got it asking for more")
	}
}

// What recovery found without a voucher is synced from there on, and not only the segment that is written.
func TestVouchersOfRecoveredSegments(t *testing.T) {
	e := newEngine(t, 8<<20)
	partition := e.partition(components.LevelWritten, 1<<20)
	found := components.Recovered{VouchFrom: 12, OffsetNext: 40}
	for i := range uint64(4) {
		found.Segments = append(found.Segments, components.RecoveredSegment{ID: 11 + i, Base: 10 * i, Next: 10 * (i + 1), End: 8192, Allocated: 8192})
	}
	RestorePartition(e.s, e.row(partition), &found)
	e.s.Now.MonoMicros += idleMicros
	e.run(8)
	var got []uint64
	for _, order := range e.vouched {
		got = append(got, order.File.SegmentID)
	}
	if want := []uint64{12, 13, 14}; !slices.Equal(got, want) {
		t.Fatalf("vouchers: got segments %d, want %d", got, want)
	}
}

func TestRequestsExpire(t *testing.T) {
	e := newEngine(t, 8<<20)
	partition := e.partition(components.LevelWritten, 1<<20)
	row := e.row(partition)
	for range 3 {
		e.settle(e.send(partition, plain(1, 600_000)))
	}
	e.s.Now.MonoMicros += idleMicros
	e.run(5)
	e.s.Evict(8 << 20)
	e.s.Evict(8 << 20)
	conn := e.send(partition, plain(1, 100))
	for range 5 {
		e.tick()
		e.grow()
		e.readTails()
	}
	if !e.s.Partitions.Writing(row) {
		t.Fatal("send: got no write in flight")
	}
	poll := e.poll(partition, wire.Strategy{Kind: wire.PollFirst}, 1, true)
	e.tick()
	cold := e.s.Out.Cold.Pop()
	store := e.ask(components.Request{Kind: components.RequestStoreOffset, Partition: partition, Offset: 1, Consumer: components.ConsumerKey{Kind: 1, ID: 9}})
	fenced := e.ask(components.Request{Kind: components.RequestSend, Partition: partition, Fence: 1 << 60})
	e.tick()
	e.s.Now.MonoMicros += waitMicros - 1000
	e.tick()
	for _, c := range []ecs.Entity{conn, poll, store, fenced} {
		e.none(c)
	}
	e.s.Now.MonoMicros += expiryMicros + 1000
	e.tick()
	e.want(conn, wire.StatusCannotSaveMessagesToSegment)
	e.want(poll, wire.StatusCannotReadMessage)
	e.want(store, wire.StatusCannotWriteToFile)
	e.want(fenced, wire.StatusCannotAppendMessage)

	late := e.send(partition, plain(1, 100))
	e.tick()
	e.none(late)
	if got := e.s.Partitions.OffsetNext[row]; got != 4 {
		t.Fatalf("append behind a write that does not return: got next offset %d, want 4", got)
	}
	// What was given up returns after all: nobody is answered twice, nothing leaks.
	e.s.In.ColdReads.Push(e.coldRead(cold))
	e.write()
	e.writeOffsets()
	e.run(5)
	e.want(late, wire.StatusOK)
	if len(e.replies) != 0 || e.s.Polls.Live != 0 {
		t.Fatalf("after late returns: got %d answers and %d polls, want none", len(e.replies), e.s.Polls.Live)
	}
	DoomPartition(e.s, partition)
	e.run(5)
	e.empty()
}

// A send that waits for room is looked at again in time to be refused, though nothing comes back meanwhile.
func TestWaitingSendKeepsItsTime(t *testing.T) {
	e := newEngine(t, 8<<20)
	partition := e.partition(components.LevelWritten, 1<<20)
	conn := e.send(partition, plain(1, 100))
	since := e.s.Now.MonoMicros
	for e.tick(); len(e.replies) == 0; e.tick() { // nobody makes the file that it asks for
		if due := e.s.Deadline; due <= e.s.Now.MonoMicros || due > since+waitMicros {
			t.Fatalf("after %d µs: got deadline %d, want a later one, %d at most", e.s.Now.MonoMicros-since, due, since+waitMicros)
		}
		e.s.Now.MonoMicros = e.s.Deadline
	}
	e.want(conn, wire.StatusCannotAppendMessage)
}

// A batch that is young enough but not on disk yet is found behind older ones that are on disk alone.
func TestPollByTimeBeyondTheDisk(t *testing.T) {
	for _, size := range []int{100, 600_000} { // in the same segment, and in the next
		e := newEngine(t, 8<<20)
		partition := e.partition(components.LevelMemory, 1<<20)
		e.settle(e.send(partition, plain(2, size)))
		e.s.Now.MonoMicros += lazyMicros
		e.run(5)
		e.s.Now.MonoMicros += idleMicros
		e.run(5)
		e.s.Evict(8 << 20)
		e.s.Evict(8 << 20)
		conn := e.send(partition, plain(3, size/4))
		for range 6 {
			e.tick()
			e.grow()
			e.readTails()
			e.freeReads()
		}
		e.want(conn, wire.StatusOK)
		if e.s.Partitions.OffsetWritten[e.row(partition)] != 2 {
			t.Fatal("second batch: got it written, want it in memory alone")
		}
		poll := e.poll(partition, wire.Strategy{Kind: wire.PollTimestamp, Value: e.s.Now.WallMicros - 70}, 10, false)
		for range 5 {
			e.tick()
			e.read()
			e.freeReads()
		}
		r, ok := e.replies[poll]
		if !ok {
			t.Fatal("poll: got no answer")
		}
		if at, messages, _ := e.messages(e.body(r)); at != 2 || len(messages) != 3 {
			t.Fatalf("poll: got %d messages from %d, want 3 from 2", len(messages), at)
		}
	}
}

// A log that is being appended to without a pause still gives way to what comes, large batches in little memory too.
func TestLargeBatchesInLittleMemory(t *testing.T) {
	e := newEngine(t, 3<<20)
	partition := e.partition(components.LevelWritten, 1<<30)
	for i := range uint64(20) {
		if r := e.settle(e.send(partition, plain(1, 2_000_000))); r.Kind != components.ReplySent || r.Offset != i {
			t.Fatalf("send %d: got %+v", i, r)
		}
	}
	for i := range uint64(20) {
		at, messages, _ := e.messages(e.body(e.settle(e.poll(partition, wire.Strategy{Kind: wire.PollOffset, Value: i}, 1, false))))
		if at != i || len(messages) != 1 {
			t.Fatalf("poll at %d: got %d messages from %d", i, len(messages), at)
		}
	}
}

func TestDeletingWithEverythingUnderWay(t *testing.T) {
	for seed := range uint64(30) {
		random := rand.New(rand.NewPCG(seed, 3))
		e := newEngine(t, 8<<20)
		partition := e.partition(components.Level(seed%3), 1<<20)
		for range 3 {
			e.settle(e.send(partition, plain(1, 600_000)))
		}
		e.s.Now.MonoMicros += idleMicros
		e.run(5)
		if random.IntN(2) == 0 {
			e.s.Evict(8 << 20)
			e.s.Evict(8 << 20)
		}
		asked := 1
		for range 3 {
			e.send(partition, plain(1, random.IntN(600_000)))
			e.poll(partition, wire.Strategy{Kind: wire.PollFirst}, 2, true)
			e.poll(partition, wire.Strategy{Kind: wire.PollLast}, 2, true)
			asked += 3
			for range random.IntN(3) {
				e.tick()
				if random.IntN(2) == 0 {
					e.grow()
				}
			}
		}
		DoomPartition(e.s, partition)
		e.ask(components.Request{Kind: components.RequestStoreOffset, Partition: partition, Offset: 1})
		for range 30 {
			e.tick()
			for conn, r := range e.replies {
				if r.Kind == components.ReplyBlock {
					e.body(r)
				}
				delete(e.replies, conn)
				asked--
			}
			e.disk()
		}
		if asked != 0 {
			t.Fatalf("seed %d: answers: got %d too few", seed, asked)
		}
		e.empty()
	}
}

func TestOffsetRules(t *testing.T) {
	e := newEngine(t, 8<<20)
	partition := e.partition(components.LevelMemory, 1<<20)
	store := func(kind uint8, id uint32, offset uint64) ecs.Entity {
		return e.ask(components.Request{Kind: components.RequestStoreOffset, Partition: partition, Offset: offset, Consumer: components.ConsumerKey{Kind: kind, ID: id}})
	}
	status := func(conn ecs.Entity) wire.Status { return e.settleIdle(conn).Status }
	if got := status(store(1, 1, 0)); got != wire.StatusInvalidOffset {
		t.Errorf("store for a partition without messages: got %v, want %v", got, wire.StatusInvalidOffset)
	}
	e.settle(e.send(partition, plain(5, 10)))
	for id := range uint32(3) {
		if got := status(store(1, id, 4)); got != wire.StatusOK {
			t.Errorf("store: got %v", got)
		}
	}
	if got := status(store(1, 0, 5)); got != wire.StatusInvalidOffset {
		t.Errorf("store beyond the last message: got %v, want %v", got, wire.StatusInvalidOffset)
	}
	if got := status(store(1, 3, 0)); got != wire.StatusTooManyConsumerOffsets {
		t.Errorf("fourth key of three: got %v, want %v", got, wire.StatusTooManyConsumerOffsets)
	}
	if offsetsFull(e.s, e.row(partition), components.ConsumerKey{Kind: wire.ConsumerGroup, ID: 3}) {
		t.Error("key of another kind: got no room for it")
	}
	if got := status(store(wire.ConsumerGroup, 3, 0)); got != wire.StatusConsumerGroupPartitionNotOwned {
		t.Errorf("key of a group that is not there: got %v, want %v", got, wire.StatusConsumerGroupPartitionNotOwned)
	}
	if got := status(store(1, 2, 0)); got != wire.StatusOK {
		t.Errorf("store that moves back: got %v", got)
	}
	poll := components.Request{Kind: components.RequestPoll, Partition: partition, Strategy: wire.Strategy{Kind: wire.PollFirst}, Count: 2, AutoCommit: true,
		Consumer: components.ConsumerKey{Kind: 1, ID: 77}}
	if got := status(e.ask(poll)); got != wire.StatusTooManyConsumerOffsets {
		t.Errorf("poll that commits a fourth key: got %v, want %v", got, wire.StatusTooManyConsumerOffsets)
	}
	poll.Consumer.ID = 1
	e.body(e.settleIdle(e.ask(poll)))
	if at, _ := e.s.Offsets.Find(partition, poll.Consumer); e.s.Offsets.Value[at] != 4 {
		t.Errorf("commit below what is stored: got %d, want 4", e.s.Offsets.Value[at])
	}
	remove := components.Request{Kind: components.RequestDeleteOffset, Partition: partition, Consumer: components.ConsumerKey{Kind: 1, ID: 1}}
	if got := status(e.ask(remove)); got != wire.StatusOK {
		t.Errorf("delete: got %v", got)
	}
	if got := status(e.ask(remove)); got != wire.StatusConsumerOffsetNotFound {
		t.Errorf("second delete: got %v, want %v", got, wire.StatusConsumerOffsetNotFound)
	}
	remove.Consumer = components.ConsumerKey{Kind: wire.ConsumerGroup, ID: 3}
	e.s.Offsets.Set(partition, remove.Consumer, 1, 1) // as the group that has gone left it
	if got := status(e.ask(remove)); got != wire.StatusConsumerGroupPartitionNotOwned {
		t.Errorf("delete for a group that is not there: got %v, want %v", got, wire.StatusConsumerGroupPartitionNotOwned)
	}
	if got := status(store(1, 3, 0)); got != wire.StatusOK {
		t.Errorf("key in a place that became free: got %v", got)
	}
}

func TestFailedOffsetLog(t *testing.T) {
	e := newEngine(t, 8<<20)
	partition := e.partition(components.LevelWritten, 1<<20)
	e.settle(e.send(partition, plain(5, 10)))
	store := components.Request{Kind: components.RequestStoreOffset, Partition: partition, Offset: 1, Consumer: components.ConsumerKey{Kind: 1, ID: 1}}
	first := e.ask(store)
	e.tick()
	second := e.ask(store) // behind the write in flight
	e.tick()
	e.s.In.OffsetsDone.Push(components.OffsetsWritten{Order: e.s.Out.Offsets.Order, Err: syscall.EIO})
	e.s.Out.Offsets = components.OffsetsOrder{}
	e.tick()
	e.want(first, wire.StatusCannotWriteToFile)
	e.want(second, wire.StatusCannotWriteToFile)
	third := e.ask(store)
	e.tick()
	e.want(third, wire.StatusCannotWriteToFile)
	e.run(3)
	e.s.Stopping = true
	e.run(5)
	if left := Undone(e.s); left != "" {
		t.Errorf("a stopping shard whose offset log failed: got it waiting for %s, want nothing", left)
	}
}

// A shard that stops does not wait for a voucher that cannot be written.
func TestStopWithoutVoucher(t *testing.T) {
	e := newEngine(t, 8<<20)
	partition := e.partition(components.LevelWritten, 1<<20)
	e.settle(e.send(partition, plain(5, 10)))
	Stop(e.s)
	for range 5 {
		e.tick()
		for e.s.Out.Vouch.Len() > 0 {
			e.vouch(syscall.ENOSPC)
		}
	}
	if left := Undone(e.s); left != "" {
		t.Error("a stopping shard: got it asking for a voucher again and again")
	}
}

// A frame that takes several ticks to check keeps the shard awake.
func TestVerifySpansTicks(t *testing.T) {
	e := newEngine(t, 8<<20)
	s := e.s
	body := append(wire.AppendSendMessages(nil, wire.SendMessages{Stream: wire.IdentOf(1), Topic: wire.IdentOf(1), MessagesCount: 1,
		Partitioning: wire.Partitioning{Kind: wire.PartitionNumbered}}), plain(1, verifyBudget+1000)...)
	frame := append(wire.AppendRequestHeader(nil, wire.RequestHeader{Command: wire.FrameRequest, Operation: wire.OpSendMessages, Session: 1, Request: 1,
		Client: wire.U128{Lo: 1}, Size: uint32(wire.FrameHeaderSize + len(body))}), body...)
	conn, row := s.Conns.Insert(1, s.TCPAddress, s.TCPAddress)
	s.Conns.Session[row] = 1
	span := e.frames.Slice(0, uint32(len(frame)))
	copy(s.Memory.Bytes(span), frame)
	s.In.Frames.Push(components.FrameIn{Conn: conn, Frame: span})
	TakeFrames(s)
	var v Verifier
	ticks := 0
	for s.Routable.Len() == 0 {
		s.Deadline = 0
		VerifyFrames(s, &v)
		if ticks++; s.Routable.Len() == 0 && s.Deadline == 0 {
			t.Fatal("a frame that is not checked to its end: got a shard that sleeps")
		}
	}
	if ticks < 2 || s.Conns.Check[row] != wire.StatusOK {
		t.Fatalf("check: got %v after %d ticks, want %v after 2 at least", s.Conns.Check[row], ticks, wire.StatusOK)
	}
}

// The data path allocates nothing once it has seen its load.
func TestDataPathAllocatesNothing(t *testing.T) {
	for _, level := range []components.Level{components.LevelMemory, components.LevelWritten, components.LevelDurable} {
		t.Run(fmt.Sprint(level), func(t *testing.T) {
			e := newEngine(t, 32<<20)
			s := e.s
			partition := e.partition(level, 1<<30)
			row := e.row(partition)
			batch := plain(10, 1000)
			span := e.frames.Slice(0, uint32(len(batch)))
			next := uint64(0)
			wrote := func() {
				for row := range s.Out.Write.All {
					s.Out.Write.Clear(row)
					_, _, sealed := s.View().Sealed(row)
					s.In.Wrote.Push(components.Wrote{Partition: partition, SegmentID: s.View().WriteFile(row).SegmentID, To: sealed})
				}
				e.grow()
				s.Out.Index.Clear()
			}
			tick := func() {
				s.Now.WallMicros += lazyMicros
				s.Now.MonoMicros += lazyMicros
				s.Deadline = 0
				e.systems()
				for s.Replies.Len() > 0 {
					r := s.Replies.Pop()
					switch {
					case r.Kind == components.ReplyBlock:
						s.FreeBlock(r.Block.Row)
					case r.Kind != components.ReplySent:
						t.Fatalf("reply: got %+v", r)
					}
				}
				wrote()
			}
			load := func() {
				copy(s.Memory.Bytes(span), batch)
				s.Take(components.Request{Kind: components.RequestSend, Partition: partition, Batch: span, Count: 10, Conn: 1, Since: s.Now.MonoMicros})
				tick()
				tick()
				for _, strategy := range []wire.Strategy{{Kind: wire.PollLast}, {Kind: wire.PollOffset, Value: next}, {Kind: wire.PollNext}, {Kind: wire.PollTimestamp, Value: s.Now.WallMicros - 10*lazyMicros}} {
					s.Take(components.Request{Kind: components.RequestPoll, Partition: partition, Strategy: strategy, Count: 15, Conn: 1, AutoCommit: true,
						Since: s.Now.MonoMicros, Consumer: components.ConsumerKey{Kind: 1, ID: 1}})
				}
				tick()
				s.OffsetsPending = s.OffsetsPending[:0]
				next = s.Partitions.OffsetNext[row] - 5
			}
			for range 4000 {
				load()
			}
			if got := testing.AllocsPerRun(200, load); got != 0 {
				t.Errorf("a tick of sends and polls: got %v allocations, want 0", got)
			}
		})
	}
}

// A tick of a shard with thousands of partitions that were all written to within the last second.
func BenchmarkVouchersNotDue(b *testing.B) {
	e := newEngine(b, 1<<30)
	for range 4000 {
		e.send(e.partition(components.LevelWritten, 1<<20), plain(1, 100))
		if e.conns%200 == 0 {
			e.run(4)
		}
	}
	if got := e.s.Unvouched.Len(); got != 4000 {
		b.Fatalf("partitions that want a voucher: got %d, want 4000", got)
	}
	for b.Loop() {
		OrderVouchers(e.s)
	}
}

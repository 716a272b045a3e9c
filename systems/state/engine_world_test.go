package state

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"syscall"
	"testing"

	"galgo/components"
	"galgo/ecs"
	"galgo/wire"
)

// engine is one shard's data path with a disk that does what the test says: operations wait in it until disk is called.
type engine struct {
	t      testing.TB
	s      *components.State
	reads  *components.Arena // memory of the storage side
	frames components.Span   // where requests are put together
	filled uint32
	poller Poller
	hasher wire.BatchHasher
	ids    ecs.Entities

	files   map[uint64][]byte // by segment id
	index   []components.IndexMark
	vouched []components.VouchOrder
	space   uint64        // bytes that files may still grow by
	failing syscall.Errno // of writes
	noSpare bool          // there is no memory for reads that are not worth waiting for
	replies map[ecs.Entity]components.Reply
	conns   uint64
}

func newEngine(t testing.TB, memory uint64) *engine {
	e := &engine{t: t, files: map[uint64][]byte{}, space: math.MaxUint64, replies: map[ecs.Entity]components.Reply{}}
	shared := components.NewShared(2 * memory)
	shared.Memory.Add(make([]byte, 2*memory), 1<<40)
	shared.Memory.Add(make([]byte, 64<<20), 2<<40)
	shared.Memory.Add(make([]byte, 32<<20), 3<<40)
	cfg := &components.Config{Shards: 1, Run: 1, Secret: 7, FrameMax: wire.FrameSizeMax, ConnectionsMax: 256, OffsetsMax: 3, DefaultLevel: components.LevelWritten}
	facts, orders := components.NewExchange(cfg)
	e.s = components.NewState(cfg, shared, components.NewArena(shared.Memory, 0, components.NewBudget(memory), nil), components.NewCatalog(), facts, orders)
	e.s.Log = quiet{}
	e.s.Now = ecs.Time{WallMicros: 1_000_000, MonoMicros: 1_000_000}
	e.reads = components.NewArena(shared.Memory, 1, components.NewBudget(64<<20), nil)
	e.frames = components.Span{Slab: 2, Len: 32 << 20}
	return e
}

// partition makes a partition of this shard.
func (e *engine) partition(level components.Level, segmentSize uint64) ecs.Entity {
	s := e.s
	entity := e.ids.Take()
	row := s.Partitions.Insert(entity)
	s.Sends.Grow(s.Partitions.Cap())
	s.Acks.Grow(s.Partitions.Cap())
	s.Marks.Grow(s.Partitions.Cap())
	s.Partitions.Level[row], s.Partitions.OffsetLevel[row], s.Partitions.SegmentSize[row] = level, level, segmentSize
	s.Counters.Reach(entity)
	s.Publish(row)
	return entity
}

func (e *engine) row(partition ecs.Entity) int { return e.s.Partitions.MustRow(partition) }

// ask gives a request to the shard as a partition's owner, and returns who asked.
func (e *engine) ask(r components.Request) ecs.Entity {
	e.conns++
	r.Conn, r.Since = ecs.Entity(e.conns), e.s.Now.MonoMicros
	e.s.Take(r)
	return r.Conn
}

// send asks for a batch to be appended.
func (e *engine) send(partition ecs.Entity, batch []byte) ecs.Entity {
	header, _ := wire.DecodeBatchHeader(batch)
	if e.filled+uint32(len(batch)) > e.frames.Len {
		e.filled = 0 // whoever used it was answered long ago
	}
	span := e.frames.Slice(e.filled, uint32(len(batch)))
	e.filled += uint32(components.AlignUp(uint64(len(batch))))
	copy(e.s.Memory.Bytes(span), batch)
	return e.ask(components.Request{Kind: components.RequestSend, Partition: partition, Batch: span, Count: header.MessageCount})
}

func (e *engine) poll(partition ecs.Entity, strategy wire.Strategy, count uint32, commit bool) ecs.Entity {
	return e.ask(components.Request{Kind: components.RequestPoll, Partition: partition, Strategy: strategy, Count: count, AutoCommit: commit,
		Consumer: components.ConsumerKey{Kind: wire.ConsumerSingle, ID: 1}})
}

// tick runs the data path's state systems once, in the order of the schedule, and takes the replies.
func (e *engine) tick() {
	s := e.s
	s.Now.WallMicros += 10
	s.Now.MonoMicros += 10
	s.Deadline = 0
	e.systems()
	for s.Replies.Len() > 0 {
		r := s.Replies.Pop()
		if _, ok := e.replies[r.Conn]; ok {
			e.t.Fatalf("connection %d: got a second answer %+v", r.Conn, r)
		}
		e.replies[r.Conn] = r
	}
}

func (e *engine) systems() {
	s := e.s
	TakeWrites(s)
	TakeGrown(s)
	TakeTails(s)
	TakeVouched(s)
	TakeOffsetsWritten(s)
	TakeRemoved(s)
	TakeRequests(s)
	FinishPurges(s)
	AppendBatches(s, &e.hasher)
	FinishPolls(s, &e.poller)
	AnswerPolls(s, &e.poller)
	RetireSegments(s)
	ReapPartitions(s)
	SealOffsets(s)
	SealJournals(s)
	OrderVouchers(s)
	AckSends(s)
	Upkeep(s)
}

// disk does everything that was ordered.
func (e *engine) disk() {
	e.grow()
	e.write()
	e.read()
	e.readTails()
	e.writeOffsets()
	s := e.s
	for s.Out.Index.Len() > 0 {
		e.index = append(e.index, s.Out.Index.Pop())
	}
	for s.Out.Vouch.Len() > 0 {
		e.vouch(0)
	}
	for s.Out.Unlink.Len() > 0 {
		if unlink := s.Out.Unlink.Pop(); unlink.Last {
			s.In.Removed.Push(unlink.Partition)
		} else {
			delete(e.files, unlink.File.SegmentID)
		}
	}
	e.freeReads()
}

func (e *engine) freeReads() {
	for e.s.Out.FreeCold.Len() > 0 {
		e.reads.Free(e.s.Out.FreeCold.Pop())
	}
}

func (e *engine) grow() {
	v := e.s.View()
	for row := range e.s.Out.Make.All {
		e.s.Out.Make.Clear(row)
		file, to, _ := v.AheadFile(row)
		made := components.Grown{Partition: v.PartitionAt(row), SegmentID: file.SegmentID}
		if to > e.space {
			made.Err = syscall.ENOSPC
		} else {
			e.space -= to
			made.Allocated = to
		}
		e.s.In.Grown.Push(made)
	}
	for row := range e.s.Out.Grow.All {
		e.s.Out.Grow.Clear(row)
		file, to := v.AppendFile(row)
		grown := components.Grown{Partition: v.PartitionAt(row), SegmentID: file.SegmentID, Allocated: v.Allocated(row)}
		if need := to - grown.Allocated; need > e.space {
			grown.Err = syscall.ENOSPC
		} else {
			e.space -= need
			grown.Allocated = to
		}
		e.s.In.Grown.Push(grown)
	}
}

func (e *engine) write() {
	s, v := e.s, e.s.View()
	for row := range s.Out.Write.All {
		s.Out.Write.Clear(row)
		from, to, sealed := v.Sealed(row)
		id := v.WriteFile(row).SegmentID
		wrote := components.Wrote{Partition: v.PartitionAt(row), SegmentID: id, To: sealed, Err: e.failing}
		if e.failing == 0 {
			file := e.files[id]
			if grown := int(to) - len(file); grown > 0 {
				file = append(file, make([]byte, grown)...)
			}
			at := from
			for span := range func(yield func(components.Span) bool) { v.SealedVectors(row, yield) } {
				at += uint64(copy(file[at:to], s.Memory.Bytes(span)))
			}
			if at != to {
				e.t.Fatalf("write: got bytes up to %d, want %d", at, to)
			}
			e.files[id] = file
		}
		s.In.Wrote.Push(wrote)
	}
}

func (e *engine) vouch(errno syscall.Errno) {
	order := e.s.Out.Vouch.Pop()
	if errno == 0 {
		e.vouched = append(e.vouched, order)
	}
	e.s.In.Vouched.Push(components.Vouched{Partition: order.Partition, Segment: order.Segment, SegmentID: order.File.SegmentID, Position: order.Entry.Position, Err: errno})
}

// read answers cold reads without the help of an index.
func (e *engine) read() {
	for e.s.Out.Cold.Len() > 0 {
		e.s.In.ColdReads.Push(e.coldRead(e.s.Out.Cold.Pop()))
	}
}

func (e *engine) coldRead(order components.ColdOrder) components.ColdRead {
	if order.Position == components.NoPosition {
		order.Position = wire.SegmentHeadSize
	}
	read := components.ColdRead{Slot: order.Slot, Position: order.Position}
	if order.Position >= order.End {
		return read
	}
	if order.Spare && e.noSpare {
		read.Err = syscall.ENOMEM
		return read
	}
	from := components.AlignDown(order.Position)
	size := min(components.AlignUp(order.Position-from+uint64(order.Size)), components.AlignUp(order.End)-from)
	span, ok := e.reads.Alloc(uint32(size))
	if !ok {
		e.t.Fatal("cold read: got no memory")
	}
	copy(e.s.Memory.Bytes(span), e.files[order.File.SegmentID][from:])
	want := min(size, order.End-from)
	read.Memory, read.Span = span, span.Slice(uint32(order.Position-from), uint32(want-(order.Position-from)))
	return read
}

func (e *engine) readTails() {
	v := e.s.View()
	for row := range e.s.Out.ReadTail.All {
		e.s.Out.ReadTail.Clear(row)
		file, position := v.LastBlock(row)
		span, _ := e.reads.Alloc(components.UnitSize)
		copy(e.s.Memory.Bytes(span), e.files[file.SegmentID][position:])
		e.s.In.Tails.Push(components.TailRead{Partition: v.PartitionAt(row), Span: span})
	}
}

func (e *engine) writeOffsets() {
	if order := &e.s.Out.Offsets; len(order.Records) > 0 {
		e.s.In.OffsetsDone.Push(components.OffsetsWritten{Order: order.Order})
		*order = components.OffsetsOrder{}
	}
}

// run ticks with a disk that keeps up.
func (e *engine) run(ticks int) {
	for range ticks {
		e.tick()
		e.disk()
	}
}

// settle runs until conn is answered.
func (e *engine) settle(conn ecs.Entity) components.Reply {
	e.t.Helper()
	for range 2000 {
		if r, ok := e.replies[conn]; ok {
			delete(e.replies, conn)
			return r
		}
		e.run(1)
	}
	e.t.Fatalf("connection %d: got no answer", conn)
	return components.Reply{}
}

// none checks that conn has no answer yet.
func (e *engine) none(conn ecs.Entity) {
	e.t.Helper()
	if r, ok := e.replies[conn]; ok {
		e.t.Fatalf("connection %d: got answer %+v, want none yet", conn, r)
	}
}

// want checks the status that conn was answered with.
func (e *engine) want(conn ecs.Entity, status wire.Status) {
	e.t.Helper()
	r, ok := e.replies[conn]
	delete(e.replies, conn)
	if !ok || r.Kind == components.ReplyStatus && r.Status != status || r.Kind != components.ReplyStatus && status != wire.StatusOK {
		e.t.Fatalf("connection %d: got %v %+v, want status %v", conn, ok, r, status)
	}
}

// at finds the bytes at an address.
func (e *engine) at(address, n uint64) []byte {
	slab := uint32(address>>40) - 1
	return e.s.Memory.Bytes(components.Span{Slab: slab, Off: address & (1<<40 - 1), Len: uint32(n)})
}

// body is the body of a reply with a block, which is let go.
func (e *engine) body(r components.Reply) []byte {
	e.t.Helper()
	if r.Kind != components.ReplyBlock {
		e.t.Fatalf("reply: got %+v, want a block", r)
	}
	var b []byte
	if r.Block.Vectors == 0 {
		b = bytes.Clone(e.s.Memory.Bytes(r.Block.Whole()))
	}
	for i := range r.Block.Vectors {
		vector := e.s.Memory.Bytes(r.Block.Vector(i))
		b = append(b, e.at(binary.LittleEndian.Uint64(vector), binary.LittleEndian.Uint64(vector[8:]))...)
	}
	if uint64(len(b)) != r.Block.Bytes {
		e.t.Fatalf("block: got %d bytes, want %d", len(b), r.Block.Bytes)
	}
	e.s.FreeBlock(r.Block.Row)
	e.freeReads()
	return b[wire.FrameHeaderSize:]
}

// messages checks the form of a poll's reply and returns the offset of its first message and the messages.
func (e *engine) messages(body []byte) (first uint64, messages [][]byte, prefix wire.PollPrefix) {
	e.t.Helper()
	prefix, batches, err := wire.DecodePollPrefix(body)
	if err != nil {
		e.t.Fatal(err)
	}
	var verifier wire.BatchVerifier
	next := uint64(math.MaxUint64)
	for len(batches) > 0 {
		header, err := wire.DecodeBatchHeader(batches)
		if err != nil || header.Length > uint64(len(batches)) {
			e.t.Fatalf("batch: got %+v %v in %d bytes", header, err, len(batches))
		}
		if status := wire.VerifyBatch(batches[:header.Length], header.MessageCount, &verifier); status != wire.StatusOK {
			e.t.Fatalf("batch at %d: got %v", header.BaseOffset, status)
		}
		for rest := batches[wire.BatchHeaderSize:header.Length]; len(rest) > 0; {
			message, _ := wire.DecodeMessageHeader(rest)
			n := wire.MessageHeaderSize + int(message.PayloadLength) + int(message.UserHeadersLength)
			offset := header.BaseOffset + uint64(message.OffsetDelta)
			if next == math.MaxUint64 {
				first, next = offset, offset
			}
			if offset != next {
				e.t.Fatalf("message: got offset %d, want %d", offset, next)
			}
			messages = append(messages, rest[:n])
			next++
			rest = rest[n:]
		}
		batches = batches[header.Length:]
	}
	if uint64(len(messages)) != uint64(prefix.Count) {
		e.t.Fatalf("messages: got %d, and a count of %d", len(messages), prefix.Count)
	}
	return first, messages, prefix
}

// batchOf is a batch of random messages, and they one by one.
func batchOf(random *rand.Rand, count, sizeMax int) (batch []byte, messages [][]byte) {
	var b wire.BatchBuilder
	b.Reset(1)
	for range count {
		payload := make([]byte, random.IntN(sizeMax+1))
		for i := range payload {
			payload[i] = byte(random.Uint32())
		}
		b.Add(wire.U128{Lo: random.Uint64()}, 0, payload, nil)
	}
	batch = b.Bytes()
	for rest := batch[wire.BatchHeaderSize:]; len(rest) > 0; {
		message, _ := wire.DecodeMessageHeader(rest)
		n := wire.MessageHeaderSize + int(message.PayloadLength)
		messages = append(messages, rest[:n])
		rest = rest[n:]
	}
	return batch, messages
}

// empty checks that nothing is left of a partition that was deleted, nor of anything else.
func (e *engine) empty() {
	e.t.Helper()
	s := e.s
	if s.Partitions.Len() != 0 || s.Arena.InUse() != 0 || e.reads.InUse() != 0 || s.Polls.Live != 0 {
		e.t.Fatalf("at the end: got %d partitions, %d bytes of journals, %d bytes of reads, %d polls, want none",
			s.Partitions.Len(), s.Arena.InUse(), e.reads.InUse(), s.Polls.Live)
	}
	if s.Acks.Total()+s.Sends.Total()+s.Marks.Total()+s.Stored.Len() != 0 {
		e.t.Fatalf("at the end: got %d acks, %d sends, %d marks, %d offset writes waiting, want none", s.Acks.Total(), s.Sends.Total(), s.Marks.Total(), s.Stored.Len())
	}
	if len(e.files) != 0 {
		e.t.Fatalf("at the end: got %d files, want none", len(e.files))
	}
}

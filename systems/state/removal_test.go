package state

import (
	"syscall"
	"testing"

	"galgo/components"
	"galgo/ecs"
	"galgo/wire"
)

// partitions lists a topic's partitions in a shard's catalog, by id.
func (w *world) partitions(shard int, stream, topic string) (list []int) {
	c := w.shards[shard].Catalog
	if row, ok := c.StreamNamed([]byte(stream)); ok {
		if row, ok = c.TopicNamed(row, []byte(topic)); ok {
			for partition := range c.PartitionsByID(row) {
				list = append(list, partition)
			}
		}
	}
	return list
}

// A purge of many partitions is decided a few at a time, so that what others ask for is answered meanwhile.
func TestPurgeOfManyPartitions(t *testing.T) {
	w := newWorld(t, 3)
	c, other := w.root(1, 1), w.root(2, 2)
	c.must(wire.OpCreateStream, streamBody("s"))
	c.must(wire.OpCreateTopic, topicBody("s", "t", 1000))
	c.ask(wire.OpPurgeTopic, topicRef("s", "t"))
	most, applied := uint64(0), w.shards[0].Catalog.Applied
	for tick := 0; !c.answered(); tick++ {
		if tick == 100 {
			t.Fatal("got no answer in 100 ticks")
		}
		decided := w.control().Decided.Applied
		w.tick()
		most = max(most, w.control().Decided.Applied-decided)
		if w.writes > 0 {
			w.wrote(0)
		}
		if tick == 1 {
			other.ask(wire.OpCreateStream, streamBody("x"))
		}
	}
	if most > stepsPerTick+decisionsPerAsk {
		t.Errorf("events decided in a tick: got %d, want %d at most", most, stepsPerTick)
	}
	if got := w.shards[0].Catalog.Applied - applied; got != 1001 || !other.answered() {
		t.Errorf("when the purge is answered: got %d events, the other answered %v, want 1001 and true", got, other.answered())
	}
	h := header(t, c.reply())
	if _, status := result(t, other.reply()); status != wire.StatusOK || h.Operation != wire.OpPurgeTopic || h.Op != w.shards[0].Catalog.Applied {
		t.Errorf("answers: got status %d, header %+v", status, h)
	}
	w.settle()
	for shard := range w.shards {
		for _, row := range w.partitions(shard, "s", "t") {
			if got := w.shards[shard].Catalog.Partitions.Epoch[row]; got != 1 {
				t.Fatalf("shard %d: got epoch %d of a partition, want 1", shard, got)
			}
		}
	}
	c.must(wire.OpPurgeStream, wire.AppendIdent(nil, named("s")))
	if got := w.shards[2].Catalog.Partitions.Epoch[w.partitions(2, "s", "t")[999]]; got != 2 {
		t.Errorf("after the stream is purged: got epoch %d, want 2", got)
	}
	c.must(wire.OpPurgeStream, wire.AppendIdent(nil, named("x"))) // nothing in it
	w.equalCatalogs()
}

// What is purged and deleted at once is gone, and both are answered.
func TestPurgeMeetsDeletion(t *testing.T) {
	w := newWorld(t, 2)
	c, d := w.root(0, 1), w.root(1, 2)
	c.must(wire.OpCreateStream, streamBody("s"))
	c.must(wire.OpCreateTopic, topicBody("s", "t", 1000))
	c.ask(wire.OpPurgeTopic, topicRef("s", "t"))
	w.tick()
	d.ask(wire.OpDeleteStream, wire.AppendIdent(nil, named("s")))
	w.settle()
	for i, conn := range []*testConn{c, d} {
		if _, status := result(t, conn.reply()); status != wire.StatusOK {
			t.Errorf("answer %d: got status %d, want 0", i, status)
		}
	}
	w.equalCatalogs()
}

// A topic, and a stream, too large for one event goes piece by piece, and is gone when that is answered.
func TestDeletionInPieces(t *testing.T) {
	for _, whole := range []bool{false, true} {
		w := newWorld(t, 2)
		c := w.root(1, 1)
		c.must(wire.OpCreateStream, streamBody("s"))
		c.must(wire.OpCreateTopic, topicBody("s", "t", 1000))
		c.must(wire.OpCreateConsumerGroup, wire.AppendCreateConsumerGroup(nil, wire.CreateConsumerGroup{Stream: named("s"), Topic: named("t"), Name: []byte("g")}))
		c.must(wire.OpJoinConsumerGroup, wire.AppendGroupRef(nil, wire.GroupRef{Stream: named("s"), Topic: named("t"), Group: named("g")}))
		for range 2 {
			c.must(wire.OpCreatePartitions, changeBody("s", "t", 1000))
		}
		for _, name := range []string{"u", "v", "w"} {
			c.must(wire.OpCreateTopic, topicBody("s", name, 400))
		}
		op, body, want := wire.OpDeleteTopic, topicRef("s", "t"), 3000
		if whole {
			op, body, want = wire.OpDeleteStream, wire.AppendIdent(nil, named("s")), 4200
		}
		c.ask(op, body)
		for tick := 0; !c.answered(); tick++ {
			if tick == 100 {
				t.Fatal("got no answer in 100 ticks")
			}
			before := w.control().Decided.Partitions.Len()
			w.tick()
			if gone := before - w.control().Decided.Partitions.Len(); gone > stepsPerTick*partitionsPerStep+pieceMax {
				t.Errorf("partitions deleted in a tick: got %d, want few", gone)
			}
			if w.writes > 0 {
				w.wrote(0)
			}
		}
		if _, status := result(t, c.reply()); status != wire.StatusOK {
			t.Errorf("deletion: got status %d, want 0", status)
		}
		left := w.shards[1].Catalog
		if len(left.Removals) != want || len(w.partitions(1, "s", "t")) != 0 || whole != (left.Streams.Len() == 0) {
			t.Errorf("after it: got %d removals, %d streams, want %d", len(left.Removals), left.Streams.Len(), want)
		}
		w.equalCatalogs()
	}
}

// log gives a partition, at its owner, so many closed segments of ten messages and an open one.
func (w *world) log(partition ecs.Entity, closed int) (s *components.State, row int) {
	w.t.Helper()
	for _, s := range w.shards {
		row, ok := s.Partitions.Row(partition)
		if !ok {
			continue
		}
		p := &s.Partitions
		for i := range closed + 1 {
			segment := s.Segments.Add(uint64(i+1), uint64(i)*10, wire.SegmentHeadSize+1000)
			s.Segments.Next[segment] = uint64(i+1) * 10
			p.Segments[row].Append(segment)
		}
		next := uint64(closed+1) * 10
		p.Write[row], p.Written[row], p.Sealed[row] = p.Segments[row].Last(), wire.SegmentHeadSize+1000, wire.SegmentHeadSize+1000
		p.OffsetNext[row], p.OffsetWritten[row], p.Size[row] = next, next, uint64(closed+1)*1000
		return s, row
	}
	w.t.Fatalf("partition %v: got no owner", partition)
	return nil, 0
}

// Shard 0 asks the owner how far segments may go, and logs what it says.
func TestDeleteSegmentsAsksTheOwner(t *testing.T) {
	w := newWorld(t, 3)
	c := w.root(2, 1)
	c.must(wire.OpCreateStream, streamBody("s"))
	c.must(wire.OpCreateTopic, topicBody("s", "t", 3))
	for id := range uint32(3) {
		entity := w.shards[0].Catalog.Partitions.Entity(w.partitions(0, "s", "t")[id])
		owner, row := w.log(entity, 5)
		for _, test := range []struct {
			count  uint32
			stored uint64 // plus one; 0 is none
			first  uint64
			events uint64
		}{{0, 0, 0, 0}, {2, 0, 20, 1}, {2, 29, 20, 0}, {2, 30, 30, 1}, {9, 0, 50, 1}, {9, 0, 50, 0}} {
			owner.Offsets.DeleteAll(entity)
			if test.stored > 0 {
				owner.Offsets.Set(entity, components.ConsumerKey{Kind: wire.ConsumerSingle, ID: 7}, test.stored-1, 1)
				owner.Offsets.Set(entity, components.ConsumerKey{Kind: wire.ConsumerGroup, ID: 7}, 59, 1)
			}
			applied := w.shards[0].Catalog.Applied
			c.ask(wire.OpDeleteSegments, segmentsBody("s", "t", id, test.count))
			w.settle()
			r := c.reply()
			if h := header(t, r); h.Operation != wire.OpTruncatePartition {
				t.Errorf("reply: got operation %v, want %v", h.Operation, wire.OpTruncatePartition)
			}
			if _, status := result(t, r); status != wire.StatusOK {
				t.Errorf("%+v: got status %d, want 0", test, status)
			}
			if got := w.shards[0].Catalog.Applied - applied; got != test.events || owner.Partitions.OffsetFirst[row] != test.first {
				t.Errorf("%+v: got %d events and first offset %d", test, got, owner.Partitions.OffsetFirst[row])
			}
			if got := w.shards[1].Catalog.Partitions.Removed[w.partitions(1, "s", "t")[id]]; got != test.first {
				t.Errorf("%+v: got removed below %d in the catalog", test, got)
			}
		}
		if got := owner.Partitions.Retired[row].Len(); got != 5 {
			t.Errorf("retired: got %d segments, want 5", got)
		}
	}
	// Sent once more, it is answered from what is kept.
	applied := w.shards[0].Catalog.Applied
	body := segmentsBody("s", "t", 2, 9)
	c.askAs(wire.RequestHeader{Client: c.client, Operation: wire.OpDeleteSegments, Session: c.session, Request: c.number, RequestChecksum: wire.BodyChecksum(body)}, body)
	w.settle()
	if _, status := result(t, c.reply()); status != wire.StatusOK || w.shards[0].Catalog.Applied != applied {
		t.Errorf("replay: got status %d and %d events", status, w.shards[0].Catalog.Applied-applied)
	}
	w.equalCatalogs()
}

// What an owner proposed of a log that is purged before it is decided means nothing; nor does it when the partition is gone.
func TestProposalsThatComeTooLate(t *testing.T) {
	w := newWorld(t, 2)
	c, d := w.root(0, 1), w.root(1, 2)
	c.must(wire.OpCreateStream, streamBody("s"))
	c.must(wire.OpCreateTopic, topicBody("s", "t", 2))
	partition := func(id int) ecs.Entity { return w.shards[0].Catalog.Partitions.Entity(w.partitions(0, "s", "t")[id]) }
	w.log(partition(0), 3)
	w.log(partition(1), 3)
	for i, op := range []wire.Operation{wire.OpPurgeTopic, wire.OpDeleteTopic} {
		c.ask(wire.OpDeleteSegments, segmentsBody("s", "t", uint32(i), 2))
		w.tick() // asked
		d.ask(op, topicRef("s", "t"))
		w.settle()
		for _, conn := range []*testConn{c, d} {
			if _, status := result(t, conn.reply()); status != wire.StatusOK {
				t.Errorf("%v beside a deletion of segments: got status %d, want 0", op, status)
			}
		}
		if i > 0 {
			break
		}
		for _, row := range w.partitions(0, "s", "t") {
			if p := &w.shards[0].Catalog.Partitions; p.Epoch[row] != 1 || p.Removed[row] != 0 {
				t.Errorf("after the purge: got epoch %d, removed below %d, want 1 and 0", p.Epoch[row], p.Removed[row])
			}
		}
	}
	w.equalCatalogs()
}

// An owner speaks of the log that it has then: what it proposed before a purge would take new messages away.
func TestProposalOfThePurgedLog(t *testing.T) {
	w := newWorld(t, 1)
	root := w.root(0, 1)
	root.must(wire.OpCreateStream, streamBody("s"))
	root.must(wire.OpCreateTopic, topicBody("s", "t", 1))
	root.must(wire.OpPurgeTopic, topicRef("s", "t"))
	s, c := w.shards[0], w.control()
	row := w.partitions(0, "s", "t")[0]
	for _, test := range []struct{ epoch, removed uint64 }{{0, 0}, {1, 20}} {
		c.Proposals = []*components.Proposal{{Partition: c.Decided.Partitions.Entity(row), Count: 2, Asked: true,
			Asker: &components.Asker{Since: s.Now.MonoMicros, Told: true}}}
		c.Proposed = &components.Reply{Kind: components.ReplyProposed, Offset: 20, Epoch: test.epoch}
		decideProposals(s)
		if got := c.Decided.Partitions.Removed[row]; got != test.removed || len(c.Proposals) != 0 {
			t.Errorf("proposal of epoch %d: got removed below %d, %d proposals left, want %d and none", test.epoch, got, len(c.Proposals), test.removed)
		}
	}
}

// When the control log fails, what is under way is answered so, in whatever state.
func TestRemovalsWhenTheLogFails(t *testing.T) {
	w := newWorld(t, 1)
	c, d, e := w.root(0, 1), w.root(0, 2), w.root(0, 3)
	c.must(wire.OpCreateStream, streamBody("s"))
	c.must(wire.OpCreateTopic, topicBody("s", "t", 1000))
	w.log(w.shards[0].Catalog.Partitions.Entity(w.partitions(0, "s", "t")[0]), 3)
	c.ask(wire.OpPurgeStream, wire.AppendIdent(nil, named("s")))
	w.tick()
	d.ask(wire.OpDeleteSegments, segmentsBody("s", "t", 999, 2))
	e.ask(wire.OpDeleteSegments, segmentsBody("s", "t", 999, 2))
	w.tick()
	w.wrote(syscall.EIO)
	w.settle()
	for i, conn := range []*testConn{c, d, e} {
		if _, status := result(t, conn.reply()); status != wire.StatusCannotWriteToFile {
			t.Errorf("answer %d: got status %d, want %d", i, status, wire.StatusCannotWriteToFile)
		}
	}
	if n := len(w.control().Series) + len(w.control().Proposals); n != 0 {
		t.Errorf("left to be decided: got %d, want none", n)
	}
	for _, row := range w.partitions(0, "s", "t") {
		if got := w.shards[0].Catalog.Partitions.Epoch[row]; got != 0 {
			t.Fatalf("after the failure: got epoch %d, want 0", got)
		}
	}
}

// Who waits for 20 s is told so, once, and the answer is kept for when it is asked for again.
func TestLateRemovals(t *testing.T) {
	w := newWorld(t, 2)
	c, d := w.root(0, 1), w.root(0, 2)
	c.must(wire.OpCreateStream, streamBody("s"))
	c.must(wire.OpCreateTopic, topicBody("s", "t", 1000))
	c.ask(wire.OpPurgeTopic, topicRef("s", "t"))
	w.tick()
	w.tick() // a write does not return
	d.ask(wire.OpDeleteSegments, segmentsBody("s", "t", 1, 2))
	w.tick()
	w.now.MonoMicros += waitMicros
	for range 3 {
		w.tick()
	}
	for i, conn := range []*testConn{c, d} {
		if _, status := result(t, conn.reply()); status != wire.StatusCannotWriteToFile {
			t.Errorf("late answer %d: got status %d, want %d", i, status, wire.StatusCannotWriteToFile)
		}
	}
	w.wrote(0)
	w.settle()
	if c.answered() || d.answered() {
		t.Error("after the write: got a second answer")
	}
	body := topicRef("s", "t")
	c.askAs(wire.RequestHeader{Client: c.client, Operation: wire.OpPurgeTopic, Session: c.session, Request: c.number, RequestChecksum: wire.BodyChecksum(body)}, body)
	w.settle()
	if _, status := result(t, c.reply()); status != wire.StatusOK {
		t.Errorf("asked again: got status %d, want 0", status)
	}
	w.equalCatalogs()
}

// A tick applies a bounded amount of events, and ends a bounded number of partitions, with what they have stored.
func TestTicksDoABoundedAmount(t *testing.T) {
	w := newWorld(t, 1)
	c := w.root(0, 1)
	s := w.shards[0]
	c.must(wire.OpCreateStream, streamBody("s"))
	for _, name := range []string{"t", "u", "v", "w"} {
		c.must(wire.OpCreateTopic, topicBody("s", name, 1000))
	}
	for _, row := range w.partitions(0, "s", "t") {
		for id := range uint32(16) {
			s.Offsets.Set(s.Catalog.Partitions.Entity(row), components.ConsumerKey{Kind: wire.ConsumerSingle, ID: id}, 1, 1)
		}
	}
	seq := s.Catalog.Applied
	for _, name := range []string{"t", "u", "v", "w"} {
		stream, _ := s.Catalog.StreamNamed([]byte("s"))
		topic, _ := s.Catalog.TopicNamed(stream, []byte(name))
		seq++
		s.Events.Push(&wire.Event{Seq: seq, Kind: wire.EventTopicDeleted, Topic: uint64(s.Catalog.Topics.Entity(topic))})
	}
	for ticks := 0; s.Events.Len() > 0; ticks++ {
		before := s.Catalog.Partitions.Len()
		ApplyEvents(s)
		if gone := before - s.Catalog.Partitions.Len(); gone == 0 || gone > applyMax+pieceMax {
			t.Fatalf("tick %d: got %d partitions taken out of the catalog, want some, %d at most", ticks, gone, applyMax+pieceMax)
		}
	}
	for ticks := 0; s.Partitions.Len() > 0; ticks++ {
		before, stored := s.Partitions.Len(), s.Offsets.Len()
		ReapPartitions(s)
		for s.Out.Unlink.Len() > 0 {
			s.Out.Unlink.Pop()
		}
		ended := before - s.Partitions.Len()
		if dropped := stored - s.Offsets.Len(); ended == 0 || ended > reapMax || dropped > (reapMax+16)*offsetsPerUnit {
			t.Fatalf("tick %d: got %d partitions ended with %d stored offsets, want some, %d at most", ticks, ended, dropped, reapMax)
		}
	}
	if s.Offsets.Len() != 0 || s.Doomed.Len() != 0 {
		t.Errorf("at the end: got %d stored offsets, %d doomed partitions, want none", s.Offsets.Len(), s.Doomed.Len())
	}
}

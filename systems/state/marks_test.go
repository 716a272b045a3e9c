package state

import (
	"syscall"
	"testing"

	"galgo/components"
	"galgo/ecs"
	"galgo/wire"
)

// An entry of the index vouches for what is below it in every boot only where the write was synced.
func TestIndexSaysWhatIsSynced(t *testing.T) {
	for _, level := range []components.Level{components.LevelMemory, components.LevelWritten, components.LevelDurable} {
		e := newEngine(t, 8<<20)
		e.settle(e.send(e.partition(level, 1<<20), plain(1, 300_000)))
		for range idleMicros/lazyMicros + 2 {
			e.s.Now.MonoMicros += lazyMicros
			e.run(1)
		}
		if len(e.index) == 0 {
			t.Fatalf("%v: got no entry, want one of the first record", level)
		}
		if got, want := e.index[0].Entry.Synced, level == components.LevelDurable; got != want {
			t.Errorf("%v: got an entry that says synced %v, want %v", level, got, want)
		}
	}
}

// An entry of the index is written once its record is in the file, and not with the write that ends where the record begins.
func TestIndexFollowsTheLog(t *testing.T) {
	e := newEngine(t, 8<<20)
	partition := e.partition(components.LevelWritten, 4<<20)
	row := e.row(partition)
	first := e.send(partition, plain(1, 300_000))
	for !e.s.Partitions.Writing(row) {
		e.tick()
		e.grow()
	}
	second := e.send(partition, plain(1, 300_000))
	for e.s.Partitions.OffsetNext[row] < 2 {
		e.tick()
		e.grow()
	}
	for i, conn := range []ecs.Entity{first, second} {
		e.none(conn)
		e.s.Now.MonoMicros += markHoldMicros
		e.write()
		e.tick()
		e.want(conn, wire.StatusOK)
		if n := e.s.Out.Index.Len(); n != 1 {
			t.Fatalf("write %d: got %d entries, want 1", i, n)
		}
		if at := e.s.Out.Index.Pop().Entry.Offset; at != uint64(i) {
			t.Errorf("write %d: got an entry of offset %d, want %d", i, at, i)
		}
	}
}

// An index entry of the next segment waits for a write of that segment: one of the segment before says nothing of it.
func TestMarksWaitForTheirOwnWrite(t *testing.T) {
	e := newEngine(t, 8<<20)
	partition := e.partition(components.LevelWritten, 1<<20)
	e.settle(e.send(partition, plain(1, 600_000)))
	e.run(3)
	e.index = nil
	e.s.Now.MonoMicros += markHoldMicros
	e.send(partition, plain(1, 300_000))
	e.tick() // its write waits
	e.send(partition, plain(1, 600_000))
	e.tick()
	e.grow()
	e.tick() // appended to the next segment
	p, row := &e.s.Partitions, e.row(partition)
	if p.Segments[row].Len() != 2 || !p.Writing(row) {
		t.Fatalf("segments: got %d, want 2 and a write in flight", p.Segments[row].Len())
	}
	next := e.s.Segments.ID[p.AppendSegment(row)]
	e.write()
	TakeWrites(e.s)
	for e.s.Out.Index.Len() > 0 {
		if mark := e.s.Out.Index.Pop(); mark.SegmentID == next {
			t.Fatalf("entry %+v: got it before a write of its segment", mark.Entry)
		}
	}
	e.run(5)
	e.s.Now.MonoMicros += idleMicros
	e.run(2)
	found := false
	for _, mark := range e.index {
		found = found || mark.SegmentID == next
	}
	if !found {
		t.Fatal("entry of the next segment: got none after its write")
	}
}

// Entries wait for others while their log is appended to: for so many bytes, for so long, until their segment is complete, and not where many wait. The
// first one of a segment does not.
func TestMarksWaitForOthers(t *testing.T) {
	const batch = 300_000
	count := func(e *engine) int {
		n := len(e.index)
		e.index = nil
		return n
	}
	send := func(e *engine, partition ecs.Entity) int {
		e.settle(e.send(partition, plain(1, batch)))
		e.run(2)
		return count(e)
	}
	written := func(t *testing.T, segment uint64) (*engine, ecs.Entity) {
		e := newEngine(t, 64<<20)
		partition := e.partition(components.LevelWritten, segment)
		for sent, want := range []int{1, 0} {
			if n := send(e, partition); n != want {
				t.Fatalf("batch %d: got %d entries, want that of the segment's first record, and no other yet", sent, n)
			}
		}
		return e, partition
	}

	t.Run("bytes", func(t *testing.T) {
		e, partition := written(t, 64<<20)
		sent := 1
		for len(e.index) == 0 {
			e.settle(e.send(partition, plain(1, batch)))
			e.run(2)
			sent++
		}
		if n := count(e); n != sent || sent*batch < markHold*markBytes || sent*batch > markHold*markBytes+2*batch {
			t.Errorf("got %d entries after %d batches of %d bytes, want all together after %d bytes", n, sent, batch, markHold*markBytes)
		}
	})
	t.Run("time", func(t *testing.T) {
		e, partition := written(t, 64<<20)
		e.s.Now.MonoMicros += markHoldMicros
		if n := send(e, partition); n != 2 {
			t.Errorf("got %d entries, want both of what is written", n)
		}
	})
	t.Run("idleness", func(t *testing.T) {
		e, _ := written(t, 64<<20)
		e.s.Now.MonoMicros += idleMicros
		e.tick()
		if n := e.s.Out.Index.Len(); n != 1 || e.s.Out.Vouch.Len() != 1 {
			t.Errorf("got %d entries and %d vouchers ordered, want one of each", n, e.s.Out.Vouch.Len())
		}
	})
	t.Run("segment", func(t *testing.T) {
		e, partition := written(t, 1<<20)
		for range 2 { // rolls
			e.settle(e.send(partition, plain(1, batch)))
		}
		e.run(2)
		if n := count(e); n != 3 {
			t.Errorf("got %d entries, want both that waited of the segment that is complete, and the next one's first", n)
		}
	})
	t.Run("many", func(t *testing.T) {
		e, partition := written(t, 64<<20)
		for e.s.Marks.Free() >= e.s.Marks.Total() {
			e.s.Marks.Push(e.row(e.partition(components.LevelWritten, 1<<20)), components.IndexMark{})
		}
		if n := send(e, partition); n != 2 {
			t.Errorf("got %d entries, want both of what is written", n)
		}
	})
	t.Run("fault", func(t *testing.T) {
		e, partition := written(t, 64<<20)
		e.failing = syscall.EIO
		e.settle(e.send(partition, plain(1, batch)))
		e.run(1)
		if n := count(e); n != 1 || e.s.Marks.Total() != 0 {
			t.Errorf("got %d entries and %d waiting, want the one of what is written", n, e.s.Marks.Total())
		}
	})
}

// A voucher comes behind all entries of what it vouches for: while there is no room for them there is none.
func TestVoucherWaitsForMarks(t *testing.T) {
	e := newEngine(t, 8<<20)
	partition := e.partition(components.LevelWritten, 1<<20)
	for range 2 {
		e.settle(e.send(partition, plain(1, 300_000)))
		e.run(2)
	}
	e.s.Now.MonoMicros += idleMicros
	full := e.s.Out.Index.Free()
	for range full {
		e.s.Out.Index.Push(components.IndexMark{})
	}
	if e.tick(); e.s.Out.Vouch.Len() != 0 || e.s.Deadline == 0 {
		t.Fatalf("no room for entries: got %d vouchers, deadline %d, want none and to be looked at again", e.s.Out.Vouch.Len(), e.s.Deadline)
	}
	e.s.Out.Index.Clear()
	e.s.Now.MonoMicros += idleMicros
	if e.tick(); e.s.Out.Vouch.Len() != 1 || e.s.Out.Index.Len() != 1 {
		t.Errorf("with room: got %d vouchers and %d entries, want one of each", e.s.Out.Vouch.Len(), e.s.Out.Index.Len())
	}
}

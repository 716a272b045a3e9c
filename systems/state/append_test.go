package state

import (
	"testing"

	"galgo/components"
	"galgo/wire"
)

// A segment takes batches up to its size to the byte, and the first that does not fit begins the next.
func TestSegmentIsFilledToItsSize(t *testing.T) {
	e := newEngine(t, 8<<20)
	batch := plain(1, 1000)
	partition := e.partition(components.LevelWritten, wire.SegmentHeadSize+2*uint64(len(batch)))
	for i, want := range []int{1, 1, 2, 2, 3} {
		e.settle(e.send(partition, batch))
		if got := e.s.Partitions.Segments[e.row(partition)].Len(); got != want {
			t.Errorf("batch %d: got %d segments, want %d", i, got, want)
		}
	}
}

// Messages do not get younger along a log, whatever becomes of the clock: polls by time rely on it.
func TestTimesDoNotFallAlongALog(t *testing.T) {
	e := newEngine(t, 8<<20)
	partition := e.partition(components.LevelWritten, 1<<20)
	row := e.row(partition)
	e.s.Now.WallMicros += 1_000_000
	e.settle(e.send(partition, plain(1, 100)))
	first := e.s.Partitions.TimeLast[row]
	e.s.Now.WallMicros -= 500_000
	e.settle(e.send(partition, plain(1, 100)))
	if got := e.s.Partitions.TimeLast[row]; got != first {
		t.Errorf("the clock was set back: got time %d, want %d as before", got, first)
	}
	e.s.Now.WallMicros += 1_000_000
	e.settle(e.send(partition, plain(1, 100)))
	if got := e.s.Partitions.TimeLast[row]; got <= first {
		t.Errorf("the clock has caught up: got time %d, want a later one than %d", got, first)
	}
}

// At level memory nobody waits for a write, so what is little waits for more, but not for long; what is much does not.
func TestLazyWritesWaitForLittle(t *testing.T) {
	e := newEngine(t, 8<<20)
	partition := e.partition(components.LevelMemory, 1<<20)
	row := e.row(partition)
	e.settle(e.send(partition, plain(1, 100)))
	for range 3 {
		e.tick()
	}
	if due := e.s.Deadline; e.s.Partitions.Writing(row) || due == 0 || due > e.s.Now.MonoMicros+lazyMicros {
		t.Errorf("100 bytes: got writing %v, deadline %d at %d, want it to wait %d µs at most", e.s.Partitions.Writing(row), due, e.s.Now.MonoMicros, lazyMicros)
	}
	e.s.Now.MonoMicros += lazyMicros
	if e.tick(); !e.s.Partitions.Writing(row) {
		t.Error("100 bytes, later: got no write")
	}
	e.run(3)
	e.settle(e.send(partition, plain(1, lazyBytes)))
	if !e.s.Partitions.Writing(row) && e.s.Partitions.OffsetWritten[row] < 2 {
		t.Errorf("%d bytes: got no write at once", lazyBytes)
	}
}

// A voucher that was ordered while its segment was the last one says nothing of what came behind it: the segment is vouched for again.
func TestVoucherOfASegmentThatGrew(t *testing.T) {
	e := newEngine(t, 8<<20)
	partition := e.partition(components.LevelWritten, 1<<20)
	e.settle(e.send(partition, plain(1, 300_000)))
	e.s.Now.MonoMicros += idleMicros
	for e.s.Out.Vouch.Len() == 0 {
		e.tick()
	}
	order := e.s.Out.Vouch.Pop() // stays under way
	for range 4 {
		e.settle(e.send(partition, plain(1, 300_000)))
	}
	end := e.s.Segments.End[order.Segment]
	if e.s.Partitions.AppendSegment(e.row(partition)) == order.Segment || end == order.Entry.Position || len(e.vouched) != 0 {
		t.Fatalf("got a segment that ends at %d, was vouched for to %d, and %d vouchers since, want one that grew and was closed, and none", end, order.Entry.Position, len(e.vouched))
	}
	e.s.In.Vouched.Push(components.Vouched{Partition: order.Partition, Segment: order.Segment, SegmentID: order.File.SegmentID, Position: order.Entry.Position})
	e.run(3)
	if len(e.vouched) == 0 || e.vouched[0].Segment != order.Segment || e.vouched[0].Entry.Position != end {
		t.Errorf("got vouchers %+v, want the next one for the same segment, to its end at %d", e.vouched, end)
	}
}

package components

import (
	"testing"

	"galgo/ecs"
)

// A row of a poll has nothing of the one that had it before.
func TestPollRowsComeBackClean(t *testing.T) {
	var p Polls
	row := p.Add(Request{Kind: RequestPoll})
	p.Target[row], p.Time[row], p.ByTime[row], p.Segment[row], p.Size[row], p.Told[row], p.Goes[row] = 1, 2, true, 3, 4, true, true
	p.Begin[row], p.Taken[row], p.Bytes[row], p.Parts[row] = 5, 6, 7, append(p.Parts[row], ColdPart{})
	p.Read[row], p.Of[row] = ColdRead{Position: 8, Memory: Span{Len: 9}}, 10
	p.Drop(row)
	if again := p.Add(Request{Kind: RequestPoll, Count: 11}); again != row || p.Request[row].Count != 11 || p.Live != 1 {
		t.Fatalf("got row %d for %+v and %d polls, want row %d again and one poll", again, p.Request[row], p.Live, row)
	}
	if p.Target[row] != 0 || p.Time[row] != 0 || p.ByTime[row] || p.Segment[row] != 0 || p.Size[row] != 0 || p.Told[row] || p.Goes[row] {
		t.Errorf("got target %d, time %d (%v), segment %d, size %d, told %v, goes %v, want none of it",
			p.Target[row], p.Time[row], p.ByTime[row], p.Segment[row], p.Size[row], p.Told[row], p.Goes[row])
	}
	if p.Begin[row] != 0 || p.Taken[row] != 0 || p.Bytes[row] != 0 || len(p.Parts[row]) != 0 || p.Here(row) || p.Read[row].Position != 0 || p.Of[row] != 0 {
		t.Errorf("got %d messages of %d bytes from %d on in %d parts, read %+v of segment %d, want none of it",
			p.Taken[row], p.Bytes[row], p.Begin[row], len(p.Parts[row]), p.Read[row], p.Of[row])
	}
}

// A cursor is good for the segment, partition and offset that it was made for, and for no other.
func TestCursorsAreOfOnePlace(t *testing.T) {
	var c Cursors
	one, other := ecs.MakeEntity(1, 1), ecs.MakeEntity(1, 2)
	c.Put(Cursor{Partition: one, Offset: 7, SegmentID: 3, Position: 4096})
	if at, ok := c.Get(one, 7, 3); !ok || at != 4096 {
		t.Errorf("got %d, %v, want 4096", at, ok)
	}
	for _, ask := range []Cursor{{Partition: one, Offset: 7, SegmentID: 4}, {Partition: other, Offset: 7, SegmentID: 3}, {Partition: one, Offset: 8, SegmentID: 3}} {
		if at, ok := c.Get(ask.Partition, ask.Offset, ask.SegmentID); ok {
			t.Errorf("partition %v, offset %d, segment %d: got %d, want none", ask.Partition, ask.Offset, ask.SegmentID, at)
		}
	}
}

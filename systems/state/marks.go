package state

import (
	"cmp"

	"galgo/components"
	"galgo/wire"
)

const (
	// markBytes is how much of a log lies between two entries of its index.
	markBytes = 256 << 10
	// markHold and markHoldMicros bound how much of a log is written, in what lies between two entries, and how long, before the index hears of it,
	// while the log is appended to: a few entries cost as much to append as one, which is a thread of the kernel's for some 20 µs. What the index does
	// not know yet a recovery walks. A segment's first entry waits for nothing: a recovery takes a segment whose beginning is zero, and of which the
	// index knows nothing, for one that was never used.
	markHold       = 32
	markHoldMicros = 50_000
)

// markEvery is how much of a log lies between two entries of its index, in bytes.
func markEvery(s *components.State) uint64 { return cmp.Or(uint64(s.MarkBytes), markBytes) }

// takeMarks gives the index entries of what is written to storage, once enough of them wait or have waited long enough. Writes Marks, Out.Index.
func takeMarks(s *components.State, row int) {
	if s.Marks.Len(row) == 0 {
		return
	}
	p, first := &s.Partitions, s.Marks.Front(row)
	behind := p.Written[row] - min(first.Entry.Position, p.Written[row])
	if first.SegmentID != s.Segments.ID[p.Write[row]] || first.Entry.Position == wire.SegmentHeadSize || behind >= markHold*markEvery(s) ||
		s.Waited(first.Since) >= markHoldMicros || s.Marks.Free() < s.Marks.Total() {
		takeAllMarks(s, row)
	}
}

// takeAllMarks gives the index entries of all that is written to storage, and says whether there was room for them.
func takeAllMarks(s *components.State, row int) bool {
	p := &s.Partitions
	for s.Marks.Len(row) > 0 {
		// Segment ids ascend along a log: what is appended to the next segment is not written yet.
		mark, writing := s.Marks.Front(row), s.Segments.ID[p.Write[row]]
		if mark.SegmentID > writing || mark.SegmentID == writing && mark.Entry.Position >= p.Written[row] {
			break
		}
		if s.Out.Index.Free() == 0 {
			return false
		}
		s.Out.Index.Push(s.Marks.Pop(row))
	}
	return true
}

package storage

import (
	"testing"

	"galgo/components"
	"galgo/uring"
	"galgo/wire"
)

// When descriptors run short a log that has just grown is not closed before the step after the growth: that would have another file's row, and another
// file.
func TestGrowthKeepsItsFile(t *testing.T) {
	root := testDir(t)
	s := newTestShard(t, root)
	io, view, f := NewIO(s.ring, nil, components.Span{}), s.state.View(), &s.st.Segments
	fd, err := uring.SystemFiles().Open(root+"/log", uring.O_RDWR|uring.O_CREAT, fileMode)
	if err != nil {
		t.Fatal(err)
	}
	row := f.Row(wire.SegmentFile{SegmentID: 7})
	f.LogFD[row] = fd
	s.st.Descriptors.Max, s.st.Descriptors.Open = 1, 1
	slot, _ := startStep(s.st, OpAllocate, row, 0)
	growDone(view, s.st, slot, 0)
	if roomForFile(s.st, io) || f.File[row].SegmentID != 7 {
		t.Fatal("a log between two steps of its growth: got it closed, want it kept")
	}
	FinishGrowth(view, s.st, io)
	if grown := s.st.Out.Grown.Pop(); grown.SegmentID != 7 {
		t.Errorf("got a growth of segment %d told, want 7", grown.SegmentID)
	}
	if roomForFile(s.st, io) || f.File[row].SegmentID != 0 {
		t.Error("a log that has grown: got it kept, want it closed for another")
	}
	s.await(io, s.busy)
}

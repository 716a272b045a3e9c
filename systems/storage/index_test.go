package storage

import (
	"os"
	"testing"

	"galgo/components"
	"galgo/ecs"
	"galgo/uring"
	"galgo/wire"
)

// Entries that come one after the other for a segment are appended to its index at once, and in order; none of another segment's goes with them.
func TestEntriesAreWrittenTogether(t *testing.T) {
	root := testDir(t)
	s := newTestShard(t, root)
	io, view, f := NewIO(s.ring, nil, components.Span{}), s.state.View(), &s.st.Segments
	s.st.Descriptors.Max = 8
	var partitions []ecs.Entity
	push := func(partition, entry int) {
		s.st.In.Index.Push(components.IndexMark{Partition: partitions[partition], SegmentID: uint64(7 + partition), Entry: wire.IndexEntry{
			Kind: wire.IndexRecord, SegmentID: uint64(7 + partition), Offset: uint64(entry), Position: uint64(wire.SegmentHeadSize + entry)}})
	}
	path := func(partition int) string { return root + "/" + string(rune('a'+partition)) }
	for i := range 2 {
		entity := ecs.MakeEntity(uint32(i), 1)
		row := s.state.Partitions.Insert(entity)
		s.state.Partitions.Segments[row].Append(s.state.Segments.Add(uint64(7+i), 0, 0))
		partitions = append(partitions, entity)
		fd, err := uring.SystemFiles().Open(path(i), uring.O_RDWR|uring.O_CREAT|uring.O_APPEND, fileMode)
		if err != nil {
			t.Fatal(err)
		}
		f.IndexFD[f.Row(wire.SegmentFile{SegmentID: uint64(7 + i)})] = fd
	}
	const many = indexTogether + 5
	for i := range many {
		push(0, i)
	}
	push(1, 0)
	push(0, many)
	for i, want := range []int{2, 1, 1} { // an index takes one write at a time
		WriteIndexes(view, s.st, io)
		if got := s.st.Indexing; got > want {
			t.Errorf("round %d: got %d writes, want %d at most", i, got, want)
		}
		for s.st.Inflight.Len() > 0 {
			if err := s.ring.Enter(true, 0); err != nil {
				t.Fatal(err)
			}
			Reap(view, s.st, io)
		}
	}
	if left := s.st.In.Index.Len(); left != 0 {
		t.Fatalf("got %d entries left after three rounds, want none", left)
	}
	for i, want := range []int{many + 1, 1} {
		index, err := os.ReadFile(path(i))
		if err != nil || len(index) != want*wire.IndexEntrySize {
			t.Fatalf("index %d: got %d bytes, %v, want %d entries", i, len(index), err, want)
		}
		for n := range want {
			entry, err := wire.DecodeIndexEntry(index[n*wire.IndexEntrySize:], testSecret)
			if err != nil || entry.Offset != uint64(n) || entry.SegmentID != uint64(7+i) {
				t.Fatalf("index %d, entry %d: got %+v, %v", i, n, entry, err)
			}
		}
	}
}

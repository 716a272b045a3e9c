package storage

import (
	"os"
	"testing"

	"galgo/components"
	"galgo/ecs"
	"galgo/uring"
	"galgo/wire"
)

// indexTest is a shard with partitions of one segment each, the indexes of which are open.
type indexTest struct {
	*testShard
	io         *IO
	partitions []ecs.Entity
}

func newIndexTest(t *testing.T, partitions int) *indexTest {
	s := &indexTest{testShard: newTestShard(t, testDir(t))}
	s.io = NewIO(s.ring, nil, components.Span{})
	s.st.Descriptors.Max = 8
	var err error
	if s.st.Directory.LogFD, err = uring.SystemFiles().Open(s.st.Directory.Root, uring.O_RDONLY, 0); err != nil {
		t.Fatal(err)
	}
	for i := range partitions {
		entity := ecs.MakeEntity(uint32(i), 1)
		row := s.state.Partitions.Insert(entity)
		s.state.Partitions.Segments[row].Append(s.state.Segments.Add(uint64(7+i), 0, 0))
		s.partitions = append(s.partitions, entity)
		fd, err := uring.SystemFiles().Open(s.path(i), uring.O_RDWR|uring.O_CREAT|uring.O_APPEND, fileMode)
		if err != nil {
			t.Fatal(err)
		}
		s.st.Segments.IndexFD[s.file(i)] = fd
	}
	return s
}

func (s *indexTest) path(partition int) string {
	return s.st.Directory.Root + "/" + string(segmentName(wire.SegmentFile{SegmentID: uint64(7 + partition)}, wire.SegmentIndex)(nil))
}

func (s *indexTest) file(partition int) uint32 {
	return s.st.Segments.Row(wire.SegmentFile{SegmentID: uint64(7 + partition)})
}

func (s *indexTest) push(partition, entry int) {
	s.st.In.Index.Push(components.IndexMark{Partition: s.partitions[partition], SegmentID: uint64(7 + partition), Entry: wire.IndexEntry{
		Kind: wire.IndexRecord, SegmentID: uint64(7 + partition), Offset: uint64(entry), Position: uint64(wire.SegmentHeadSize + entry)}})
}

// write lets the entries that wait be written, as far as one tick goes, and returns how many writes that took.
func (s *indexTest) write() (writes int) {
	s.t.Helper()
	WriteIndexes(s.state.View(), s.st, s.io)
	writes = s.st.Inflight.Len()
	s.await(s.io, s.busy)
	return writes
}

// wantEntries wants entries [0, count) in the index of each partition, and none that waits.
func (s *indexTest) wantEntries(counts ...int) {
	s.t.Helper()
	if left := s.st.In.Index.Len(); left != 0 {
		s.t.Fatalf("got %d entries left, want none", left)
	}
	for i, want := range counts {
		index, err := os.ReadFile(s.path(i))
		if err != nil || len(index) != want*wire.IndexEntrySize {
			s.t.Fatalf("index %d: got %d bytes, %v, want %d entries", i, len(index), err, want)
		}
		for n := range want {
			entry, err := wire.DecodeIndexEntry(index[n*wire.IndexEntrySize:], testSecret)
			if err != nil || entry.Offset != uint64(n) || entry.SegmentID != uint64(7+i) {
				s.t.Fatalf("index %d, entry %d: got %+v, %v", i, n, entry, err)
			}
		}
	}
}

// Entries that come one after the other for a segment are appended to its index at once, and in order; none of another segment's goes with them.
func TestEntriesAreWrittenTogether(t *testing.T) {
	s := newIndexTest(t, 2)
	const many = indexTogether + 5
	for i := range many {
		s.push(0, i)
	}
	s.push(1, 0)
	s.push(0, many)
	for i, want := range []int{2, 1, 1} { // an index takes one write at a time
		if got := s.write(); got > want {
			t.Errorf("round %d: got %d writes, want %d at most", i, got, want)
		}
	}
	s.wantEntries(many+1, 1)
}

// Entries of an index stay in order when one has to wait for the index, and those behind it for memory or for their turn.
func TestEntriesKeepTheirOrder(t *testing.T) {
	for _, short := range []string{"turns", "memory"} {
		t.Run(short, func(t *testing.T) {
			s := newIndexTest(t, 2)
			s.push(0, 0)
			s.push(1, 0)
			s.push(0, 1)
			a := s.file(0)
			var taken []components.Span
			switch short {
			case "turns": // the first one opens its index, and that is one too many for the second
				if err := uring.SystemFiles().Close(s.st.Segments.IndexFD[a]); err != nil {
					t.Fatal(err)
				}
				s.st.Segments.IndexFD[a], s.st.Indexing = components.NoFD, indexingMax-1
				s.write()
				s.st.Indexing = 0
			case "memory":
				s.st.Segments.IndexBusy[a] = true
				for span, ok := s.st.Arena.Alloc(components.UnitSize); ok; span, ok = s.st.Arena.Alloc(components.UnitSize) {
					taken = append(taken, span)
				}
				s.write()
				s.st.Segments.IndexBusy[a] = false
				for _, span := range taken {
					s.st.Arena.Free(span)
				}
			}
			if left := s.st.In.Index.Len(); left != 3 {
				t.Fatalf("got %d entries that wait, want all 3", left)
			}
			for range 3 {
				s.write()
			}
			s.wantEntries(2, 1)
		})
	}
}

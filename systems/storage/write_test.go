package storage

import (
	"fmt"
	"testing"

	"galgo/components"
	"galgo/ecs"
	"galgo/uring"
	"galgo/wire"
)

func TestZerosBehind(t *testing.T) {
	const kib = 1 << 10
	for _, c := range []struct {
		name                             string
		from, to, initialized, allocated uint64
		want                             uint64
	}{
		{"the first write doubles what there is", 0, 8 * kib, 0, 256 * kib, 8 * kib},
		{"within what is initialized", 8 * kib, 16 * kib, 16 * kib, 256 * kib, 0},
		{"a block behind it", 12 * kib, 20 * kib, 16 * kib, 256 * kib, 20 * kib},
		{"never more than the most", 1020 * kib, 1024 * kib, 1020 * kib, 4096 * kib, ZerosMax},
		{"never behind the blocks", 240 * kib, 244 * kib, 240 * kib, 256 * kib, 12 * kib},
		{"a filesystem without allocation", 240 * kib, 244 * kib, 240 * kib, 0, 0},
		{"a large write", 0, smallWrite + 4*kib, 0, 256 * kib, 0},
		{"a file that was opened again", 100 * kib, 104 * kib, 0, 256 * kib, 104 * kib},
	} {
		if got := zerosBehind(c.from, c.to, c.initialized, c.allocated); got != c.want {
			t.Errorf("%s: got %d, want %d", c.name, got, c.want)
		}
	}
}

// Bulk writes are few at a time, and each partition has its turn although others ask again at once. A small write waits for none of them.
func TestBulkWritesTakeTurns(t *testing.T) {
	const partitions, bulk, small = 5, 1 << 20, 4 << 10
	root := testDir(t)
	s := newTestShard(t, root)
	io, view, p := NewIO(s.ring, nil, components.Span{}), s.state.View(), &s.state.Partitions
	for i := range partitions + 1 {
		size := uint64(bulk)
		if i == partitions {
			size = small
		}
		row := p.Insert(ecs.MakeEntity(uint32(i), 1))
		segment := s.state.Segments.Add(uint64(7+i), 0, 0)
		p.Segments[row].Append(segment)
		p.Write[row] = segment
		if !s.state.ReserveJournal(row, size) {
			t.Fatal("no memory for a journal")
		}
		s.state.AppendJournal(row, make([]byte, size), 0, 1, true)
		p.Sealed[row] = size
		p.SealedExtent[row] = s.state.PadBlock(row, segment, size)
		fd, err := uring.SystemFiles().Open(fmt.Sprintf("%s/%d", root, i), uring.O_RDWR|uring.O_CREAT, fileMode)
		if err != nil {
			t.Fatal(err)
		}
		s.st.Segments.LogFD[s.st.Segments.Row(wire.SegmentFile{SegmentID: uint64(7 + i)})] = fd
		s.st.In.Write.Set(row)
	}
	turns := make([]int, partitions+1)
	for round := range 4 * partitions {
		WriteJournals(view, s.st, io)
		if s.st.Bulk != 2*bulk {
			t.Fatalf("round %d: got %d bytes of bulk writes in flight, want two of %d", round, s.st.Bulk, bulk)
		}
		if s.st.In.Write.Has(partitions) {
			t.Fatalf("round %d: got a small write that waits", round)
		}
		for s.st.Writes > 0 {
			if err := s.ring.Enter(true, 0); err != nil {
				t.Fatal(err)
			}
			Reap(view, s.st, io)
		}
		for s.st.Out.Wrote.Len() > 0 {
			wrote := s.st.Out.Wrote.Pop()
			if wrote.Err != 0 {
				t.Fatal(wrote.Err)
			}
			row := p.MustRow(wrote.Partition)
			turns[row]++
			s.st.In.Write.Set(row)
		}
	}
	for row, n := range turns[:partitions] {
		if n != 8 {
			t.Errorf("partition %d: got %d turns of %d, want 8", row, n, turns)
		}
	}
	if s.st.Bulk != 0 {
		t.Errorf("got %d bytes in flight at the end, want none", s.st.Bulk)
	}
	for row := range partitions + 1 {
		p.Written[row] = p.Sealed[row]
		s.state.DropJournal(row)
	}
}

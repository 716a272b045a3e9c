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

// bulkTest is a shard with partitions that have so many sealed bytes each.
type bulkTest struct {
	*testShard
	io    *IO
	turns []int // writes that returned, by partition
}

func newBulkTest(t *testing.T, sizes ...uint64) *bulkTest {
	root := testDir(t)
	s := &bulkTest{testShard: newTestShard(t, root), turns: make([]int, len(sizes))}
	s.io = NewIO(s.ring, nil, components.Span{})
	p := &s.state.Partitions
	for i, size := range sizes {
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
	return s
}

// start begins the writes whose turn it is, and returns how many there are.
func (s *bulkTest) start() int {
	before := s.st.Writes
	WriteJournals(s.state.View(), s.st, s.io)
	return s.st.Writes - before
}

// finish lets all writes return.
func (s *bulkTest) finish() {
	s.t.Helper()
	s.await(s.io, func() bool { return s.st.Writes > 0 })
	for s.st.Out.Wrote.Len() > 0 {
		wrote := s.st.Out.Wrote.Pop()
		if wrote.Err != 0 {
			s.t.Fatal(wrote.Err)
		}
		s.turns[s.state.Partitions.MustRow(wrote.Partition)]++
	}
}

// end wants nothing to be in flight.
func (s *bulkTest) end() {
	if s.st.Bulk != 0 {
		s.t.Errorf("got %d bytes in flight at the end, want none", s.st.Bulk)
	}
	p := &s.state.Partitions
	for row := range p.All {
		p.Written[row] = p.Sealed[row]
		s.state.DropJournal(row)
	}
}

// Bulk writes are few at a time, and each partition has its turn although others ask again at once. A small write waits for none of them.
func TestBulkWritesTakeTurns(t *testing.T) {
	const bulk, small, rounds = 1 << 20, 4, 20
	s := newBulkTest(t, bulk, bulk, bulk, bulk, 4<<10, bulk)
	for round := range rounds {
		s.start()
		if s.st.Bulk != 2*bulk {
			t.Fatalf("round %d: got %d bytes of bulk writes in flight, want two of %d", round, s.st.Bulk, bulk)
		}
		if s.st.In.Write.Has(small) {
			t.Fatalf("round %d: got a small write that waits", round)
		}
		s.finish()
		for row := range s.turns {
			s.st.In.Write.Set(row)
		}
	}
	for row, n := range s.turns {
		if row != small && n != 2*rounds/5 {
			t.Errorf("partition %d: got %d turns of %d, want %d", row, n, s.turns, 2*rounds/5)
		}
	}
	s.end()
}

// Bulk writes that do not return hold up no others for long.
func TestBulkWritesThatHang(t *testing.T) {
	const bulk = 1 << 20
	s := newBulkTest(t, bulk, bulk, bulk, bulk, bulk)
	for _, step := range []struct{ micros, want uint64 }{{0, 2}, {bulkStuckMicros - 1, 0}, {1, 2}, {bulkStuckMicros - 1, 0}, {1, 1}} {
		s.state.Now.MonoMicros += step.micros
		if got := s.start(); got != int(step.want) {
			t.Fatalf("%d µs later: got %d writes begun, want %d", step.micros, got, step.want)
		}
	}
	s.finish()
	for row, n := range s.turns {
		if n != 1 {
			t.Errorf("partition %d: got %d writes, want 1", row, n)
		}
	}
	s.end()
}

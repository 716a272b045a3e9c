package storage

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"galgo/components"
	"galgo/uring"
	"galgo/wire"
)

// testShard is one shard's state and storage over a real ring, without the rest of the engine.
type testShard struct {
	t     testing.TB
	state *components.State
	st    *components.Storage
	ring  *uring.Ring
	said  strings.Builder // the log
}

func newTestShard(t testing.TB, root string) *testShard {
	t.Helper()
	if err := uring.Probe(); err != nil {
		t.Skip(err)
	}
	runtime.LockOSThread() // a ring belongs to one thread
	t.Cleanup(runtime.UnlockOSThread)
	host := uring.NewKernel()
	slab, err := host.Slab(64 << 20)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := uring.NewRing(host, 0, uring.Params{})
	if err != nil {
		t.Fatal(err)
	}
	shared := components.NewShared(slab.Size())
	number := shared.Memory.Add(slab.Bytes(0, slab.Size()), uint64(slab.Base()))
	arena := components.NewArena(shared.Memory, number, shared.Budget, nil)
	cfg := &components.Config{Shards: 1, Secret: testSecret, Run: 1, ConnectionsMax: 4, ClientsMax: 4}
	facts, orders := components.NewExchange(cfg)
	s := &testShard{t: t, ring: ring,
		state: components.NewState(cfg, shared, arena, components.NewCatalog(), facts, orders),
		st:    components.NewStorage(shared, arena, facts, orders, 64)}
	s.st.Directory.Root, s.st.Log = root, testLog{t, &s.said}
	t.Cleanup(func() {
		if arena.InUse() != 0 || s.st.Inflight.Len() != 0 {
			t.Errorf("got %d bytes and %d slots in use at the end, want none", arena.InUse(), s.st.Inflight.Len())
		}
		if err := ring.Close(); err != nil {
			t.Error(err)
		}
		if err := host.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

type testLog struct {
	t    testing.TB
	said *strings.Builder // nil: nobody wants to know
}

func (l testLog) Log(_ components.LogLevel, message string, fields ...components.LogField) {
	l.t.Log(message, fields)
	if l.said != nil {
		fmt.Fprintln(l.said, message, fields)
	}
}

// await takes completions while something is to be waited for.
func (s *testShard) await(io *IO, busy func() bool) {
	s.t.Helper()
	for busy() {
		if err := s.ring.Enter(true, 0); err != nil {
			s.t.Fatal(err)
		}
		Reap(s.state.View(), s.st, io)
	}
}

// busy says whether anything is in flight.
func (s *testShard) busy() bool { return s.st.Inflight.Len() > 0 }

// tick drives both logs once and waits for what is in flight.
func (s *testShard) tick() {
	s.t.Helper()
	view := s.state.View()
	WriteControl(view, s.st, s.ring)
	WriteOffsets(view, s.st, s.ring)
	var done [16]uring.Completion
	for s.st.Inflight.Len() > 0 {
		if err := s.ring.Enter(true, 0); err != nil {
			s.t.Fatal(err)
		}
		for _, c := range done[:s.ring.Reap(done[:])] {
			slot, ok := s.st.Inflight.Slot(c.UserData)
			if !ok {
				s.t.Fatalf("got completion %+v of nothing", c)
			}
			switch s.st.Inflight.Kind[slot] {
			case OpControlOpen, OpControlSyncDir, OpControlWrite, OpControlClose:
				ControlDone(view, s.st, slot, c.Res)
			default:
				OffsetsDone(view, s.st, slot, c.Res)
			}
		}
	}
}

func startControl(t testing.TB, root string) (*testShard, ControlStart, *components.Catalog) {
	t.Helper()
	s := newTestShard(t, root)
	catalog, start, err := LoadControl(uring.SystemFiles(), root, testSecret)
	if err != nil {
		t.Fatal(err)
	}
	start, err = StartRun(uring.SystemFiles(), root, testSecret, catalog, start, RunInfo{Shards: 1})
	if err != nil {
		t.Fatal(err)
	}
	s.st.Control = start.File
	t.Cleanup(func() { start.File.FD = s.st.Control.FD; closeTest(t, start) })
	return s, start, catalog
}

// The log goes over to its next file when one is full, and the snapshot job then covers what is closed.
func TestWriteControl(t *testing.T) {
	root := testDir(t)
	s, start, catalog := startControl(t, root)
	number, seq := start.Record, start.LastSeq
	name := make([]byte, 255)
	const perWrite = 8000
	var jobs []components.Job
	for len(jobs) < 2 {
		safeBelow := number
		var records []byte
		for range perWrite {
			seq++
			for i := range name {
				name[i] = 'a' + byte(seq>>(i%8*3)&7)
			}
			created := streamCreated(catalog, string(name))
			created.Seq = seq
			records = wire.AppendControlRecord(records, number, safeBelow, created, testSecret)
			number++
		}
		s.st.In.Control = components.ControlOrder{Bytes: records, Number: number}
		for s.st.Out.Control.Len() == 0 {
			s.tick()
		}
		if got := s.st.Out.Control.Pop(); got.Err != 0 || got.Number != number || len(s.st.In.Control.Bytes) != 0 {
			t.Fatalf("got %+v, want records below %d written", got, number)
		}
		for s.st.In.Jobs.Len() > 0 {
			jobs = append(jobs, s.st.In.Jobs.Pop())
			if res := jobs[len(jobs)-1].Run(); res != 0 {
				t.Fatalf("got %d from the snapshot job, want 0", res)
			}
			snapshotDone(s.st, 0)
		}
	}
	logs, err := listControl(uring.SystemFiles(), filepath.Join(root, components.ControlDir))
	if err != nil || len(logs) != 2 || logs[1] != s.st.Control.First {
		t.Errorf("got files %v %v, want the open one from %d and one before", logs, err, s.st.Control.First)
	}
	loaded, end, err := LoadControl(uring.SystemFiles(), root, testSecret)
	if err != nil || end.Record != number || end.LastSeq != seq || loaded.Streams.Len() != int(number-start.Record) {
		t.Errorf("got %d streams, next record %d %v, want %d and %d", loaded.Streams.Len(), end.Record, err, number-start.Record, number)
	}
}

// There is one snapshot at a time, however slow it is: the file that is closed meanwhile is in the next one. State systems hear of none.
func TestOneSnapshotAtATime(t *testing.T) {
	s, _, _ := startControl(t, testDir(t))
	closeFile := func() {
		s.st.Control.Step = components.ControlOpen
		for s.st.Control.Step != components.ControlReady {
			s.tick()
		}
		s.tick()
	}
	closeFile()
	if got := s.st.In.Jobs.Len(); got != 1 {
		t.Fatalf("got %d jobs, want a snapshot", got)
	}
	closeFile()
	if got := s.st.In.Jobs.Len(); got != 1 {
		t.Fatalf("got %d jobs, want none beside the snapshot", got)
	}
	for want := range 2 {
		s.st.In.Jobs.Pop()
		slot, _ := take(s.st, OpJob, 0)
		s.st.Inflight.Aux[slot] = uint64(components.JobSnapshot)
		jobDone(s.st, slot, 0)
		s.tick()
		if got := s.st.In.Jobs.Len(); got != 1-want {
			t.Fatalf("got %d jobs after %d snapshots, want %d", got, want+1, 1-want)
		}
	}
	if got := s.st.Out.Jobs.Len(); got != 0 {
		t.Errorf("got %d jobs told to state systems, want none", got)
	}
}

// After a failed write no other is tried.
func TestWriteControlFails(t *testing.T) {
	root := testDir(t)
	s, start, _ := startControl(t, root)
	fd := s.st.Control.FD
	readOnly, err := uring.SystemFiles().Open(filepath.Join(root, components.ControlDir, wire.ControlLogName(start.File.First)), uring.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	s.st.Control.FD = readOnly
	for _, want := range []syscall.Errno{syscall.EBADF, syscall.EIO} {
		s.st.In.Control = components.ControlOrder{Bytes: make([]byte, 100), Number: 9}
		s.tick()
		if s.st.Out.Control.Len() != 1 {
			t.Fatalf("got %d facts, want one", s.st.Out.Control.Len())
		}
		if got := s.st.Out.Control.Pop(); got.Err != want || got.Number != 9 {
			t.Errorf("got %+v, want %v", got, want)
		}
		if !s.st.Control.Failed || len(s.st.In.Control.Bytes) != 0 {
			t.Errorf("got %+v, want it failed", s.st.Control)
		}
	}
	if said := s.said.String(); !strings.Contains(said, wire.ControlLogName(start.File.First)) || !strings.Contains(said, "position") {
		t.Errorf("got the log %q, want the file named and the position", said)
	}
	_ = uring.SystemFiles().Close(readOnly)
	s.st.Control.FD = fd
}

func TestWriteErrors(t *testing.T) {
	for _, c := range []struct {
		res  int32
		n    uint32
		want syscall.Errno
	}{{100, 100, 0}, {99, 100, syscall.EIO}, {0, 100, syscall.EIO}, {-int32(syscall.ENOSPC), 100, syscall.ENOSPC}} {
		if got := writeError(c.res, c.n); got != c.want {
			t.Errorf("result %d of %d: got %v, want %v", c.res, c.n, got, c.want)
		}
	}
}

// beginOffsets gives the shard an offset log with nothing in it.
func (s *testShard) beginOffsets(root string) {
	s.t.Helper()
	file, err := RewriteOffsets(uring.SystemFiles(), root, testSecret, 1, 0, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	s.st.Offsets = file
}

// The offset log is appended to, and written anew when it has grown far beyond what it holds.
func TestWriteOffsets(t *testing.T) {
	root := testDir(t)
	s := newTestShard(t, root)
	s.beginOffsets(root)
	const perWrite, consumers = 10_000, 30
	order, position := uint64(0), s.st.Offsets.Position
	for rewrites := 0; rewrites < 2; {
		var records []byte
		for range perWrite {
			order++
			at := len(records)
			records = append(records, make([]byte, wire.OffsetRecordSize)...)
			wire.PutOffsetRecord(records[at:], offsetRecord(1, uint32(order%consumers), order, order), testSecret)
		}
		s.st.In.Offsets = components.OffsetsOrder{Records: records, Order: order, Durable: order%2 == 0}
		for s.st.Out.OffsetsDone.Len() == 0 {
			s.tick()
		}
		if got := s.st.Out.OffsetsDone.Pop(); got.Err != 0 || got.Order != order || len(s.st.In.Offsets.Records) != 0 {
			t.Fatalf("got %+v, want changes up to %d written", got, order)
		}
		if s.st.Offsets.Position < position {
			rewrites++
			if want := uint64(wire.HeadSize + consumers*wire.OffsetRecordSize); s.st.Offsets.Least != want {
				t.Errorf("got %d bytes after the rewriting, want %d", s.st.Offsets.Least, want)
			}
		}
		position = s.st.Offsets.Position
	}
	want := make([]wire.OffsetRecord, consumers)
	for i := range want {
		value := order - order%consumers + uint64(i)
		if value > order {
			value -= consumers
		}
		want[i] = offsetRecord(1, uint32(i), value, value)
	}
	loadOffsetsTest(t, root, 0, want...)
	if err := uring.SystemFiles().Close(s.st.Offsets.FD); err != nil {
		t.Error(err)
	}
}

func TestWriteOffsetsFails(t *testing.T) {
	root := testDir(t)
	s := newTestShard(t, root)
	name := writeOffsetsTest(t, root, 1, 0)
	before, _ := os.ReadFile(name)
	fd, err := uring.SystemFiles().Open(name, uring.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	s.st.Offsets = components.OffsetFile{FD: fd, Position: wire.HeadSize}
	for _, want := range []syscall.Errno{syscall.EBADF, syscall.EIO} {
		s.st.In.Offsets = components.OffsetsOrder{Records: make([]byte, wire.OffsetRecordSize), Order: 3}
		s.tick()
		if got := s.st.Out.OffsetsDone.Pop(); got.Err != want || got.Order != 3 || !s.st.Offsets.Failed {
			t.Errorf("got %+v, want %v", got, want)
		}
	}
	if after, _ := os.ReadFile(name); !slices.Equal(after, before) {
		t.Error("got the file changed, want it as it was")
	}
	if said := s.said.String(); !strings.Contains(said, filepath.Base(name)) || !strings.Contains(said, "position") {
		t.Errorf("got the log %q, want the file named and the position", said)
	}
	_ = uring.SystemFiles().Close(fd)
}

// A steady stream of writes allocates nothing.
func TestWriteLogsAllocateNothing(t *testing.T) {
	root := testDir(t)
	s := newTestShard(t, root)
	s.beginOffsets(root)
	records := make([]byte, wire.OffsetRecordSize)
	wire.PutOffsetRecord(records, offsetRecord(1, 1, 1, 1), testSecret)
	got := testing.AllocsPerRun(100, func() {
		s.st.In.Offsets = components.OffsetsOrder{Records: records, Order: 1}
		WriteOffsets(s.state.View(), s.st, s.ring)
		OffsetsDone(s.state.View(), s.st, onlySlot(s.st), wire.OffsetRecordSize)
		s.st.Out.OffsetsDone.Pop()
	})
	if got != 0 {
		t.Errorf("got %v allocations a write, want 0", got)
	}
	if err := s.ring.Enter(false, 0); err != nil {
		t.Fatal(err)
	}
	if err := uring.SystemFiles().Close(s.st.Offsets.FD); err != nil {
		t.Error(err)
	}
}

// A write that finds no memory asks for some, since nobody else may be short of it, and keeps the shard awake.
func TestWritesWithoutMemory(t *testing.T) {
	root := testDir(t)
	s, _, _ := startControl(t, root)
	s.beginOffsets(root)
	var taken []components.Span
	for span, ok := s.st.Arena.Alloc(components.ChunkSize); ok; span, ok = s.st.Arena.Alloc(components.ChunkSize) {
		taken = append(taken, span)
	}
	for _, test := range []struct {
		name  string
		order func()
		done  func() int
	}{
		{"offset log", func() {
			s.st.In.Offsets = components.OffsetsOrder{Records: make([]byte, wire.OffsetRecordSize), Order: 1}
		}, func() int { return s.st.Out.OffsetsDone.Len() }},
		{"control log", func() {
			s.st.In.Control = components.ControlOrder{Bytes: make([]byte, 100), Number: 9}
		}, func() int { return s.st.Out.Control.Len() }},
	} {
		refused := s.st.Budget.Refused()
		test.order()
		s.tick()
		if asked, wants := s.st.Budget.Refused() > refused, Wants(s.st); !asked || !wants || test.done() != 0 {
			t.Errorf("%s without memory: got it asked for %v, to be tried again %v, done %d, want true, true, 0", test.name, asked, wants, test.done())
		}
		last := &taken[len(taken)-1]
		s.st.Arena.Free(*last)
		s.tick()
		if test.done() != 1 || Wants(s.st) {
			t.Errorf("%s with memory: got %d done, more to do %v, want 1, false", test.name, test.done(), Wants(s.st))
		}
		*last, _ = s.st.Arena.Alloc(last.Len)
	}
	for _, span := range taken {
		s.st.Arena.Free(span)
	}
	if err := uring.SystemFiles().Close(s.st.Offsets.FD); err != nil {
		t.Error(err)
	}
}

// onlySlot is the slot in flight.
func onlySlot(st *components.Storage) uint32 {
	return uint32(slices.IndexFunc(st.Inflight.Kind, func(kind components.OpKind) bool { return kind != 0 }))
}

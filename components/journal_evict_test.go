package components

import (
	"math/rand/v2"
	"testing"

	"galgo/ecs"
)

// persist writes everything that a log has, and vouches for it.
func (m *modelLog) persist() {
	for m.s.Partitions.OffsetWritten[m.row] < m.s.Partitions.OffsetNext[m.row] {
		m.seal()
		m.complete()
	}
	m.vouch()
}

// spareLog is a log, of which all is written, with memory that was taken for a batch that found room elsewhere after all.
func spareLog(t *testing.T) *modelLog {
	t.Helper()
	s, _ := memoryWorld(4 << 20)
	var entities ecs.Entities
	m := newModelLog(t, s, nil, rand.New(rand.NewPCG(7, 7)), &entities)
	for range 200 {
		m.append(1500)
		m.persist()
		if s.Partitions.Spare[m.row] != NoRow {
			return m
		}
	}
	t.Fatal("200 appends: got none that left memory it was given, want a test that says something")
	return nil
}

// What was taken for a batch that found room elsewhere after all gives way like everything else.
func TestSpareGivesWay(t *testing.T) {
	s := spareLog(t).s
	s.Evict(1 << 30)
	s.Evict(1 << 30)
	if got := s.Arena.InUse(); got != 0 {
		t.Errorf("memory of an idle log that gave way: got %d bytes in use, want 0", got)
	}
}

// A log of which all is removed keeps nothing, what was taken for its next batch included.
func TestForgottenLogKeepsNothing(t *testing.T) {
	m := spareLog(t)
	s := m.s
	for i := range s.Partitions.Segments[m.row].Len() {
		s.Segments.Gone[s.Partitions.Segments[m.row].At(i)] = true
	}
	s.ForgetExtents(m.row)
	if got := s.Arena.InUse(); got != 0 {
		t.Errorf("got %d bytes in use, want 0", got)
	}
}

// A reply that is being sent keeps the memory that it refers to, and no more of the log.
func TestSlowReaderKeepsWhatItReads(t *testing.T) {
	s, _ := memoryWorld(4 << 20)
	var entities ecs.Entities
	m := newModelLog(t, s, nil, rand.New(rand.NewPCG(7, 8)), &entities)
	m.append(600_000)
	m.persist()
	x, first := &s.Journal.Extents, s.Partitions.Extents[m.row].At(0)
	m.hold(x.Run[first], s.extentSpan(first, x.File[first], x.end(first)))
	for i := range 20 {
		before := len(m.records)
		m.append(600_000)
		if len(m.records) == before {
			t.Fatalf("append %d beside a slow reader of the first batch: got no memory, want the batches between to give way", i)
		}
		m.persist()
	}
	m.read()
	m.release()
	if !s.DropJournal(m.row) || s.Arena.InUse() != 0 {
		t.Errorf("memory once the reader is done and the log is gone: got %d bytes in use, want 0", s.Arena.InUse())
	}
}

// What a partition that is faulted has not written will never be, and is kept only where polls show it.
func TestFaultedLogGivesWay(t *testing.T) {
	for _, level := range []Level{LevelMemory, LevelWritten} {
		t.Run(level.String(), func(t *testing.T) {
			s, frames := memoryWorld(8 << 20)
			var entities ecs.Entities
			m := newModelLog(t, s, frames, rand.New(rand.NewPCG(7, 9)), &entities)
			s.Partitions.Level[m.row] = level
			m.append(600_000)
			m.persist()
			written := s.Partitions.OffsetWritten[m.row]
			for range 3 {
				m.append(600_000)
			}
			m.append(600)
			s.Partitions.Phase[m.row] = Faulted
			s.Evict(1 << 30)
			hot, ok := s.HotFirst(m.row)
			if level == LevelMemory && (!ok || hot > written) {
				t.Errorf("messages that are nowhere else: got those from %d on in memory, %v, want %d", hot, ok, written)
			}
			if got := s.Arena.InUse() + frames.InUse(); level != LevelMemory && got != 0 {
				t.Errorf("memory of messages that nobody can see: got %d bytes in use, want 0", got)
			}
		})
	}
}

// Memory of other arenas that a shard's logs lie in helps others, later. However many are short in one tick, they let go of it once.
func TestMemoryElsewhereIsNotSpentInVain(t *testing.T) {
	s, _ := memoryWorld(4 << 20)
	s.Memory.Add(make([]byte, 64<<20), 3<<40)
	frames := NewArena(s.Memory, 2, NewBudget(48<<20), nil)
	var entities ecs.Entities
	m := newModelLog(t, s, frames, rand.New(rand.NewPCG(7, 14)), &entities)
	m.fit = true
	for range 60 {
		s.Partitions.Touched[m.row] = true
		m.append(600_000)
		m.persist()
	}
	for s.evictOldest(m.row).Slab == s.Arena.slab { // the head of the log was copied
	}
	for _, ok := s.Arena.Alloc(UnitSize); ok; _, ok = s.Arena.Alloc(UnitSize) {
	}
	s.Now.MonoMicros++
	before := frames.InUse()
	for range 10 {
		s.AllocHot(UnitSize)
	}
	if got, most := before-frames.InUse(), uint64(elsewhereMax+2*ChunkSize+adoptMin); before < 3*elsewhereMax || got > most || got == 0 {
		t.Errorf("memory elsewhere: got %d of %d bytes let go of, want some, %d at most", got, before, most)
	}
}

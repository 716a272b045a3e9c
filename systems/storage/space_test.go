package storage

import (
	"testing"

	"galgo/components"
)

// lookedAt waits until a worker has said how much is free.
func (s *testShard) lookedAt(io *IO) {
	s.t.Helper()
	s.await(io, func() bool { return s.st.Disk.Asking })
}

// A shard that did not look at the disk for long knows how much other shards took, and not how much was given back since: that is no reason to say that
// the disk is full.
func TestOldKnowledgeRefusesNothing(t *testing.T) {
	s := newTestShard(t, testDir(t))
	io, view, k := NewIO(s.ring, nil, components.Span{}), s.state.View(), &s.st.Disk
	s.state.Now.MonoMicros = 1
	lookAtSpace(view, s.st, io)
	s.lookedAt(io)
	if !k.FreeAlone || k.Free == 0 {
		t.Fatalf("got %d bytes free, pools %v, want some and no pools", k.Free, !k.FreeAlone)
	}
	other := components.Disk{Free: 4 * k.Free, Grown: s.st.Space.Grown()}
	if !s.st.Space.Take(&other, 2*k.Free) { // in the course of time: as much was removed again
		t.Fatal("another shard: got no space, want some")
	}
	s.st.Space.Grew(2 * k.Free)
	s.state.Now.MonoMicros += freeSpaceMicros
	if got := spaceFor(view, s.st, io, components.UnitSize); got != spaceLater || !k.Asking {
		t.Fatalf("with old knowledge: got %d, want a look first", got)
	}
	s.lookedAt(io)
	if got := spaceFor(view, s.st, io, components.UnitSize); got != spaceTaken {
		t.Errorf("after a look: got %d, want space", got)
	}
	s.st.Space.Grew(components.UnitSize)
	k.Reserve = 2 * k.Free
	if got := spaceFor(view, s.st, io, components.UnitSize); got != spaceNone {
		t.Errorf("with a reserve that is not there: got %d, want no space", got)
	}
	s.lookedAt(io)
}

// What grew while somebody looked may be gone from what was found free already, and counts as still to be taken from that: if only that makes the disk
// full, it is looked at again.
func TestGrowthUnderALookRefusesNothing(t *testing.T) {
	s := newTestShard(t, testDir(t))
	io, view, k := NewIO(s.ring, nil, components.Span{}), s.state.View(), &s.st.Disk
	s.state.Now.MonoMicros = 1
	lookAtSpace(view, s.st, io)
	s.lookedAt(io)
	grows := k.Free / 2
	if got := spaceFor(view, s.st, io, grows); got != spaceTaken {
		t.Fatalf("half of the disk: got %d, want space", got)
	}
	lookAtSpace(view, s.st, io) // it returns before the growth does
	s.lookedAt(io)
	s.st.Space.Grew(grows)
	s.state.Now.MonoMicros += shortSpaceMicros
	if got := spaceFor(view, s.st, io, grows/2*3); got != spaceLater || !k.Asking {
		t.Fatalf("three quarters of what was found: got %d, want another look", got)
	}
	s.lookedAt(io)
	if got := spaceFor(view, s.st, io, grows/2*3); got != spaceTaken {
		t.Errorf("when everything is seen: got %d, want space", got)
	}
	if got := spaceFor(view, s.st, io, grows); got != spaceNone {
		t.Errorf("what one has taken oneself since: got %d for more than there is, want no space", got)
	}
	s.lookedAt(io)
}

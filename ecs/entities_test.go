package ecs

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestEntitiesReuseIndexWithNextGeneration(t *testing.T) {
	var s Entities
	first, second := s.Take(), s.Take()
	if first != MakeEntity(0, 1) || second != MakeEntity(1, 1) {
		t.Fatalf("got %v and %v, want 0v1 and 1v1", first, second)
	}
	s.Put(first)
	if s.Alive(first) {
		t.Errorf("got %v alive after Put, want it dead", first)
	}
	if got := s.Take(); got != MakeEntity(0, 2) {
		t.Errorf("got %v, want 0v2", got)
	}
	if s.Alive(first) || s.Len() != 2 {
		t.Errorf("got %v alive %t, %d alive in all, want false and 2", first, s.Alive(first), s.Len())
	}
}

func TestEntitiesNextOwnerIsNotAliveYet(t *testing.T) {
	var s Entities
	s.Put(s.Take())
	if s.Alive(MakeEntity(0, 2)) {
		t.Error("got 0v2 alive before it was taken, want it dead")
	}
	if s.Alive(None) {
		t.Error("got None alive, want it dead")
	}
}

func TestEntitiesRefuseStalePut(t *testing.T) {
	var s Entities
	e := s.Take()
	s.Put(e)
	wantPanic(t, "put entity 0v1", func() { s.Put(e) })
	s.Take()
	wantPanic(t, "put entity 0v1", func() { s.Put(e) })
	wantPanic(t, "put entity none", func() { s.Put(None) })
}

func TestEntitiesRefuseReplayOutOfOrder(t *testing.T) {
	var s Entities
	s.Restore(MakeEntity(2, 4))
	wantPanic(t, "restore entity 2v5, while 2v4 is alive", func() { s.Restore(MakeEntity(2, 5)) })
	wantPanic(t, "free entity 2v5, while 2v4 is alive", func() { s.Freed(MakeEntity(2, 5)) })
	wantPanic(t, "generation 0", func() { s.Restore(None) })
	s.Put(MakeEntity(2, 4))
	wantPanic(t, "restore entity 2v4, but its index is at generation 5", func() { s.Restore(MakeEntity(2, 4)) })
}

func TestEntitiesSkippedByRestoreAreFree(t *testing.T) {
	var s Entities
	s.Restore(MakeEntity(2, 9))
	s.Freed(MakeEntity(1, 7))
	if got, want := slices.Collect(s.Free), []Entity{MakeEntity(0, 1), MakeEntity(1, 7)}; !slices.Equal(got, want) {
		t.Errorf("got free %v, want %v", got, want)
	}
}

// A snapshot of what is alive and what is free, replayed in any order, goes on exactly like the original.
func TestEntitiesAgreeWithMapAndSurviveSnapshots(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 1))
	s := &Entities{}
	alive := map[Entity]bool{}
	generations := map[uint32]uint32{} // of the last owner
	var all []Entity
	for step := range 20_000 {
		if random.IntN(2) == 0 {
			index := uint32(0)
			for alive[MakeEntity(index, generations[index])] {
				index++
			}
			generations[index]++
			want := MakeEntity(index, generations[index])
			if got := s.Take(); got != want {
				t.Fatalf("step %d: got %v, want %v", step, got, want)
			}
			alive[want] = true
			all = append(all, want)
		} else if len(all) > 0 {
			if e := all[random.IntN(len(all))]; alive[e] {
				s.Put(e)
				delete(alive, e)
			}
		}
		if len(all) > 0 {
			if e := all[random.IntN(len(all))]; s.Alive(e) != alive[e] {
				t.Fatalf("step %d: got %v alive %t, want %t", step, e, s.Alive(e), alive[e])
			}
		}
		if s.Len() != len(alive) {
			t.Fatalf("step %d: got %d alive, want %d", step, s.Len(), len(alive))
		}
		if step%1000 == 999 {
			s = replay(s, alive, random)
		}
	}
}

func replay(s *Entities, alive map[Entity]bool, random *rand.Rand) *Entities {
	type fact struct {
		e    Entity
		live bool
	}
	var facts []fact
	for e := range alive {
		facts = append(facts, fact{e, true})
	}
	for e := range s.Free {
		facts = append(facts, fact{e, false})
	}
	random.Shuffle(len(facts), func(i, j int) { facts[i], facts[j] = facts[j], facts[i] })
	replayed := &Entities{}
	for _, f := range facts {
		if f.live {
			replayed.Restore(f.e)
		} else {
			replayed.Freed(f.e)
		}
	}
	return replayed
}

func TestEntitiesAliveDoesNotAllocate(t *testing.T) {
	var s Entities
	dead := s.Take()
	live := s.Take()
	s.Put(dead)
	wantNoAllocs(t, func() {
		if s.Alive(dead) || !s.Alive(live) {
			t.Errorf("got alive %t and %t, want false and true", s.Alive(dead), s.Alive(live))
		}
	})
}

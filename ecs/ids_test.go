package ecs

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestIDsTakeLowestFirst(t *testing.T) {
	var s IDs
	for want := range uint32(4) {
		if got := s.Take(); got != want {
			t.Errorf("got id %d, want %d", got, want)
		}
	}
	s.Put(2)
	s.Put(1)
	for _, want := range []uint32{1, 2, 4} {
		if got := s.Take(); got != want {
			t.Errorf("got id %d, want %d", got, want)
		}
	}
}

func TestIDsMarkLeavesLowerOnesFree(t *testing.T) {
	var s IDs
	s.Mark(3)
	if got, want := slices.Collect(s.Free), []uint32{0, 1, 2}; !slices.Equal(got, want) {
		t.Errorf("got free ids %v, want %v", got, want)
	}
	s.Mark(0)
	if got := s.Take(); got != 1 {
		t.Errorf("got id %d, want 1", got)
	}
	if s.Len() != 3 {
		t.Errorf("got %d ids taken, want 3", s.Len())
	}
}

func TestIDsReachTheLastOne(t *testing.T) {
	s := IDs{next: 1<<32 - 1}
	if got := s.Take(); got != 1<<32-1 {
		t.Errorf("got id %d, want %d", got, uint32(1<<32-1))
	}
	wantPanic(t, "all ids are taken", func() { s.Take() })
	s.Put(7)
	if got := s.Take(); got != 7 {
		t.Errorf("got id %d, want 7", got)
	}
}

func TestIDsRefuseWhatIsNotSo(t *testing.T) {
	var s IDs
	wantPanic(t, "put id 0", func() { s.Put(0) })
	s.Mark(5)
	wantPanic(t, "mark id 5", func() { s.Mark(5) })
	wantPanic(t, "put id 4", func() { s.Put(4) })
}

func TestIDsAgreeWithMap(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	var s IDs
	model := map[uint32]bool{}
	for range 20_000 {
		id := random.Uint32N(300)
		switch op := random.IntN(5); {
		case op < 2:
			want := uint32(0)
			for model[want] {
				want++
			}
			if got := s.Take(); got != want {
				t.Fatalf("got id %d, want %d", got, want)
			}
			model[want] = true
		case op < 4 && model[id]:
			s.Put(id)
			delete(model, id)
		case op == 4 && !model[id]:
			s.Mark(id)
			model[id] = true
		}
		if s.Has(id) != model[id] || s.Len() != len(model) {
			t.Fatalf("got id %d taken %t of %d, want %t of %d", id, s.Has(id), s.Len(), model[id], len(model))
		}
	}
}

package ecs

import "testing"

func TestSlots(t *testing.T) {
	var s Slots
	for want := range uint32(3) {
		if got := s.Take(); got != want {
			t.Fatalf("row: got %d, want %d", got, want)
		}
	}
	s.Put(1)
	s.Put(0)
	if s.Len() != 1 || s.Cap() != 3 {
		t.Fatalf("after 3 were taken and 2 given back: got %d of %d taken, want 1 of 3", s.Len(), s.Cap())
	}
	for _, want := range []uint32{0, 1, 3} {
		if got := s.Take(); got != want {
			t.Fatalf("row: got %d, want %d", got, want)
		}
	}
	if s.Len() != 4 || s.Cap() != 4 {
		t.Fatalf("at the end: got %d of %d taken, want 4 of 4", s.Len(), s.Cap())
	}
}

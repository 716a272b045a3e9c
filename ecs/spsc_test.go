package ecs

import (
	"runtime"
	"testing"
)

func TestSPSCFullAndEmpty(t *testing.T) {
	r := NewSPSC[int](2)
	if v, ok := r.TryPop(); ok || !r.Empty() {
		t.Errorf("got %d %t from an empty ring, want nothing", v, ok)
	}
	for round := range 5 {
		if !r.TryPush(round) || !r.TryPush(round+100) || r.TryPush(999) {
			t.Error("got other than room for two")
		}
		if r.Empty() {
			t.Error("got an empty ring after two pushes, want a full one")
		}
		for _, want := range []int{round, round + 100} {
			if got, ok := r.TryPop(); !ok || got != want {
				t.Errorf("got %d %t, want %d", got, ok, want)
			}
		}
	}
	for _, capacity := range []int{-4, 0, 3} {
		wantPanic(t, "power of two", func() { NewSPSC[int](capacity) })
	}
}

// Every value crosses once, in order, with what was written before it. The race detector watches the plain
// memory that each value refers to.
func TestSPSCBetweenTwoGoroutines(t *testing.T) {
	const values = 100_000
	shared := make([]uint32, values)
	r := NewSPSC[uint32](64)
	go func() {
		for i := range uint32(values) {
			shared[i] = i * 3
			for !r.TryPush(i) {
				runtime.Gosched()
			}
		}
	}()
	for want := uint32(0); want < values; {
		got, ok := r.TryPop()
		if !ok {
			runtime.Gosched()
			continue
		}
		if got != want || shared[got] != want*3 {
			t.Fatalf("got value %d with %d, want %d with %d", got, shared[got], want, want*3)
		}
		want++
	}
	if !r.Empty() {
		t.Error("got values left, want none")
	}
}

func TestSPSCDoesNotAllocate(t *testing.T) {
	r := NewSPSC[[8]uint64](64)
	wantNoAllocs(t, func() {
		for r.TryPush([8]uint64{1}) {
		}
		for !r.Empty() {
			r.TryPop()
		}
	})
}

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
		if r.Empty() || r.Len() != 2 || r.Cap() != 2 {
			t.Errorf("got empty %t, len %d of %d, want false, 2 of 2", r.Empty(), r.Len(), r.Cap())
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

func TestSPSCPopIntoWrapsAndStopsAtDst(t *testing.T) {
	r := NewSPSC[int](4)
	next, want := 0, 0
	dst := make([]int, 3)
	for range 20 {
		for r.TryPush(next) {
			next++
		}
		for _, size := range []int{3, 3, 3} {
			got := dst[:r.PopInto(dst[:size])]
			for _, v := range got {
				if v != want {
					t.Fatalf("got %d, want %d", v, want)
				}
				want++
			}
		}
		if !r.Empty() || want != next {
			t.Fatalf("got %d values out, want %d", want, next)
		}
	}
	if n := r.PopInto(dst); n != 0 {
		t.Errorf("got %d values from an empty ring, want 0", n)
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
	dst := make([]uint32, 10)
	for want := uint32(0); want < values; {
		batch := dst[:0]
		if want%2 == 0 {
			batch = dst[:r.PopInto(dst)]
		} else if v, ok := r.TryPop(); ok {
			batch = append(batch, v)
		}
		for _, got := range batch {
			if got != want || shared[got] != want*3 {
				t.Fatalf("got value %d with %d, want %d with %d", got, shared[got], want, want*3)
			}
			want++
		}
		if len(batch) == 0 {
			runtime.Gosched()
		}
	}
	if r.Len() != 0 {
		t.Errorf("got %d values left, want 0", r.Len())
	}
}

func TestSPSCDoesNotAllocate(t *testing.T) {
	r := NewSPSC[[8]uint64](64)
	dst := make([][8]uint64, 16)
	wantNoAllocs(t, func() {
		for r.TryPush([8]uint64{1}) {
		}
		r.TryPop()
		for r.PopInto(dst) > 0 {
		}
	})
}

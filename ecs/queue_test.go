package ecs

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestQueueFullAndEmpty(t *testing.T) {
	q := NewQueue[int](2)
	if q.Front() != nil {
		t.Errorf("got front %d of an empty queue, want none", *q.Front())
	}
	wantPanic(t, "empty queue", func() { q.Pop() })
	q.Push(1)
	q.Push(2)
	if q.TryPush(3) {
		t.Error("got a third value into a queue of two, want false")
	}
	wantPanic(t, "has its 2 values", func() { q.Push(3) })
	wantPanic(t, "value 2 of a queue of 2", func() { q.At(2) })
	wantPanic(t, "value -1 of a queue of 2", func() { q.At(-1) })
	none := NewQueue[int](0)
	if none.TryPush(1) {
		t.Error("got a value into a queue of none, want false")
	}
}

func TestQueueForgetsWhatWasPopped(t *testing.T) {
	q := NewQueue[*int](3)
	for range 5 {
		q.Push(new(int))
		q.Pop()
	}
	q.Push(new(int))
	q.Push(new(int))
	q.Push(new(int))
	q.Clear()
	for i, item := range q.items {
		if item != nil {
			t.Errorf("got a pointer left in slot %d, want nil", i)
		}
	}
}

func TestQueueAgreesWithSlice(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 1))
	for _, size := range []int{1, 3, 8} {
		q := NewQueue[int](size)
		var model []int
		for step := range 5_000 {
			switch op := random.IntN(20); {
			case op == 0:
				q.Clear()
				model = nil
			case op < 11:
				if got, want := q.TryPush(step), len(model) < size; got != want {
					t.Fatalf("step %d: got pushed %t, want %t", step, got, want)
				} else if got {
					model = append(model, step)
				}
			case len(model) > 0:
				if got := *q.Front(); got != model[0] {
					t.Fatalf("step %d: got front %d, want %d", step, got, model[0])
				}
				if got := q.Pop(); got != model[0] {
					t.Fatalf("step %d: got %d, want %d", step, got, model[0])
				}
				model = model[1:]
			}
			var got []int
			for i := range q.Len() {
				got = append(got, *q.At(i))
			}
			if !slices.Equal(got, model) || q.Free() != size-len(model) {
				t.Fatalf("step %d: got %v with %d free, want %v with %d", step, got, q.Free(), model, size-len(model))
			}
		}
	}
}

func TestQueueDoesNotAllocate(t *testing.T) {
	q := NewQueue[[4]uint64](100)
	wantNoAllocs(t, func() {
		for q.TryPush([4]uint64{1}) {
		}
		q.At(5)[1]++
		for q.Len() > 0 {
			q.Pop()
		}
	})
}

package ecs

import "fmt"

// queueStart is how many values a queue has room for once it is used at all.
const queueStart = 64

// Queue is a bounded first-in first-out ring. Make it with NewQueue, and do not copy it once it is in use. The bound is settled at the start,
// the room for it is not: it doubles with need, so that a bound for the worst day costs nothing on the others, and is kept.
type Queue[T any] struct {
	items []T
	max   int
	head  int // where the front is
	count int
}

// NewQueue makes an empty queue of at most max values.
func NewQueue[T any](max int) Queue[T] { return Queue[T]{max: max} }

// Push puts a value at the back. It panics when the queue is full: the caller's bound was wrong.
func (q *Queue[T]) Push(v T) {
	if !q.TryPush(v) {
		panic(fmt.Sprintf("ecs: push to a queue that has its %d values", q.max))
	}
}

// TryPush puts a value at the back, or returns false when the queue is full.
func (q *Queue[T]) TryPush(v T) bool {
	if q.count == len(q.items) && !q.grow() {
		return false
	}
	q.items[q.slot(q.count)] = v
	q.count++
	return true
}

// grow doubles the room, up to the bound.
func (q *Queue[T]) grow() bool {
	if q.count == q.max {
		return false
	}
	items := make([]T, min(q.max, max(queueStart, 2*len(q.items))))
	n := copy(items, q.items[q.head:])
	copy(items[n:], q.items[:q.head])
	q.items, q.head = items, 0
	return true
}

// Pop takes the value at the front. It panics when the queue is empty.
func (q *Queue[T]) Pop() T {
	front := q.Front()
	if front == nil {
		panic("ecs: pop from an empty queue")
	}
	v := *front
	var zero T
	*front = zero // what the value refers to is not ours any more
	q.head = q.slot(1)
	q.count--
	return v
}

// Front is the value at the front, or nil when the queue is empty. It is good until the next Push or Pop.
func (q *Queue[T]) Front() *T {
	if q.count == 0 {
		return nil
	}
	return &q.items[q.head]
}

// At is the i-th value from the front, which is number 0. It is good until the next Push, or until that value is popped.
// It panics if there is no such value.
func (q *Queue[T]) At(i int) *T {
	if uint(i) >= uint(q.count) {
		panic(fmt.Sprintf("ecs: value %d of a queue of %d", i, q.count))
	}
	return &q.items[q.slot(i)]
}

// Len is how many values are in the queue.
func (q *Queue[T]) Len() int { return q.count }

// Free is how many more there is room for.
func (q *Queue[T]) Free() int { return q.max - q.count }

// Clear drops all values.
func (q *Queue[T]) Clear() {
	first := min(q.count, len(q.items)-q.head)
	clear(q.items[q.head : q.head+first]) // what the values refer to is not ours any more
	clear(q.items[:q.count-first])
	q.head, q.count = 0, 0
}

// slot is where the i-th value from the front is, or will be. It compares where a remainder would divide.
func (q *Queue[T]) slot(i int) int {
	if slot := q.head + i; slot < len(q.items) {
		return slot
	}
	return q.head + i - len(q.items)
}

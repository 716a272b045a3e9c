package ecs

import (
	"fmt"
	"math/bits"
	"sync/atomic"
)

// cacheLine is how far apart two threads write: two lines of 64 bytes, because the processor fetches in pairs.
const cacheLine = 128

// SPSC is a bounded ring between two threads: one pushes, the other pops. Each side reads the counter of
// the other only when its last look no longer suffices, so in a stream of values the counters seldom travel.
//
// What was written before a push is seen after the pop of it. A popped value stays in its slot until the
// slot is used again, so values should hold no pointers.
type SPSC[T any] struct {
	items []T // a power of two of them
	mask  uint64
	_     [cacheLine]byte

	tail     atomic.Uint64 // pushed so far; written by the producer
	headSeen uint64        // the producer's last look at head
	_        [cacheLine]byte

	head     atomic.Uint64 // popped so far; written by the consumer
	tailSeen uint64        // the consumer's last look at tail
	_        [cacheLine]byte
}

// NewSPSC makes an empty ring with room for capacity values, which has to be a power of two.
func NewSPSC[T any](capacity int) *SPSC[T] {
	if capacity <= 0 || bits.OnesCount(uint(capacity)) != 1 {
		panic(fmt.Sprintf("ecs: a ring of %d values, which is not a power of two", capacity))
	}
	return &SPSC[T]{items: make([]T, capacity), mask: uint64(capacity) - 1}
}

// TryPush puts a value in, or returns false when the ring is full. Only the producer calls it.
func (r *SPSC[T]) TryPush(v T) bool {
	tail := r.tail.Load()
	if tail-r.headSeen == uint64(len(r.items)) {
		if r.headSeen = r.head.Load(); tail-r.headSeen == uint64(len(r.items)) {
			return false
		}
	}
	r.items[tail&r.mask] = v
	r.tail.Store(tail + 1)
	return true
}

// TryPop takes the oldest value, or returns false when the ring is empty. Only the consumer calls it.
func (r *SPSC[T]) TryPop() (v T, ok bool) {
	head := r.head.Load()
	if head == r.tailSeen {
		if r.tailSeen = r.tail.Load(); head == r.tailSeen {
			return v, false
		}
	}
	v = r.items[head&r.mask]
	r.head.Store(head + 1)
	return v, true
}

// Empty says whether nothing is in the ring. The consumer can rely on it before it parks: it announces that
// it will, atomically, then asks; a producer pushes, then looks for the announcement. One of them sees the other.
// Anyone else gets an answer that may be old.
func (r *SPSC[T]) Empty() bool { return r.head.Load() == r.tail.Load() }

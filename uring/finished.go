package uring

import (
	"sync"
	"sync/atomic"
)

// Finished is the list of results of Host.Work that one ring has not reaped yet: filled by any goroutine, emptied by the shard. Its length
// is bounded by what Work accepts.
type Finished struct {
	count atomic.Int32 // len(list), readable without the lock
	mu    sync.Mutex
	list  []Completion
}

// Add appends one result. The caller wakes the shard afterwards.
func (f *Finished) Add(c Completion) {
	f.mu.Lock()
	f.list = append(f.list, c)
	f.count.Store(int32(len(f.list)))
	f.mu.Unlock()
}

// Len returns how many results wait.
func (f *Finished) Len() int { return int(f.count.Load()) }

// Take moves the oldest results to dst, as many as fit, and returns their number.
func (f *Finished) Take(dst []Completion) int {
	if f.count.Load() == 0 {
		return 0
	}
	f.mu.Lock()
	n := copy(dst, f.list)
	f.list = f.list[:copy(f.list, f.list[n:])]
	f.count.Store(int32(len(f.list)))
	f.mu.Unlock()
	return n
}

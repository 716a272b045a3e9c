package portable

import (
	"sync"
	"sync/atomic"

	"galgo/uring"
)

// arrivals are what other goroutines bring to a shard. Whoever added something calls shard.arrived.
type arrivals struct {
	count atomic.Int32 // of all lists, readable without the lock
	mu    sync.Mutex
	lists arrivalLists
	gone  bool // the shard is torn down
}

type arrivalLists struct {
	jobs     []*job             // done
	messages []uring.Completion // of other rings
	closed   []int32            // descriptors that the shard watches and that someone else closes
}

func (a *arrivals) addJob(j *job) {
	a.mu.Lock()
	if !a.gone {
		a.lists.jobs = append(a.lists.jobs, j)
		a.count.Add(1)
	}
	a.mu.Unlock()
}

// addMessage returns false when the shard is gone.
func (a *arrivals) addMessage(c uring.Completion) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.gone {
		return false
	}
	a.lists.messages = append(a.lists.messages, c)
	a.count.Add(1)
	return true
}

func (a *arrivals) addClosed(fd int32) {
	a.mu.Lock()
	if !a.gone {
		a.lists.closed = append(a.lists.closed, fd)
		a.count.Add(1)
	}
	a.mu.Unlock()
}

// take swaps what has arrived for into, which is emptied before.
func (a *arrivals) take(into *arrivalLists) {
	clear(into.jobs)
	into.jobs, into.messages, into.closed = into.jobs[:0], into.messages[:0], into.closed[:0]
	a.mu.Lock()
	a.lists, *into = *into, a.lists
	a.count.Store(0)
	a.mu.Unlock()
}

func (a *arrivals) leave() {
	a.mu.Lock()
	a.gone = true
	a.mu.Unlock()
}

// arrived makes the next Enter look at the arrivals, and wakes the shard if it sleeps.
func (s *shard) arrived() {
	s.q.SQFlags.Or(uring.SQTaskRun)
	s.wake()
}

// arrive applies what has arrived.
func (s *shard) arrive() {
	if s.arrivals.count.Load() == 0 {
		return
	}
	s.arrivals.take(&s.taken)
	for _, c := range s.taken.messages {
		s.post(c)
	}
	for _, fd := range s.taken.closed {
		s.descriptor(fd) // drops what is remembered of the closed one
	}
	for _, j := range s.taken.jobs {
		s.finishJob(j)
	}
}

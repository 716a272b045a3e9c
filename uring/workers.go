package uring

import (
	"runtime"
	"sync"
)

// WorkQueueMax is how many jobs of Host.Work wait at most.
const WorkQueueMax = 1024

// WorkersMax is how many jobs of Host.Work run at a time at most.
func WorkersMax() int { return min(4, runtime.NumCPU()+1) }

// Workers run jobs of Host.Work on a few goroutines, started when first needed. The queue is bounded: full is
// an answer.
type Workers struct {
	max int // goroutines

	mu      sync.Mutex
	idle    sync.Cond
	queue   []work // a ring of jobs waiting
	first   int
	waiting int
	running int // goroutines
	resting int // goroutines of them that wait for a job
	closed  bool
	done    sync.WaitGroup
}

type work struct {
	job      func() int32
	token    Token
	finished *Finished
	wake     func()
}

// NewWorkers returns workers with a queue of queueMax jobs and at most goroutinesMax goroutines.
func NewWorkers(queueMax, goroutinesMax int) *Workers {
	w := &Workers{max: goroutinesMax, queue: make([]work, queueMax)}
	w.idle.L = &w.mu
	return w
}

// Run queues a job; its result goes to finished, and then wake is called. It returns false when the queue is full or closed.
func (w *Workers) Run(token Token, job func() int32, finished *Finished, wake func()) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || w.waiting == len(w.queue) {
		return false
	}
	w.queue[(w.first+w.waiting)%len(w.queue)] = work{job, token, finished, wake}
	w.waiting++
	if w.resting < w.waiting && w.running < w.max {
		w.running++
		w.done.Go(w.loop)
	}
	w.idle.Signal()
	return true
}

func (w *Workers) loop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		for w.waiting == 0 && !w.closed {
			w.resting++
			w.idle.Wait()
			w.resting--
		}
		if w.closed {
			return
		}
		next := w.queue[w.first]
		w.queue[w.first] = work{}
		w.first = (w.first + 1) % len(w.queue)
		w.waiting--
		w.mu.Unlock()
		result := next.job()
		next.finished.Add(Completion{UserData: uint64(next.token), Res: result})
		next.wake()
		w.mu.Lock()
	}
}

// Close drops the queued jobs and waits for the running ones.
func (w *Workers) Close() {
	w.mu.Lock()
	w.closed = true
	w.idle.Broadcast()
	w.mu.Unlock()
	w.done.Wait()
}

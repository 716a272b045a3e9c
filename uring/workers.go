package uring

import (
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
)

// workNice is how much lower the priority of a worker is than that of the process: shards are asked for answers that take microseconds, and
// a thousand passwords to be hashed must not be in their way.
const workNice = 10

// Workers run jobs of Host.Work on a few goroutines with threads of their own, started when first needed. The queue is bounded: full is
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
	runtime.LockOSThread() // for good: a thread of low priority is no use to others, and ends with the goroutine
	lowerPriority()
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

// lowerPriority makes the kernel prefer other threads to this one. It is a courtesy: where it is not to be had, work is done all the same.
func lowerPriority() {
	if level, err := unix.Getpriority(unix.PRIO_PROCESS, 0); err == nil {
		_ = unix.Setpriority(unix.PRIO_PROCESS, 0, min(20-level+workNice, 19)) // the kernel tells 20 - nice
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

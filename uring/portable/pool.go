package portable

import (
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"galgo/uring"
)

// job is a file operation on its way through the pool.
type job struct {
	entry   uring.Entry
	vectors *vectors
	one     uring.Iovec // of a read or write that needs flags
	shard   *shard
	op      int32
	state   atomic.Int32
	res     int32
	next    *job // in the queue, or of the shard's free ones
}

const (
	jobQueued = iota
	jobBegun
	jobCancelled
)

// cancel keeps a job from beginning and reports whether it could. It comes back from the pool either way.
func (j *job) cancel() bool { return j.state.CompareAndSwap(jobQueued, jobCancelled) }

// pool runs jobs on a few goroutines, started when first needed, oldest job first. The queue is bounded by what its shards have in flight.
type pool struct {
	mu          sync.Mutex
	idle        sync.Cond
	first, last *job
	queued      int
	running     int // goroutines
	resting     int // of them
	closed      bool
	done        sync.WaitGroup
}

// poolMax is how many file operations run at a time: enough to keep a fast disk busy, and few threads when a slow one holds them all.
const poolMax = 16

func newPool() *pool {
	p := &pool{}
	p.idle.L = &p.mu
	return p
}

// add queues a job; it comes back in its shard's arrivals.
func (p *pool) add(j *job) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last == nil {
		p.first = j
	} else {
		p.last.next = j
	}
	p.last = j
	p.queued++
	if p.resting < p.queued && p.running < poolMax {
		p.running++
		p.done.Go(p.loop)
	}
	p.idle.Signal()
}

func (p *pool) loop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		for p.first == nil && !p.closed {
			p.resting++
			p.idle.Wait()
			p.resting--
		}
		if p.closed {
			return
		}
		j := p.first
		p.first, j.next = j.next, nil
		if p.first == nil {
			p.last = nil
		}
		p.queued--
		p.mu.Unlock()
		j.run()
		p.mu.Lock()
	}
}

func (j *job) run() {
	if j.state.CompareAndSwap(jobQueued, jobBegun) {
		j.res = j.execute()
	} else {
		j.res = -int32(unix.ECANCELED)
	}
	s := j.shard
	s.arrivals.addJob(j)
	s.arrived()
}

// close drops queued jobs and waits for running ones.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	p.idle.Broadcast()
	p.mu.Unlock()
	p.done.Wait()
}

// startJob hands an operation to the pool.
func (s *shard) startJob(i int32) outcome {
	o := &s.ops.slots[i]
	e := &o.entry
	switch e.Opcode {
	case uring.OpReadv, uring.OpWritev:
		v, want, errno := s.takeVectors(uring.Addr(e.Addr), uint64(e.Len))
		if errno != 0 {
			return failed(errno)
		}
		o.vectors, o.want = v, want
	}
	if e.Opcode != uring.OpClose && e.FD >= 0 && e.FD < descriptorsMax {
		d := s.descriptor(e.FD)
		if d.closing != none {
			return failed(unix.EBADF)
		}
		d.jobs++
	}
	j := s.jobs
	if j == nil {
		j = &job{shard: s}
	} else {
		s.jobs = j.next
	}
	j.entry, j.vectors, j.op, j.next = *e, o.vectors, i, nil
	j.state.Store(jobQueued)
	o.job, o.state = j, stateJob
	s.kernel.pool.add(j)
	return outcome{}
}

// finishJob completes the operation of a job that came back.
func (s *shard) finishJob(j *job) {
	i, fd, res := j.op, j.entry.FD, j.res
	counted := j.entry.Opcode != uring.OpClose && fd >= 0 && fd < descriptorsMax
	j.vectors, j.next = nil, s.jobs
	s.jobs = j
	s.ops.slots[i].job, s.ops.slots[i].state = nil, stateStarted
	s.run(s.finish(i, res, 0))
	if !counted {
		return
	}
	d := s.descriptor(fd)
	if d.jobs--; d.jobs == 0 && d.closing != none {
		closing := d.closing
		d.closing = none
		if out := s.closeNow(closing, fd, d); out.done {
			s.run(s.finish(closing, out.res, out.flags))
		}
	}
}

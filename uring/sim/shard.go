package sim

import (
	"fmt"
	"math/bits"
	"sync/atomic"
	"syscall"

	"galgo/uring"
)

// shard is one shard's queues and what is behind them.
type shard struct {
	k        *Kernel
	number   int
	q        uring.Queues
	words    [5]atomic.Uint32
	ready    func() bool
	finished uring.Finished
	peer     int32 // names the shard to MsgRing; -1 after Teardown
	groups   map[uint16]*group
	ordered  []*group // by number

	ops      ops                // in flight
	backlog  []uring.Completion // found no room in the completion queue
	deferred []uring.Completion // completed while the shard was out of the kernel: an Enter hands them out
	entered  bool               // the shard is inside of Enter
	asleep   bool               // stepping: it sits in a blocking Enter
	woken    bool
	waited   bool   // a blocking Enter was called since the last step: another one, as of Ring.Close, waits even in stepping mode
	until    uint64 // when it wakes by itself: µs; 0: never
}

const entriesMax = 1 << 15

// Setup makes a shard's queues; see Host.
func (k *Kernel) Setup(number int, p uring.Params) (*uring.Queues, error) {
	if old := k.shards[number]; old != nil && old.peer >= 0 {
		panic(fmt.Sprintf("sim: shard %d is set up already", number))
	}
	k.setups++
	s := &shard{k: k, number: number, ready: p.Ready, peer: peerFirst + k.setups, groups: map[uint16]*group{}}
	s.ops.init()
	entries, completions := powerOfTwo(p.Entries), powerOfTwo(p.CQEntries)
	s.q = uring.Queues{
		SQHead: &s.words[0], SQTail: &s.words[1], SQFlags: &s.words[2], SQMask: entries - 1, SQEntries: make([]uring.Entry, entries),
		CQHead: &s.words[3], CQTail: &s.words[4], CQMask: completions - 1, CQEntries: make([]uring.Completion, completions),
		Finished: &s.finished,
	}
	k.shards[number] = s
	return &s.q, nil
}

func powerOfTwo(n uint32) uint32 { return 1 << bits.Len32(min(max(n, 1), entriesMax)-1) }

// Teardown ends the shard. What is still in flight happens unseen.
func (k *Kernel) Teardown(number int) error {
	s := k.shards[number]
	s.peer = -1
	s.asleep = false
	for o := range s.ops.all {
		if o.timer != nil && o.state == opTimer {
			o.timer.run = nil
		}
	}
	return nil
}

// Enter takes entries, hands completions out, and with block waits or, in stepping mode, notes that the shard does; see Host.
func (k *Kernel) Enter(number int, submit uint32, block bool, untilMicros uint64) error {
	if k.dead {
		return callError("io_uring_enter", syscall.EBADF)
	}
	s, w := k.shards[number], k.world
	s.entered, s.asleep, s.woken = true, false, false
	defer func() { s.entered = false }()
	for _, g := range s.ordered {
		g.poison(k)
	}
	s.flush()
	s.submit(submit)
	if !w.o.Stepping || s.waited {
		w.advance(w.mono + 1) // a call takes time: who asks again and again gets on
		w.runDue()
	}
	if !block || s.q.SQHead.Load() != s.q.SQTail.Load() { // what was not taken would wait for ever
		return nil
	}
	s.asleep, s.until = true, untilMicros // announced, then asked; see uring.Parking
	switch {
	case s.hasWork():
		s.asleep = false
	case !w.o.Stepping || s.waited:
		s.wait(untilMicros)
		s.asleep = false
	}
	s.waited = true
	return nil
}

// wait lets time pass until the shard is roused or time is over.
func (s *shard) wait(untilMicros uint64) {
	w := s.k.world
	for !s.roused() {
		next, any := w.nextAt()
		if untilMicros != 0 && (!any || next > untilMicros) {
			w.advance(untilMicros)
			return
		}
		if !any {
			panic(fmt.Sprintf("sim: shard %d waits, and nothing will ever happen", s.number))
		}
		w.runNext()
	}
}

// rise ends the blocking Enter that a shard sits in.
func (s *shard) rise() { s.asleep, s.woken, s.waited, s.until = false, false, false, 0 }

// hasWork is what a shard looks at once more before it sleeps.
func (s *shard) hasWork() bool {
	return s.roused() || s.finished.Len() > 0 || s.ready != nil && s.ready()
}

// roused is what ends its sleep. That work waits is not among it: whoever brought it has to wake the shard, and is found out else.
func (s *shard) roused() bool { return s.woken || s.q.CQTail.Load() != s.q.CQHead.Load() }

// post hands a completion out at once while the shard is inside of the kernel, and else with its next Enter.
func (s *shard) post(c uring.Completion) {
	if s.peer < 0 {
		return
	}
	s.k.world.note(traceFinish, uint64(s.number), c.UserData, uint64(uint32(c.Res)), uint64(c.Flags))
	if !s.entered && !s.asleep {
		s.deferred = append(s.deferred, c)
		s.setFlag(uring.SQTaskRun, true)
		return
	}
	s.publish(c)
}

func (s *shard) publish(c uring.Completion) {
	tail := s.q.CQTail.Load()
	if len(s.backlog) > 0 || tail-s.q.CQHead.Load() > s.q.CQMask {
		s.backlog = append(s.backlog, c)
		s.setFlag(uring.SQOverflow, true)
		return
	}
	s.q.CQEntries[tail&s.q.CQMask] = c
	s.q.CQTail.Store(tail + 1)
}

// flush moves what waited into the completion queue, as far as there is room.
func (s *shard) flush() {
	backlog := s.backlog
	s.backlog = nil
	for _, c := range backlog {
		s.publish(c)
	}
	deferred := s.deferred
	s.deferred = nil
	for _, c := range deferred {
		s.publish(c)
	}
	s.setFlag(uring.SQOverflow, len(s.backlog) > 0)
	s.setFlag(uring.SQTaskRun, false)
}

func (s *shard) setFlag(flag uint32, on bool) {
	flags := s.q.SQFlags.Load() &^ flag
	if on {
		flags |= flag
	}
	s.q.SQFlags.Store(flags)
}

// submit takes entries and starts them, chain by chain.
func (s *shard) submit(count uint32) {
	w, all := s.k.world, count
	if count > 1 && w.fault(FaultFewTaken, w.o.Faults.FewTaken) {
		count = 1 + uint32(w.below(uint64(count)-1))
	}
	head := s.q.SQHead.Load()
	for taken := uint32(0); taken < count; {
		chain, n := s.takeChain(head+taken, all-taken)
		taken += n
		s.q.SQHead.Store(head + taken)
		chain.start()
	}
}

// takeChain takes the entry at index and those linked to it, of count at most. It returns the first and their number.
func (s *shard) takeChain(index, count uint32) (first *op, n uint32) {
	first = s.take(index)
	last := first
	for n = 1; n < count && linked(&s.q.SQEntries[(index+n-1)&s.q.SQMask]); n++ {
		o := s.take(index + n)
		if o.e.Opcode == uring.OpLinkTimeout && last.bound == nil {
			last.bound, o.of = o, last
			continue
		}
		last.next = o
		last = o
	}
	return first, n
}

func linked(e *uring.Entry) bool { return e.Flags&(uring.EntryLink|uring.EntryHardLink) != 0 }

func (s *shard) take(index uint32) *op {
	o := &op{s: s, e: s.q.SQEntries[index&s.q.SQMask]}
	o.prepare()
	s.ops.add(o)
	return o
}

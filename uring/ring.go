package uring

import (
	"errors"
	"fmt"
	"syscall"
)

// Ring is a shard's pair of queues. It belongs to one goroutine locked to its OS thread: that which called NewRing. A tick pushes entries,
// calls Enter once, and reaps.
type Ring struct {
	host  Host
	shard int
	q     *Queues
	runs  [256]bool // operations that the host can run
	arms  bool      // Queues.Arm is to be kept armed
	rearm bool      // it has completed for good

	sqTail uint32       // entries pushed; published by Enter
	spilt  []Completion // taken out of a full completion queue by Push, before anything reaped since

	inflight int // entries pushed less those completed for good, the ring's own aside
	stats    Stats
}

// Stats count what a ring has done since NewRing.
type Stats struct {
	Enters uint64 // calls of Host.Enter
	Wakes  uint64 // completions that only woke the ring
	Full   uint64 // times Push found the submission queue full
}

// closeMaxMicros is how long Close waits for the last completion.
const closeMaxMicros = 5_000_000

// NewRing sets up the queues of a shard. An error that wraps ErrUnsupported means that another host should be tried.
func NewRing(h Host, shard int, p Params) (*Ring, error) {
	if shard < 0 || shard >= ShardsMax {
		return nil, fmt.Errorf("uring: shard %d: not in [0, %d)", shard, ShardsMax)
	}
	if p.Entries == 0 {
		p.Entries = 256
	}
	if p.CQEntries == 0 {
		p.CQEntries = 2 * p.Entries
	}
	p.CQEntries = max(p.CQEntries, p.Entries) // the kernel refuses less
	q, err := h.Setup(shard, p)
	if err != nil {
		return nil, fmt.Errorf("uring: set up shard %d: %w", shard, err)
	}
	r := &Ring{host: h, shard: shard, q: q, sqTail: q.SQTail.Load(), arms: q.Arm.Opcode != OpNop}
	for op := range r.runs {
		r.runs[op] = h.Supports(uint8(op))
	}
	if r.arms {
		r.push(&q.Arm)
	}
	return r, nil
}

// Host returns what stands behind the ring.
func (r *Ring) Host() Host { return r.host }

// Shard returns the number that NewRing was given.
func (r *Ring) Shard() int { return r.shard }

// Parked reports whether the shard sits in a blocking Enter. Anyone may ask.
func (r *Ring) Parked() bool { return r.host.Parked(r.shard) }

// Stats returns the counters.
func (r *Ring) Stats() Stats { return r.stats }

// Inflight returns how many pushed entries have not completed for good.
func (r *Ring) Inflight() int { return r.inflight }

// Push queues an entry, which the next Enter submits. One that the host cannot run (see Host.Supports) panics. It never fails: when the submission
// queue is full it submits first, which splits a chain of linked entries: a chain has to fit in what Params.Entries leaves.
func (r *Ring) Push(e Entry) {
	if t := Token(e.UserData); t.ofRing() || t.ofMessage() {
		panic(fmt.Sprintf("uring: push of %s: token %#x has a reserved mark", OpName(e.Opcode), e.UserData))
	}
	if !r.runs[e.Opcode] {
		panic(fmt.Sprintf("uring: push of %s, token %#x: %s cannot run it", OpName(e.Opcode), e.UserData, r.host.Name()))
	}
	r.inflight++
	r.push(&e)
}

// queued returns how many entries the host has not taken.
func (r *Ring) queued() uint32 { return r.sqTail - r.q.SQHead.Load() }

func (r *Ring) push(e *Entry) {
	if r.queued() > r.q.SQMask {
		r.makeRoom()
	}
	r.q.SQEntries[r.sqTail&r.q.SQMask] = *e
	r.sqTail++
}

// makeRoom submits until the submission queue has room. A host short of memory may refuse while completions wait, so these go to the side.
func (r *Ring) makeRoom() {
	r.stats.Full++
	for {
		if err := r.enter(false, 0); err != nil {
			panic(fmt.Sprintf("uring: shard %d: submit to make room for an entry: %v", r.shard, err))
		}
		if r.queued() <= r.q.SQMask {
			return
		}
		r.spill()
	}
}

func (r *Ring) spill() {
	head, tail := r.q.CQHead.Load(), r.q.CQTail.Load()
	for ; head != tail; head++ {
		r.spilt = append(r.spilt, r.q.CQEntries[head&r.q.CQMask])
	}
	r.q.CQHead.Store(head)
}

// Enter submits what was pushed, and with block waits for one completion: until the monotonic time untilMicros, or without limit when that
// is 0. It makes no system call when there is nothing to submit, nothing to wait for, and the host has nothing to run. It may return with
// no completion there. An error means that the ring is of no further use.
func (r *Ring) Enter(block bool, untilMicros uint64) error {
	if block && (r.q.CQHead.Load() != r.q.CQTail.Load() || len(r.spilt) > 0 || r.q.Finished.Len() > 0) {
		block = false
	}
	if !block && r.queued() == 0 && r.q.SQFlags.Load()&(SQOverflow|SQTaskRun) == 0 {
		return nil
	}
	return r.enter(block, untilMicros)
}

func (r *Ring) enter(block bool, untilMicros uint64) error {
	r.q.SQTail.Store(r.sqTail)
	r.stats.Enters++
	if err := r.host.Enter(r.shard, r.queued(), block, untilMicros); err != nil {
		return fmt.Errorf("uring: shard %d: enter: %w", r.shard, err)
	}
	return nil
}

// Reap moves completions to dst, oldest first, results of Host.Work last, and returns their number; it is below len(dst) only when no more are there.
func (r *Ring) Reap(dst []Completion) int {
	n := 0
	if len(r.spilt) > 0 {
		n = r.reapSpilt(dst)
	}
	head, tail := r.q.CQHead.Load(), r.q.CQTail.Load()
	from := head
	for head != tail && n < len(dst) {
		c := r.q.CQEntries[head&r.q.CQMask]
		head++
		if r.account(c) {
			dst[n] = c
			n++
		}
	}
	if head != from {
		r.q.CQHead.Store(head)
	}
	if r.rearm { // not before the head is published: a push may move completions itself
		r.rearm = false
		r.push(&r.q.Arm)
	}
	if n < len(dst) {
		n += r.q.Finished.Take(dst[n:])
	}
	return n
}

func (r *Ring) reapSpilt(dst []Completion) int {
	n, taken := 0, 0
	for taken < len(r.spilt) && n < len(dst) {
		c := r.spilt[taken]
		taken++
		if r.account(c) {
			dst[n] = c
			n++
		}
	}
	r.spilt = r.spilt[:copy(r.spilt, r.spilt[taken:])]
	return n
}

// account counts a completion and reports whether it is the caller's. The ring's own are acted on here.
func (r *Ring) account(c Completion) bool {
	token := c.Token()
	switch {
	case token.ofRing():
		if token == TokenWake || token == tokenWakeArm {
			r.stats.Wakes++
		}
		if token == tokenWakeArm && !c.More() && r.arms {
			r.rearm = true
		}
		return false
	case token.ofMessage():
		return true // a peer's: no entry of this ring is done with it
	}
	if !c.More() {
		r.inflight--
		if r.inflight < 0 {
			panic(fmt.Sprintf("uring: shard %d: completion %#x without an entry in flight", r.shard, c.UserData))
		}
	}
	return true
}

// WakePeer wakes another shard when it is parked: through the ring, so that it goes out with this ring's next Enter. As with Host.Wake, the
// work must be stored before.
func (r *Ring) WakePeer(shard int) {
	if shard == r.shard || !r.host.Parked(shard) {
		return
	}
	peer := r.host.PeerFD(shard)
	if peer < 0 {
		return // the peer is gone, and with it whoever would have looked
	}
	e := MsgRing(peer, 0, TokenWake, tokenWakeSent)
	e.Flags |= EntrySkipSuccess
	r.push(&e)
}

// Close submits what was pushed, cancels what is in flight, waits for the last completion (file I/O cannot be cancelled), drops all
// completions, and tears the ring down. When it returns nil, nothing touches the slabs for this ring any more. After five seconds it tears
// down anyway and returns an error that wraps EBUSY; then memory and descriptors named by entries must be left alone. Buffer rings are
// closed before.
func (r *Ring) Close() error {
	r.arms = false
	_, now := r.host.Clock()
	limit := now + closeMaxMicros
	var err error
	var dropped [64]Completion
	for err == nil && r.queued() > 0 && now < limit { // a host short of memory takes some at a time
		err = r.enter(false, 0)
		for r.Reap(dropped[:]) > 0 {
		}
		_, now = r.host.Clock()
	}
	left := r.queued()
	for r.inflight > 0 && err == nil && now < limit {
		// Cancelled again each round: an entry that waited behind a link may only have started since.
		e := cancelAny(tokenCancel)
		r.push(&e)
		err = r.enter(true, min(now+100_000, limit))
		for r.Reap(dropped[:]) > 0 {
		}
		_, now = r.host.Clock()
	}
	if err == nil && (r.inflight > 0 || left > 0) {
		err = fmt.Errorf("uring: close shard %d: %d operations in flight, %d entries not taken: %w", r.shard, r.inflight, left, syscall.EBUSY)
	}
	return errors.Join(err, r.host.Teardown(r.shard))
}

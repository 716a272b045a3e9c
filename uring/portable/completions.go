package portable

import "galgo/uring"

// post writes a completion; publish shows it to the ring.
func (s *shard) post(c uring.Completion) {
	if len(s.backlog) > 0 || s.cqTail-s.q.CQHead.Load() > s.q.CQMask {
		s.backlog = append(s.backlog, c)
		return
	}
	s.q.CQEntries[s.cqTail&s.q.CQMask] = c
	s.cqTail++
}

// catchUp moves completions that found no room into the room there is now.
func (s *shard) catchUp() {
	moved := 0
	for moved < len(s.backlog) && s.cqTail-s.q.CQHead.Load() <= s.q.CQMask {
		s.q.CQEntries[s.cqTail&s.q.CQMask] = s.backlog[moved]
		s.cqTail++
		moved++
	}
	s.backlog = s.backlog[:copy(s.backlog, s.backlog[moved:])]
}

// completions reports whether there is something to reap.
func (s *shard) completions() bool { return s.cqTail != s.q.CQHead.Load() }

// publish shows what was posted, and in the flags whether another Enter has work even if nothing is submitted.
func (s *shard) publish() {
	s.q.CQTail.Store(s.cqTail)
	want := uint32(0)
	if s.waiting > 0 || s.timers.len() > 0 {
		want |= uring.SQTaskRun // who waits for a socket or a time is only seen by looking
	}
	if len(s.backlog) > 0 {
		want |= uring.SQOverflow
	}
	if s.q.SQFlags.Load() == want {
		return
	}
	s.q.SQFlags.Store(want)
	if s.arrivals.count.Load() > 0 { // counted before the flag is set, so one of both sides sees the other
		s.q.SQFlags.Or(uring.SQTaskRun)
	}
}

package portable

import (
	"golang.org/x/sys/unix"

	"galgo/uring"
)

// outcome is what trying an operation came to.
type outcome struct {
	res   int32
	flags uint32 // of the completion
	done  bool   // false: it waits, wherever it has been put
}

func completed(res int32) outcome { return outcome{res: res, done: true} }

func failed(errno unix.Errno) outcome { return outcome{res: -int32(errno), done: true} }

// submit takes the first count entries of the submission queue. A chain that the count cuts is a chain of its own.
func (s *shard) submit(count uint32) {
	head := s.q.SQHead.Load()
	first, last := int32(none), int32(none)
	for range count {
		e := &s.q.SQEntries[head&s.q.SQMask]
		head++
		i := s.ops.take(e)
		if first == none {
			first = i
		} else {
			s.ops.slots[last].chain = i
		}
		last = i
		if e.Flags&(uring.EntryLink|uring.EntryHardLink) == 0 {
			s.run(first)
			first = none
		}
	}
	s.q.SQHead.Store(head)
	s.run(first)
}

// run starts an operation, and those behind it in its chain until one has to wait.
func (s *shard) run(i int32) {
	for i != none {
		s.bind(i)
		out := s.start(i)
		if !out.done {
			if bound := s.ops.slots[i].bound; bound != none {
				s.startTimer(bound)
			}
			return
		}
		i = s.finish(i, out.res, out.flags)
	}
}

// bind takes a link timeout out of the chain and puts it beside the operation it bounds.
func (s *shard) bind(i int32) {
	o := &s.ops.slots[i]
	if o.chain == none || s.ops.slots[o.chain].entry.Opcode != uring.OpLinkTimeout {
		return
	}
	bound := &s.ops.slots[o.chain]
	o.bound, bound.bound = o.chain, i
	o.chain, bound.chain = bound.chain, none
}

// finish completes an operation, which is in no line, heap or pool any more, and returns the one to start next.
func (s *shard) finish(i int32, res int32, flags uint32) (next int32) {
	o := &s.ops.slots[i]
	next = o.chain
	if next != none && o.entry.Flags&uring.EntryHardLink == 0 && o.broken(res) {
		s.cancelChain(next)
		next = none
		o = &s.ops.slots[i]
	}
	if res < 0 || o.entry.Flags&uring.EntrySkipSuccess == 0 {
		s.post(uring.Completion{UserData: o.entry.UserData, Res: res, Flags: flags})
	}
	bound := o.bound
	if o.vectors != nil {
		s.dropVectors(o.vectors)
	}
	s.ops.drop(i)
	if bound != none {
		s.finishBound(bound)
	}
	return next
}

// finishBound completes the link timeout of an operation that was done in time.
func (s *shard) finishBound(bound int32) {
	b := &s.ops.slots[bound]
	if b.state == stateTimer {
		s.removeTimer(bound)
	}
	s.post(uring.Completion{UserData: b.entry.UserData, Res: -int32(unix.ECANCELED)})
	s.ops.drop(bound)
}

// cancelChain completes operations that were never started.
func (s *shard) cancelChain(i int32) {
	for i != none {
		o := &s.ops.slots[i]
		next := o.chain
		s.post(uring.Completion{UserData: o.entry.UserData, Res: -int32(unix.ECANCELED)})
		s.ops.drop(i)
		i = next
	}
}

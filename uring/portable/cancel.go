package portable

import (
	"golang.org/x/sys/unix"

	"galgo/uring"
)

// stop cancels one operation: 0, or EALREADY when it can no longer be stopped.
func (s *shard) stop(i int32) unix.Errno {
	o := &s.ops.slots[i]
	switch o.state {
	case stateWaiting:
		s.leave(s.remembered(o.entry.FD).line(o.entry.Opcode), i)
	case stateTimer:
		s.removeTimer(i)
	case stateJob:
		if o.cancellable() && o.job.cancel() {
			return 0 // the pool returns it
		}
		return unix.EALREADY
	default:
		return unix.EALREADY
	}
	s.run(s.finish(i, s.ops.slots[i].stopped(), 0))
	return 0
}

// cancellable reports whether an operation is one that others may name. A link timeout ends with what it bounds, and a close that did not come
// about would leave its descriptor open for good.
func (o *op) cancellable() bool {
	switch o.state {
	case stateWaiting:
		return true
	case stateJob:
		return o.entry.Opcode != uring.OpClose
	case stateTimer:
		return o.entry.Opcode == uring.OpTimeout
	}
	return false
}

// cancel runs the entry of uring.Cancel and its relatives. The result counts only what was stopped.
func (s *shard) cancel(e uring.Entry) outcome {
	switch {
	case e.OpFlags&uring.CancelByFD != 0:
		if e.FD < 0 || e.FD >= descriptorsMax {
			return failed(unix.EBADF)
		}
		d := s.descriptor(e.FD)
		n := s.cancelWaiting(d)
		if d.jobs > 0 {
			n += s.cancelJobs(e.FD)
		}
		return completed(n)
	case e.OpFlags&uring.CancelAny != 0:
		n := int32(0)
		for i := 1; i < len(s.ops.slots); i++ {
			if s.ops.slots[i].cancellable() && s.stop(int32(i)) == 0 {
				n++
			}
		}
		return completed(n)
	}
	for i := 1; i < len(s.ops.slots); i++ {
		if o := &s.ops.slots[i]; o.entry.UserData == e.Addr && o.cancellable() {
			return completed(-int32(s.stop(int32(i))))
		}
	}
	return failed(unix.ENOENT)
}

// cancelJobs stops the jobs of a descriptor that have not begun.
func (s *shard) cancelJobs(fd int32) (n int32) {
	for i := 1; i < len(s.ops.slots); i++ {
		if o := &s.ops.slots[i]; o.state == stateJob && o.entry.FD == fd && o.cancellable() && o.job.cancel() {
			n++
		}
	}
	return n
}

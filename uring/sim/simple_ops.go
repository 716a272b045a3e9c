package sim

import (
	"syscall"

	"galgo/uring"
)

func (o *op) startNop() { o.finish(result{}) }

// startStray takes a link timeout that follows nothing.
func (o *op) startStray() { o.finish(failed(syscall.EINVAL)) }

// startMessage puts a completion into another ring.
func (o *op) startMessage() {
	for _, s := range o.s.k.shards {
		if s != nil && s.peer >= 0 && s.peer == o.e.FD {
			s.post(uring.Completion{UserData: o.e.Off, Res: int32(o.e.Len)})
			o.finish(result{})
			return
		}
	}
	o.finish(failed(syscall.EBADF))
}

// due returns when a timeout ends.
func (o *op) due() uint64 {
	micros := uint64(o.timespec.Seconds)*1e6 + (uint64(o.timespec.Nanoseconds)+999)/1e3
	if o.e.OpFlags&uring.TimeoutAbsolute != 0 {
		return micros
	}
	return o.s.k.world.mono + micros
}

func (o *op) setTimer(run func()) {
	k := o.s.k
	o.state = opTimer
	o.timer = k.world.at(max(o.due(), k.world.mono), func() {
		if !k.dead && o.state == opTimer {
			run()
		}
	})
}

func (o *op) startTimeout() {
	o.setTimer(func() { o.finish(failed(syscall.ETIME)) })
}

// armBound starts the clock of a link timeout, with the operation that it bounds.
func (o *op) armBound() {
	o.setTimer(func() {
		bounded := o.of
		bounded.bound = nil
		o.of = nil
		if errno := bounded.stop(); errno != 0 {
			o.finish(failed(errno)) // it has begun and goes on
			return
		}
		o.finish(failed(syscall.ETIME))
	})
}

// release ends a link timeout whose operation is done.
func (o *op) release() {
	if o.timer != nil {
		o.timer.run = nil
	}
	o.finish(failed(syscall.ECANCELED))
}

// stop cancels an operation: 0 when it completed so, EALREADY or ENOENT when it cannot be stopped.
func (o *op) stop() syscall.Errno {
	switch o.state {
	case opTimer:
		o.timer.run = nil
	case opWaiting:
		o.leaveLine()
		if o.done > 0 { // what has moved is not lost
			o.finish(result{res: int32(o.done)})
			return 0
		}
	case opRunning:
		if o.s.k.world.rng.Uint32()&1 == 0 {
			return syscall.ENOENT // the kernel does not look for it where it is
		}
		return syscall.EALREADY
	default:
		return syscall.ENOENT
	}
	o.finish(failed(syscall.ECANCELED))
	return 0
}

// startCancel cancels what matches: by token, by descriptor, or everything.
func (o *op) startCancel() {
	flags := o.e.OpFlags
	var file *file
	if flags&uring.CancelByFD != 0 {
		if file = o.s.k.file(o.e.FD); file == nil {
			o.finish(failed(syscall.EBADF))
			return
		}
	}
	var matches []*op
	for m := range o.s.ops.all {
		switch {
		case m == o || m.state == opChained || m.e.Opcode == uring.OpLinkTimeout:
		case flags&uring.CancelAny != 0, file != nil && m.held == file, file == nil && m.e.UserData == o.e.Addr:
			matches = append(matches, m)
		}
	}
	count, errno := int32(0), syscall.ENOENT
	for _, m := range matches {
		if m.state == opDone {
			continue // ended by the one before
		}
		if errno = m.stop(); errno == 0 {
			count++
		}
		if flags&uring.CancelAll == 0 {
			break
		}
	}
	switch {
	case flags&uring.CancelAll != 0:
		o.finish(result{res: count})
	case errno != 0:
		o.finish(failed(errno))
	default:
		o.finish(result{})
	}
}

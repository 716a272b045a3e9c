//go:build linux

package uring

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Enter submits, runs what completes operations, and waits; see Host.
func (k *Kernel) Enter(shard int, submit uint32, block bool, untilMicros uint64) error {
	s := k.shards[shard].Load()
	if !block {
		return s.enter(submit, 0)
	}
	return k.wait(s, submit, untilMicros)
}

// wait spins if asked to, then parks; see Parking.
func (k *Kernel) wait(s *kernelShard, submit uint32, untilMicros uint64) error {
	if s.spinMicros > 0 {
		if submit > 0 {
			if err := s.enter(submit, 0); err != nil {
				return err
			}
			submit = s.q.SQTail.Load() - s.q.SQHead.Load()
		}
		if k.spin(s, untilMicros) {
			if s.mustEnter() {
				return s.enter(submit, 0)
			}
			return nil
		}
	}
	s.parking.Announce()
	defer s.parking.Leave()
	if s.hasWork() {
		if submit == 0 && !s.mustEnter() {
			return nil
		}
		return s.enter(submit, 0)
	}
	if untilMicros == 0 {
		return s.block(submit, false)
	}
	_, now := k.Clock()
	if now >= untilMicros {
		return s.enter(submit, 0)
	}
	s.time = TimespecMicros(untilMicros - now)
	return s.block(submit, true)
}

// spinLooks is how many times spin looks between two readings of the clock.
const spinLooks = 32

// spin looks for work for a while and reports whether there is some. The tail of the completion queue alone would never move: with
// DEFER_TASKRUN completions are only made in an enter, and SQTaskRun says that one is due.
func (k *Kernel) spin(s *kernelShard, untilMicros uint64) bool {
	_, now := k.Clock()
	limit := now + s.spinMicros
	if untilMicros != 0 {
		limit = min(limit, untilMicros)
	}
	for now < limit {
		for range spinLooks {
			if s.q.CQTail.Load() != s.q.CQHead.Load() || s.mustEnter() {
				return true
			}
		}
		if s.hasWork() {
			return true
		}
		_, now = k.Clock()
	}
	return false
}

func (s *kernelShard) hasWork() bool {
	return s.finished.Len() > 0 || s.ready != nil && s.ready()
}

func (s *kernelShard) mustEnter() bool {
	return s.q.SQFlags.Load()&(SQTaskRun|SQOverflow) != 0
}

// enter never waits unless the wanted number of completions is above 0 (the probe's). A raw call saves telling the scheduler.
func (s *kernelShard) enter(submit, wanted uint32) error {
	call := unix.RawSyscall6
	if wanted > 0 {
		call = unix.Syscall6
	}
	_, _, errno := call(unix.SYS_IO_URING_ENTER, s.enterFD, uintptr(submit), uintptr(wanted), enterGetEvents|s.enterFlags, 0, 0)
	return enterError(errno)
}

// block waits for one completion, for s.time if limited. The scheduler is told, so that the collector need not wait for us.
func (s *kernelShard) block(submit uint32, limited bool) error {
	if !limited {
		_, _, errno := unix.Syscall6(unix.SYS_IO_URING_ENTER, s.enterFD, uintptr(submit), 1, enterGetEvents|s.enterFlags, 0, 0)
		return enterError(errno)
	}
	s.arg = geteventsArg{timespec: uint64(uintptr(unsafe.Pointer(&s.time)))}
	_, _, errno := unix.Syscall6(unix.SYS_IO_URING_ENTER, s.enterFD, uintptr(submit), 1, enterGetEvents|enterExtArg|s.enterFlags,
		uintptr(unsafe.Pointer(&s.arg)), unsafe.Sizeof(s.arg))
	return enterError(errno)
}

// enterError drops what is no failure: no time left, a signal, or too little memory or room for completions just now. Entries that were
// not taken stay in the queue.
func enterError(errno unix.Errno) error {
	switch errno {
	case 0, unix.ETIME, unix.EINTR, unix.EAGAIN, unix.EBUSY:
		return nil
	}
	return os.NewSyscallError("io_uring_enter", errno)
}

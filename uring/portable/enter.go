package portable

import (
	"math"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Enter takes entries, moves on what has become possible, and waits; see Host.
func (k *Kernel) Enter(number int, submit uint32, block bool, untilMicros uint64) error {
	s := k.shards[number].Load()
	s.catchUp()
	s.arrive()
	s.submit(submit)
	s.expire()
	var err error
	if block && !s.completions() {
		err = s.wait(untilMicros)
	} else if s.waiting > 0 {
		err = s.glance()
	}
	s.publish()
	return err
}

// skipMax is how many enters in a row may do without a look at the epoll set because what they submitted was done at once. A connection
// that is kept busy saves a call each time, and the others wait no longer than so many rounds.
const skipMax = 2

// glance looks at the epoll set without waiting.
func (s *shard) glance() error {
	if s.completions() && s.skipped < skipMax {
		s.skipped++
		return nil
	}
	s.skipped = 0
	_, err := s.look(0)
	return err
}

// wait parks until there is something to reap, Ready reports work, someone wakes the shard, or the time has come; see uring.Parking. What
// only moves an operation on does not end it.
func (s *shard) wait(untilMicros uint64) error {
	for spun := s.spinMicros == 0; ; {
		if !spun {
			if err := s.spin(untilMicros); err != nil || s.completions() {
				return err
			}
			spun = true
		}
		s.parking.Announce()
		limit := untilMicros
		if due := s.due(); due != 0 && (limit == 0 || due < limit) {
			limit = due
		}
		sleep, work := int64(math.MaxInt64), s.hasWork()
		if work {
			sleep = 0
		} else if limit != 0 {
			_, now := s.kernel.Clock()
			sleep = max(int64(limit)-int64(now), 0)
		}
		woken, err := s.look(sleep)
		s.parking.Leave()
		s.arrive()
		s.expire()
		if err != nil || work || woken || s.completions() || s.hasWork() {
			return err
		}
		if untilMicros != 0 {
			if _, now := s.kernel.Clock(); now >= untilMicros {
				return nil
			}
		}
	}
}

// spin looks for work for a while. Every look is a system call: sockets show themselves in no memory of ours.
func (s *shard) spin(untilMicros uint64) error {
	_, now := s.kernel.Clock()
	limit := now + s.spinMicros
	if untilMicros != 0 {
		limit = min(limit, untilMicros)
	}
	for now < limit && !s.hasWork() {
		if _, err := s.look(0); err != nil || s.completions() {
			return err
		}
		s.expire()
		_, now = s.kernel.Clock()
	}
	return nil
}

// hasWork reports what does not show in the epoll set.
func (s *shard) hasWork() bool {
	return s.finished.Len() > 0 || s.arrivals.count.Load() > 0 || s.ready != nil && s.ready()
}

// look takes events for up to so many microseconds (0: those that are there; MaxInt64: without limit) and moves on what they are about.
// Woken says that someone woke the shard.
func (s *shard) look(micros int64) (woken bool, err error) {
	n, errno := s.epollWait(micros)
	if errno != 0 && errno != unix.EINTR {
		return false, os.NewSyscallError("epoll_wait", errno)
	}
	for i := range n {
		e := &s.events[i]
		if e.Fd == int32(s.eventFD) {
			woken = true
			continue
		}
		s.moveOn(e.Fd, uint32(e.Pad), e.Events)
	}
	return woken, nil
}

// epollWait tells the scheduler when it may sleep, so that the collector need not wait for it; a raw call saves that.
func (s *shard) epollWait(micros int64) (int, unix.Errno) {
	set, events := uintptr(s.epollFD), uintptr(unsafe.Pointer(&s.events))
	if micros == 0 {
		n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, set, events, eventsMax, 0, 0, 0)
		return count(n, errno), errno
	}
	if micros != math.MaxInt64 && !s.kernel.coarse.Load() {
		s.time = unix.NsecToTimespec(micros * 1e3)
		n, _, errno := unix.Syscall6(unix.SYS_EPOLL_PWAIT2, set, events, eventsMax, uintptr(unsafe.Pointer(&s.time)), 0, 0)
		if errno != unix.ENOSYS && errno != unix.EPERM { // Linux 5.11, and filters that do not know it
			return count(n, errno), errno
		}
		s.kernel.coarse.Store(true)
	}
	millis := -1
	if micros != math.MaxInt64 {
		millis = int(min((micros+999)/1e3, math.MaxInt32))
	}
	n, _, errno := unix.Syscall6(unix.SYS_EPOLL_PWAIT, set, events, eventsMax, uintptr(millis), 0, 0)
	return count(n, errno), errno
}

func count(n uintptr, errno unix.Errno) int {
	if errno != 0 {
		return 0
	}
	return int(n)
}

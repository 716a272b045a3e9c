package portable

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"galgo/uring"
)

// quickMax is up to how many bytes a call copies without telling the scheduler: the collector waits no longer for it than for a tick.
const quickMax = 64 << 10

// transfer is a call that never waits but may copy n bytes. It is repeated when a signal interrupts it.
func transfer(trap uintptr, fd int32, addr, n, flags uintptr) (int, unix.Errno) {
	call := unix.RawSyscall6
	if n > quickMax {
		call = unix.Syscall6
	}
	for {
		moved, _, errno := call(trap, uintptr(fd), addr, n, flags, 0, 0)
		if errno != unix.EINTR {
			return int(moved), errno
		}
	}
}

func (s *shard) tryAccept(i, fd int32, d *descriptor) outcome {
	for {
		e := &s.ops.slots[i].entry
		n, _, errno := unix.RawSyscall6(unix.SYS_ACCEPT4, uintptr(fd), 0, 0, uintptr(e.OpFlags), 0, 0)
		switch {
		case errno == unix.EINTR:
			continue
		case errno == unix.EAGAIN:
			return s.await(fd, d, &d.drained)
		case errno != 0:
			return failed(errno)
		}
		s.kernel.table.born(int32(n))
		if e.IoPrio&uring.IoPrioAcceptMultishot == 0 {
			return completed(int32(n))
		}
		s.post(uring.Completion{UserData: e.UserData, Res: int32(n), Flags: uring.FlagMore})
	}
}

func (s *shard) tryRecv(i, fd int32, d *descriptor) outcome {
	o := &s.ops.slots[i]
	e := &o.entry
	if e.Flags&uring.EntryBufferSelect != 0 {
		return s.tryRecvSelect(e, fd, d)
	}
	flags := uintptr(e.OpFlags&^unix.MSG_WAITALL | unix.MSG_DONTWAIT)
	for {
		left := e.Len - o.done
		n, errno := transfer(unix.SYS_RECVFROM, fd, uintptr(e.Addr)+uintptr(o.done), uintptr(left), flags)
		if errno == unix.EAGAIN && e.OpFlags&unix.MSG_DONTWAIT == 0 {
			return s.await(fd, d, &d.drained)
		}
		if errno != 0 && o.done == 0 {
			return failed(errno)
		}
		if errno != 0 || n == 0 { // what came before the end is the result
			return completed(int32(o.done))
		}
		o.done += uint32(n)
		if n < int(left) && e.OpFlags&unix.MSG_PEEK == 0 {
			d.short(&d.drained)
		}
		if o.done == e.Len || e.OpFlags&unix.MSG_WAITALL == 0 || e.OpFlags&unix.MSG_DONTWAIT != 0 {
			return completed(int32(o.done))
		}
		if d.drained {
			return outcome{}
		}
	}
}

// tryRecvSelect receives into a provided buffer, which is taken only with bytes in it.
func (s *shard) tryRecvSelect(e *uring.Entry, fd int32, d *descriptor) outcome {
	for {
		g := s.group(e.BufGroup)
		slot, id := g.next()
		if slot == nil {
			slot = &s.peek
		}
		size := slot.length
		if e.Len != 0 {
			size = min(size, e.Len)
		}
		flags := e.OpFlags&^unix.MSG_WAITALL | unix.MSG_DONTWAIT
		if slot == &s.peek { // a missing buffer matters only when there are bytes for it
			flags |= unix.MSG_PEEK
		}
		n, errno := transfer(unix.SYS_RECVFROM, fd, uintptr(slot.addr), uintptr(size), uintptr(flags))
		switch {
		case errno == unix.EAGAIN && e.OpFlags&unix.MSG_DONTWAIT == 0:
			return s.await(fd, d, &d.drained)
		case errno != 0:
			return failed(errno)
		case n == 0:
			return completed(0)
		case slot == &s.peek:
			return failed(unix.ENOBUFS)
		}
		g.head++
		if n < int(size) {
			d.short(&d.drained)
		}
		taken := uring.FlagBuffer | uint32(id)<<bufferIDShift
		if e.IoPrio&uring.IoPrioRecvMultishot == 0 {
			return outcome{res: int32(n), flags: taken, done: true}
		}
		s.post(uring.Completion{UserData: e.UserData, Res: int32(n), Flags: taken | uring.FlagMore})
		if d.drained {
			return outcome{}
		}
	}
}

func (s *shard) trySend(i, fd int32, d *descriptor) outcome {
	o := &s.ops.slots[i]
	e := &o.entry
	flags := uintptr(e.OpFlags&^unix.MSG_WAITALL | unix.MSG_DONTWAIT | unix.MSG_NOSIGNAL)
	for {
		left := e.Len - o.done
		n, errno := transfer(unix.SYS_SENDTO, fd, uintptr(e.Addr)+uintptr(o.done), uintptr(left), flags)
		if out, again := s.sent(o, fd, d, n, uint64(left), errno); !again {
			return out
		}
	}
}

func (s *shard) trySendmsg(i, fd int32, d *descriptor) outcome {
	o := &s.ops.slots[i]
	flags := uintptr(o.entry.OpFlags&^unix.MSG_WAITALL | unix.MSG_DONTWAIT | unix.MSG_NOSIGNAL)
	for {
		left := o.want - uint64(o.done)
		s.header = uring.Msghdr{Iov: o.vectors.base(), IovCount: uint64(o.vectors.count())}
		call := unix.RawSyscall
		if left > quickMax {
			call = unix.Syscall
		}
		moved, _, errno := call(unix.SYS_SENDMSG, uintptr(fd), uintptr(unsafe.Pointer(&s.header)), flags)
		if errno == unix.EINTR {
			continue
		}
		if errno == 0 {
			o.vectors.advance(uint64(moved))
		}
		if out, again := s.sent(o, fd, d, int(moved), left, errno); !again {
			return out
		}
	}
}

// sent says how a send goes on after a call that had left bytes to send: again at once, or with this outcome.
func (s *shard) sent(o *op, fd int32, d *descriptor, n int, left uint64, errno unix.Errno) (out outcome, again bool) {
	impatient := o.entry.OpFlags&unix.MSG_DONTWAIT != 0
	switch {
	case errno == unix.EAGAIN && !impatient:
		return s.await(fd, d, &d.full), false
	case errno != 0 && o.done > 0:
		return completed(int32(o.done)), false
	case errno != 0:
		return failed(errno), false
	}
	o.done += uint32(n)
	if uint64(n) < left {
		d.short(&d.full)
	}
	if uint64(n) == left || impatient || o.entry.OpFlags&unix.MSG_WAITALL == 0 {
		return completed(int32(o.done)), false
	}
	return outcome{}, !d.full
}

// tryConnect begins a connection or, when asked again, learns how it went: the call says so itself. It waits even on a blocking socket, so
// the socket is nonblocking for its duration.
func (s *shard) tryConnect(i, fd int32, d *descriptor) outcome {
	e := &s.ops.slots[i].entry
	mode, _, errno := unix.RawSyscall(unix.SYS_FCNTL, uintptr(fd), unix.F_GETFL, 0)
	if errno != 0 {
		return failed(errno)
	}
	if mode&unix.O_NONBLOCK == 0 {
		_, _, _ = unix.RawSyscall(unix.SYS_FCNTL, uintptr(fd), unix.F_SETFL, mode|unix.O_NONBLOCK)
	}
	_, _, errno = unix.RawSyscall(unix.SYS_CONNECT, uintptr(fd), uintptr(e.Addr), uintptr(e.Off))
	if mode&unix.O_NONBLOCK == 0 {
		_, _, _ = unix.RawSyscall(unix.SYS_FCNTL, uintptr(fd), unix.F_SETFL, mode)
	}
	switch errno {
	case 0:
		return completed(0)
	case unix.EINPROGRESS, unix.EALREADY:
		return s.await(fd, d, &d.full)
	}
	return failed(errno)
}

// tryPoll asks what is ready, whatever is remembered.
func (s *shard) tryPoll(i, fd int32, d *descriptor) outcome {
	e := &s.ops.slots[i].entry
	s.poll = unix.PollFd{Fd: fd, Events: int16(e.OpFlags)}
	s.zero = unix.Timespec{}
	_, _, errno := unix.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&s.poll)), 1, uintptr(unsafe.Pointer(&s.zero)), 0, 0, 0)
	ready := s.poll.Revents
	switch {
	case errno != 0 && errno != unix.EINTR:
		return failed(errno)
	case ready&unix.POLLNVAL != 0:
		return failed(unix.EBADF)
	case ready != 0 && e.Len&uring.PollMultishot == 0:
		return completed(int32(ready))
	case ready != 0:
		s.post(uring.Completion{UserData: e.UserData, Res: int32(ready), Flags: uring.FlagMore})
	}
	if errno := s.register(fd, d); errno != 0 {
		return failed(errno)
	}
	return outcome{}
}

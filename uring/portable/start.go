package portable

import (
	"fmt"

	"golang.org/x/sys/unix"

	"galgo/uring"
)

// kind says how an operation runs.
type kind uint8

const (
	kindNone   kind = iota
	kindAtOnce      // at submission, in no time
	kindRead        // on a socket, in the line of reads
	kindWrite       // on a socket, in the line of writes
	kindPoll        // on a socket, beside both
	kindTimer       // in the heap
	kindJob         // in the pool
)

// kinds has every operation that this package executes.
var kinds = [256]kind{
	uring.OpNop: kindAtOnce, uring.OpCancel: kindAtOnce, uring.OpMsgRing: kindAtOnce, uring.OpShutdown: kindAtOnce, uring.OpSocket: kindAtOnce,
	uring.OpSetSockOpt: kindAtOnce, uring.OpClose: kindAtOnce, uring.OpLinkTimeout: kindAtOnce,
	uring.OpAccept: kindRead, uring.OpRecv: kindRead,
	uring.OpConnect: kindWrite, uring.OpSend: kindWrite, uring.OpSendmsg: kindWrite,
	uring.OpPollAdd: kindPoll,
	uring.OpTimeout: kindTimer,
	uring.OpRead:    kindJob, uring.OpWrite: kindJob, uring.OpReadv: kindJob, uring.OpWritev: kindJob, uring.OpFsync: kindJob,
	uring.OpFallocate: kindJob, uring.OpFtruncate: kindJob, uring.OpOpenat: kindJob, uring.OpStatx: kindJob, uring.OpRenameat: kindJob,
	uring.OpUnlinkat: kindJob, uring.OpMkdirat: kindJob,
}

// start begins an operation: it is done at once, or waits wherever its kind does.
func (s *shard) start(i int32) outcome {
	o := &s.ops.slots[i]
	e := o.entry // a copy: slots move
	if flags := e.UnknownFlags(); flags != 0 {
		panic(fmt.Sprintf("portable: shard %d: cannot run %s, token %#x, with flags %#x", s.number, uring.OpName(e.Opcode), e.UserData, flags))
	}
	switch kinds[e.Opcode] {
	case kindAtOnce:
		return s.doNow(i, e)
	case kindTimer:
		return s.startTimer(i)
	case kindJob:
		return s.startJob(i)
	case kindNone:
		panic(fmt.Sprintf("portable: shard %d: cannot run %s, token %#x", s.number, uring.OpName(e.Opcode), e.UserData))
	}
	if e.Opcode == uring.OpSendmsg {
		header := structs[uring.Msghdr](&s.kernel.slabs, uring.Addr(e.Addr), 1)[0]
		v, want, errno := s.takeVectors(header.Iov, header.IovCount)
		if errno != 0 {
			return failed(errno)
		}
		o.vectors, o.want = v, want
	}
	return s.startOn(i)
}

func (s *shard) doNow(i int32, e uring.Entry) outcome {
	switch e.Opcode {
	case uring.OpNop:
		return completed(0)
	case uring.OpCancel:
		return s.cancel(e)
	case uring.OpMsgRing:
		return s.message(e)
	case uring.OpClose:
		return s.close(i, e.FD)
	case uring.OpShutdown:
		return quick(unix.SYS_SHUTDOWN, uintptr(e.FD), uintptr(e.Len), 0, 0, 0)
	case uring.OpSocket:
		out := quick(unix.SYS_SOCKET, uintptr(e.FD), uintptr(e.Off), uintptr(e.Len), 0, 0)
		s.kernel.table.born(out.res)
		return out
	case uring.OpSetSockOpt:
		if e.Off != uring.SocketSetSockOpt {
			return failed(unix.EOPNOTSUPP)
		}
		return quick(unix.SYS_SETSOCKOPT, uintptr(e.FD), uintptr(uint32(e.Addr)), uintptr(e.Addr>>32), uintptr(e.Addr3), uintptr(e.SpliceFD))
	}
	return failed(unix.EINVAL) // a link timeout with nothing to bound
}

// quick makes a call that neither waits nor copies much.
func quick(trap, a1, a2, a3, a4, a5 uintptr) outcome {
	n, _, errno := unix.RawSyscall6(trap, a1, a2, a3, a4, a5, 0)
	if errno != 0 {
		return failed(errno)
	}
	return completed(int32(n))
}

// message puts a completion into another ring, or this one.
func (s *shard) message(e uring.Entry) outcome {
	if e.FD < 0 {
		return failed(unix.EBADF)
	}
	peer := s.kernel.shards[e.FD&(1<<shardBits-1)].Load()
	if peer == nil || peer.peer.Load() != e.FD || !peer.arrivals.addMessage(uring.Completion{UserData: e.Off, Res: int32(e.Len)}) {
		return failed(unix.EBADFD)
	}
	peer.arrived()
	return completed(0)
}

// close closes a descriptor once no job is on it. What waits on it, and jobs that have not begun, complete with ECANCELED.
func (s *shard) close(i, fd int32) outcome {
	if fd < 0 || fd >= descriptorsMax {
		return failed(unix.EBADF)
	}
	d := s.descriptor(fd)
	if d.closing != none {
		return failed(unix.EBADF)
	}
	if d.jobs > 0 {
		s.cancelJobs(fd)
		d.closing = i
		s.ops.slots[i].state = stateClosing
		return outcome{}
	}
	return s.closeNow(i, fd, d)
}

// closeNow closes a socket here; the last close of a file may take the time of freeing its blocks, so the pool does that.
func (s *shard) closeNow(i, fd int32, d *descriptor) outcome {
	s.cancelWaiting(d)
	registered := d.registered
	if registered { // explicitly, because another process may hold the same file, which would keep the registration
		_ = unix.EpollCtl(s.epollFD, unix.EPOLL_CTL_DEL, int(fd), &s.event)
	}
	s.kernel.closing(fd, s)
	s.descriptor(fd) // forgets it
	if !registered && !s.isSocket(fd) {
		return s.startJob(i)
	}
	out := quick(unix.SYS_CLOSE, uintptr(fd), 0, 0, 0, 0)
	if out.res == -int32(unix.EINTR) {
		out.res = 0
	}
	return out
}

func (s *shard) isSocket(fd int32) bool {
	err := unix.Fstat(int(fd), &s.stat)
	return err == nil && s.stat.Mode&unix.S_IFMT == unix.S_IFSOCK
}

package portable

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"galgo/uring"
)

// execute makes the system call of a job, in the pool, and returns its result or the negated errno.
func (j *job) execute() int32 {
	for {
		n, errno := j.call()
		switch {
		case errno == 0:
			return int32(n)
		case errno != unix.EINTR:
			return -int32(errno)
		case j.entry.Opcode == uring.OpClose: // on Linux the descriptor is gone then
			return 0
		}
	}
}

func (j *job) call() (uintptr, unix.Errno) {
	e := &j.entry
	fd, addr := uintptr(e.FD), uintptr(e.Addr)
	switch e.Opcode {
	case uring.OpRead, uring.OpWrite:
		// Vectors of no bytes are looked at as io_uring does: of a directory too they are 0.
		if e.OpFlags == 0 && e.Len > 0 && e.Off != uring.PositionCurrent {
			return call6(choose(e.Opcode == uring.OpRead, unix.SYS_PREAD64, unix.SYS_PWRITE64), fd, addr, uintptr(e.Len), uintptr(e.Off), 0, 0)
		}
		j.one = uring.Iovec{Base: uring.Addr(e.Addr), Len: uint64(e.Len)}
		return j.vectored(&j.one, 1, e.Opcode == uring.OpRead)
	case uring.OpReadv, uring.OpWritev:
		return j.vectored(unsafe.SliceData(j.vectors.list), len(j.vectors.list), e.Opcode == uring.OpReadv)
	case uring.OpFsync:
		return call6(choose(e.OpFlags&uring.FsyncDataOnly != 0, unix.SYS_FDATASYNC, unix.SYS_FSYNC), fd, 0, 0, 0, 0, 0)
	case uring.OpFallocate:
		return call6(unix.SYS_FALLOCATE, fd, uintptr(e.Len), uintptr(e.Off), addr, 0, 0)
	case uring.OpFtruncate:
		return call6(unix.SYS_FTRUNCATE, fd, uintptr(e.Off), 0, 0, 0, 0)
	case uring.OpOpenat:
		return call6(unix.SYS_OPENAT, fd, addr, uintptr(e.OpFlags), uintptr(e.Len), 0, 0)
	case uring.OpClose:
		return call6(unix.SYS_CLOSE, fd, 0, 0, 0, 0, 0)
	case uring.OpStatx:
		return call6(unix.SYS_STATX, fd, addr, uintptr(e.OpFlags), uintptr(e.Len), uintptr(e.Off), 0)
	case uring.OpRenameat:
		return call6(unix.SYS_RENAMEAT2, fd, addr, uintptr(int32(e.Len)), uintptr(e.Off), uintptr(e.OpFlags), 0)
	case uring.OpUnlinkat:
		return call6(unix.SYS_UNLINKAT, fd, addr, uintptr(e.OpFlags), 0, 0, 0)
	case uring.OpMkdirat:
		return call6(unix.SYS_MKDIRAT, fd, addr, uintptr(e.Len), 0, 0, 0)
	}
	return 0, unix.EINVAL
}

// vectored reads or writes vectors. A kernel or sandbox that does not know RWF_DSYNC gets the write and then a sync, which is the same promise.
func (j *job) vectored(base *uring.Iovec, count int, read bool) (uintptr, unix.Errno) {
	e := &j.entry
	n, _, errno := unix.Syscall6(choose(read, unix.SYS_PREADV2, unix.SYS_PWRITEV2), uintptr(e.FD), uintptr(unsafe.Pointer(base)), uintptr(count),
		uintptr(e.Off), 0, uintptr(e.OpFlags)) // a 64-bit position is in the first of its two words
	if errno != unix.ENOSYS && errno != unix.EOPNOTSUPP || e.OpFlags&^uring.RWF_DSYNC != 0 || e.Off == uring.PositionCurrent {
		return n, errno
	}
	n, _, errno = unix.Syscall6(choose(read, unix.SYS_PREADV, unix.SYS_PWRITEV), uintptr(e.FD), uintptr(unsafe.Pointer(base)), uintptr(count), uintptr(e.Off), 0, 0)
	if errno == 0 && !read && e.OpFlags&uring.RWF_DSYNC != 0 {
		if _, errno = call6(unix.SYS_FDATASYNC, uintptr(e.FD), 0, 0, 0, 0, 0); errno != 0 {
			return 0, errno
		}
	}
	return n, errno
}

func call6(trap, a1, a2, a3, a4, a5, a6 uintptr) (uintptr, unix.Errno) {
	n, _, errno := unix.Syscall6(trap, a1, a2, a3, a4, a5, a6)
	return n, errno
}

func choose(first bool, one, other uintptr) uintptr {
	if first {
		return one
	}
	return other
}

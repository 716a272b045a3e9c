package uring

import "fmt"

// One constructor for each operation. Sizes are bytes, positions are bytes from the start of the file, an Addr lies in a slab of the host,
// and the token comes last. The completion's Res is that of the system call of the same name unless said otherwise.

// PositionCurrent as the position of a read or write means the descriptor's own position: for pipes and the like.
const PositionCurrent = ^uint64(0)

// Nop completes with 0 and does nothing.
func Nop(token Token) Entry {
	return Entry{Opcode: OpNop, FD: -1, UserData: uint64(token)}
}

// Read reads up to n bytes at position into addr. Flags are RWF_*.
func Read(fd int32, addr Addr, n uint32, position uint64, flags uint32, token Token) Entry {
	return transfer(OpRead, fd, addr, n, position, flags, token)
}

// Write writes up to n bytes from addr at position. Flags are RWF_*.
func Write(fd int32, addr Addr, n uint32, position uint64, flags uint32, token Token) Entry {
	return transfer(OpWrite, fd, addr, n, position, flags, token)
}

// Readv reads at position into count vectors (Iovec) that stand at iov. Vectors may be reused once the entry is submitted, their bytes not.
func Readv(fd int32, iov Addr, count uint32, position uint64, flags uint32, token Token) Entry {
	return transfer(OpReadv, fd, iov, count, position, flags, token)
}

// Writev writes count vectors (Iovec) that stand at iov at position. At most IovMax vectors.
func Writev(fd int32, iov Addr, count uint32, position uint64, flags uint32, token Token) Entry {
	return transfer(OpWritev, fd, iov, count, position, flags, token)
}

func transfer(opcode uint8, fd int32, addr Addr, n uint32, off uint64, flags uint32, token Token) Entry {
	return Entry{Opcode: opcode, FD: fd, Off: off, Addr: uint64(addr), Len: n, OpFlags: flags, UserData: uint64(token)}
}

// Fsync makes what was written to fd durable; with dataOnly only what is needed to read the data again (fdatasync).
func Fsync(fd int32, dataOnly bool, token Token) Entry {
	e := Entry{Opcode: OpFsync, FD: fd, UserData: uint64(token)}
	if dataOnly {
		e.OpFlags = FsyncDataOnly
	}
	return e
}

// Fallocate allocates (or with FALLOC_FL_* in mode changes) size bytes of the file at position.
func Fallocate(fd int32, mode uint32, position, size uint64, token Token) Entry {
	return Entry{Opcode: OpFallocate, FD: fd, Off: position, Addr: size, Len: mode, UserData: uint64(token)}
}

// Ftruncate sets the file's size. It needs Host.Supports(OpFtruncate): Linux 6.9.
func Ftruncate(fd int32, size uint64, token Token) Entry {
	return Entry{Opcode: OpFtruncate, FD: fd, Off: size, UserData: uint64(token)}
}

// Openat opens the NUL-terminated path relative to the directory dirfd (AtCWD for the working directory); Res is the descriptor.
func Openat(dirfd int32, path Addr, flags uint32, mode uint32, token Token) Entry {
	return Entry{Opcode: OpOpenat, FD: dirfd, Addr: uint64(path), Len: mode, OpFlags: flags, UserData: uint64(token)}
}

// Close closes fd. Operations in flight on it go on: finish them first.
func Close(fd int32, token Token) Entry {
	return Entry{Opcode: OpClose, FD: fd, UserData: uint64(token)}
}

// Statx fills the StatxResult at result for the NUL-terminated path. Flags are AT_*, mask is STATX_*.
func Statx(dirfd int32, path Addr, flags, mask uint32, result Addr, token Token) Entry {
	return Entry{Opcode: OpStatx, FD: dirfd, Off: uint64(result), Addr: uint64(path), Len: mask, OpFlags: flags, UserData: uint64(token)}
}

// Renameat renames from (relative to fromDir) to to (relative to toDir), both NUL-terminated. Flags are RENAME_*.
func Renameat(fromDir int32, from Addr, toDir int32, to Addr, flags uint32, token Token) Entry {
	return Entry{Opcode: OpRenameat, FD: fromDir, Off: uint64(to), Addr: uint64(from), Len: uint32(toDir), OpFlags: flags, UserData: uint64(token)}
}

// Unlinkat removes the NUL-terminated path; with AT_REMOVEDIR in flags an empty directory.
func Unlinkat(dirfd int32, path Addr, flags uint32, token Token) Entry {
	return Entry{Opcode: OpUnlinkat, FD: dirfd, Addr: uint64(path), OpFlags: flags, UserData: uint64(token)}
}

// Mkdirat makes the directory at the NUL-terminated path.
func Mkdirat(dirfd int32, path Addr, mode uint32, token Token) Entry {
	return Entry{Opcode: OpMkdirat, FD: dirfd, Addr: uint64(path), Len: mode, UserData: uint64(token)}
}

// Accept accepts one connection; Res is its descriptor. Flags are SOCK_CLOEXEC and SOCK_NONBLOCK.
func Accept(fd int32, flags uint32, token Token) Entry {
	return Entry{Opcode: OpAccept, FD: fd, OpFlags: flags, UserData: uint64(token)}
}

// AcceptMultishot accepts connections until a completion comes without FlagMore; then it must be pushed again.
func AcceptMultishot(fd int32, flags uint32, token Token) Entry {
	e := Accept(fd, flags, token)
	e.IoPrio = IoPrioAcceptMultishot
	return e
}

// Recv receives up to n bytes into addr; 0 is the end of the stream. Flags are MSG_*; with MSG_WAITALL it completes with all n bytes, or
// with fewer when the stream ends or fails first.
func Recv(fd int32, addr Addr, n uint32, flags uint32, token Token) Entry {
	return transfer(OpRecv, fd, addr, n, 0, flags, token)
}

// RecvSelect receives once into a buffer of the group, taken only when bytes are there: up to n bytes, or the buffer's size when n is 0.
// Without a free buffer it completes with ENOBUFS, which is backpressure and not an error.
func RecvSelect(fd int32, group uint16, n uint32, flags uint32, token Token) Entry {
	return Entry{Opcode: OpRecv, Flags: EntryBufferSelect, FD: fd, Len: n, OpFlags: flags, BufGroup: group, UserData: uint64(token)}
}

// RecvMultishot receives into buffers of the group until a completion comes without FlagMore (end of stream, an error, ENOBUFS).
func RecvMultishot(fd int32, group uint16, token Token) Entry {
	e := RecvSelect(fd, group, 0, 0, token)
	e.IoPrio = IoPrioRecvMultishot
	return e
}

// Send sends up to n bytes from addr; it may send fewer unless flags hold MSG_WAITALL. MSG_NOSIGNAL is always set: a closed peer is EPIPE.
func Send(fd int32, addr Addr, n uint32, flags uint32, token Token) Entry {
	return transfer(OpSend, fd, addr, n, 0, flags|MSG_NOSIGNAL, token)
}

// Sendmsg sends the vectors of the Msghdr at header; as Send otherwise. Header and vectors may be reused once the entry is submitted.
func Sendmsg(fd int32, header Addr, flags uint32, token Token) Entry {
	return transfer(OpSendmsg, fd, header, 1, 0, flags|MSG_NOSIGNAL, token)
}

// Shutdown ends one direction of a connection, or both: SHUT_RD, SHUT_WR, SHUT_RDWR.
func Shutdown(fd int32, how uint32, token Token) Entry {
	return Entry{Opcode: OpShutdown, FD: fd, Len: how, UserData: uint64(token)}
}

// Cancel cancels the operation whose token is target: Res is 0, -ENOENT when there is none, -EALREADY when it can no longer be stopped. The
// target completes on its own either way, with ECANCELED when the cancellation won.
func Cancel(target Token, token Token) Entry {
	return Entry{Opcode: OpCancel, FD: -1, Addr: uint64(target), UserData: uint64(token)}
}

// CancelFD cancels every operation on fd: Res is their number.
func CancelFD(fd int32, token Token) Entry {
	return Entry{Opcode: OpCancel, FD: fd, OpFlags: CancelByFD | CancelAll, UserData: uint64(token)}
}

func cancelAny(token Token) Entry {
	return Entry{Opcode: OpCancel, FD: -1, OpFlags: CancelAny | CancelAll, UserData: uint64(token)}
}

// Timeout completes with -ETIME when the time of the Timespec at addr has passed: a duration, or a monotonic time with TimeoutAbsolute.
func Timeout(timespec Addr, flags uint32, token Token) Entry {
	return Entry{Opcode: OpTimeout, FD: -1, Addr: uint64(timespec), Len: 1, OpFlags: flags, UserData: uint64(token)}
}

// LinkTimeout bounds the operation pushed just before it with Link. It completes with -ETIME when it stopped that operation (which then
// completes with ECANCELED), and with ECANCELED when the operation was done first.
func LinkTimeout(timespec Addr, flags uint32, token Token) Entry {
	e := Timeout(timespec, flags, token)
	e.Opcode = OpLinkTimeout
	return e
}

// PollAdd completes when fd is ready for one of mask (POLLIN, POLLOUT, …); Res is the mask that is ready. With multishot it goes on until
// a completion comes without FlagMore.
func PollAdd(fd int32, mask uint32, multishot bool, token Token) Entry {
	e := Entry{Opcode: OpPollAdd, FD: fd, OpFlags: mask, UserData: uint64(token)}
	if multishot {
		e.Len = PollMultishot
	}
	return e
}

// MsgRing puts a completion {message, res} into the ring behind peer (Host.PeerFD). The message's top byte must be that of TokenMessage or
// be TokenWake; anything else is a bug and panics, because the peer would take it for an operation of its own. Res of the sender's
// completion is 0, or an error when the peer's ring is gone.
func MsgRing(peer int32, res int32, message Token, token Token) Entry {
	if !message.ofMessage() && message != TokenWake {
		panic(fmt.Sprintf("uring: message token %#x does not carry the mark of TokenMessage", uint64(message)))
	}
	return Entry{Opcode: OpMsgRing, FD: peer, Off: uint64(message), Len: uint32(res), UserData: uint64(token)}
}

// SetSockOpt sets a socket option to the n bytes at value. It needs Host.Supports(OpSetSockOpt): Linux 6.7.
func SetSockOpt(fd int32, level, option uint32, value Addr, n uint32, token Token) Entry {
	return Entry{
		Opcode: OpSetSockOpt, FD: fd, Off: SocketSetSockOpt, Addr: uint64(level) | uint64(option)<<32,
		SpliceFD: int32(n), Addr3: uint64(value), UserData: uint64(token),
	}
}

// Socket makes a socket; Res is its descriptor. Kind is SOCK_STREAM with SOCK_CLOEXEC and SOCK_NONBLOCK as wanted.
func Socket(domain, kind, protocol uint32, token Token) Entry {
	return Entry{Opcode: OpSocket, FD: int32(domain), Off: uint64(kind), Len: protocol, UserData: uint64(token)}
}

// Connect connects to the n bytes of socket address at address (see AppendSockAddr).
func Connect(fd int32, address Addr, n uint32, token Token) Entry {
	return Entry{Opcode: OpConnect, FD: fd, Off: uint64(n), Addr: uint64(address), UserData: uint64(token)}
}

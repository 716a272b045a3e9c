package uring

// Entry is an io_uring_sqe: 64 bytes of plain memory. Callers make one with the constructors of this package and never set fields
// themselves; hosts read the fields. What a field means depends on Opcode. Source: io_uring_enter(2) and linux/io_uring.h.
//
//	0        1       2        4    8     16     24    28        32         40         42            44        48      56
//	| Opcode | Flags | IoPrio | FD | Off | Addr | Len | OpFlags | UserData | BufGroup | Personality | SpliceFD | Addr3 | zero |
type Entry struct {
	Opcode      uint8
	Flags       uint8  // EntryLink and others
	IoPrio      uint16 // flags of accept, recv and send
	FD          int32
	Off         uint64 // position in the file, second address, command or length, by operation
	Addr        uint64 // buffer, path, vectors or token to cancel, by operation
	Len         uint32 // bytes, vectors or mode, by operation
	OpFlags     uint32 // the operation's own flags
	UserData    uint64
	BufGroup    uint16 // group of provided buffers, with EntryBufferSelect
	Personality uint16 // always 0
	SpliceFD    int32  // length of a socket option
	Addr3       uint64 // value of a socket option
	_           uint64
}

// Opcodes of the operations that this package makes. Source: enum io_uring_op.
const (
	OpNop         = 0
	OpReadv       = 1
	OpWritev      = 2
	OpFsync       = 3
	OpPollAdd     = 6
	OpSendmsg     = 9
	OpTimeout     = 11
	OpAccept      = 13
	OpCancel      = 14
	OpLinkTimeout = 15
	OpConnect     = 16
	OpFallocate   = 17
	OpOpenat      = 18
	OpClose       = 19
	OpStatx       = 21
	OpRead        = 22
	OpWrite       = 23
	OpSend        = 26
	OpRecv        = 27
	OpShutdown    = 34
	OpRenameat    = 35
	OpUnlinkat    = 36
	OpMkdirat     = 37
	OpMsgRing     = 40
	OpSocket      = 45
	OpSetSockOpt  = 46 // IORING_OP_URING_CMD with SOCKET_URING_OP_SETSOCKOPT: Linux 6.7
	OpFtruncate   = 55 // Linux 6.9
)

// Flags of an entry (IOSQE_*).
const (
	EntryLink         = 1 << 2 // the next entry starts when this one succeeds in full
	EntryHardLink     = 1 << 3 // the next entry starts when this one is done, however it went
	EntryBufferSelect = 1 << 5 // the host takes a buffer of BufGroup
	EntrySkipSuccess  = 1 << 6 // no completion when it succeeds; the ring sets it and callers do not, since they count completions
)

// Flags in Entry.IoPrio of accept, recv and send.
const (
	IoPrioPollFirst       = 1 << 0 // recv, send: wait for readiness before the first try
	IoPrioRecvMultishot   = 1 << 1
	IoPrioAcceptMultishot = 1 << 0
)

// Flags in Entry.OpFlags and Entry.Len of single operations.
const (
	FsyncDataOnly    = 1 << 0 // IORING_FSYNC_DATASYNC, in OpFlags of OpFsync
	PollMultishot    = 1 << 0 // IORING_POLL_ADD_MULTI, in Len of OpPollAdd
	CancelAll        = 1 << 0 // in OpFlags of OpCancel: every match, not the first
	CancelByFD       = 1 << 1 // match by descriptor
	CancelAny        = 1 << 2 // match everything; Close uses it
	TimeoutAbsolute  = 1 << 0 // the timespec is a CLOCK_MONOTONIC time, not a duration
	SocketSetSockOpt = 3      // SOCKET_URING_OP_SETSOCKOPT, in Off of OpSetSockOpt
)

// Link starts the next entry pushed only once this one has succeeded in full; a failure or a short read or write completes the rest of the
// chain with ECANCELED. A chain must not be split by an Enter.
func (e Entry) Link() Entry {
	e.Flags |= EntryLink
	return e
}

// HardLink starts the next entry pushed once this one is done, however it went.
func (e Entry) HardLink() Entry {
	e.Flags |= EntryHardLink
	return e
}

// PollFirst makes a receive or send wait for readiness before it tries: cheaper where the first try would most likely find nothing.
func (e Entry) PollFirst() Entry {
	e.IoPrio |= IoPrioPollFirst
	return e
}

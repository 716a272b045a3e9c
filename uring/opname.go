package uring

import (
	"fmt"
	"maps"
	"slices"
)

// opNames has the operations that this package makes.
var opNames = map[uint8]string{
	OpNop: "nop", OpReadv: "readv", OpWritev: "writev", OpFsync: "fsync", OpPollAdd: "poll_add", OpSendmsg: "sendmsg", OpTimeout: "timeout",
	OpAccept: "accept", OpCancel: "cancel", OpLinkTimeout: "link_timeout", OpConnect: "connect", OpFallocate: "fallocate", OpOpenat: "openat",
	OpClose: "close", OpStatx: "statx", OpRead: "read", OpWrite: "write", OpSend: "send", OpRecv: "recv", OpShutdown: "shutdown",
	OpRenameat: "renameat", OpUnlinkat: "unlinkat", OpMkdirat: "mkdirat", OpMsgRing: "msg_ring", OpSocket: "socket", OpSetSockOpt: "setsockopt",
	OpFtruncate: "ftruncate",
}

// OpName returns the name of an opcode (OpRead, …), with its number when it is none of this package's.
func OpName(op uint8) string {
	if name, ok := opNames[op]; ok {
		return name
	}
	return fmt.Sprintf("opcode %d", op)
}

// Ops returns the opcodes that this package makes, in their order.
func Ops() []uint8 {
	return slices.Sorted(maps.Keys(opNames))
}

// UnknownFlags returns the flags of an entry that this package does not make. A host that takes entries apart itself panics when there are
// some: to ignore one silently is to do something else than was asked for.
func (e *Entry) UnknownFlags() uint8 {
	return e.Flags &^ (EntryLink | EntryHardLink | EntryBufferSelect | EntrySkipSuccess)
}

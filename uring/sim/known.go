package sim

import (
	"fmt"

	"golang.org/x/sys/unix"

	"galgo/uring"
)

// known are the flags of operations (Entry.OpFlags) that are simulated or make no difference here.
var known = [256]uint32{
	uring.OpRead: uring.RWF_DSYNC | uring.RWF_SYNC, uring.OpWrite: uring.RWF_DSYNC | uring.RWF_SYNC,
	uring.OpReadv: uring.RWF_DSYNC | uring.RWF_SYNC, uring.OpWritev: uring.RWF_DSYNC | uring.RWF_SYNC,
	uring.OpFsync:  uring.FsyncDataOnly,
	uring.OpOpenat: openKnown,
	uring.OpStatx:  uring.AT_EMPTY_PATH | uring.AT_SYMLINK_NOFOLLOW, uring.OpRenameat: uring.RENAME_NOREPLACE, uring.OpUnlinkat: uring.AT_REMOVEDIR,
	uring.OpRecv: uring.MSG_DONTWAIT | uring.MSG_WAITALL | uring.MSG_PEEK | uring.MSG_NOSIGNAL,
	uring.OpSend: sendKnown, uring.OpSendmsg: sendKnown,
	uring.OpAccept: uring.SOCK_CLOEXEC | uring.SOCK_NONBLOCK,
	uring.OpCancel: uring.CancelAll | uring.CancelByFD | uring.CancelAny, uring.OpTimeout: uring.TimeoutAbsolute, uring.OpLinkTimeout: uring.TimeoutAbsolute,
	uring.OpPollAdd: uring.POLLIN | uring.POLLOUT | uring.POLLERR | uring.POLLHUP | uring.POLLRDHUP,
}

const (
	openKnown = unix.O_ACCMODE | uring.O_CREAT | uring.O_EXCL | uring.O_TRUNC | uring.O_APPEND | uring.O_DIRECT | uring.O_DSYNC | uring.O_CLOEXEC |
		uring.O_DIRECTORY | uring.O_NOATIME | uring.O_NOFOLLOW | uring.O_NONBLOCK | unix.O_LARGEFILE
	sendKnown = uring.MSG_DONTWAIT | uring.MSG_WAITALL | uring.MSG_MORE | uring.MSG_NOSIGNAL
)

// knownPrio are the flags in Entry.IoPrio.
var knownPrio = [256]uint16{
	uring.OpAccept: uring.IoPrioAcceptMultishot, uring.OpRecv: uring.IoPrioPollFirst | uring.IoPrioRecvMultishot,
	uring.OpSend: uring.IoPrioPollFirst, uring.OpSendmsg: uring.IoPrioPollFirst,
}

// mustRun panics when an entry asks for something that is not simulated.
func (o *op) mustRun() {
	e := &o.e
	what := ""
	switch {
	case starters[e.Opcode] == nil:
	case e.UnknownFlags() != 0:
		what = fmt.Sprintf(" with flags %#x", e.UnknownFlags())
	case e.OpFlags&^known[e.Opcode] != 0:
		what = fmt.Sprintf(" with operation flags %#x", e.OpFlags&^known[e.Opcode])
	case e.IoPrio&^knownPrio[e.Opcode] != 0:
		what = fmt.Sprintf(" with flags %#x in its priority", e.IoPrio&^knownPrio[e.Opcode])
	default:
		return
	}
	panic(fmt.Sprintf("sim: shard %d: cannot run %s, token %#x%s", o.s.number, uring.OpName(e.Opcode), e.UserData, what))
}

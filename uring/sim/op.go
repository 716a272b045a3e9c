package sim

import (
	"fmt"
	"math/bits"
	"syscall"

	"github.com/zeebo/xxh3"
	"golang.org/x/sys/unix"

	"galgo/uring"
)

// op is an entry that was taken and is not done.
type op struct {
	s     *shard
	e     uring.Entry
	state opState
	held  *file // what its descriptor meant when it started

	next  *op // starts after it
	bound *op // the link timeout that bounds it
	of    *op // of a link timeout: what it bounds

	buffers  [][]byte // what it reads or writes, in order
	want     int      // bytes of buffers
	done     int      // bytes moved
	sum      uint64   // of what it writes, taken when it started
	checked  bool     // sum is there
	path     string
	other    string // where a rename goes
	timespec uring.Timespec
	address  []byte
	effect   func() result // of a file operation: what it does when its time has come
	timer    *event

	before, after *op // in the list of those in flight
}

type opState uint8

const (
	opChained opState = iota // waits for the one before it
	opWaiting                // for a socket
	opRunning                // and cannot be stopped
	opTimer
	opDone
)

// result is how an operation ends.
type result struct {
	res   int32
	flags uint32
}

func failed(errno syscall.Errno) result { return result{res: -int32(errno)} }

// ops is the list of a shard's operations, oldest first.
type ops struct{ head op }

func (l *ops) init() { l.head.before, l.head.after = &l.head, &l.head }

func (l *ops) add(o *op) {
	o.before, o.after = l.head.before, &l.head
	o.before.after, l.head.before = o, o
}

func (o *op) unlist() { o.before.after, o.after.before = o.after, o.before }

// all yields the operations; the current one may leave the list meanwhile.
func (l *ops) all(yield func(*op) bool) {
	for o := l.head.after; o != &l.head; {
		next := o.after
		if !yield(o) {
			return
		}
		o = next
	}
}

// prepare reads what may be reused once the entry is submitted: vectors, headers, paths and times.
func (o *op) prepare() {
	k, e := o.s.k, &o.e
	switch e.Opcode {
	case uring.OpRead, uring.OpWrite, uring.OpSend, uring.OpRecv:
		if e.Flags&uring.EntryBufferSelect == 0 && e.Len > 0 {
			o.buffers = [][]byte{k.bytes(uring.Addr(e.Addr), uint64(e.Len))}
		}
	case uring.OpReadv, uring.OpWritev:
		if e.Len <= uring.IovMax {
			o.buffers = k.vectors(uring.Addr(e.Addr), uint64(e.Len))
		}
	case uring.OpSendmsg:
		slab := k.slab(uring.Addr(e.Addr), 56)
		header := *slab.Msghdr(e.Addr - uint64(slab.Base()))
		if header.IovCount <= uring.IovMax {
			o.buffers = k.vectors(header.Iov, header.IovCount)
		}
	case uring.OpOpenat, uring.OpUnlinkat, uring.OpMkdirat, uring.OpStatx:
		o.path = k.path(uring.Addr(e.Addr))
	case uring.OpRenameat:
		o.path, o.other = k.path(uring.Addr(e.Addr)), k.path(uring.Addr(e.Off))
	case uring.OpTimeout, uring.OpLinkTimeout:
		slab := k.slab(uring.Addr(e.Addr), 16)
		o.timespec = *slab.Timespec(e.Addr - uint64(slab.Base()))
	case uring.OpConnect:
		o.address = append(o.address, k.bytes(uring.Addr(e.Addr), e.Off)...)
	}
	for _, b := range o.buffers {
		o.want += len(b)
	}
}

// starters start the operations that there are.
var starters [256]func(*op)

func init() {
	starters = [256]func(*op){
		uring.OpNop: (*op).startNop, uring.OpReadv: (*op).startRead, uring.OpRead: (*op).startRead, uring.OpWritev: (*op).startWrite,
		uring.OpWrite: (*op).startWrite, uring.OpFsync: (*op).startFsync, uring.OpPollAdd: (*op).startPoll, uring.OpSendmsg: (*op).startSend,
		uring.OpSend: (*op).startSend, uring.OpRecv: (*op).startRecv, uring.OpTimeout: (*op).startTimeout, uring.OpAccept: (*op).startAccept,
		uring.OpCancel: (*op).startCancel, uring.OpLinkTimeout: (*op).startStray, uring.OpConnect: (*op).startConnect,
		uring.OpFallocate: (*op).startFallocate, uring.OpFtruncate: (*op).startFtruncate, uring.OpOpenat: (*op).startOpen,
		uring.OpClose: (*op).startClose, uring.OpStatx: (*op).startStatx, uring.OpShutdown: (*op).startShutdown,
		uring.OpRenameat: (*op).startRename, uring.OpUnlinkat: (*op).startUnlink, uring.OpMkdirat: (*op).startMkdir,
		uring.OpMsgRing: (*op).startMessage, uring.OpSocket: (*op).startSocket, uring.OpSetSockOpt: (*op).startOption,
	}
}

// onFile are the operations whose FD is a descriptor to hold while they run.
var onFile = [256]bool{
	uring.OpReadv: true, uring.OpRead: true, uring.OpWritev: true, uring.OpWrite: true, uring.OpFsync: true, uring.OpPollAdd: true,
	uring.OpSendmsg: true, uring.OpSend: true, uring.OpRecv: true, uring.OpAccept: true, uring.OpConnect: true, uring.OpFallocate: true,
	uring.OpFtruncate: true, uring.OpShutdown: true, uring.OpSetSockOpt: true,
}

// start starts an operation whose turn in its chain has come.
func (o *op) start() {
	k, e := o.s.k, &o.e
	k.world.note(traceStart, uint64(o.s.number), uint64(e.Opcode)<<32|uint64(uint32(e.FD)), uint64(e.Flags)<<32|uint64(e.Len), e.UserData)
	o.state = opRunning
	o.mustRun()
	if onFile[e.Opcode] {
		if o.held = k.file(e.FD); o.held == nil {
			o.finish(failed(syscall.EBADF))
			return
		}
		o.held.uses++
	}
	if o.bound != nil {
		o.bound.armBound()
	}
	starters[e.Opcode](o)
}

// seal takes the sum of what the operation writes; finish compares. One behind a link is sealed when its turn comes: what is before it in its
// chain may fill its bytes.
func (o *op) seal() {
	o.sum, o.checked = o.contentSum(), true
	o.s.k.world.trace.add(o.sum)
}

// contentSum sums up what the operation can take of its bytes: a send that need not send all takes what a connection holds at most, and may
// come with very much more, again and again.
func (o *op) contentSum() (sum uint64) {
	left := o.want
	if (o.e.Opcode == uring.OpSend || o.e.Opcode == uring.OpSendmsg) && o.e.OpFlags&unix.MSG_WAITALL == 0 {
		left = min(left, o.s.k.world.o.Window)
	}
	for _, b := range o.buffers {
		b = b[:min(left, len(b))]
		sum = bits.RotateLeft64(sum, 27)*0x9E3779B97F4A7C15 ^ xxh3.Hash(b)
		if left -= len(b); left == 0 {
			break
		}
	}
	return sum
}

func (o *op) verify() {
	if o.checked && o.contentSum() != o.sum {
		panic(fmt.Sprintf("sim: shard %d: bytes of %s, token %#x, descriptor %d changed before it completed", o.s.number,
			uring.OpName(o.e.Opcode), o.e.UserData, o.e.FD))
	}
}

// poison stands in memory that waits for bytes.
const poison = 0xA7

func fill(b []byte) {
	if len(b) == 0 {
		return
	}
	b[0] = poison
	for n := 1; n < len(b); n *= 2 {
		copy(b[n:], b[:n])
	}
}

func (o *op) poison() {
	for _, b := range o.buffers {
		fill(b)
	}
}

// finish completes an operation for good, and goes on with its chain.
func (o *op) finish(r result) {
	if o.state == opDone {
		panic(fmt.Sprintf("sim: %s, token %#x completes twice", uring.OpName(o.e.Opcode), o.e.UserData))
	}
	o.verify()
	o.state = opDone
	o.unlist()
	if o.held != nil {
		o.s.k.drop(o.held)
	}
	if o.e.Flags&uring.EntrySkipSuccess == 0 || r.res < 0 {
		o.s.post(uring.Completion{UserData: o.e.UserData, Res: r.res, Flags: r.flags})
	}
	if o.bound != nil {
		o.bound.release()
	}
	if o.next == nil {
		return
	}
	if o.broken(r.res) && o.e.Flags&uring.EntryHardLink == 0 {
		for next := o.next; next != nil; next = next.next {
			next.breakOff()
		}
		return
	}
	o.next.start()
}

// breakOff ends an operation that never started, and the timeout that would have bounded it.
func (o *op) breakOff() {
	for _, end := range []*op{o, o.bound} {
		if end != nil {
			end.state = opDone
			end.unlist()
			end.s.post(uring.Completion{UserData: end.e.UserData, Res: -int32(syscall.ECANCELED)})
		}
	}
}

// broken reports whether a result breaks the chain: a failure, or fewer bytes than it had to move.
func (o *op) broken(res int32) bool {
	switch o.e.Opcode {
	case uring.OpRead, uring.OpWrite, uring.OpReadv, uring.OpWritev:
		return int(res) != o.want
	case uring.OpRecv, uring.OpSend, uring.OpSendmsg:
		return res < 0 || o.e.OpFlags&unix.MSG_WAITALL != 0 && int(res) < o.want
	}
	return res < 0
}

// settleInFlight decides at the end of a process about file operations that had begun: each happened or not.
func (k *Kernel) settleInFlight() {
	k.world.dying = true
	defer func() { k.world.dying = false }()
	for _, s := range k.shards {
		if s == nil {
			continue
		}
		for o := range s.ops.all {
			if o.state == opRunning && o.effect != nil && k.world.rng.Uint32()&1 == 0 {
				o.effect()
			}
		}
	}
}

package portable

import (
	"golang.org/x/sys/unix"

	"galgo/uring"
)

// op is an operation: an entry that has been taken and is not done.
type op struct {
	entry uring.Entry
	state state
	done  uint32 // bytes moved so far, of receives and sends that want all
	want  uint64 // bytes of the vectors

	next, previous int32 // in its line, or next of the free slots
	chain          int32 // the operation that starts after this one
	bound          int32 // the link timeout that bounds this one; of a link timeout the operation it bounds
	due            uint64
	place          int // in the heap of timers
	seen           uint32
	vectors        *vectors
	job            *job
}

// none is no operation: slot 0 stays empty.
const none = 0

type state uint8

const (
	stateFree    state = iota
	stateStarted       // being tried, or behind another one of its chain
	stateWaiting       // in a line of its descriptor
	stateTimer         // in the heap
	stateJob           // in the pool
	stateClosing       // a close that lets jobs on its descriptor end
)

// ops are the slots of a shard's operations. They grow with the most that was ever in flight; a pointer to a slot holds until the next take.
type ops struct {
	slots []op
	free  int32
}

func (o *ops) take(e *uring.Entry) int32 {
	i := o.free
	if i == none {
		i = int32(len(o.slots))
		o.slots = append(o.slots, op{})
	} else {
		o.free = o.slots[i].next
	}
	o.slots[i] = op{entry: *e, state: stateStarted}
	return i
}

func (o *ops) drop(i int32) {
	o.slots[i] = op{next: o.free}
	o.free = i
}

// broken reports whether a result breaks the chain behind the operation: a failure, or fewer bytes than it had to move.
func (o *op) broken(res int32) bool {
	if res < 0 {
		return true
	}
	e := &o.entry
	switch e.Opcode {
	case uring.OpRead, uring.OpWrite:
		return uint32(res) != e.Len
	case uring.OpReadv, uring.OpWritev:
		return uint64(res) != o.want
	case uring.OpRecv, uring.OpSend:
		return e.OpFlags&unix.MSG_WAITALL != 0 && uint32(res) < e.Len
	case uring.OpSendmsg:
		return e.OpFlags&unix.MSG_WAITALL != 0 && uint64(res) < o.want
	}
	return false
}

// stopped is the result of an operation that is cancelled: what it has moved already, so that no bytes are lost.
func (o *op) stopped() int32 {
	if o.done > 0 {
		return int32(o.done)
	}
	return -int32(unix.ECANCELED)
}

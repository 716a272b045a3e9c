package storage

import (
	"fmt"
	"syscall"

	"galgo/components"
	"galgo/uring"
)

// IO is what storage systems drive: the shard's ring, and its receive buffers.
type IO struct {
	Ring      *uring.Ring
	Buffers   *uring.BufRing
	BufferMem components.Span // where the buffers lie: the first one
	completed []uring.Completion

	buffersOut int // receive buffers that hold bytes of ours
}

func (io *IO) recycle(id uint16) {
	io.Buffers.Recycle(id)
	io.buffersOut--
}

// BuffersOut is how many receive buffers hold bytes of ours.
func (io *IO) BuffersOut() int { return io.buffersOut }

// NewIO is the I/O side of a shard. buffers may be nil where no connections are served.
func NewIO(ring *uring.Ring, buffers *uring.BufRing, bufferMem components.Span) *IO {
	return &IO{Ring: ring, Buffers: buffers, BufferMem: bufferMem, completed: make([]uring.Completion, components.FactsMax()/4)}
}

// Reap takes the completions that are there and turns them into facts for the state systems, or into the next step of what storage
// systems are doing. First in Ingest; it is the one place where an in-flight slot meets its completion.
func Reap(v components.StateView, st *components.Storage, io *IO) {
	for range 3 {
		n := io.Ring.Reap(io.completed)
		for i := range n {
			c := &io.completed[i]
			slot, ok := st.Inflight.Slot(c.UserData)
			if !ok {
				if isMessage(c) {
					continue
				}
				panic(fmt.Sprintf("storage: completion %+v of nothing in flight", *c))
			}
			reapOne(v, st, io, slot, c)
		}
		if n < len(io.completed) {
			return
		}
	}
}

func reapOne(v components.StateView, st *components.Storage, io *IO, slot uint32, c *uring.Completion) {
	kind := st.Inflight.Kind[slot]
	switch kind {
	case OpAccept:
		accepted(v, st, io, slot, c)
	case OpRecvStart, OpRecvRest, OpQuickAck, OpSend, OpShutdown, OpCloseConn:
		connDone(v, st, io, slot, c)
	case OpOpenLog, OpAllocate, OpTruncate, OpSyncDir, OpWriteHead, OpRename:
		growDone(v, st, slot, c.Res)
	case OpOpenIndex, OpWriteIndex:
		indexDone(v, st, slot, c.Res)
	case OpSyncLog, OpWriteVoucher:
		vouchDone(v, st, slot, c.Res)
	case OpWriteLog:
		writeDone(v, st, slot, c.Res)
	case OpSyncNames:
		namesDone(st, slot, c.Res)
	case OpReadTail:
		tailDone(v, st, slot, c.Res)
	case OpReadIndex, OpReadLog:
		coldDone(v, st, slot, c.Res)
	case OpRetire:
		retireDone(st, slot, c.Res)
	case OpShrink:
		shrinkDone(st, slot, c.Res)
	case OpFill:
		fillDone(st, slot, c.Res)
	case OpCloseFile:
		st.Descriptors.Open--
		st.Descriptors.Closing--
		st.Inflight.Put(slot)
	case OpRefuse:
		st.Inflight.Put(slot)
	case OpJob:
		jobDone(st, slot, c.Res)
	case OpFreeSpace:
		spaceDone(v, st, slot, c.Res)
	case OpControlOpen, OpControlSyncDir, OpControlWrite, OpControlClose:
		ControlDone(v, st, slot, c.Res)
	case OpOffsetsWrite, OpOffsetsRewrite, OpOffsetsClose:
		OffsetsDone(v, st, slot, c.Res)
	default:
		panic(fmt.Sprintf("storage: completion of an operation of kind %d", kind))
	}
}

// isMessage says that another ring sent the completion.
func isMessage(c *uring.Completion) bool {
	return uring.Token(c.UserData)>>56 == uring.TokenMessage>>56
}

// errnoOf is the error in a completion's result.
func errnoOf(res int32) syscall.Errno {
	if res < 0 {
		return syscall.Errno(-res)
	}
	return 0
}

// token is user_data for a slot taken just now.
func take(st *components.Storage, kind components.OpKind, subject uint64) (uint32, uring.Token) {
	slot, token := st.Inflight.Take(kind, subject)
	return slot, uring.Token(token)
}

func addr(st *components.Storage, span components.Span) uring.Addr {
	return uring.Addr(st.Memory.Addr(span))
}

// Wants says whether something is left to be done for which memory, slots or descriptors were short, or that waits for a step in
// flight.
func Wants(st *components.Storage) bool {
	in := st.In
	if controlWaits(st) || len(in.Offsets.Records) > 0 && !st.Offsets.Busy {
		return true
	}
	return in.Make.Len()+in.Grow.Len()+in.Write.Len()+in.ReadTail.Len()+in.Cold.Len()+in.Index.Len()+in.Vouch.Len()+in.Unlink.Len()+in.Jobs.Len()+
		st.Hungry.Len()+st.Starving.Len()+st.Colds.Live.Len()+st.GrowDone.Len()+st.VouchNext.Len() > 0
}

// Undone names something that a stopping shard has in flight, or left to be done, and that somebody waits for; "" is nothing.
func Undone(st *components.Storage) string {
	switch {
	case st.Writes > 0:
		return "journal writes"
	case len(st.Vouching) > 0:
		return "vouchers"
	case st.Control.Busy || st.In.Control.Bytes != nil:
		return "control log"
	case st.Offsets.Busy || len(st.In.Offsets.Records) > 0:
		return "offset log"
	case st.In.Unlink.Len() > 0 || st.Pool.Retiring.Step != components.RetireIdle:
		return "files to be removed"
	case st.Pool.Filling.Busy:
		return "a file for the pool"
	case Wants(st):
		return "operations that wait for their turn"
	}
	return ""
}

// Descriptors lists every descriptor that is open, for a shard that ends.
func Descriptors(st *components.Storage) (fds []int32) {
	add := func(fd int32) {
		if fd >= 0 {
			fds = append(fds, fd)
		}
	}
	for row := range st.Segments.File {
		if st.Segments.File[row].SegmentID != 0 {
			add(st.Segments.LogFD[row])
			add(st.Segments.IndexFD[row])
		}
	}
	for row := range st.Conns.Conn {
		if st.Conns.Conn[row] != 0 {
			add(st.Conns.FD[row])
		}
	}
	add(st.Pool.Filling.FD)
	add(st.Listener.FD)
	add(st.Offsets.FD)
	add(st.Directory.LogFD)
	if st.Control.Next > 0 {
		add(st.Control.FD)
		add(st.Control.DirFD)
	}
	return fds
}

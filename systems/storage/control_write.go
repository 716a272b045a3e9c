package storage

import (
	"syscall"

	"galgo/components"
	"galgo/uring"
	"galgo/wire"
)

// controlFileMax is the size in bytes at which a file of the control log is closed: a start reads what is behind the last
// snapshot, and a snapshot is made of closed files.
const controlFileMax = 16 << 20

// WriteControl starts the control log's next operation: the write of the records that are ordered, or one of the steps to the next
// file once this one is full (open, head, directory entry; the first write to it comes after them). One operation is in flight at
// a time, and it copies the records. After a failure nothing is tried again: every later order fails at once.
//
// Reads and clears Orders.Control. Writes Storage.Control, Inflight, Arena, Facts.Control, and Orders.Jobs when a file is closed. Drives the
// ring. Without a slot or memory the order stays for the next tick. On shards other than 0 nothing is ever ordered.
func WriteControl(v components.StateView, st *components.Storage, ring *uring.Ring) {
	c := &st.Control
	ordered := len(st.In.Control.Bytes) > 0
	if c.Closed && !c.Snapshotting && st.In.Jobs.TryPush(snapshotJob(v, st, ring)) {
		c.Closed, c.Snapshotting = false, true
	}
	switch {
	case c.Failed:
		if ordered {
			st.Out.Control.Push(components.ControlWritten{Number: st.In.Control.Number, Err: syscall.EIO})
			st.In.Control = components.ControlOrder{}
		}
		return
	case !controlWaits(st) || st.Inflight.Free() < 2:
		return
	}
	switch c.Step {
	case components.ControlOpen:
		openControlFile(st, ring)
	case components.ControlHead:
		head := wire.AppendControlLogHead(make([]byte, 0, wire.HeadSize), c.First, v.Config().Secret)
		writeControl(st, ring, head, c.First)
	case components.ControlSync:
		c.Busy = true
		_, token := take(st, OpControlSyncDir, 0)
		ring.Push(uring.Fsync(c.DirFD, false, token))
	case components.ControlReady:
		if ordered && writeControl(st, ring, st.In.Control.Bytes, st.In.Control.Number) {
			st.In.Control = components.ControlOrder{}
		}
	}
}

// controlWaits says whether there is a next operation, and it was not started.
func controlWaits(st *components.Storage) bool {
	c := &st.Control
	return !c.Busy && !c.Failed && (len(st.In.Control.Bytes) > 0 || c.Step != components.ControlReady)
}

// openControlFile closes the full file, to which nothing is in flight, and opens the next one.
func openControlFile(st *components.Storage, ring *uring.Ring) {
	c := &st.Control
	name := wire.ControlLogName(c.Next)
	span, ok := st.Alloc(uint32(len(name) + 1))
	if !ok {
		return
	}
	path := st.Memory.Bytes(span)
	path[copy(path, name)] = 0
	if c.FD >= 0 {
		closeFile(st, ring, OpControlClose, c.FD)
		c.FD = -1
	}
	c.Busy = true
	slot, token := take(st, OpControlOpen, 0)
	st.Inflight.Span[slot] = span
	ring.Push(uring.Openat(c.DirFD, addr(st, span), uring.O_RDWR|uring.O_CREAT|uring.O_TRUNC|uring.O_CLOEXEC, fileMode, token))
}

// writeControl appends bytes durably. Number is that of the record after them.
func writeControl(st *components.Storage, ring *uring.Ring, bytes []byte, number uint64) bool {
	c := &st.Control
	slot, ok := writeDown(st, ring, OpControlWrite, c.FD, bytes, c.Position, uring.RWF_DSYNC)
	if !ok {
		return false
	}
	c.Busy = true
	st.Inflight.Aux[slot] = number
	return true
}

// writeDown copies bytes to memory of their own and starts to write them. Without a slot or memory it does nothing and says so.
func writeDown(st *components.Storage, ring *uring.Ring, kind components.OpKind, fd int32, bytes []byte, position uint64, flags uint32) (slot uint32, ok bool) {
	if st.Inflight.Free() == 0 {
		return 0, false
	}
	span, ok := st.Alloc(uint32(len(bytes)))
	if !ok {
		return 0, false
	}
	copy(st.Memory.Bytes(span), bytes)
	slot, token := take(st, kind, 0)
	st.Inflight.Span[slot] = span
	ring.Push(uring.Write(fd, addr(st, span), span.Len, position, flags, token))
	return slot, true
}

// closeFile closes a descriptor that nothing refers to any more. Nobody waits for it: its completion frees the slot and no more.
func closeFile(st *components.Storage, ring *uring.Ring, kind components.OpKind, fd int32) {
	_, token := take(st, kind, 0)
	ring.Push(uring.Close(fd, token))
}

// snapshotJob makes the snapshot of what is in closed files now.
func snapshotJob(v components.StateView, st *components.Storage, ring *uring.Ring) components.Job {
	files, root, secret := ring.Host().Files(), st.Directory.Root, v.Config().Secret
	openFirst, nowMicros := st.Control.First, v.Now().WallMicros
	return components.Job{Kind: components.JobSnapshot, Run: func() int32 {
		if err := Snapshot(files, root, secret, openFirst, nowMicros); err != nil {
			return -int32(causeOf(err))
		}
		return 0
	}}
}

// snapshotDone takes what became of a snapshot. Nobody else wants to know: one that failed left things as they were, and the next makes up for it.
func snapshotDone(st *components.Storage, res int32) {
	st.Control.Snapshotting = false
	if res < 0 {
		st.Log.Log(components.LogError, "no snapshot of the control log: starts take longer until there is one", components.Num("errno", uint64(-res)))
	}
}

// ControlDone takes the completion of an operation of WriteControl and frees its slot. What became of an order is told to the state systems.
func ControlDone(_ components.StateView, st *components.Storage, slot uint32, res int32) {
	c := &st.Control
	if st.Inflight.Kind[slot] == OpControlClose {
		st.Inflight.Put(slot)
		return
	}
	span, number := st.Inflight.Span[slot], st.Inflight.Aux[slot]
	if span.Len > 0 {
		st.Arena.Free(span)
	}
	st.Inflight.Put(slot)
	c.Busy = false
	switch c.Step {
	case components.ControlOpen:
		if c.Failed = res < 0; !c.Failed {
			c.FD, c.Position, c.First, c.Step = res, 0, c.Next, components.ControlHead
		}
	case components.ControlHead:
		if c.Failed = res != int32(span.Len); !c.Failed {
			c.Position, c.Step = uint64(span.Len), components.ControlSync
		}
	case components.ControlSync:
		if c.Failed = res < 0; !c.Failed {
			c.Step, c.Closed = components.ControlReady, true
		}
	default:
		err := writeError(res, span.Len)
		c.Failed = err != 0
		if !c.Failed {
			c.Position += uint64(span.Len)
			c.Next = number
			if c.Position >= controlFileMax {
				c.Step = components.ControlOpen
			}
		}
		st.Out.Control.Push(components.ControlWritten{Number: number, Err: err})
	}
	if c.Failed {
		st.Log.Log(components.LogError, "control log failed: metadata is read-only until restart", components.Str("file", wire.ControlLogName(c.First)),
			components.Num("position", c.Position), components.Num("errno", uint64(max(0, -res))))
	}
}

// writeError is what is wrong with a write of n bytes that returned res. A short write is as bad as a failed one: what the file
// holds is not what was to be acknowledged.
func writeError(res int32, n uint32) syscall.Errno {
	switch {
	case res < 0:
		return syscall.Errno(-res)
	case uint32(res) != n:
		return syscall.EIO
	}
	return 0
}

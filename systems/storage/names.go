package storage

import (
	"syscall"

	"galgo/components"
	"galgo/uring"
)

// namesSafe says whether the names of the logs are durable that were made before an order for a voucher was first looked at: its own, and those of the
// segments before it. Without them a loss of power could take a segment and leave a later one with its voucher.
func namesSafe(st *components.Storage, order *components.VouchOrder) bool {
	n := &st.Names
	if order.Names == 0 {
		order.Names = n.Made
	}
	return order.Names <= n.Synced
}

// syncNames syncs the directory, once at a time.
func syncNames(st *components.Storage, io *IO) {
	n := &st.Names
	if n.Syncing || st.Inflight.Free() < 4 {
		return
	}
	slot, token := take(st, OpSyncNames, 0)
	st.Inflight.Aux[slot] = n.Made
	n.Syncing = true
	io.Ring.Push(uring.Fsync(st.Directory.LogFD, false, token))
}

// namesDone takes the completion.
func namesDone(st *components.Storage, slot uint32, res int32) {
	made := st.Inflight.Aux[slot]
	st.Inflight.Put(slot)
	st.Names.Syncing = false
	_ = namesSynced(st, made, errnoOf(res))
}

// namesSynced takes what became of a sync of the directory, whatever it was for, and says what that is worth: a success behind a failure is none. After
// a failure no log is vouched for in this run (recovery reads more, and knows less), a durable partition cannot begin a segment, no log becomes a file
// of the pool, and no partition is told to have no file left.
func namesSynced(st *components.Storage, made uint64, errno syscall.Errno) syscall.Errno {
	n := &st.Names
	failed := n.Failed()
	switch {
	case errno != 0 && !failed:
		n.Fail()
		st.Log.Log(components.LogError, "the directory of segments cannot be synced: until restart no log is vouched for, recycled or told to be gone, and "+
			"durable partitions begin none", components.Num("errno", uint64(errno)))
	case errno == 0 && failed:
		return syscall.EIO
	case errno == 0:
		n.Synced = max(n.Synced, made)
	}
	return errno
}

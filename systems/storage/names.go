package storage

import (
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

// namesDone takes the completion. After a failure nothing is vouched for any more in this run: recovery reads more, and knows less.
func namesDone(st *components.Storage, slot uint32, res int32) {
	n := &st.Names
	made, errno := st.Inflight.Aux[slot], errnoOf(res)
	st.Inflight.Put(slot)
	n.Syncing = false
	if errno != 0 {
		n.Failed = true
		st.Log.Log(components.LogError, "the directory of segments cannot be synced: no log is vouched for until restart", components.Num("errno", uint64(errno)))
		return
	}
	n.Synced = max(n.Synced, made)
}

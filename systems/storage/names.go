package storage

import (
	"galgo/components"
	"galgo/uring"
)

// namesSafe says whether the names of the logs are durable that were made before an order for a voucher was first looked at: its own, and those of the
// segments before it. Without them a loss of power could take a segment and leave a later one with its voucher.
func namesSafe(st *components.Storage, order *components.VouchOrder) bool {
	d := &st.Directory
	if order.Names == 0 {
		order.Names = d.NamesMade
	}
	return order.Names <= d.NamesSynced
}

// syncNames syncs the directory, once at a time.
func syncNames(st *components.Storage, io *IO) {
	d := &st.Directory
	if d.NamesSyncing || st.Inflight.Free() < 4 {
		return
	}
	slot, token := take(st, OpSyncNames, 0)
	st.Inflight.Aux[slot] = d.NamesMade
	d.NamesSyncing = true
	io.Ring.Push(uring.Fsync(d.LogFD, false, token))
}

// namesDone takes the completion. After a failure nothing is vouched for any more in this run: recovery reads more, and knows less.
func namesDone(st *components.Storage, slot uint32, res int32) {
	d := &st.Directory
	made, errno := st.Inflight.Aux[slot], errnoOf(res)
	st.Inflight.Put(slot)
	d.NamesSyncing = false
	if errno != 0 {
		d.NamesFailed = true
		st.Log.Log(components.LogError, "the directory of segments cannot be synced: no log is vouched for until restart", components.Num("errno", uint64(errno)))
		return
	}
	d.NamesSynced = max(d.NamesSynced, made)
}

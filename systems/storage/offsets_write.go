package storage

import (
	"path"
	"syscall"

	"galgo/components"
	"galgo/uring"
	"galgo/wire"
)

// An offset log is written anew when it is longer than offsetLogMin bytes and offsetLogGrowth times what it had after the last time.
const (
	offsetLogMin    = 4 << 20
	offsetLogGrowth = 4
)

// WriteOffsets starts the write of the offset changes that are ordered, durably if one of them is to be. One write is in flight at a
// time, and it copies the changes. After a failure nothing is tried again: every later order fails at once. When the log has grown
// far beyond what it holds, a job writes it anew, and orders wait for it.
//
// Reads and clears Orders.Offsets. Writes Storage.Offsets, Inflight, Arena, Facts.OffsetsDone. Drives the ring. Without a slot or
// memory the order stays for the next tick.
func WriteOffsets(v components.StateView, st *components.Storage, ring *uring.Ring) {
	o, order := &st.Offsets, &st.In.Offsets
	switch {
	case o.Failed:
		if len(order.Records) > 0 {
			st.Out.OffsetsDone.Push(components.OffsetsWritten{Order: order.Order, Err: syscall.EIO})
			*order = components.OffsetsOrder{}
		}
		return
	case o.Busy || st.Inflight.Free() < 2:
		return
	}
	if o.Rewrite != nil {
		takeRewritten(st, ring)
	}
	if o.Position > max(offsetLogMin, offsetLogGrowth*o.Least) {
		rewriteOffsetLog(v, st, ring)
		return
	}
	if len(order.Records) == 0 {
		return
	}
	flags := uint32(0)
	if order.Durable {
		flags = uring.RWF_DSYNC
	}
	if slot, ok := writeDown(st, ring, OpOffsetsWrite, o.FD, order.Records, o.Position, flags); ok {
		st.Inflight.Aux[slot] = order.Order
		o.Busy = true
		*order = components.OffsetsOrder{}
	}
}

// OffsetsDone takes the completion of an operation of WriteOffsets and frees its slot. What became of an order is told to the state systems.
func OffsetsDone(v components.StateView, st *components.Storage, slot uint32, res int32) {
	o := &st.Offsets
	switch st.Inflight.Kind[slot] {
	case OpOffsetsClose:
		st.Inflight.Put(slot)
		return
	case OpOffsetsRewrite:
		st.Inflight.Put(slot)
		o.Busy, o.Failed = false, res < 0
		if o.Failed {
			failOffsets(v, st, res)
		}
		return
	}
	span, order := st.Inflight.Span[slot], st.Inflight.Aux[slot]
	st.Arena.Free(span)
	st.Inflight.Put(slot)
	err := writeError(res, span.Len)
	o.Busy, o.Failed = false, err != 0
	if o.Failed {
		failOffsets(v, st, res)
	} else {
		o.Position += uint64(span.Len)
	}
	st.Out.OffsetsDone.Push(components.OffsetsWritten{Order: order, Err: err})
}

func failOffsets(v components.StateView, st *components.Storage, res int32) {
	cfg := v.Config()
	st.Log.Log(components.LogError, "offset log failed: consumer offsets are not stored until restart",
		components.Str("file", wire.OffsetLogName(cfg.Run, uint32(cfg.Shard))), components.Num("position", st.Offsets.Position), components.Num("errno", uint64(max(0, -res))))
}

// rewriteOffsetLog starts the job that writes the log anew. Nothing is in flight to the log, and nothing will be until the job is done.
func rewriteOffsetLog(v components.StateView, st *components.Storage, ring *uring.Ring) {
	o, cfg := &st.Offsets, v.Config()
	files, root, result, end := ring.Host().Files(), st.Directory.Root, &components.OffsetRewrite{FD: -1}, o.Position
	slot, token := take(st, OpOffsetsRewrite, 0)
	started := ring.Host().Work(ring.Shard(), token, func() int32 {
		renamed, err := compactOffsets(files, root, cfg.Secret, cfg.Run, uint32(cfg.Shard), end, result)
		if err != nil && renamed {
			return -int32(causeOf(err))
		}
		return 0 // a failure that came early leaves the old log as it is
	})
	if !started {
		st.Inflight.Put(slot)
		return
	}
	o.Busy, o.Rewrite = true, result
}

// takeRewritten goes over to the log that a job has written.
func takeRewritten(st *components.Storage, ring *uring.Ring) {
	o := &st.Offsets
	result := o.Rewrite
	o.Rewrite = nil
	if result.FD < 0 {
		o.Least = o.Position // no room now: not before it has grown so much again
		return
	}
	closeFile(st, ring, OpOffsetsClose, o.FD)
	o.FD, o.Position, o.Least = result.FD, result.Position, result.Position
}

// compactOffsets writes what holds of the first end bytes of an offset log to a new one of the same name. Renamed says that an error
// came so late that the name may stand for either. Deletions are left out: what they delete is in the same file, or was in files that
// are gone since start.
func compactOffsets(files uring.Files, root string, secret, run uint64, shard uint32, end uint64, result *components.OffsetRewrite) (renamed bool, err error) {
	name := wire.OffsetLogName(run, shard)
	content, err := readWhole(files, path.Join(root, components.OffsetsDir, name))
	if err != nil {
		return false, err
	}
	merge := offsetMerge{}
	merge.read(content[:min(end, uint64(len(content)))], secret)
	file, renamed, err := writeOffsetLog(files, root, secret, run, shard, merge.records(func(r wire.OffsetRecord) bool { return !r.Deleted }))
	if err == nil {
		result.FD, result.Position = file.FD, file.Position
	}
	return renamed, err
}

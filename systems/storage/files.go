package storage

import (
	"syscall"

	"galgo/components"
	"galgo/uring"
	"galgo/wire"
)

// putName writes a file's name, NUL-terminated, into memory.
func putName(st *components.Storage, span components.Span, name func(dst []byte) []byte) {
	b := st.Memory.Bytes(span)
	b[len(name(b[:0]))] = 0
}

// segmentName is the name of a segment's file.
func segmentName(file wire.SegmentFile, kind wire.SegmentKind) func(dst []byte) []byte {
	return func(dst []byte) []byte {
		return wire.AppendSegmentName(dst, file.CreatedSeq, file.PartitionID, file.SegmentID, kind)
	}
}

// nameOf names a segment by its log, for people.
func nameOf(file wire.SegmentFile) string {
	return string(segmentName(file, wire.SegmentLog)(nil))
}

// putNames writes two names into one piece of memory, which is returned with the places of both.
func putNames(st *components.Storage, first, second func(dst []byte) []byte) (whole, a, b components.Span, ok bool) {
	whole, ok = st.Alloc(components.UnitSize)
	if !ok {
		return whole, a, b, false
	}
	a, b = whole.Slice(0, components.UnitSize/2), whole.Slice(components.UnitSize/2, components.UnitSize/2)
	putName(st, a, first)
	putName(st, b, second)
	return whole, a, b, true
}

// roomForFile says whether one more descriptor may be opened: when they run short, the file longest unused is closed. What is being closed
// already is room to come: many who ask in one tick must not close each other's files before they are used.
func roomForFile(st *components.Storage, io *IO) bool {
	d := &st.Descriptors
	if d.Open < d.Max {
		return true
	}
	if d.Open-d.Closing < d.Max {
		return false
	}
	f := &st.Segments
	victim, found := uint32(0), false
	for row := range f.File {
		if f.File[row].SegmentID == 0 || f.Inflight[row] > 0 || f.Fresh[row] || f.LogFD[row] == components.NoFD && f.IndexFD[row] == components.NoFD {
			continue
		}
		if !found || f.Used[row] < f.Used[victim] {
			victim, found = uint32(row), true
		}
	}
	if found {
		closeFiles(st, io, victim)
	}
	return false // the descriptor is free after its close
}

// closeFiles closes what a segment's row has open, and frees the row.
func closeFiles(st *components.Storage, io *IO, row uint32) {
	f := &st.Segments
	for _, fd := range []*int32{&f.LogFD[row], &f.IndexFD[row]} {
		if *fd != components.NoFD && st.Inflight.Free() > 0 {
			_, token := take(st, OpCloseFile, 0)
			st.Descriptors.Closing++
			io.Ring.Push(uring.Close(*fd, token))
			*fd = components.NoFD
		}
	}
	if f.LogFD[row] == components.NoFD && f.IndexFD[row] == components.NoFD {
		f.Drop(row)
	}
}

// openLog opens a segment's log; its completion is growDone's. With create it must not exist. A log that is to be made of a file of the pool is
// opened under the name that this has.
func openLog(st *components.Storage, io *IO, row uint32, create bool) bool {
	if st.Inflight.Free() < 2 || !roomForFile(st, io) {
		return false
	}
	f := &st.Segments
	path, ok := st.Alloc(components.UnitSize)
	if !ok {
		return false
	}
	if recycled := f.Recycled[row]; recycled.Number != 0 {
		putName(st, path, poolName(recycled))
	} else {
		putName(st, path, segmentName(f.File[row], wire.SegmentLog))
	}
	flags := uint32(uring.O_RDWR | uring.O_CLOEXEC)
	if create {
		flags |= uring.O_CREAT | uring.O_EXCL
	}
	if st.Directory.Direct {
		flags |= uring.O_DIRECT
	}
	slot, token := take(st, OpOpenLog, uint64(row))
	st.Inflight.Span[slot] = path
	f.Inflight[row]++
	f.LogBusy[row] = true
	st.Descriptors.Open++
	io.Ring.Push(uring.Openat(st.Directory.LogFD, addr(st, path), flags, fileMode, token))
	return true
}

// logReady says whether a segment's log can be used now; if it is closed, it is opened.
func logReady(v components.StateView, st *components.Storage, io *IO, row uint32) bool {
	f := &st.Segments
	f.Used[row] = v.Now().MonoMicros
	if f.LogFD[row] != components.NoFD {
		return true
	}
	if !f.LogBusy[row] {
		openLog(st, io, row, false)
	}
	return false
}

// GrowFiles grows the logs of partitions that want to append.
// Reads In.Grow, the view of partitions. Writes Segments, Inflight, Out.Grown. Drives the ring.
func GrowFiles(v components.StateView, st *components.Storage, io *IO) {
	f := &st.Segments
	for partition := range st.In.Grow.All {
		if st.Inflight.Free() < 4 || st.Out.Grown.Free() <= components.FactsMax() {
			return
		}
		file, to := v.AppendFile(partition)
		row := f.Row(file)
		if f.LogBusy[row] || !logReady(v, st, io, row) {
			continue
		}
		if allocate(v, st, io, partition, row, max(f.Allocated[row], v.Allocated(partition)), to) {
			st.In.Grow.Clear(partition)
		}
	}
}

// allocate gives a log blocks up to a size; if the disk has none for it, that is told at once. It returns false when the pools are
// giving way first.
func allocate(v components.StateView, st *components.Storage, io *IO, partition int, row uint32, have, to uint64) bool {
	switch spaceFor(v, st, io, to-min(have, to)) {
	case spaceLater:
		return false
	case spaceNone:
		pushGrown(st, row, uint64(v.PartitionAt(partition)), have, syscall.ENOSPC)
		return true
	}
	f := &st.Segments
	slot, token := startStep(st, OpAllocate, row, uint64(v.PartitionAt(partition)))
	st.Inflight.More[slot] = have
	f.Allocated[row] = to
	io.Ring.Push(uring.Fallocate(f.LogFD[row], 0, have, to-have, token))
	return true
}

// startStep takes a slot for a step of making or growing a partition's log.
func startStep(st *components.Storage, kind components.OpKind, row uint32, partition uint64) (uint32, uring.Token) {
	slot, token := take(st, kind, uint64(row))
	st.Inflight.Aux[slot] = partition
	st.Segments.Inflight[row]++
	st.Segments.LogBusy[row] = true
	return slot, token
}

// growDone takes the completions of making and growing a log.
func growDone(v components.StateView, st *components.Storage, slot uint32, res int32) {
	f := &st.Segments
	kind, row := st.Inflight.Kind[slot], uint32(st.Inflight.Subject[slot])
	partition, have, span := st.Inflight.Aux[slot], st.Inflight.More[slot], st.Inflight.Span[slot]
	st.Inflight.Put(slot)
	if span.Len > 0 {
		st.Arena.Free(span)
	}
	f.Inflight[row]--
	f.LogBusy[row] = false
	errno := errnoOf(res)
	if kind == OpAllocate {
		st.Space.Grew(f.Allocated[row] - have)
	}
	switch kind {
	case OpOpenLog:
		if errno == 0 {
			f.LogFD[row] = res
			if f.Fresh[row] {
				st.Names.Made++
			}
			return // whoever wanted it open asks again
		}
		st.Descriptors.Open--
		openFailed(v, st, row, errno)
	case OpTruncate:
		pushGrown(st, row, partition, have, syscall.ENOSPC)
	case OpSyncDir:
		pushGrown(st, row, partition, f.Allocated[row], namesSynced(st, have, errno))
	default:
		if kind == OpWriteHead && errno == 0 && res != emptyHeadSize {
			errno = syscall.EIO
		}
		if kind == OpRename && errno == 0 {
			st.Names.Made++
		}
		f.Inflight[row]++ // until the step after it: the row stays that file's
		st.GrowDone.Push(components.GrowStep{Kind: kind, Row: row, Partition: partition, Have: have, Err: errno})
	}
}

// pushGrown tells what became of making or growing a log.
func pushGrown(st *components.Storage, row uint32, partition, allocated uint64, errno syscall.Errno) {
	st.Segments.Allocated[row], st.Segments.Fresh[row] = allocated, false
	st.Out.Grown.Push(components.Grown{Partition: entity(partition), SegmentID: st.Segments.File[row].SegmentID, Allocated: allocated, Err: errno})
}

// FinishGrowth takes the step after one that returned: a failed allocation is truncated back, so that the file keeps no half growth; a
// file of the pool gets its new name; a new name of a durable partition is made durable. Drives the ring.
func FinishGrowth(v components.StateView, st *components.Storage, io *IO) {
	f := &st.Segments
	for st.GrowDone.Len() > 0 && st.Inflight.Free() > 1 {
		step := *st.GrowDone.Front()
		row := step.Row
		headed := step.Err == 0 && step.Kind == OpWriteHead
		if headed && !rename(st, io, row, step.Partition) {
			return
		}
		st.GrowDone.Pop()
		f.Inflight[row]--
		if headed {
			continue
		}
		if step.Err == syscall.EOPNOTSUPP && step.Kind == OpAllocate {
			step.Err = 0 // a filesystem without allocation: writes extend the file
		}
		durable := false
		if partition, ok := v.Partition(entity(step.Partition)); ok {
			durable = v.Level(partition) == components.LevelDurable
		}
		switch {
		case step.Kind == OpAllocate && (step.Err == syscall.ENOSPC || step.Err == syscall.EDQUOT):
			truncateBack(v, st, io, &step)
		case step.Err != 0:
			pushGrown(st, row, step.Partition, step.Have, step.Err)
		case durable && step.Have == 0:
			slot, token := startStep(st, OpSyncDir, row, step.Partition)
			st.Inflight.More[slot] = st.Names.Made
			io.Ring.Push(uring.Fsync(st.Directory.LogFD, false, token))
		default:
			pushGrown(st, row, step.Partition, f.Allocated[row], 0)
		}
	}
}

// truncateBack takes back what a failed allocation may have given: ext4 was seen to keep what it had
// found, so that nothing was left for anybody.
func truncateBack(v components.StateView, st *components.Storage, io *IO, step *components.GrowStep) {
	f := &st.Segments
	slot, token := startStep(st, OpTruncate, step.Row, step.Partition)
	st.Inflight.More[slot] = step.Have
	if io.Ring.Host().Supports(uring.OpFtruncate) {
		io.Ring.Push(uring.Ftruncate(f.LogFD[step.Row], step.Have, token))
		return
	}
	files, fd, have := io.Ring.Host().Files(), f.LogFD[step.Row], step.Have
	if !io.Ring.Host().Work(v.Shard(), token, func() int32 { return resultOf(files.Truncate(fd, have)) }) {
		st.Inflight.Put(slot)
		f.Inflight[step.Row]--
		f.LogBusy[step.Row] = false
		pushGrown(st, step.Row, step.Partition, have, syscall.ENOSPC)
	}
}

// openFailed answers whoever waits for a log that cannot be opened. A write is not given up for want of descriptors or memory: it waits for them.
func openFailed(v components.StateView, st *components.Storage, row uint32, errno syscall.Errno) {
	f := &st.Segments
	id := f.File[row].SegmentID
	makeFailed(v, st, row, errno)
	for _, partition := range waiting(&st.In.Grow) {
		if file, _ := v.AppendFile(partition); file.SegmentID == id {
			st.In.Grow.Clear(partition)
			st.Out.Grown.Push(components.Grown{Partition: v.PartitionAt(partition), SegmentID: id, Allocated: v.Allocated(partition), Err: errno})
		}
	}
	for _, partition := range waiting(&st.In.Write) {
		if v.WriteFile(partition).SegmentID == id && !short(errno) {
			st.In.Write.Clear(partition)
			st.Out.Wrote.Push(components.Wrote{Partition: v.PartitionAt(partition), SegmentID: id, Err: errno})
		}
	}
	for _, partition := range waiting(&st.In.ReadTail) {
		if file, _ := v.LastBlock(partition); file.SegmentID == id {
			st.In.ReadTail.Clear(partition)
			st.Out.Tails.Push(components.TailRead{Partition: v.PartitionAt(partition), Err: errno})
		}
	}
	for range st.In.Vouch.Len() {
		order := st.In.Vouch.Pop()
		if order.File.SegmentID != id {
			st.In.Vouch.Push(order)
			continue
		}
		st.Out.Vouched.Push(vouchedOf(&order, errno))
	}
	for row := range st.Colds.Live.All {
		if order := &st.Colds.Order[row]; order.File.SegmentID == id && !st.Colds.Busy[row] {
			st.Out.ColdReads.Push(components.ColdRead{Slot: order.Slot, Err: errno})
			st.Colds.Drop(row)
		}
	}
	if f.Inflight[row] == 0 && f.IndexFD[row] == components.NoFD {
		f.Drop(row)
	}
}

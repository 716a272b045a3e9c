package storage

import (
	"syscall"

	"galgo/components"
	"galgo/uring"
	"galgo/wire"
)

const (
	// freeSpaceMicros is how old the number of free bytes may be that growth is checked against.
	freeSpaceMicros = 1_000_000
)

// putPath writes the name of a segment's file, NUL-terminated, into memory of the arena.
func putPath(st *components.Storage, file wire.SegmentFile, kind wire.SegmentKind) (components.Span, bool) {
	span, ok := st.Arena.Alloc(components.UnitSize)
	if !ok {
		return span, false
	}
	name := wire.AppendSegmentName(st.Memory.Bytes(span)[:0], file.CreatedSeq, file.PartitionID, file.SegmentID, kind)
	st.Memory.Bytes(span)[len(name)] = 0
	return span, true
}

// roomForFile makes sure that one more descriptor may be opened: when they run short, the file longest unused is closed.
func roomForFile(st *components.Storage, io *IO) bool {
	if st.Directory.FilesOpen < st.Directory.FilesMax {
		return true
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
			io.Ring.Push(uring.Close(*fd, token))
			*fd = components.NoFD
		}
	}
	if f.LogFD[row] == components.NoFD && f.IndexFD[row] == components.NoFD {
		f.Drop(row)
	}
}

// openLog opens a segment's log; its completion is growDone's. With create it must not exist.
func openLog(st *components.Storage, io *IO, row uint32, create bool) bool {
	if st.Inflight.Free() < 2 || !roomForFile(st, io) {
		return false
	}
	f := &st.Segments
	path, ok := putPath(st, f.File[row], wire.SegmentLog)
	if !ok {
		return false
	}
	flags := uint32(uring.O_RDWR | uring.O_CLOEXEC)
	f.Fresh[row] = create
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
	st.Directory.FilesOpen++
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

// GrowFiles creates and grows the logs of partitions that want to append: made, given blocks, and at LevelDurable entered in
// the directory durably, before the state systems append.
// Reads In.Grow, the view of partitions. Writes Segments, Inflight, Out.Grown. Drives the ring.
func GrowFiles(v components.StateView, st *components.Storage, io *IO) {
	f := &st.Segments
	for partition := range st.In.Grow.All {
		if st.Inflight.Free() < 4 || st.Out.Grown.Free() <= components.FactsMax() {
			return
		}
		file, to := v.AppendFile(partition)
		row := f.Row(file)
		f.Used[row] = v.Now().MonoMicros
		if f.LogBusy[row] {
			continue
		}
		if f.LogFD[row] == components.NoFD {
			openLog(st, io, row, v.Allocated(partition) == 0)
			continue
		}
		st.In.Grow.Clear(partition)
		f.Fresh[row] = false
		have := max(f.Allocated[row], v.Allocated(partition))
		if !spaceFor(v, st, io, to-min(have, to)) {
			st.Out.Grown.Push(components.Grown{Partition: v.PartitionAt(partition), SegmentID: file.SegmentID, Allocated: have, Err: syscall.ENOSPC})
			continue
		}
		slot, token := take(st, OpAllocate, uint64(row))
		st.Inflight.Aux[slot] = uint64(v.PartitionAt(partition))
		st.Inflight.More[slot] = have
		f.Inflight[row]++
		f.LogBusy[row] = true
		f.Allocated[row] = to
		io.Ring.Push(uring.Fallocate(f.LogFD[row], 0, have, to-have, token))
	}
}

// spaceFor takes n bytes off what is known to be free, unless that touches the reserve. What is known is looked up again every
// second by a worker.
func spaceFor(v components.StateView, st *components.Storage, io *IO, n uint64) bool {
	d := &st.Directory
	if !d.Asking && v.Now().MonoMicros-d.FreeAt >= freeSpaceMicros && st.Inflight.Free() > 0 {
		_, token := take(st, OpFreeSpace, 0)
		files, root, found := io.Ring.Host().Files(), d.Root, d.Found
		d.Asking = io.Ring.Host().Work(v.Shard(), token, func() int32 {
			if _, free, err := files.StatFS(root); err == nil {
				found.Store(free)
			}
			return 0
		})
		if !d.Asking {
			slot, _ := st.Inflight.Slot(uint64(token))
			st.Inflight.Put(slot)
		}
	}
	if n > 0 && d.Free < d.Reserve+n {
		return false
	}
	d.Free -= n
	return true
}

// growDone takes the completions of making and growing a log.
func growDone(v components.StateView, st *components.Storage, slot uint32, res int32) {
	f := &st.Segments
	kind, row := st.Inflight.Kind[slot], uint32(st.Inflight.Subject[slot])
	partition, have, span := st.Inflight.Aux[slot], st.Inflight.More[slot], st.Inflight.Span[slot]
	st.Inflight.Put(slot)
	f.Inflight[row]--
	f.LogBusy[row] = false
	errno := errnoOf(res)
	switch kind {
	case OpOpenLog:
		st.Arena.Free(span)
		if errno == 0 {
			f.LogFD[row] = res
			return // whoever wanted it open asks again
		}
		st.Directory.FilesOpen--
		openFailed(v, st, row, errno)
	case OpAllocate:
		st.GrowDone.Push(components.GrowStep{Row: row, Partition: partition, Have: have, Err: errno})
	case OpTruncate:
		pushGrown(st, row, partition, have, syscall.ENOSPC)
	case OpSyncDir:
		pushGrown(st, row, partition, f.Allocated[row], errno)
	}
}

func pushGrown(st *components.Storage, row uint32, partition, allocated uint64, errno syscall.Errno) {
	st.Segments.Allocated[row] = allocated
	st.Out.Grown.Push(components.Grown{Partition: entity(partition), SegmentID: st.Segments.File[row].SegmentID, Allocated: allocated, Err: errno})
}

// FinishGrowth takes the step after an allocation: a failed one is truncated back, so that the file keeps no half growth; a new
// file of a durable partition is entered in the directory. Drives the ring.
func FinishGrowth(v components.StateView, st *components.Storage, io *IO) {
	f := &st.Segments
	for st.GrowDone.Len() > 0 && st.Inflight.Free() > 1 {
		step := st.GrowDone.Pop()
		row := step.Row
		durable := false
		if partition, ok := v.Partition(entity(step.Partition)); ok {
			durable = v.Level(partition) == components.LevelDurable
		}
		switch {
		case step.Err == syscall.EOPNOTSUPP: // a filesystem without allocation: writes extend the file
			pushGrown(st, row, step.Partition, f.Allocated[row], 0)
		case step.Err != 0 && (step.Err == syscall.ENOSPC || step.Err == syscall.EDQUOT):
			slot, token := take(st, OpTruncate, uint64(row))
			st.Inflight.Aux[slot], st.Inflight.More[slot] = step.Partition, step.Have
			f.Inflight[row]++
			f.LogBusy[row] = true
			if io.Ring.Host().Supports(uring.OpFtruncate) {
				io.Ring.Push(uring.Ftruncate(f.LogFD[row], step.Have, token))
				continue
			}
			files, fd := io.Ring.Host().Files(), f.LogFD[row]
			if !io.Ring.Host().Work(v.Shard(), token, func() int32 { return resultOf(files.Truncate(fd, step.Have)) }) {
				st.Inflight.Put(slot)
				f.Inflight[row]--
				f.LogBusy[row] = false
				pushGrown(st, row, step.Partition, step.Have, syscall.ENOSPC)
			}
		case step.Err != 0:
			pushGrown(st, row, step.Partition, step.Have, step.Err)
		case durable && step.Have == 0:
			slot, token := take(st, OpSyncDir, uint64(row))
			st.Inflight.Aux[slot] = step.Partition
			f.Inflight[row]++
			f.LogBusy[row] = true
			io.Ring.Push(uring.Fsync(st.Directory.LogFD, false, token))
		default:
			pushGrown(st, row, step.Partition, f.Allocated[row], 0)
		}
	}
}

// openFailed answers whoever waits for a log that cannot be opened.
func openFailed(v components.StateView, st *components.Storage, row uint32, errno syscall.Errno) {
	f := &st.Segments
	id := f.File[row].SegmentID
	for _, partition := range waiting(&st.In.Grow) {
		if file, _ := v.AppendFile(partition); file.SegmentID == id {
			st.In.Grow.Clear(partition)
			st.Out.Grown.Push(components.Grown{Partition: v.PartitionAt(partition), SegmentID: id, Allocated: v.Allocated(partition), Err: errno})
		}
	}
	for _, partition := range waiting(&st.In.Write) {
		if v.WriteFile(partition).SegmentID == id {
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

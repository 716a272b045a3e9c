package storage

import (
	"syscall"

	"galgo/components"
	"galgo/uring"
	"galgo/wire"
)

// emptyHeadSize is how much of a recycled file is made zero before it is a log: the place of the head and the block behind it, so that
// recovery finds in it what it finds in a new file.
const emptyHeadSize = wire.SegmentHeadSize + components.UnitSize

// MakeFiles makes the logs of segments that come next. A roll takes the largest file of the pool that does not exceed the roll limit: its
// beginning is made zero, durably, then it gets its name, at LevelDurable durably, and only then is it told to the state systems. Any other
// log is a new file with blocks of its own.
// Reads In.Make, the view of partitions. Writes Segments, Pool, Inflight, Out.Grown. Drives the ring.
func MakeFiles(v components.StateView, st *components.Storage, io *IO) {
	f := &st.Segments
	for partition := range st.In.Make.All {
		if st.Inflight.Free() < 4 || st.Out.Grown.Free() <= components.FactsMax() {
			return
		}
		file, to, rolls := v.AheadFile(partition)
		row := f.Row(file)
		f.Used[row] = v.Now().MonoMicros
		switch {
		case f.LogBusy[row]:
			continue
		case f.LogFD[row] == components.NoFD:
			openFresh(v, st, io, partition, row, rolls)
			continue
		case f.Recycled[row].Number != 0:
			if !emptyHead(v, st, io, partition, row) {
				return
			}
		default:
			if !allocate(v, st, io, partition, row, 0, to) {
				continue
			}
		}
		st.In.Make.Clear(partition)
	}
}

// openFresh makes a new file for a log, or opens the one of the pool that becomes it.
func openFresh(v components.StateView, st *components.Storage, io *IO, partition int, row uint32, rolls bool) {
	f := &st.Segments
	f.Fresh[row] = true
	if rolls && f.Recycled[row].Number == 0 {
		f.Recycled[row], _ = st.Pool.Take(st.Space, v.SegmentSize(partition))
	}
	fresh := f.Recycled[row].Number == 0
	if openLog(st, io, row, fresh) && rolls && fresh {
		st.Pool.Want = v.SegmentSize(partition)
		st.Pool.Missing += st.Pool.Want
	}
}

// emptyHead makes the beginning of a recycled file zero.
func emptyHead(v components.StateView, st *components.Storage, io *IO, partition int, row uint32) bool {
	head, ok := st.Alloc(emptyHeadSize)
	if !ok {
		return false
	}
	clear(st.Memory.Bytes(head))
	slot, token := startStep(st, OpWriteHead, row, uint64(v.PartitionAt(partition)))
	st.Inflight.Span[slot] = head
	io.Ring.Push(uring.Write(st.Segments.LogFD[row], addr(st, head), head.Len, 0, uring.RWF_DSYNC, token))
	return true
}

// rename gives a recycled file the name of the log that it becomes.
func rename(st *components.Storage, io *IO, row uint32, partition uint64) bool {
	f := &st.Segments
	recycled := f.Recycled[row]
	whole, from, to, ok := putNames(st, poolName(recycled), segmentName(f.File[row], wire.SegmentLog))
	if !ok {
		return false
	}
	slot, token := startStep(st, OpRename, row, partition)
	st.Inflight.Span[slot] = whole
	f.Recycled[row] = components.PoolFile{}
	f.Allocated[row] = components.AlignDown(recycled.Size)
	f.Initialized[row] = f.Allocated[row]
	io.Ring.Push(renameNew(st, addr(st, from), addr(st, to), token))
	return true
}

// renameNew gives a file of the directory of segments a name that nothing has. Not every file system sees to that (NFS and some of FUSE do not), and
// none need: both names that a rename goes to hold a number of this run, which no other run and no other shard gives, a rename is the first
// that is done with it, it is not tried again when it fails, and the lock of the data directory keeps others away. Only who
// restores a part of the directory from elsewhere can bring such names in: SegmentList.HasRun tells at start, and then there is no pool.
// A link and an unlink would be worse: a crash between them leaves a log that is a file of the pool too, and is written over.
func renameNew(st *components.Storage, from, to uring.Addr, token uring.Token) uring.Entry {
	return uring.Renameat(st.Directory.LogFD, from, st.Directory.LogFD, to, st.Directory.RenameFlags, token)
}

// makeFailed answers who waits for a log that cannot be made. A file of the pool that cannot be opened is none, and the next one is
// tried; where descriptors are short it stays in the pool.
func makeFailed(v components.StateView, st *components.Storage, row uint32, errno syscall.Errno) {
	f := &st.Segments
	recycled := f.Recycled[row]
	if recycled.Number != 0 {
		f.Recycled[row] = components.PoolFile{}
		if !short(errno) {
			st.Log.Log(components.LogWarn, "file of the pool cannot be opened", components.Str("file", components.PooledName(recycled)),
				components.Num("errno", uint64(errno)))
			return
		}
		if st.Pool.Claim(st.Space, recycled.Size) {
			st.Pool.Add(st.Space, recycled)
		}
	}
	for _, partition := range waiting(&st.In.Make) {
		if file, _, _ := v.AheadFile(partition); file.SegmentID == f.File[row].SegmentID {
			st.In.Make.Clear(partition)
			pushGrown(st, row, uint64(v.PartitionAt(partition)), 0, errno)
		}
	}
}

// short says whether a call failed for want of descriptors or memory.
func short(errno syscall.Errno) bool {
	return errno == syscall.EMFILE || errno == syscall.ENFILE || errno == syscall.ENOMEM
}

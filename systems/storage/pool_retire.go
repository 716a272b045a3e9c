package storage

import (
	"encoding/binary"
	"syscall"

	"galgo/components"
	"galgo/uring"
	"galgo/wire"
)

// retireMax is how many segments go in one round.
const retireMax = 64

// RetireFiles takes the files of segments that nobody needs any more out of the way, in rounds: logs go into the pool, if it has room, or away,
// and indexes away. A partition that lives on loses one segment a round, the oldest, so that no crash leaves a gap in its log. At the end of
// a round the directory is synced: only then may what is in the pool be overwritten, and only then is told that a partition has no file left.
// Reads In.Unlink, the view of partitions. Writes Segments, Pool, Inflight, Out.Removed. Drives the ring.
func RetireFiles(v components.StateView, st *components.Storage, io *IO) {
	r := &st.Pool.Retiring
	for r.Pending == 0 && st.Inflight.Free() > 2*retireMax+4 {
		switch r.Step {
		case components.RetireIdle:
			collectRetiring(v, st, io)
			if len(r.Files)+len(r.Last) == 0 {
				return
			}
			r.Step = components.RetireMeasure
			measure(st, io)
		case components.RetireMeasure:
			r.Step = components.RetireMove
			move(v, st, io)
		case components.RetireMove:
			r.Step = components.RetireSync
			if len(r.Files) > 0 {
				pushRetire(st, io, uring.Fsync(st.Directory.LogFD, false, 0), 0, retireSyncs)
			}
		case components.RetireSync:
			retired(st)
			r.Step = components.RetireIdle
		}
	}
}

// collectRetiring takes what goes in this round.
func collectRetiring(v components.StateView, st *components.Storage, io *IO) {
	r := &st.Pool.Retiring
	r.Files, r.Last = r.Files[:0], r.Last[:0]
	for st.In.Unlink.Len() > 0 && len(r.Files) < retireMax {
		unlink := st.In.Unlink.Front()
		if unlink.Last {
			if st.Out.Removed.Free() == len(r.Last) {
				return
			}
			r.Last = append(r.Last, st.In.Unlink.Pop())
			continue
		}
		if _, lives := v.Partition(unlink.Partition); lives && goes(r, unlink) {
			return
		}
		if row, ok := st.Segments.ByID[unlink.File.SegmentID]; ok {
			if st.Segments.Inflight[row] > 0 {
				return // its files are being opened, written or read
			}
			if closeFiles(st, io, row); st.Segments.File[row].SegmentID != 0 {
				return
			}
		}
		memory, ok := st.Alloc(components.UnitSize)
		if !ok {
			return
		}
		file := components.RetiringFile{Unlink: st.In.Unlink.Pop(), Memory: memory}
		putName(st, memory.Slice(retireLog, retireIndex-retireLog), segmentName(file.File, wire.SegmentLog))
		putName(st, memory.Slice(retireIndex, retirePool-retireIndex), segmentName(file.File, wire.SegmentIndex))
		r.Files = append(r.Files, file)
	}
}

// goes says whether a segment of the same partition goes in this round.
func goes(r *components.Retiring, unlink *components.Unlink) bool {
	for i := range r.Files {
		if r.Files[i].Partition == unlink.Partition {
			return true
		}
	}
	return false
}

// The result of Statx, and where in it stand size and blocks of 512 bytes. Source: statx(2).
const (
	statxSize     = 256
	statxSizeAt   = 40
	statxBlocksAt = 48
)

// Where the names of a segment that goes, and what is found out of its log, stand in its piece of memory.
const (
	retireLog   = 0
	retireIndex = 512
	retirePool  = 1024
	retireStat  = 2048
)

// retireAddr is the address of a part of a file's memory.
func retireAddr(st *components.Storage, file *components.RetiringFile, part uint32) uring.Addr {
	return addr(st, file.Memory.Slice(part, 1))
}

// pushRetire starts an operation of the round. The last argument says what it does.
func pushRetire(st *components.Storage, io *IO, entry uring.Entry, file int, step retireOperation) {
	slot, token := take(st, OpRetire, uint64(step))
	st.Inflight.Aux[slot] = uint64(file)
	st.Pool.Retiring.Pending++
	entry.UserData = uint64(token)
	io.Ring.Push(entry)
}

// retireOperation is what an operation of a round does.
type retireOperation uint64

const (
	retireMeasures retireOperation = iota
	retireRenames
	retireUnlinks
	retireSyncs
)

// measure asks how many bytes the logs have.
func measure(st *components.Storage, io *IO) {
	p := &st.Pool
	if st.Space.SizeMax == 0 {
		return
	}
	for i := range p.Retiring.Files {
		file := &p.Retiring.Files[i]
		pushRetire(st, io, uring.Statx(st.Directory.LogFD, retireAddr(st, file, retireLog), uring.AT_SYMLINK_NOFOLLOW, uring.STATX_BASIC_STATS,
			retireAddr(st, file, retireStat), 0), i, retireMeasures)
	}
}

// move renames logs into the pool, and unlinks those for which there is no room, or which could never be written over, and the indexes.
func move(v components.StateView, st *components.Storage, io *IO) {
	p, fd := &st.Pool, st.Directory.LogFD
	cfg := v.Config()
	for i := range p.Retiring.Files {
		file := &p.Retiring.Files[i]
		log := retireAddr(st, file, retireLog)
		pushRetire(st, io, uring.Unlinkat(fd, retireAddr(st, file, retireIndex), 0, 0), i, retireUnlinks)
		if st.Names.Failed() || !p.Claim(st.Space, file.Size) {
			pushRetire(st, io, uring.Unlinkat(fd, log, 0, 0), i, retireUnlinks)
			continue
		}
		file.Number = p.Name(&cfg)
		putName(st, file.Memory.Slice(retirePool, retireStat-retirePool), poolName(components.PoolFile{Number: file.Number}))
		pushRetire(st, io, renameNew(st, log, retireAddr(st, file, retirePool), 0), i, retireRenames)
	}
}

// retireDone takes the completion of an operation of the round. A file that was never made, or is gone already, is as good as gone.
func retireDone(st *components.Storage, slot uint32, res int32) {
	r := &st.Pool.Retiring
	operation, i, errno := retireOperation(st.Inflight.Subject[slot]), int(st.Inflight.Aux[slot]), errnoOf(res)
	st.Inflight.Put(slot)
	r.Pending--
	switch {
	case operation == retireSyncs:
		_ = namesSynced(st, 0, errno)
	case errno == syscall.ENOENT && operation != retireRenames:
	case operation == retireMeasures && errno == 0:
		r.Files[i].Size = blocksOf(st, &r.Files[i])
	case operation == retireRenames && errno != 0:
		st.Space.Unclaim(r.Files[i].Size)
		r.Files[i].Number = 0
		fallthrough
	case errno != 0:
		if errno != syscall.ENOENT {
			st.Log.Log(components.LogError, "files of a segment cannot be removed", components.Str("file", nameOf(r.Files[i].File)),
				components.Num("operation", uint64(operation)), components.Num("errno", uint64(errno)))
		}
	}
}

// blocksOf is the size of a log that has a block for each of its bytes, and 0 for others: those are not worth keeping.
func blocksOf(st *components.Storage, file *components.RetiringFile) uint64 {
	b := st.Memory.Bytes(file.Memory.Slice(retireStat, statxSize))
	size, blocks := binary.LittleEndian.Uint64(b[statxSizeAt:]), binary.LittleEndian.Uint64(b[statxBlocksAt:])
	if blocks*512 < size {
		return 0
	}
	return size
}

// retired ends a round. What the directory may still bring back is neither used again nor told to be gone.
func retired(st *components.Storage) {
	r := &st.Pool.Retiring
	for i := range r.Files {
		file := &r.Files[i]
		st.Arena.Free(file.Memory)
		switch {
		case file.Number == 0:
		case st.Names.Failed():
			st.Space.Unclaim(file.Size)
		default:
			st.Pool.Add(st.Space, components.PoolFile{Number: file.Number, Size: file.Size})
		}
	}
	for i := range r.Last {
		if !st.Names.Failed() {
			st.Out.Removed.Push(r.Last[i].Partition)
		}
	}
}

package storage

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"syscall"

	"galgo/components"
	"galgo/ecs"
	"galgo/uring"
)

const (
	// writeSlotMax is how many journal writes a shard has in flight.
	writeSlotMax = 256
	// smallWrite is up to how many bytes a write is small: it costs what it costs whatever its size.
	smallWrite = 16 << 10
	// ZerosMax is the most zeros that a small write takes along, in bytes.
	ZerosMax = 128 << 10
	// bulkWrite is from how many bytes on a write is bulk, of which the disk's throughput is the limit: no small one has so many, whatever it takes along.
	bulkWrite = smallWrite + ZerosMax + components.UnitSize
	// bulkMax is how many bytes of bulk writes are in flight at least before the next one waits: with two of 1 MiB from each shard a disk is as fast
	// as with more.
	bulkMax = 3 << 19
	// bulkStuckMicros is how long none of them may be begun or return before they do not count any more: a write that hangs holds up its own partition,
	// and no other.
	bulkStuckMicros = 1_000_000
	// vectorSize is what an entry of a table of vectors takes, in bytes: struct iovec.
	vectorSize = 16
)

// WriteJournals starts one write for each partition that has sealed bytes: a slow disk gets larger writes, not more of them, and no two
// writes of a partition race. Bulk writes are few at a time and take turns: a disk that had them all would finish them all at once, late, and then idle
// while those who wait for them prepare the next.
// Reads In.Write, the view of sealed memory. Writes Segments, Inflight. Drives the ring.
// When slots or memory run out the rest keeps its place for the next tick.
func WriteJournals(v components.StateView, st *components.Storage, io *IO) {
	f, first, limit := &st.Segments, -1, cmp.Or(v.BulkMax(), bulkMax) // first is the first partition that has to wait
	if st.Bulk >= limit && v.Now().MonoMicros-st.BulkAt >= bulkStuckMicros {
		clear(st.Inflight.Bulk)
		st.Bulk = 0
	}
	for partition := range st.In.Write.Rotate(&st.WriteNext) {
		from, to, sealed := v.Sealed(partition)
		full := st.Inflight.Free() < 4 || st.Writes >= writeSlotMax
		if full || to-from >= bulkWrite && st.Bulk >= limit {
			if first < 0 {
				first = partition
			}
			if full {
				break
			}
			continue
		}
		file := v.WriteFile(partition)
		row := f.Row(file)
		if !logReady(v, st, io, row) {
			continue
		}
		count, size := uint32(0), uint64(0)
		for range func(yield func(components.Span) bool) { v.SealedVectors(partition, yield) } {
			count++
		}
		behind := uint64(0) // zeros
		if v.Level(partition) != components.LevelMemory {
			behind = zerosBehind(from, to, f.Initialized[row], v.WriteAllocated(partition))
		}
		vectors, ok := st.Alloc((count + 1) * vectorSize)
		if !ok {
			if first < 0 {
				first = partition
			}
			break
		}
		st.In.Write.Clear(partition)
		count = 0
		last := components.Span{}
		for span := range func(yield func(components.Span) bool) { v.SealedVectors(partition, yield) } {
			putVector(st, vectors, count, span)
			size += uint64(span.Len)
			count++
			last = span
		}
		if size != to-from || count == 0 {
			panic(fmt.Sprintf("storage: %d sealed bytes of %v in memory for [%d,%d)", size, v.PartitionAt(partition), from, to))
		}
		if pad := uint32(to - sealed); v.Padded(partition) && !bytes.Equal(st.Memory.Bytes(last.Slice(last.Len-pad, pad)), zeros[:pad]) {
			panic(fmt.Sprintf("storage: something lies behind the sealed bytes [%d,%d) of %v", from, sealed, v.PartitionAt(partition)))
		}
		if behind > 0 {
			putVector(st, vectors, count, st.Zeros.Slice(0, uint32(behind)))
			size += behind
			count++
		}
		f.Initialized[row] = max(f.Initialized[row], from+size)
		slot, token := take(st, OpWriteLog, uint64(row))
		st.Inflight.Span[slot], st.Inflight.Aux[slot], st.Inflight.More[slot] = vectors, uint64(v.PartitionAt(partition)), sealed
		st.Inflight.Size[slot] = size
		f.Inflight[row]++
		st.Writes++
		if size >= bulkWrite {
			st.Inflight.Bulk[slot] = size
			st.Bulk += size
			st.BulkAt = v.Now().MonoMicros
		}
		flags := uint32(0)
		if v.Level(partition) == components.LevelDurable {
			flags = uring.RWF_DSYNC
		}
		io.Ring.Push(uring.Writev(f.LogFD[row], addr(st, vectors), count, from, flags, token))
	}
	if first >= 0 {
		st.WriteNext = first // its turn comes first
	}
}

// putVector makes entry i of a table of vectors: a piece of memory.
func putVector(st *components.Storage, vectors components.Span, i uint32, span components.Span) {
	at := st.Memory.Bytes(vectors.Slice(i*vectorSize, vectorSize))
	binary.LittleEndian.PutUint64(at, st.Memory.Addr(span))
	binary.LittleEndian.PutUint64(at[8:], uint64(span.Len))
}

// zerosBehind is how many zeros a write of [from, to) takes along, of a log whose blocks are initialized up to there and allocated up to there. The first
// write to a block initializes it: that changes metadata, which a durable write has to bring to the disk too, and for which the kernel takes a
// thread of its own. So a small write that initializes its last block does the same for some behind it, as many as there are before it, and the
// small writes that follow are to blocks like any other. Whoever reads finds zeros there, as before.
func zerosBehind(from, to, initialized, allocated uint64) uint64 {
	if to <= initialized || to-from > smallWrite {
		return 0
	}
	return min(to, ZerosMax, max(allocated, to)-to)
}

// writeDone takes the completion of a journal write. A short one is a failure: what is missing is not known to be writable.
func writeDone(v components.StateView, st *components.Storage, slot uint32, res int32) {
	row := uint32(st.Inflight.Subject[slot])
	errno := errnoOf(res)
	if errno == 0 && uint64(res) != st.Inflight.Size[slot] {
		errno = syscall.EIO
	}
	st.Out.Wrote.Push(components.Wrote{Partition: entity(st.Inflight.Aux[slot]), SegmentID: st.Segments.File[row].SegmentID,
		To: st.Inflight.More[slot], Err: errno})
	st.Gauges.BytesWritten.Add(uint64(max(res, 0)))
	st.Arena.Free(st.Inflight.Span[slot])
	st.Segments.Inflight[row]--
	st.Writes--
	if bulk := st.Inflight.Bulk[slot]; bulk > 0 {
		st.Bulk -= bulk
		st.BulkAt = v.Now().MonoMicros
	}
	st.Inflight.Put(slot)
}

// ReadTails reads back the last blocks of logs that are appended to again.
func ReadTails(v components.StateView, st *components.Storage, io *IO) {
	f := &st.Segments
	for partition := range st.In.ReadTail.All {
		if st.Inflight.Free() < 4 {
			return
		}
		file, position := v.LastBlock(partition)
		row := f.Row(file)
		if !logReady(v, st, io, row) {
			continue
		}
		block, ok := st.Alloc(components.UnitSize)
		if !ok {
			return
		}
		st.In.ReadTail.Clear(partition)
		slot, token := take(st, OpReadTail, uint64(row))
		st.Inflight.Span[slot], st.Inflight.Aux[slot] = block, uint64(v.PartitionAt(partition))
		f.Inflight[row]++
		io.Ring.Push(uring.Read(f.LogFD[row], addr(st, block), block.Len, position, 0, token))
	}
}

func tailDone(v components.StateView, st *components.Storage, slot uint32, res int32) {
	row := uint32(st.Inflight.Subject[slot])
	tail := components.TailRead{Partition: entity(st.Inflight.Aux[slot]), Span: st.Inflight.Span[slot], Err: errnoOf(res)}
	if tail.Err == 0 && res != components.UnitSize {
		tail.Err = syscall.EIO
	}
	st.Out.Tails.Push(tail)
	st.Segments.Inflight[row]--
	st.Inflight.Put(slot)
}

// FreeReads frees memory of reads that the state systems are done with.
func FreeReads(st *components.Storage) {
	for st.In.FreeCold.Len() > 0 {
		st.Arena.Free(st.In.FreeCold.Pop())
	}
}

// StartJobs hands work to the worker queue; what does not fit waits.
func StartJobs(v components.StateView, st *components.Storage, io *IO) {
	for st.In.Jobs.Len() > 0 && st.Inflight.Free() > 0 {
		job := st.In.Jobs.Front()
		slot, token := take(st, OpJob, uint64(job.Conn))
		st.Inflight.Aux[slot] = uint64(job.Kind)
		if !io.Ring.Host().Work(v.Shard(), token, job.Run) {
			st.Inflight.Put(slot)
			return
		}
		st.In.Jobs.Pop()
	}
}

func jobDone(st *components.Storage, slot uint32, res int32) {
	kind, conn := components.JobKind(st.Inflight.Aux[slot]), entity(st.Inflight.Subject[slot])
	st.Inflight.Put(slot)
	if kind == components.JobSnapshot {
		snapshotDone(st, res)
		return
	}
	st.Out.Jobs.Push(components.JobDone{Kind: kind, Conn: conn, Res: res})
}

func entity(n uint64) ecs.Entity { return ecs.Entity(n) }

// waiting lists the rows of a set that is about to be changed.
func waiting(set *ecs.Bits) (rows []int) {
	for row := range set.All {
		rows = append(rows, row)
	}
	return rows
}

// resultOf is what a completion says of an error.
func resultOf(err error) int32 {
	if err == nil {
		return 0
	}
	var errno syscall.Errno
	if asErrno(err, &errno) {
		return -int32(errno)
	}
	return -int32(syscall.EIO)
}

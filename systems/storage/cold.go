package storage

import (
	"syscall"

	"galgo/components"
	"galgo/uring"
	"galgo/wire"
)

const (
	// coldReadMax is how many cold reads a shard has under way: more wait, so that readers of old data never starve writers.
	coldReadMax = 32
	// coldBesideMax is how many there are while journals are being written: a disk shares itself by operations, and a read is as large as a write.
	coldBesideMax = 1
	// indexChunk is how much of an index is read at a time, in bytes.
	indexChunk = 256 << 10
)

// ReadCold reads old data: the place by the index if it is not known, then the log from there.
// Reads In.Cold. Writes Colds, Segments, Inflight. Drives the ring.
func ReadCold(v components.StateView, st *components.Storage, io *IO) {
	c, f := &st.Colds, &st.Segments
	for st.In.Cold.Len() > 0 && c.Live.Len() < coldReadMax {
		c.Add(st.In.Cold.Pop())
	}
	reading := 0
	for row := range c.Live.All {
		if c.Busy[row] {
			reading++
		}
	}
	for row := range c.Live.Rotate(&c.Next) {
		if c.Busy[row] {
			continue
		}
		if st.Writes > 0 && reading >= coldBesideMax || st.Inflight.Free() < 4 {
			c.Next = row // its turn comes first
			return
		}
		order := &c.Order[row]
		if order.Position != components.NoPosition && order.Position >= order.End { // there is nothing to read
			st.Out.ColdReads.Push(components.ColdRead{Slot: order.Slot, Position: order.Position})
			c.Drop(row)
			continue
		}
		file := f.Row(order.File)
		if order.Position == components.NoPosition {
			if indexReady(v, st, io, file) {
				readIndex(st, io, row, file)
			}
			continue
		}
		if !logReady(v, st, io, file) {
			continue
		}
		from := components.AlignDown(order.Position)
		size := min(components.AlignUp(order.Position-from+uint64(order.Size)), components.AlignUp(order.End)-from)
		reading++
		startRead(st, io, OpReadLog, f.LogFD[file], row, file, uint32(size), from)
	}
}

func readIndex(st *components.Storage, io *IO, row int, file uint32) {
	startRead(st, io, OpReadIndex, st.Segments.IndexFD[file], row, file, indexChunk, st.Colds.Index[row])
}

func startRead(st *components.Storage, io *IO, kind components.OpKind, fd int32, row int, file, size uint32, position uint64) {
	span, ok := st.Arena.Alloc(size)
	if !ok {
		if order := &st.Colds.Order[row]; order.Spare {
			st.Out.ColdReads.Push(components.ColdRead{Slot: order.Slot, Position: order.Position, Err: syscall.ENOMEM})
			st.Colds.Drop(row)
			return
		}
		st.Arena.Refuse(size)
		return // next tick
	}
	slot, token := take(st, kind, uint64(file))
	st.Inflight.Span[slot], st.Inflight.Aux[slot], st.Inflight.More[slot] = span, uint64(row), position
	st.Segments.Inflight[file]++
	st.Colds.Busy[row] = true
	io.Ring.Push(uring.Read(fd, addr(st, span), size, position, 0, token))
}

func coldDone(v components.StateView, st *components.Storage, slot uint32, res int32) {
	c := &st.Colds
	kind, file, row := st.Inflight.Kind[slot], uint32(st.Inflight.Subject[slot]), int(st.Inflight.Aux[slot])
	span, position := st.Inflight.Span[slot], st.Inflight.More[slot]
	st.Inflight.Put(slot)
	st.Segments.Inflight[file]--
	c.Busy[row] = false
	order := &c.Order[row]
	errno := errnoOf(res)
	st.Gauges.BytesRead.Add(uint64(max(res, 0)))
	if kind == OpReadIndex {
		lookUp(v, st, row, st.Memory.Bytes(span)[:max(res, 0)])
		st.Arena.Free(span)
		return
	}
	want := min(uint64(span.Len), order.End-position)
	if errno == 0 && uint64(res) < want {
		errno = syscall.EIO // the file is shorter than what was written
	}
	read := components.ColdRead{Slot: order.Slot, Position: order.Position, Err: errno}
	if errno != 0 {
		st.Arena.Free(span)
	} else {
		read.Memory = span
		read.Span = span.Slice(uint32(order.Position-position), uint32(want-(order.Position-position)))
	}
	st.Out.ColdReads.Push(read)
	c.Drop(row)
}

// lookUp searches a chunk of an index. Entries ascend, so the search goes on behind a full chunk whose best entry is its last.
func lookUp(v components.StateView, st *components.Storage, row int, chunk []byte) {
	c := &st.Colds
	order := &c.Order[row]
	search := wire.SearchIndex
	key := order.Offset
	if order.ByTime {
		search, key = wire.SearchIndexTime, order.Time
	}
	entry, ok := search(chunk, order.File.SegmentID, v.Secret(), key)
	if ok && entry.Position < order.End {
		c.Best[row] = max(c.Best[row], entry.Position)
	}
	if len(chunk) == indexChunk && (ok || c.Index[row] == 0) {
		c.Index[row] += indexChunk
		return // the next chunk may hold a better one
	}
	order.Position = c.Best[row]
}

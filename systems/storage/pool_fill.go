package storage

import (
	"syscall"

	"galgo/components"
	"galgo/uring"
	"galgo/wire"
)

const (
	// fillIdleMicros is how long the disk has nothing to do before the pool is filled.
	fillIdleMicros = 3_000_000
	// fillPiece is how much is written at a time, in bytes: what comes meanwhile waits no longer than for that.
	fillPiece = 1 << 20
)

// FillPool makes a file for the pool while the disk has nothing else to do, for each roll that found none: as large as a roll takes, every block
// written once. It pauses when there is something to do, and gives up what fails.
// Reads Writes, Colds, In. Writes Pool, Directory, Inflight. Drives the ring.
func FillPool(v components.StateView, st *components.Storage, io *IO) {
	p, now := &st.Pool, v.Now().MonoMicros
	if st.Writes > 0 || st.Colds.Live.Len() > 0 || st.In.Write.Len()+st.In.Cold.Len() > 0 {
		p.BusyAt = now
	}
	fill := &p.Filling
	if fill.Busy || st.Inflight.Free() < 64 || v.Stopping() {
		return
	}
	if fill.Step == components.FillRemove {
		removeFilling(st, io)
		return
	}
	if !WantsFill(st) || now < p.BusyAt+fillIdleMicros {
		return
	}
	switch fill.Step {
	case components.FillIdle:
		beginFilling(v, st, io)
	case components.FillAllocate:
		if now-st.Disk.FreeAt >= freeSpaceMicros {
			lookAtSpace(v, st, io)
			return
		}
		if !st.Space.Take(&st.Disk, fill.File.Size) { // others have taken it
			fill.Step, p.Missing = components.FillRemove, 0
			return
		}
		pushFill(st, io, uring.Fallocate(fill.FD, 0, 0, fill.File.Size, 0), components.Span{})
	case components.FillWrite:
		piece, ok := st.Arena.Alloc(uint32(min(fill.File.Size-fill.At, fillPiece)))
		if !ok {
			p.BusyAt = now // memory is short: that is not idle
			return
		}
		clear(st.Memory.Bytes(piece))
		pushFill(st, io, uring.Write(fill.FD, addr(st, piece), piece.Len, fill.At, 0, 0), piece)
	case components.FillSync:
		pushFill(st, io, uring.Fsync(fill.FD, false, 0), components.Span{})
	case components.FillClose:
		pushFill(st, io, uring.Close(fill.FD, 0), components.Span{})
	}
}

// WantsFill says whether there is something to be filled.
func WantsFill(st *components.Storage) bool {
	return st.Pool.Filling.Step != components.FillIdle || st.Pool.Missing > 0
}

// NextFill is when filling goes on if nothing else happens: 0 is never.
func NextFill(st *components.Storage) uint64 {
	if !WantsFill(st) || st.Pool.Filling.Busy {
		return 0
	}
	return st.Pool.BusyAt + fillIdleMicros
}

// beginFilling opens a new file, if there is room for one that is worth it.
func beginFilling(v components.StateView, st *components.Storage, io *IO) {
	p, disk := &st.Pool, &st.Disk
	size := components.AlignDown(min(p.Want, st.Space.Room()))
	if v.Now().MonoMicros-disk.FreeAt >= freeSpaceMicros {
		lookAtSpace(v, st, io)
		return
	}
	if st.Space.Left(disk) < 2*disk.Reserve+size || size < components.PoolFileMin {
		p.Missing = 0
		return
	}
	if !roomForFile(st, io) {
		return
	}
	path, ok := st.Arena.Alloc(components.UnitSize)
	if !ok {
		return
	}
	if !p.Claim(st.Space, size) {
		st.Arena.Free(path)
		p.Missing = 0
		return
	}
	cfg := v.Config()
	p.Missing -= min(p.Missing, p.Want)
	p.Filling = components.Filling{Step: components.FillOpen, File: components.PoolFile{Number: p.Name(&cfg), Size: size}, FD: components.NoFD}
	st.Descriptors.Open++
	putName(st, path, poolName(p.Filling.File))
	flags := uint32(uring.O_RDWR | uring.O_CLOEXEC | uring.O_CREAT | uring.O_EXCL)
	if st.Directory.Direct {
		flags |= uring.O_DIRECT
	}
	pushFill(st, io, uring.Openat(st.Directory.LogFD, addr(st, path), flags, fileMode, 0), path)
}

func poolName(file components.PoolFile) func(dst []byte) []byte {
	return func(dst []byte) []byte { return wire.AppendPoolName(dst, file.Number) }
}

func pushFill(st *components.Storage, io *IO, entry uring.Entry, span components.Span) {
	slot, token := take(st, OpFill, 0)
	st.Inflight.Span[slot] = span
	st.Pool.Filling.Busy = true
	entry.UserData = uint64(token)
	io.Ring.Push(entry)
}

// removeFilling takes back a file that cannot be made: it is closed, then unlinked.
func removeFilling(st *components.Storage, io *IO) {
	fill := &st.Pool.Filling
	if fill.FD != components.NoFD {
		pushFill(st, io, uring.Close(fill.FD, 0), components.Span{})
		return
	}
	path, ok := st.Alloc(components.UnitSize)
	if !ok {
		return
	}
	putName(st, path, poolName(fill.File))
	pushFill(st, io, uring.Unlinkat(st.Directory.LogFD, addr(st, path), 0, 0), path)
}

// fillDone takes the completion of a step of filling.
func fillDone(st *components.Storage, slot uint32, res int32) {
	p := &st.Pool
	fill := &p.Filling
	span, errno := st.Inflight.Span[slot], errnoOf(res)
	if span.Len > 0 {
		st.Arena.Free(span)
	}
	st.Inflight.Put(slot)
	fill.Busy = false
	closed := fill.FD != components.NoFD && (fill.Step == components.FillClose || fill.Step == components.FillRemove)
	if closed {
		fill.FD = components.NoFD
		st.Descriptors.Open--
	}
	if fill.Step == components.FillRemove {
		if !closed { // unlinked, or not to be unlinked
			st.Space.Unclaim(fill.File.Size)
			p.Filling = components.Filling{FD: components.NoFD}
		}
		return
	}
	if fill.Step == components.FillWrite && errno == 0 && uint32(res) != span.Len {
		errno = syscall.EIO
	}
	if fill.Step == components.FillAllocate {
		st.Space.Grew(fill.File.Size)
	}
	if errno != 0 && !(fill.Step == components.FillAllocate && errno == syscall.EOPNOTSUPP) {
		if fill.Step == components.FillOpen {
			st.Descriptors.Open--
		}
		fill.Step, p.Missing = components.FillRemove, 0
		st.Log.Log(components.LogWarn, "no file could be made for the pool", components.Num("errno", uint64(errno)))
		return
	}
	switch fill.Step {
	case components.FillOpen:
		fill.FD, fill.Step = res, components.FillAllocate
	case components.FillAllocate:
		fill.Step = components.FillWrite
	case components.FillWrite:
		if fill.At += uint64(span.Len); fill.At == fill.File.Size {
			fill.Step = components.FillSync
		}
	case components.FillSync:
		fill.Step = components.FillClose
	case components.FillClose:
		p.Add(st.Space, fill.File)
		p.Filling = components.Filling{FD: components.NoFD}
	}
}

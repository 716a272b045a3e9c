package storage

import (
	"syscall"

	"galgo/components"
	"galgo/uring"
)

// ShrinkPool gives the largest file of the pool back to the filesystem when somebody, on this shard or another, found no room on the disk.
// Reads Space. Writes Pool, Inflight. Drives the ring.
func ShrinkPool(st *components.Storage, io *IO) {
	p := &st.Pool
	if len(p.Files) == 0 || st.Inflight.Free() < 4 || !p.GivesWay(st.Space) {
		return
	}
	file := p.Files[len(p.Files)-1]
	path, ok := st.Alloc(components.UnitSize)
	if !ok {
		return // whoever is short asks again
	}
	p.Drop(len(p.Files) - 1)
	putName(st, path, poolName(file))
	slot, token := take(st, OpShrink, file.Number)
	st.Inflight.Span[slot], st.Inflight.Size[slot] = path, file.Size
	io.Ring.Push(uring.Unlinkat(st.Directory.LogFD, addr(st, path), 0, token))
	st.Log.Log(components.LogInfo, "disk space is short: a file of the pool is given back", components.Num("bytes", file.Size))
}

// shrinkDone takes the completion. Until now the file counted as space that is to be had.
func shrinkDone(st *components.Storage, slot uint32, res int32) {
	st.Arena.Free(st.Inflight.Span[slot])
	file := components.PoolFile{Number: st.Inflight.Subject[slot], Size: st.Inflight.Size[slot]}
	st.Inflight.Put(slot)
	st.Pool.Dropped(st.Space, file)
	if errno := errnoOf(res); errno != 0 && errno != syscall.ENOENT {
		st.Log.Log(components.LogError, "file of the pool cannot be unlinked", components.Str("file", components.PooledName(file)), components.Num("errno", uint64(errno)))
	}
}

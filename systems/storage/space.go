package storage

import (
	"galgo/components"
)

const (
	// freeSpaceMicros is how old the number of free bytes may be that growth is checked against, and shortSpaceMicros how old when
	// there are too few.
	freeSpaceMicros  = 1_000_000
	shortSpaceMicros = 10_000
)

// space is whether the disk has room.
type space uint8

const (
	spaceNone  space = iota
	spaceLater       // the pools are giving way, or somebody has to look first
	spaceTaken       // it has, and what is known to be free is so much less
)

// spaceFor takes n bytes off what is known to be free, which other shards take from too, unless that touches the reserve. Before it says that there are
// none, the pools have given all that they have, and what is known is not old: others' takings count at once, what is given back only when somebody looks.
func spaceFor(v components.StateView, st *components.Storage, io *IO, n uint64) space {
	k := &st.Disk
	now := v.Now().MonoMicros
	if n == 0 || st.Space.Take(k, n) {
		if now-k.FreeAt >= freeSpaceMicros {
			lookAtSpace(v, st, io)
		}
		return spaceTaken
	}
	if now-k.FreeAt >= shortSpaceMicros {
		lookAtSpace(v, st, io)
	}
	if st.Space.Pooled.Load() > 0 {
		k.FreeAlone = false
		if now-k.ShortAt >= shortSpaceMicros {
			k.ShortAt = now
			st.Space.Shorten()
		}
		return spaceLater
	}
	if !k.FreeAlone || now-k.FreeAt >= freeSpaceMicros || !st.Space.Full(k, n) {
		return spaceLater // what is known may be older than what the pools gave, or than what was removed after others had taken it
	}
	return spaceNone
}

// lookAtSpace lets a worker find out how much is free.
func lookAtSpace(v components.StateView, st *components.Storage, io *IO) {
	k := &st.Disk
	if k.Asking || st.Inflight.Free() == 0 {
		return
	}
	slot, token := take(st, OpFreeSpace, 0)
	if st.Space.Pooled.Load() == 0 {
		st.Inflight.Aux[slot] = 1
	}
	st.Inflight.More[slot] = st.Space.Grown()
	files, root, found := io.Ring.Host().Files(), st.Directory.Root, k.Found
	k.Asking = io.Ring.Host().Work(v.Shard(), token, func() int32 {
		_, free, err := files.StatFS(root)
		if err != nil {
			return resultOf(err)
		}
		found.Store(free)
		return 0
	})
	if !k.Asking {
		st.Inflight.Put(slot)
	}
}

// spaceDone takes what a worker found out. What cannot be found out stays as it was known.
func spaceDone(v components.StateView, st *components.Storage, slot uint32, res int32) {
	k := &st.Disk
	k.Asking = false
	k.FreeAt = v.Now().MonoMicros
	if res == 0 {
		k.Free, k.FreeAlone = k.Found.Load(), st.Inflight.Aux[slot] == 1
		k.Grown, k.Taken = st.Inflight.More[slot], st.Space.Taken()
	}
	st.Inflight.Put(slot)
}

package engine

import (
	"path"

	"galgo/components"
	"galgo/systems"
	"galgo/uring"
)

// makeShards makes the worlds: slabs, tables and mailboxes.
func (e *Engine) makeShards() error {
	o := &e.o
	files, root := o.Host.Files(), o.Dir.Root
	total, free, err := files.StatFS(root)
	if err != nil {
		return err
	}
	direct := o.Direct && e.directWorks()
	o.Log.Log(components.LogInfo, "segments", components.Str("direct", map[bool]string{true: "yes", false: "no"}[direct]))
	o.Config.Secret, o.Config.Run, o.Config.Boot = o.Dir.Secret(), e.start.Run, e.boot
	shared := components.NewShared(o.Memory)
	shared.Space.SizeMax = o.PoolSize(total)
	post := systems.NewPost(&o.Config)
	_, mono := o.Host.Clock()
	for i := range o.Config.Shards {
		cfg := o.Config
		cfg.Shard = i
		stateSlab, stateArena, err := e.slab(shared)
		if err != nil {
			return err
		}
		storageSlab, storageArena, err := e.slab(shared)
		if err != nil {
			return err
		}
		facts, orders := components.NewExchange(&cfg)
		st := components.NewStorage(shared, storageArena, facts, orders, o.Slots+4*cfg.ShardConnectionsMax())
		logFD, err := files.Open(path.Join(root, components.SegmentsDir), uring.O_RDONLY|uring.O_DIRECTORY, 0)
		if err != nil {
			return err
		}
		st.Directory = components.Directory{Root: root, LogFD: logFD, Direct: direct, Reserve: o.Reserve(total),
			Free: free / uint64(cfg.Shards), FreeAt: mono, FilesMax: o.FilesMax, Found: st.Directory.Found}
		world := components.NewState(&cfg, shared, stateArena, e.catalog.Clone(), facts, orders)
		world.Machine, world.Collect, world.Random, world.Log, st.Log = o.Machine, o.Collect, o.Host.Random, o.Log, o.Log
		if i == 0 {
			world.Control.Resume(e.catalog, e.start.Run, e.start.Record)
			st.Control = e.start.File
		}
		e.Shards = append(e.Shards, &Shard{State: world, Storage: st, id: i, engine: e, Mail: post.Of(i, shared.Budget), buffers: storageSlab,
			release: systems.Release{State: stateSlab.Release, Storage: storageSlab.Release}})
	}
	return nil
}

// slab makes a slab and its arena: more addresses than the budget, so that large frames find contiguous ones.
func (e *Engine) slab(shared *components.Shared) (*uring.Slab, *components.Arena, error) {
	size := 2 * e.o.Memory / components.ChunkSize * components.ChunkSize
	slab, err := e.o.Host.Slab(size)
	if err != nil {
		return nil, nil, err
	}
	e.slabs = append(e.slabs, slab)
	number := shared.Memory.Add(slab.Bytes(0, size), uint64(slab.Base()))
	return slab, components.NewArena(number, size, shared.Budget, slab.Populate), nil
}

// directWorks tries direct I/O where the segments are.
func (e *Engine) directWorks() bool {
	files := e.o.Host.Files()
	name := path.Join(e.o.Dir.Root, components.SegmentsDir, "direct.probe")
	fd, err := files.Open(name, uring.O_RDWR|uring.O_CREAT|uring.O_DIRECT, 0o600)
	if err == nil {
		err = files.Close(fd)
	}
	_ = files.Remove(name) // it is not there when it could not be made
	return err == nil
}

package engine

import (
	"errors"
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
	direct, renames := e.chooseDirect(), e.chooseRenames()
	o.Config.Secret, o.Config.Run = o.Dir.Secret(), e.start.Run
	shared := components.NewShared(o.Memory)
	shared.Space.SizeMax = o.PoolSize(total)
	post := systems.NewPost(&o.Config)
	_, mono := o.Host.Clock()
	for i := range o.Config.Shards {
		cfg := o.Config
		cfg.Shard = i
		slab, arena, err := e.slab(shared)
		if err != nil {
			return err
		}
		facts, orders := components.NewExchange(&cfg)
		st := components.NewStorage(shared, arena, facts, orders, o.Slots+4*cfg.ShardConnectionsMax())
		logFD, err := files.Open(path.Join(root, components.SegmentsDir), uring.O_RDONLY|uring.O_DIRECTORY, 0)
		if err != nil {
			return err
		}
		st.Directory = components.Directory{Root: root, LogFD: logFD, Direct: direct, RenameFlags: renames}
		st.Names.Made, st.Descriptors.Max = 1, o.FilesMax
		st.Disk.Reserve, st.Disk.Free, st.Disk.FreeAt = o.Reserve(total), free, mono
		world := components.NewState(&cfg, shared, arena, e.catalog.Clone(), facts, orders)
		world.Machine, world.Collect, world.Random, world.Log, st.Log = o.Machine, o.Collect, o.Host.Random, o.Log, o.Log
		if i == 0 {
			world.Control.Resume(e.catalog, e.start.Run, e.start.Record)
			st.Control = e.start.File
		}
		e.Shards = append(e.Shards, &Shard{State: world, Storage: st, id: i, engine: e, Mail: post.Of(i, shared.Budget), slab: slab})
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
	populate := func(off, n uint64) (micros uint64) {
		_, begin := e.o.Host.Clock()
		slab.Populate(off, n)
		_, end := e.o.Host.Clock()
		return end - begin
	}
	return slab, components.NewArena(shared.Memory, number, shared.Budget, populate), nil
}

// chooseDirect says whether segments are written and read past the page cache, and logs why.
func (e *Engine) chooseDirect() bool {
	if !e.o.Direct {
		e.o.Log.Log(components.LogInfo, "segments go through the page cache", components.Str("reason", "configured"))
		return false
	}
	if err := e.tryDirect(); err != nil {
		e.o.Log.Log(components.LogWarn, "segments go through the page cache", components.Str("reason", err.Error()))
		return false
	}
	e.o.Log.Log(components.LogInfo, "segments are written and read directly")
	return true
}

// tryDirect writes a block directly where the segments are, and reads it back: some file systems open a file so and then refuse to use it.
func (e *Engine) tryDirect() (err error) {
	files := e.o.Host.Files()
	slab, err := e.o.Host.Slab(components.UnitSize) // direct I/O wants aligned memory
	if err != nil {
		return err
	}
	e.slabs = append(e.slabs, slab)
	block := slab.Bytes(0, components.UnitSize)
	copy(block, "direct")
	name := path.Join(e.o.Dir.Root, components.SegmentsDir, "direct.probe")
	fd, err := files.Open(name, uring.O_RDWR|uring.O_CREAT|uring.O_DIRECT, 0o600)
	if err != nil {
		_ = files.Remove(name) // it can have been made all the same
		return err
	}
	defer func() { err = errors.Join(err, files.Close(fd), files.Remove(name)) }()
	if _, err := files.WriteAt(fd, block, 0); err != nil {
		return err
	}
	clear(block)
	if _, err := files.ReadAt(fd, block, 0); err != nil {
		return err
	}
	if string(block[:6]) != "direct" {
		return errors.New("a block that was written is read as something else")
	}
	return nil
}

// chooseRenames says with which flags files get new names, and logs where that is without RENAME_NOREPLACE.
func (e *Engine) chooseRenames() uint32 {
	if err := e.tryRenameNew(); err != nil {
		e.o.Log.Log(components.LogInfo, "the file system does not see to it that renames replace nothing: the names do", components.Str("reason", err.Error()))
		return 0
	}
	return uring.RENAME_NOREPLACE
}

// tryRenameNew renames a file where the segments are.
func (e *Engine) tryRenameNew() error {
	files, dir := e.o.Host.Files(), path.Join(e.o.Dir.Root, components.SegmentsDir)
	from, to := path.Join(dir, "rename.probe"), path.Join(dir, "renamed.probe")
	tidy := func() { _, _ = files.Remove(from), files.Remove(to) } // one of them is not there, or both
	tidy()
	defer tidy()
	fd, err := files.Open(from, uring.O_RDWR|uring.O_CREAT, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(files.Close(fd), files.RenameNew(from, to))
}

package engine

import (
	"errors"
	"fmt"
	"sync/atomic"

	"galgo/components"
	"galgo/systems"
	"galgo/systems/state"
	"galgo/systems/storage"
	"galgo/uring"
	"galgo/wire"
)

// Options are what an Engine is made of.
type Options struct {
	Host     uring.Host
	Dir      *storage.DataDir
	Listener int32             // descriptor; the Engine's own once Recover returns without an error
	Config   components.Config // of every shard; Shard, Secret and Run are filled in

	Memory     uint64 // bytes, of all shards: one budget
	Direct     bool   // direct I/O, where the file system has it
	Reserve    func(diskBytes uint64) uint64
	PoolSize   func(diskBytes uint64) uint64 // of all shards together
	FilesMax   int                           // open files of segments, of each shard
	Slots      int                           // operations that a shard may have in flight, beside four for each connection
	Entries    uint32
	CQEntries  uint32
	SpinMicros uint64 // how long a shard looks for work before it sleeps
	Recoverers int    // partitions recovered at a time; 1: in the caller's goroutine

	Root    func() (name, passwordHash []byte) // the first user of a new directory
	Machine func(*wire.Stats)                  // fills in what GET_STATS tells of process and machine; run by workers
	Collect components.Collect                 // makes a system snapshot; run by workers
	Log     components.Logger
	Plugins func() []systems.Plugin // makes those of one shard; nil: none
	Pin     func(shard int) error   // called first on the thread of a shard; nil: nothing to do
}

// Engine is a server's shards.
type Engine struct {
	Shards []*Shard

	o       Options
	catalog *components.Catalog // as recovered; the shards have clones
	start   storage.ControlStart
	slabs   []*uring.Slab
	stop    atomic.Bool
	quiet   quiet
}

// Recover reads what is on disk, begins a new run, and gives everything to the shards, which do not run yet. When it fails, Free has to
// be called all the same, after the Host was closed.
func Recover(o Options) (*Engine, error) {
	e := &Engine{o: o, quiet: make(quiet, o.Config.Shards)}
	if err := e.begin(); err != nil {
		return e, err
	}
	if err := e.makeShards(); err != nil {
		return e, err
	}
	if err := e.recoverData(); err != nil {
		return e, err
	}
	e.Shards[0].Storage.Listener.FD = o.Listener
	return e, nil
}

// begin loads the catalog and logs the new run, with the first user when there is none.
func (e *Engine) begin() (err error) {
	o := &e.o
	files, root, secret := o.Host.Files(), o.Dir.Root, o.Dir.Secret()
	e.catalog, e.start, err = storage.LoadControl(files, root, secret)
	e.say(e.start.Notes) // after an error they tell where it comes from
	if err != nil {
		return err
	}
	var events []*wire.Event
	if e.catalog.Users.Len() == 0 {
		name, hash := o.Root()
		events = append(events, storage.RootCreated(e.catalog, name, hash))
	}
	boot := storage.BootID(files, o.Host.Random)
	wall, _ := o.Host.Clock()
	info := storage.RunInfo{BootID: boot, Shards: uint32(o.Config.Shards), TimeMicros: wall}
	if e.start, err = storage.StartRun(files, root, secret, e.catalog, e.start, info, events...); err != nil {
		return err
	}
	if err := storage.Snapshot(files, root, secret, e.start.File.First, wall); err != nil {
		o.Log.Log(components.LogError, "no snapshot of the control log: starts will take longer until there is one", components.Str("error", err.Error()))
	}
	return nil
}

func (e *Engine) say(notes []string) {
	for _, note := range notes {
		e.o.Log.Log(components.LogWarn, note)
	}
}

// Stop lets the shards end in good order: no more connections, what is under way is answered, what is journaled is made durable.
func (e *Engine) Stop() {
	e.stop.Store(true)
	for _, sh := range e.Shards {
		e.o.Host.Wake(sh.id)
	}
}

// Undone is what shards that have ended left to be done, or could not do; nil is nothing.
func (e *Engine) Undone() (err error) {
	for _, sh := range e.Shards {
		if lost := state.Lost(sh.State); lost != "" {
			err = errors.Join(err, fmt.Errorf("stopped, and what was acknowledged in memory could not be written (shard %d: %s)", sh.id, lost))
		}
		if sh.undone != "" {
			err = errors.Join(err, fmt.Errorf("stopped before everything under way was finished (shard %d: %s): the next start recovers as after a crash", sh.id, sh.undone))
		}
	}
	return err
}

// Free gives the memory back. Nothing runs any more, and the Host is closed.
func (e *Engine) Free() {
	for _, slab := range e.slabs {
		_ = slab.Free() // of no use to anybody, whatever it says
	}
	e.slabs = nil
}

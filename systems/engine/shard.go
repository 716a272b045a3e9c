package engine

import (
	"fmt"

	"galgo/components"
	"galgo/ecs"
	"galgo/systems"
	"galgo/systems/state"
	"galgo/systems/storage"
	"galgo/uring"
)

// stopMicros is how long a stopping shard may take to finish what is under way.
const stopMicros = 10_000_000

// Shard is one core's share: one ring, one world. SetUp, Turn and TearDown are called on the one thread that is the shard's for life.
type Shard struct {
	State   *components.State
	Storage *components.Storage
	Mail    *systems.Mail // from and to other shards

	id       int
	engine   *Engine
	slab     *uring.Slab // all memory of its arena
	tick     *systems.Tick
	schedule *ecs.Schedule[systems.Tick]
	until    uint64 // when a stop has taken too long: µs, monotonic
	undone   string // what a stop left to be done; "" is nothing
}

// SetUp makes the ring. When it fails, the shard has ended as far as the others are concerned.
func (sh *Shard) SetUp() (err error) {
	defer func() {
		if err != nil {
			sh.engine.quiet.rest(sh.id)
		}
	}()
	o := &sh.engine.o
	if o.Pin != nil {
		if err := o.Pin(sh.id); err != nil {
			return fmt.Errorf("shard %d: %w", sh.id, err)
		}
	}
	ring, err := uring.NewRing(o.Host, sh.id, uring.Params{Entries: o.Entries, CQEntries: o.CQEntries, Ready: sh.waiting, SpinMicros: o.SpinMicros})
	if err != nil {
		return fmt.Errorf("shard %d: %w", sh.id, err)
	}
	first, ok := sh.Storage.Arena.Alloc(uint32(uring.BytesNeeded(storage.RecvBuffers, storage.RecvBufferSize)))
	if !ok {
		return fmt.Errorf("shard %d: no memory for receive buffers: raise --memory", sh.id)
	}
	buffers, err := uring.NewBufRing(ring, storage.RecvGroup, sh.slab, first.Off, storage.RecvBuffers, storage.RecvBufferSize)
	if err != nil {
		return fmt.Errorf("shard %d: %w", sh.id, err)
	}
	one, ok := sh.Storage.Arena.Alloc(4)
	zeros, enough := sh.Storage.Arena.Alloc(storage.ZerosMax)
	if !ok || !enough {
		return fmt.Errorf("shard %d: no memory: raise --memory", sh.id)
	}
	copy(sh.Storage.Memory.Bytes(one), []byte{1, 0, 0, 0})
	clear(sh.Storage.Memory.Bytes(zeros))
	sh.Storage.One, sh.Storage.Zeros = one, zeros
	first.Off += uint64(buffers.Buffer(0) - sh.slab.Addr(first.Off))
	sh.tick = systems.NewTick(sh.State, sh.Storage, storage.NewIO(ring, buffers, first), sh.Mail, sh.slab.Release)
	if o.Plugins != nil {
		for _, plugin := range o.Plugins() {
			sh.tick.Welcome(plugin)
		}
	}
	sh.schedule = systems.NewSchedule()
	return nil
}

// Turn is one tick and one Enter, which sleeps when there is nothing to do. It returns false once the shard has ended: the Engine was stopped,
// and nothing is left to be done by any shard, or its time is over. A shard that cannot go on panics: the engine has no way to lose a
// shard and keep its promises.
func (sh *Shard) Turn() bool {
	s := sh.State
	s.Now.WallMicros, s.Now.MonoMicros = sh.engine.o.Host.Clock()
	if sh.engine.stop.Load() && !s.Stopping {
		state.Stop(s)
		sh.until = s.Now.MonoMicros + stopMicros
	}
	if s.Stopping {
		sh.engine.quiet.begin(sh.id)
	}
	s.Deadline = 0
	sh.schedule.Run(sh.tick)
	if s.Stopping {
		if sh.finished() {
			return false
		}
		s.WakeAt(s.Now.MonoMicros + 20_000)
	}
	block := s.Deadline == 0 || s.Deadline > s.Now.MonoMicros
	if err := sh.tick.IO.Ring.Enter(block, s.Deadline); err != nil {
		panic(fmt.Errorf("shard %d: enter: %w", sh.id, err))
	}
	return true
}

// waiting says whether there is something to do that no completion tells of: the shard looks once more before it sleeps. Whoever stops the
// Engine wakes only shards that sleep already, so a stop that came during a tick has to be seen here.
func (sh *Shard) waiting() bool {
	return sh.Mail.Waiting() || sh.engine.stop.Load() && !sh.State.Stopping
}

// finished says whether the shard may end: nothing is left to be done by any shard, or its time is over.
func (sh *Shard) finished() bool {
	sh.undone = state.Undone(sh.State)
	switch {
	case sh.undone != "":
	case !sh.Mail.Delivered():
		sh.undone = "mail to other shards"
	default:
		sh.undone = storage.Undone(sh.Storage)
	}
	if sh.undone == "" {
		sh.engine.quiet.rest(sh.id)
	}
	return sh.engine.quiet.all() || sh.State.Now.MonoMicros >= sh.until
}

// TearDown closes the ring and all descriptors of a shard that has ended.
func (sh *Shard) TearDown() {
	if err := sh.tick.IO.Ring.Close(); err != nil {
		sh.State.Log.Log(components.LogWarn, "ring not closed in order", components.Num("shard", uint64(sh.id)), components.Str("why", err.Error()))
	}
	for _, fd := range storage.Descriptors(sh.Storage) {
		_ = sh.engine.o.Host.CloseFD(fd) // nothing in them is unwritten
	}
}

package server

import (
	"fmt"
	"runtime"
	"sync/atomic"

	"galgo/components"
	"galgo/server/placement"
	"galgo/systems"
	"galgo/systems/state"
	"galgo/systems/storage"
	"galgo/uring"
)

const (
	ringEntries   = 1024
	ringCQEntries = 8192
	// stopMicros is how long a stopping shard may take to finish what is under way.
	stopMicros = 10_000_000
)

// shard is one core's share of the server: a goroutine locked to a thread, one ring, one world.
type shard struct {
	id      int
	cpu     int // -1: not pinned
	spin    uint64
	host    uring.Host
	state   *components.State
	storage *components.Storage
	mail    *systems.Mail
	buffers *uring.Slab // Storage's slab, in which the receive buffers lie
	release systems.Release

	stop   *atomic.Bool // shared: the server is stopping
	quiet  quiet        // shared
	ready  chan error   // told once the ring stands
	done   chan struct{}
	undone string // what a stop left to be done; "" is nothing
}

// run is the shard's life. A shard that cannot go on panics: the engine has no way to lose a shard and keep its promises.
func (sh *shard) run() {
	runtime.LockOSThread()
	defer close(sh.done)
	tick, err := sh.setUp()
	sh.ready <- err
	if err != nil {
		sh.quiet.rest(sh.id)
		return
	}
	schedule := systems.NewSchedule()
	var deadline uint64
	for {
		s := sh.state
		s.Now.WallMicros, s.Now.MonoMicros = sh.host.Clock()
		if sh.stop.Load() && !s.Stopping {
			state.Stop(s)
			deadline = s.Now.MonoMicros + stopMicros
		}
		if s.Stopping {
			sh.quiet.begin(sh.id)
		}
		s.Deadline = 0
		schedule.Run(tick)
		if s.Stopping {
			if sh.finished(deadline) {
				break
			}
			s.WakeAt(s.Now.MonoMicros + 20_000)
		}
		until := s.Deadline
		block := until == 0 || until > s.Now.MonoMicros
		if err := tick.IO.Ring.Enter(block, until); err != nil {
			panic(fmt.Errorf("shard %d: enter: %w", sh.id, err))
		}
	}
	sh.tearDown(tick)
}

// waiting says whether there is something to do that no completion tells of: the shard looks once more before it sleeps. Whoever stops the
// server wakes only shards that sleep already, so a stop that came during a tick has to be seen here.
func (sh *shard) waiting() bool {
	return sh.mail.Waiting() || sh.stop.Load() && !sh.state.Stopping
}

func (sh *shard) setUp() (*systems.Tick, error) {
	if sh.cpu >= 0 {
		if err := placement.PinThread(sh.cpu); err != nil {
			return nil, fmt.Errorf("shard %d: pin to core %d: %w", sh.id, sh.cpu, err)
		}
	}
	ring, err := uring.NewRing(sh.host, sh.id, uring.Params{Entries: ringEntries, CQEntries: ringCQEntries, Ready: sh.waiting, SpinMicros: sh.spin})
	if err != nil {
		return nil, fmt.Errorf("shard %d: %w", sh.id, err)
	}
	memory, ok := sh.storage.Arena.Alloc(uint32(uring.BytesNeeded(storage.RecvBuffers, storage.RecvBufferSize)))
	if !ok {
		return nil, fmt.Errorf("shard %d: no memory for receive buffers: raise --memory", sh.id)
	}
	buffers, err := uring.NewBufRing(ring, storage.RecvGroup, sh.buffers, memory.Off, storage.RecvBuffers, storage.RecvBufferSize)
	if err != nil {
		return nil, fmt.Errorf("shard %d: %w", sh.id, err)
	}
	one, ok := sh.storage.Arena.Alloc(4)
	if !ok {
		return nil, fmt.Errorf("shard %d: no memory: raise --memory", sh.id)
	}
	copy(sh.storage.Memory.Bytes(one), []byte{1, 0, 0, 0})
	sh.storage.One = one
	first := memory
	first.Off += uint64(buffers.Buffer(0) - sh.buffers.Addr(memory.Off))
	io := storage.NewIO(ring, buffers, first)
	return systems.NewTick(sh.state, sh.storage, io, sh.mail, sh.release), nil
}

// finished says whether the shard may end: nothing is left to be done by any shard, or its time is over.
func (sh *shard) finished(deadline uint64) bool {
	sh.undone = state.Undone(sh.state)
	switch {
	case sh.undone != "":
	case !sh.mail.Delivered():
		sh.undone = "mail to other shards"
	default:
		sh.undone = storage.Undone(sh.storage)
	}
	if sh.undone == "" {
		sh.quiet.rest(sh.id)
	}
	return sh.quiet.all() || sh.state.Now.MonoMicros >= deadline
}

func (sh *shard) tearDown(tick *systems.Tick) {
	if err := tick.IO.Ring.Close(); err != nil {
		sh.state.Log.Log(components.LogWarn, "ring not closed in order", components.Num("shard", uint64(sh.id)), components.Str("why", err.Error()))
	}
	for _, fd := range storage.Descriptors(sh.storage) {
		_ = sh.host.CloseFD(fd) // nothing in them is unwritten
	}
}

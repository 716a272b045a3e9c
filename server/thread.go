package server

import (
	"fmt"
	"runtime"

	"galgo/server/placement"
	"galgo/systems/engine"
)

// thread runs one shard: a goroutine locked to an OS thread for life.
type thread struct {
	shard *engine.Shard
	ready chan error // told once the ring stands
	done  chan struct{}
}

func newThread(shard *engine.Shard) *thread {
	return &thread{shard: shard, ready: make(chan error, 1), done: make(chan struct{})}
}

func (t *thread) run() {
	runtime.LockOSThread()
	if placement.OnMainThread() { // its name is that of the process: another thread will do, while this one is held
		go t.run()
		<-t.done
		runtime.UnlockOSThread()
		return
	}
	placement.NameThread(fmt.Sprint(threadName, t.shard.State.Shard))
	defer close(t.done)
	err := t.shard.SetUp()
	t.ready <- err
	if err != nil {
		return
	}
	for t.shard.Turn() {
	}
	t.shard.TearDown()
}

// threadName begins the names of shards' threads, as tools like top and perf show them.
const threadName = "galgo-shard-"

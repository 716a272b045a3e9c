package server

import (
	"runtime"

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

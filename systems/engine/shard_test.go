package engine

import (
	"testing"

	"galgo/components"
	"galgo/systems"
)

// Whoever stops the engine wakes only shards that sleep. One that is about to sleep sees the stop when it looks for work the last time.
func TestStopKeepsShardAwake(t *testing.T) {
	sh := &Shard{State: &components.State{}, Mail: &systems.Mail{}, engine: &Engine{}}
	if sh.waiting() {
		t.Error("nothing to do: got a reason to stay awake, want none")
	}
	sh.engine.stop.Store(true)
	if !sh.waiting() {
		t.Error("the stop came during a tick: got none, want a reason to stay awake")
	}
	sh.State.Stopping = true
	if sh.waiting() {
		t.Error("the stop is known: got a reason to stay awake, want none")
	}
}

// A stopping shard has not ended while what it told others is on its way.
func TestMailOnItsWayIsWork(t *testing.T) {
	cfg := &components.Config{Shards: 2, ConnectionsMax: 4, ClientsMax: 4}
	shared := components.NewShared(1 << 20)
	arena := components.NewArena(shared.Memory, shared.Memory.Add(make([]byte, 1<<20), 1<<40), shared.Budget, nil)
	facts, orders := components.NewExchange(cfg)
	post := systems.NewPost(cfg)
	sh := &Shard{State: components.NewState(cfg, shared, arena, components.NewCatalog(), facts, orders), Mail: post.Of(0, shared.Budget),
		Storage: components.NewStorage(shared, arena, facts, orders, 4), engine: &Engine{quiet: make(quiet, 2)}, until: 1}
	sh.State.Stopping = true
	post[0][1].Requests.TryPush(components.Request{})
	for _, want := range []string{"mail to other shards", ""} {
		if sh.finished() || sh.undone != want {
			t.Errorf("got left to be done %q, want %q", sh.undone, want)
		}
		post[0][1].Requests.TryPop()
	}
}

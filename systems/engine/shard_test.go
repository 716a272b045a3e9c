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

package server

import (
	"sync/atomic"
	"testing"

	"galgo/components"
	"galgo/systems"
)

// Whoever stops the server wakes only shards that sleep. One that is about to sleep sees the stop when it looks for work the last time.
func TestStopKeepsShardAwake(t *testing.T) {
	var stop atomic.Bool
	sh := &shard{state: &components.State{}, mail: &systems.Mail{}, stop: &stop}
	if sh.waiting() {
		t.Error("nothing to do: got a reason to stay awake, want none")
	}
	stop.Store(true)
	if !sh.waiting() {
		t.Error("the stop came during a tick: got none, want a reason to stay awake")
	}
	sh.state.Stopping = true
	if sh.waiting() {
		t.Error("the stop is known: got a reason to stay awake, want none")
	}
}

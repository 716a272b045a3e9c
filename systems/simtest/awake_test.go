package simtest

import (
	"testing"

	"galgo/uring/sim"
	"galgo/wire"
)

// awakeSeeds is within how many seeds something that is wrong has to be found.
const awakeSeeds = 50

// The checker is awake: it finds what no correct program survives. What it has to find in the engine itself is in testdata/sim/planted.
func TestCheckerIsAwake(t *testing.T) {
	for _, wrong := range []struct {
		name string
		setting
	}{
		{"a disk that now and then says yes to a sync, and keeps nothing", setting{faults: func(f *sim.Faults) { f.SyncLie = 0.05 }}},
		{"a network that repeats what a client wrote", setting{faults: func(f *sim.Faults) { f.Repeat = 0.01 }}},
		{"a mailbox that swaps two events", setting{bend: swapEvents}},
	} {
		t.Run(wrong.name, func(t *testing.T) {
			for seed := uint64(1); seed <= awakeSeeds; seed++ {
				if r := run(seed, wrong.setting); r.failure != "" {
					t.Logf("found by seed %d: %.300s", seed, r.failure)
					return
				}
			}
			t.Errorf("got nothing found in %d seeds, want a failure", awakeSeeds)
		})
	}
}

// swapEvents lets two events of shard 0 overtake each other on their way, whenever two are on it.
func swapEvents(p *play) {
	server := p.server
	server.before = func(shard int) {
		if shard == 0 {
			return
		}
		ring := server.Shards[shard].Mail.From(0).Events
		var events []*wire.Event
		for event, ok := ring.TryPop(); ok; event, ok = ring.TryPop() {
			events = append(events, event)
		}
		if len(events) > 1 {
			events[0], events[1] = events[1], events[0]
		}
		for _, event := range events {
			ring.TryPush(event)
		}
	}
}

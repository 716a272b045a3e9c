package sim_test

import (
	"testing"

	"galgo/uring"
	"galgo/uring/sim"
)

// Closing a ring submits all of it: a wake that stayed in the queue would leave a peer asleep.
func TestCloseLeavesNoWakeBehind(t *testing.T) {
	w := sim.New(sim.Options{Stepping: true, Faults: sim.Faults{FewTaken: 1}})
	k := w.Boot()
	rings := make([]*uring.Ring, 5)
	for i := range rings {
		var err error
		rings[i], err = uring.NewRing(k, i, uring.Params{})
		check(t, err)
	}
	for _, peer := range rings[1:] {
		check(t, peer.Enter(true, 0))
		rings[0].WakePeer(peer.Shard())
	}
	check(t, rings[0].Close())
	for i, peer := range rings[1:] {
		var c [1]uring.Completion
		if peer.Reap(c[:]); peer.Stats().Wakes != 1 {
			t.Errorf("peer %d: got %d wakes, want 1", i+1, peer.Stats().Wakes)
		}
	}
}

package sim_test

import (
	"fmt"
	"testing"

	"galgo/uring"
	"galgo/uring/sim"
)

// A day goes by in as many wakes as it has, and the wall clock steps both ways while the other never does.
func TestADay(t *testing.T) {
	m := newMachine(t, sim.Options{Stepping: true, Faults: sim.Faults{WallStep: 0.01}})
	_, begin := m.k.Clock()
	const day, second = 86_400_000_000, 1_000_000
	beats, forward, back := 0, 0, 0
	offset, last := uint64(0), begin
	m.w.Run(0, func() {
		wall, mono := m.k.Clock()
		if mono < last {
			t.Fatalf("got monotonic time %d after %d, want no step back", mono, last)
		}
		last = mono
		switch was := offset; {
		case was == 0:
		case wall-mono > was:
			forward++
		case wall-mono < was:
			back++
		}
		offset = wall - mono
		beats++
		check(t, m.ring.Enter(true, mono+second))
	})
	for last < begin+day && m.w.Step() {
	}
	if beats < 86_000 || forward == 0 || back == 0 {
		t.Fatalf("got %d beats, %d steps of the wall clock forward and %d back, want a beat a second and some of both", beats, forward, back)
	}
	if got := m.w.FaultCounts()[sim.FaultWallStep]; got == 0 {
		t.Fatal("got no step counted, want some")
	}
}

// A shard that sleeps is roused by whoever wakes it, a completion, a job, or its time; not by work that nobody told it of.
func TestWorkWithoutAWakeIsNotSeen(t *testing.T) {
	for _, wakes := range []bool{true, false} {
		t.Run(fmt.Sprint("wakes ", wakes), func(t *testing.T) {
			w := sim.New(sim.Options{Stepping: true})
			k := w.Boot()
			mailbox := 0
			ring, err := uring.NewRing(k, 0, uring.Params{Ready: func() bool { return mailbox > 0 }})
			check(t, err)
			ticks := 0
			w.Run(0, func() {
				ticks++
				mailbox = 0
				check(t, ring.Enter(true, 0))
			})
			w.Step()
			w.After(1000, func() {
				mailbox++
				if wakes {
					k.Wake(0)
				}
			})
			for range 100 {
				if !w.Step() {
					break
				}
			}
			if want := map[bool]int{true: 2, false: 1}[wakes]; ticks != want {
				t.Fatalf("got %d ticks, want %d", ticks, want)
			}
		})
	}
}

package sim_test

import (
	"fmt"
	"strings"
	"testing"

	"galgo/uring"
	"galgo/uring/conformance"
	"galgo/uring/sim"
)

// Delays and order are the simulation's own; what an operation does and says is not. So the suite runs on several seeds, with the faults that a
// caller of single operations cannot see.
func TestConformance(t *testing.T) {
	for seed := range uint64(4) {
		if testing.Short() && seed != 1 {
			continue
		}
		o := sim.Options{Seed: seed}
		if seed > 0 {
			o.Faults = sim.Faults{Slow: 0.1, SlowMicros: 2000, Late: 0.2, FewTaken: 0.2}
		}
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			conformance.Run(t, func(t *testing.T) uring.Host {
				if strings.Contains(t.Name(), "/concurrent_") {
					t.Skip("a World lives in one goroutine")
				}
				return sim.New(o).Boot()
			})
		})
	}
}

package conformance

import (
	"maps"
	"slices"
	"testing"

	"galgo/uring"
)

// Run runs the suite. newHost makes a fresh Host for each test; the suite closes it.
func Run(t *testing.T, newHost func(t *testing.T) uring.Host) {
	groups := []map[string]func(*fixture){
		queueTests, fileTests, socketTests, bufferTests, timeTests, hostTests, concurrentTests,
	}
	for _, tests := range groups {
		for _, name := range slices.Sorted(maps.Keys(tests)) {
			t.Run(name, func(t *testing.T) {
				f := newFixture(t, newHost(t))
				defer f.close()
				tests[name](f)
			})
		}
	}
}

package portable

import (
	"testing"

	"galgo/uring"
	"galgo/uring/conformance"
)

func TestConformance(t *testing.T) {
	conformance.Run(t, func(*testing.T) uring.Host { return New() })
}

// Without epoll_pwait2 sleeps end on whole milliseconds, late rather than early.
func TestConformanceOfCoarseSleep(t *testing.T) {
	if testing.Short() {
		t.Skip("all but the length of a sleep is as in TestConformance")
	}
	conformance.Run(t, func(*testing.T) uring.Host {
		k := New()
		k.coarse.Store(true)
		return k
	})
}

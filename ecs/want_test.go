package ecs

import (
	"fmt"
	"strings"
	"testing"
)

// wantPanic runs f, which has to panic with a message that contains want.
func wantPanic(t *testing.T, want string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if got := fmt.Sprint(recover()); !strings.Contains(got, want) {
			t.Errorf("got panic %q, want one with %q", got, want)
		}
	}()
	f()
}

// wantNoAllocs runs f over and over; it must not allocate.
func wantNoAllocs(t *testing.T, f func()) {
	t.Helper()
	if got := testing.AllocsPerRun(100, f); got != 0 {
		t.Errorf("got %v allocations a run, want 0", got)
	}
}

package uring

import (
	"runtime"
	"testing"
)

// Each of several jobs that come at once gets a worker of its own, although there is one that rests: here the first waits for the second.
func TestWorkersRunJobsBesideEachOther(t *testing.T) {
	for range 50 {
		w, finished := NewWorkers(4, 2), &Finished{}
		done := make(chan struct{})
		run := func(job func()) {
			if !w.Run(1, func() int32 { job(); return 0 }, finished, func() { done <- struct{}{} }) {
				t.Fatal("got a job refused, want it taken")
			}
		}
		run(func() {})
		<-done
		for resting := 0; resting == 0; { // until the first worker has nothing to do
			w.mu.Lock()
			resting = w.resting
			w.mu.Unlock()
			runtime.Gosched()
		}
		second := make(chan struct{})
		run(func() { <-second })
		run(func() { close(second) })
		<-done
		<-done
		w.Close()
		if got := finished.Len(); got != 3 {
			t.Errorf("got %d results, want 3", got)
		}
	}
}

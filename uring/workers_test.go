package uring

import (
	"testing"

	"golang.org/x/sys/unix"
)

// Workers stand back behind the threads of the shards.
func TestWorkersHaveLowPriority(t *testing.T) {
	nice := func() int {
		level, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
		if err != nil {
			t.Fatal(err)
		}
		return 20 - level
	}
	w := NewWorkers(1, 1)
	defer w.Close()
	found := make(chan int, 1)
	if !w.Run(1, func() int32 { found <- nice(); return 0 }, &Finished{}, func() {}) {
		t.Fatal("got a full queue, want the job to run")
	}
	if got, want := <-found, min(nice()+workNice, 19); got != want {
		t.Errorf("nice of a worker: got %d, want %d", got, want)
	}
}

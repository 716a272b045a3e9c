package server

import (
	"math"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"galgo/uring/portable"
	"galgo/wire"
)

// Every number is a real one, and several workers may ask at once.
func TestMachine(t *testing.T) {
	host := portable.New()
	defer host.Close()
	m := newMachine(host, t.TempDir())
	m.sampled = m.sampled.Add(-time.Hour) // the next who asks takes the usage
	var busy float64
	used := func() time.Duration { // on a busy machine little, or nothing, however long it takes
		var usage unix.Rusage
		if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
			t.Fatal(err)
		}
		return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	}
	for begin, before := time.Now(), used(); time.Since(begin) < 100*time.Millisecond || used()-before < 50*time.Millisecond; {
		busy += math.Sqrt(busy + 1)
	}
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			var got wire.Stats
			m.read(&got)
			if got.CPUUsage <= 0 || got.TotalCPUUsage <= 0 || got.TotalCPUUsage > 100 {
				t.Errorf("usage: got %v %% by the process, %v %% in all, want some", got.CPUUsage, got.TotalCPUUsage)
			}
			if got.ProcessID == 0 || got.MemoryUsage == 0 || got.TotalMemory < got.MemoryUsage || got.AvailableMemory == 0 || got.ThreadsCount == 0 ||
				got.FreeDiskSpace == 0 || got.TotalDiskSpace < got.FreeDiskSpace {
				t.Errorf("got %+v, want all sizes and counts", got)
			}
			if got.RunTimeMicros < 100_000 || got.StartTimeMicros == 0 || got.Hostname == "" || got.OSName == "" || got.KernelVersion == "" {
				t.Errorf("got %+v, want times and names", got)
			}
		})
	}
	readers.Wait()
}

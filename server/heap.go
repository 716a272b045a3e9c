package server

import (
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// trimInterval is how often the heap is looked at, and trimBytes how much of it must lie free to be given back.
	trimInterval = 5 * time.Second
	trimBytes    = 16 << 20
)

// trimHeap gives free heap back to the machine until stop is closed. Each login makes and drops 19 MiB (argon2id); without this a few
// of them would stand in the server's memory for good.
func trimHeap(stop <-chan struct{}) {
	ticker := time.NewTicker(trimInterval)
	defer ticker.Stop()
	heap := []metrics.Sample{{Name: "/memory/classes/heap/free:bytes"}, {Name: "/gc/heap/allocs:bytes"}}
	seen := uint64(0)
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
		}
		metrics.Read(heap)
		if allocated := heap[1].Value.Uint64(); heap[0].Value.Uint64()+allocated-seen >= trimBytes {
			debug.FreeOSMemory()
			metrics.Read(heap)
			seen = heap[1].Value.Uint64()
		}
	}
}

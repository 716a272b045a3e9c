package server

import (
	"math"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"galgo/components"
)

const (
	// heapInterval is how often the heap is looked at.
	heapInterval = 5 * time.Second
	// heapSlack is what the heap may have beside what lives and the room that passwords have, in bytes, before it is collected.
	heapSlack = 8 << 20
	// trimBytes is how much of it must lie free to be given back.
	trimBytes = 16 << 20
)

// What is read of the runtime: bytes of live objects as of the last collection, of everything, and of what of that are not tables of the
// runtime itself; and how much was allocated so far.
const (
	heapLive = iota
	heapTotal
	heapObjects
	heapFree
	heapReleased
	heapAllocs
)

// boundHeap keeps the Go heap near what lives in it, until stop is closed. Left to itself it would take in as much again as it holds before it is
// collected: with what passwords are hashed in, far more than the promise of --memory allows.
func boundHeap(passwords *components.Passwords, stop <-chan struct{}) {
	defer debug.SetMemoryLimit(math.MaxInt64)
	ticker := time.NewTicker(heapInterval)
	defer ticker.Stop()
	samples := []metrics.Sample{heapLive: {Name: "/gc/heap/live:bytes"}, heapTotal: {Name: "/memory/classes/total:bytes"},
		heapObjects: {Name: "/memory/classes/heap/objects:bytes"}, heapFree: {Name: "/memory/classes/heap/free:bytes"},
		heapReleased: {Name: "/memory/classes/heap/released:bytes"}, heapAllocs: {Name: "/gc/heap/allocs:bytes"}}
	read := func(i int) uint64 { return samples[i].Value.Uint64() }
	debug.FreeOSMemory() // what the start has left
	metrics.Read(samples)
	seen := read(heapAllocs)
	trimmed := seen // allocated when the heap was last trimmed
	counted := uint64(0)
	for {
		held := passwords.Trim()
		metrics.Read(samples)
		allocs := read(heapAllocs)
		idle := allocs-seen < trimBytes // else what is given back is asked for again at once, and pages that are new to the process are dear
		seen = allocs
		if held != counted || idle && read(heapFree)+allocs-trimmed >= trimBytes { // what passwords hold is to be counted among what lives
			debug.FreeOSMemory()
			metrics.Read(samples)
			trimmed, counted = allocs, held
		}
		tables := read(heapTotal) - read(heapObjects) - read(heapFree) - read(heapReleased)
		debug.SetMemoryLimit(int64(tables + read(heapLive) + passwords.Bytes() - held + heapSlack))
		select {
		case <-stop:
			return
		case <-ticker.C:
		}
	}
}

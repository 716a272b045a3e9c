package portable

import "sync/atomic"

// table tells shards that a descriptor's number has changed hands. Each number has a generation, which grows whenever the host makes or
// closes a descriptor of that number; a shard that remembers another one knows that what it remembers is of a predecessor.
type table struct {
	chunks [descriptorsMax / tableChunk]atomic.Pointer[[tableChunk]tableEntry] // made when first needed
}

type tableEntry struct {
	generation atomic.Uint32
	watcher    atomic.Int32 // the shard that has it in its epoll set, plus 1; 0: none
}

const (
	descriptorsMax = 1 << 24 // Linux gives out fewer unless fs.nr_open is raised that far
	tableChunk     = 1 << 14
)

// entry returns the entry of a number below descriptorsMax.
func (t *table) entry(fd int32) *tableEntry {
	slot := &t.chunks[fd/tableChunk]
	chunk := slot.Load()
	if chunk == nil {
		slot.CompareAndSwap(nil, new([tableChunk]tableEntry))
		chunk = slot.Load()
	}
	return &chunk[fd%tableChunk]
}

// born is called when a system call has returned a new descriptor.
func (t *table) born(fd int32) {
	if fd >= 0 && fd < descriptorsMax {
		e := t.entry(fd)
		e.watcher.Store(0)
		e.generation.Add(1)
	}
}

// closed is called before a descriptor is closed. It returns the shard that watches it, or -1.
func (t *table) closed(fd int32) int {
	if fd < 0 || fd >= descriptorsMax {
		return -1
	}
	e := t.entry(fd)
	watcher := e.watcher.Swap(0)
	e.generation.Add(1)
	return int(watcher) - 1
}

package components

import (
	"fmt"
	"math/bits"
	"sync/atomic"
)

const (
	// UnitSize is the smallest piece of memory an Arena hands out, in bytes. It is also the block that direct I/O is aligned to.
	UnitSize = 4096
	// chunkUnits is the number of units in a chunk: one bitmap word.
	chunkUnits = 64
	// ChunkSize is what an arena takes from the Budget at a time, in bytes.
	ChunkSize = chunkUnits * UnitSize
)

// AlignUp rounds n up to whole units.
func AlignUp(n uint64) uint64 { return (n + UnitSize - 1) &^ (UnitSize - 1) }

// AlignDown rounds n down to whole units.
func AlignDown(n uint64) uint64 { return n &^ (UnitSize - 1) }

// Span is a piece of slab memory: which slab, where in it, how many bytes. It is a plain value: a span is copied between
// shards while what it names stays with one owner at a time. The zero Span names nothing.
type Span struct {
	Slab uint32
	Len  uint32 // bytes
	Off  uint64 // bytes from the slab's start
}

// Slice is the piece [from, from+n) of the span.
func (s Span) Slice(from, n uint32) Span {
	if uint64(from)+uint64(n) > uint64(s.Len) {
		panic(fmt.Sprintf("components: slice [%d,+%d) of a span of %d bytes", from, n, s.Len))
	}
	return Span{Slab: s.Slab, Len: n, Off: s.Off + uint64(from)}
}

// Memory is the table of all slabs of the process, filled before the first tick and constant from then on. Any shard may
// look through it; who may touch which bytes is a matter of who owns the span.
type Memory struct {
	slabs []slab
}

type slab struct {
	bytes []byte
	base  uint64
}

// Add enters a slab whose first byte has address base, and returns its number.
func (m *Memory) Add(bytes []byte, base uint64) uint32 {
	m.slabs = append(m.slabs, slab{bytes, base})
	return uint32(len(m.slabs) - 1)
}

// Bytes is the memory a span names.
func (m *Memory) Bytes(s Span) []byte {
	return m.slabs[s.Slab].bytes[s.Off : s.Off+uint64(s.Len) : s.Off+uint64(s.Len)]
}

// At is the memory of n bytes at an address, as Addr gives it.
func (m *Memory) At(addr, n uint64) []byte {
	for _, slab := range m.slabs {
		if addr >= slab.base && addr-slab.base+n <= uint64(len(slab.bytes)) {
			return slab.bytes[addr-slab.base:][:n:n]
		}
	}
	panic(fmt.Sprintf("components: %d bytes at address %#x are in no slab", n, addr))
}

// Addr is the address of the span's first byte, as a submission entry wants it.
func (m *Memory) Addr(s Span) uint64 { return m.slabs[s.Slab].base + s.Off }

// Budget is the one number of bytes that all arenas of the process share. Shards take from it in chunks and return what
// they hold above need when another shard runs short.
type Budget struct {
	limit   uint64
	granted atomic.Uint64
	promise atomic.Uint64
	short   atomic.Uint64 // how often somebody was left without memory
}

// NewBudget is a budget of limit bytes.
func NewBudget(limit uint64) *Budget { return &Budget{limit: limit} }

// Limit is the size of the budget in bytes.
func (b *Budget) Limit() uint64 { return b.limit }

// Granted is how many bytes the arenas hold now.
func (b *Budget) Granted() uint64 { return b.granted.Load() }

// Refuse notes that somebody is left without memory although it has evicted what it could: every shard gives way then.
func (b *Budget) Refuse() { b.short.Add(1) }

// Refused is how often that was.
func (b *Budget) Refused() uint64 { return b.short.Load() }

// Promise sets n bytes aside for a frame that is being received and will be journaled: so many frames are admitted as the budget
// can carry to the end, and no two wait for each other. One is always admitted.
func (b *Budget) Promise(n uint64) bool {
	for {
		have := b.promise.Load()
		if have > 0 && have+n > b.limit-b.limit/8 {
			return false
		}
		if b.promise.CompareAndSwap(have, have+n) {
			return true
		}
	}
}

// Redeem gives back what was promised.
func (b *Budget) Redeem(n uint64) { b.promise.Add(^(n - 1)) }

func (b *Budget) take(n uint64) bool {
	for {
		have := b.granted.Load()
		if have+n > b.limit {
			return false
		}
		if b.granted.CompareAndSwap(have, have+n) {
			return true
		}
	}
}

func (b *Budget) put(n uint64) { b.granted.Add(^(n - 1)) }

// Arena hands out contiguous memory of one slab in units of 4 KiB: small pieces from shared chunks, large ones as runs of
// whole chunks. The slab is larger than the budget, so that a large piece finds contiguous addresses although
// others lie scattered; what is touched is limited by the Budget. An arena belongs to one side (State or Storage) of
// one shard.
//
// Invariant: a chunk with a used unit is granted; granted chunks times ChunkSize is what this arena took from the budget.
type Arena struct {
	slab     uint32
	budget   *Budget
	used     []uint64 // per chunk: a bit for each unit in use
	granted  []bool   // per chunk
	top      int      // chunks at or above it were never granted
	small    int      // chunks below it have no room for a small piece
	large    int      // where the search for the next large piece begins
	inUse    uint64   // bytes
	held     uint64   // bytes granted
	populate func(off, n uint64)
}

// NewArena manages slab number slab of size bytes under budget. Populate, if not nil, is told of each piece of the slab before it
// is used for the first time.
func NewArena(slab uint32, size uint64, budget *Budget, populate func(off, n uint64)) *Arena {
	chunks := int(size / ChunkSize)
	return &Arena{slab: slab, budget: budget, populate: populate, used: make([]uint64, chunks), granted: make([]bool, chunks)}
}

// InUse is how many bytes are handed out.
func (a *Arena) InUse() uint64 { return a.inUse }

// Refuse asks every shard to give way: this arena got nothing although its owner did what it could.
func (a *Arena) Refuse() { a.budget.Refuse() }

// Held is how many bytes the arena has taken from the budget.
func (a *Arena) Held() uint64 { return a.held }

// Alloc returns n bytes, aligned to a unit, or false when budget or address space do not allow it. Their content is
// what the last owner left.
func (a *Arena) Alloc(n uint32) (Span, bool) {
	if n == 0 {
		panic("components: allocation of no bytes")
	}
	units := int((uint64(n) + UnitSize - 1) / UnitSize)
	var first int
	var ok bool
	if units <= chunkUnits {
		first, ok = a.allocSmall(units)
	} else {
		first, ok = a.allocLarge((units + chunkUnits - 1) / chunkUnits)
	}
	if !ok {
		return Span{}, false
	}
	a.inUse += chargedUnits(units) * UnitSize
	return Span{Slab: a.slab, Len: n, Off: uint64(first) * UnitSize}, true
}

// chargedUnits is what a piece of so many units occupies: large pieces own their last chunk whole.
func chargedUnits(units int) uint64 {
	if units > chunkUnits {
		units = (units + chunkUnits - 1) / chunkUnits * chunkUnits
	}
	return uint64(units)
}

// Free takes back what Alloc returned: the same offset and length.
func (a *Arena) Free(s Span) {
	units := int((uint64(s.Len) + UnitSize - 1) / UnitSize)
	if s.Slab != a.slab || s.Off%UnitSize != 0 || units == 0 {
		panic(fmt.Sprintf("components: free of %+v in the arena of slab %d", s, a.slab))
	}
	first := int(s.Off / UnitSize)
	chunk := first / chunkUnits
	if units <= chunkUnits {
		mask := unitMask(units) << (first % chunkUnits)
		if a.used[chunk]&mask != mask {
			panic(fmt.Sprintf("components: %+v freed twice", s))
		}
		a.used[chunk] &^= mask
		if chunk < a.small {
			a.small = chunk
		}
	} else {
		for i := range (units + chunkUnits - 1) / chunkUnits {
			if a.used[chunk+i] != ^uint64(0) {
				panic(fmt.Sprintf("components: %+v freed twice", s))
			}
			a.used[chunk+i] = 0
		}
		a.large = chunk
		a.small = min(a.small, chunk)
	}
	a.inUse -= chargedUnits(units) * UnitSize
}

func unitMask(units int) uint64 { return ^uint64(0) >> (chunkUnits - units) }

// allocSmall finds units free units in one chunk: from the lowest chunk with room onward, then in a chunk new to us.
func (a *Arena) allocSmall(units int) (first int, ok bool) {
	for a.small < a.top && a.used[a.small] == ^uint64(0) {
		a.small++
	}
	fresh := -1
	for chunk := a.small; chunk < a.top; chunk++ {
		if !a.granted[chunk] {
			if fresh < 0 {
				fresh = chunk
			}
			continue
		}
		if at, ok := freeRun(a.used[chunk], units); ok {
			a.used[chunk] |= unitMask(units) << at
			return chunk*chunkUnits + at, true
		}
	}
	if fresh < 0 {
		fresh = a.top
	}
	if fresh >= len(a.used) || !a.grant(fresh, 1) {
		return 0, false
	}
	a.used[fresh] = unitMask(units)
	return fresh * chunkUnits, true
}

// freeRun finds n clear bits in a row in word.
func freeRun(word uint64, n int) (at int, ok bool) {
	free := ^word // bit i: a run of length 1 begins at i
	for have := 1; have < n && free != 0; {
		step := min(have, n-have)
		free &= free >> step
		have += step
	}
	if free == 0 {
		return 0, false
	}
	return bits.TrailingZeros64(free), true
}

// allocLarge finds a run of so many unused chunks, first from where the last one was freed.
func (a *Arena) allocLarge(chunks int) (first int, ok bool) {
	at, ok := a.unusedRun(a.large, a.top, chunks)
	if !ok {
		at, ok = a.unusedRun(0, min(a.large+chunks, a.top), chunks)
	}
	if !ok {
		at, ok = a.unusedRun(max(a.top-chunks, 0), len(a.used), chunks)
	}
	if !ok || !a.grant(at, chunks) {
		return 0, false
	}
	for i := range chunks {
		a.used[at+i] = ^uint64(0)
	}
	a.large = at + chunks
	return at * chunkUnits, true
}

func (a *Arena) unusedRun(from, to, chunks int) (at int, ok bool) {
	run := 0
	for i := from; i < to; i++ {
		if a.used[i] != 0 {
			run = 0
			continue
		}
		if run++; run == chunks {
			return i + 1 - chunks, true
		}
	}
	return 0, false
}

// grant makes chunks [at, at+n) ours, taking the missing ones from the budget.
func (a *Arena) grant(at, n int) bool {
	missing := uint64(0)
	for i := at; i < at+n; i++ {
		if !a.granted[i] {
			missing++
		}
	}
	if missing > 0 && !a.budget.take(missing*ChunkSize) {
		return false
	}
	for i := at; i < at+n; i++ {
		if !a.granted[i] && a.populate != nil {
			a.populate(uint64(i)*ChunkSize, ChunkSize)
		}
		a.granted[i] = true
	}
	a.held += missing * ChunkSize
	a.top = max(a.top, at+n)
	return true
}

// GiveBack returns unused chunks to the budget until no more than keep bytes are held, and calls release for each piece
// of the slab whose memory the machine may have back.
func (a *Arena) GiveBack(keep uint64, release func(off, n uint64)) {
	for chunk := a.top - 1; chunk >= 0 && a.held > keep; chunk-- {
		if !a.granted[chunk] || a.used[chunk] != 0 {
			continue
		}
		a.granted[chunk] = false
		a.held -= ChunkSize
		release(uint64(chunk)*ChunkSize, ChunkSize)
		a.budget.put(ChunkSize)
		if chunk == a.top-1 {
			a.top--
		}
	}
	a.small = 0
}

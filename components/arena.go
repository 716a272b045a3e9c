package components

import (
	"fmt"
	"math/bits"
)

// Arena hands out contiguous memory of one slab in units of 4 KiB: small pieces from shared chunks, large ones as runs of
// whole chunks. The slab is larger than the budget, so that a large piece finds contiguous addresses although
// others lie scattered; what is touched is limited by the Budget. An arena belongs to one shard:
// both its sides, State and Storage, take from it, so that what one lets go of the other finds.
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
	cramped  bool     // a piece was refused because there are not so many free addresses in a row, however much memory there is
	inUse    uint64   // bytes
	held     uint64   // bytes granted
	returns  *Returns // what others let go of
	populate func(off, n uint64) (micros uint64)
	took     uint64 // µs in which a new chunk was got lately, on average
}

// chunkDear is in how many µs a new chunk is got from the machine before memory is dear: what is in a file is read back as fast by a disk of 1 GB/s.
const chunkDear = ChunkSize / 1000

// NewArena manages slab number slab of memory under budget. Populate, if not nil, is told of each piece of the slab before
// it is used for the first time, and tells how long it took to have its memory.
func NewArena(memory *Memory, slab uint32, budget *Budget, populate func(off, n uint64) (micros uint64)) *Arena {
	returns := memory.slabs[slab].returns
	chunks := len(returns.units)
	return &Arena{slab: slab, budget: budget, returns: returns, populate: populate,
		used: make([]uint64, chunks), granted: make([]bool, chunks)}
}

// InUse is how many bytes are handed out.
func (a *Arena) InUse() uint64 {
	a.takeReturns()
	return a.inUse
}

// Refuse asks every shard to give way: this arena got no n bytes although its owner did what it could.
func (a *Arena) Refuse(n uint32) { a.budget.Refuse(uint64(n)) }

// Short says whether somebody who was refused memory is helped when pieces of this arena are freed: it is missing in the budget, or the
// addresses are missing here. It says the latter once for each time.
func (a *Arena) Short() bool {
	cramped := a.cramped
	a.cramped = false
	return a.budget.Short() || cramped
}

// Held is how many bytes the arena has taken from the budget.
func (a *Arena) Held() uint64 { return a.held }

// Alloc returns n bytes, aligned to a unit, or false when budget or address space do not allow it. Their content is
// what the last owner left.
func (a *Arena) Alloc(n uint32) (Span, bool) {
	if n == 0 {
		panic("components: allocation of no bytes")
	}
	a.takeReturns()
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
	a.tell()
	return Span{Slab: a.slab, Len: n, Off: uint64(first) * UnitSize}, true
}

// Free takes back what Alloc returned: the same piece, or what of it begins in its first unit and goes to its end.
func (a *Arena) Free(s Span) {
	if s.Slab != a.slab || s.Len == 0 {
		panic(fmt.Sprintf("components: free of %+v in the arena of slab %d", s, a.slab))
	}
	a.free(unitsOf(s))
}

func (a *Arena) free(u units) {
	for chunk, mask := range u.chunks {
		a.put(chunk, mask)
	}
}

// tell lets other shards see how much is unused.
func (a *Arena) tell() { a.returns.spare.Store(a.held - a.inUse) }

// put makes units of a chunk free. A large piece is put from its last chunk to its first, where the search for the next begins.
func (a *Arena) put(chunk int, mask uint64) {
	if a.used[chunk]&mask != mask {
		panic(fmt.Sprintf("components: units %#x of chunk %d of slab %d freed twice", mask, chunk, a.slab))
	}
	a.used[chunk] &^= mask
	a.small = min(a.small, chunk)
	if a.used[chunk] == 0 {
		a.large = chunk
	}
	a.inUse -= uint64(bits.OnesCount64(mask)) * UnitSize
	a.tell()
}

// takeReturns makes free what others have returned.
func (a *Arena) takeReturns() {
	for chunk, mask := range a.returns.take {
		a.put(chunk, mask)
	}
}

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
	if fresh >= len(a.used) {
		a.cramped = true
		return 0, false
	}
	if !a.grant(fresh, 1) {
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

// allocLarge finds a run of so many unused chunks: one that is held if there is any, since new memory has to be left in the budget and got from the
// machine.
func (a *Arena) allocLarge(chunks int) (first int, ok bool) {
	at := 0
	if a.held-a.inUse >= uint64(chunks)*ChunkSize {
		at, ok = a.unusedRun(chunks, true)
	}
	if !ok {
		at, ok = a.unusedRun(chunks, false)
	}
	if !ok {
		a.cramped = true
		return 0, false
	}
	if !a.grant(at, chunks) {
		return 0, false
	}
	for i := range chunks {
		a.used[at+i] = ^uint64(0)
	}
	a.large = at + chunks
	return at * chunkUnits, true
}

// unusedRun finds so many unused chunks in a row, first from where the last one was freed. If held is set it looks at granted ones alone.
func (a *Arena) unusedRun(chunks int, held bool) (at int, ok bool) {
	at, ok = a.unusedRunIn(a.large, a.top, chunks, held)
	if !ok {
		at, ok = a.unusedRunIn(0, min(a.large+chunks, a.top), chunks, held)
	}
	if !ok && !held {
		at, ok = a.unusedRunIn(max(a.top-chunks, 0), len(a.used), chunks, held)
	}
	return at, ok
}

func (a *Arena) unusedRunIn(from, to, chunks int, held bool) (at int, ok bool) {
	run := 0
	for i := from; i < to; i++ {
		if a.used[i] != 0 || held && !a.granted[i] {
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
			a.gotChunk(a.populate(uint64(i)*ChunkSize, ChunkSize))
		}
		a.granted[i] = true
	}
	a.held += missing * ChunkSize
	a.top = max(a.top, at+n)
	return true
}

// gotChunk notes how long it took to get a chunk. One that took very long says little: the thread may have had to wait for a core.
func (a *Arena) gotChunk(micros uint64) {
	if a.took = (15*a.took + min(micros, 4*chunkDear)) / 16; a.took > chunkDear {
		a.took = 0 // asked again after a while
		a.budget.dear.Store(dearBytes)
	}
}

// GiveBack returns unused chunks to the budget, from the last to the first and most at a time, and calls release for each piece of the slab whose
// memory the machine may have back. It returns false once there are no more.
func (a *Arena) GiveBack(most int, release func(off, n uint64)) (more bool) {
	a.takeReturns()
	for chunk := a.top - 1; chunk >= 0 && a.held > a.inUse; chunk-- {
		if !a.granted[chunk] || a.used[chunk] != 0 {
			continue
		}
		if most--; most < 0 {
			more = true
			break
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
	a.tell()
	return more
}

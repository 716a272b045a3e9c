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
	bytes   []byte
	base    uint64
	returns *Returns // of the arena that manages the slab
}

// Add enters a slab whose first byte has address base, and returns its number.
func (m *Memory) Add(bytes []byte, base uint64) uint32 {
	m.slabs = append(m.slabs, slab{bytes: bytes, base: base, returns: newReturns(uint64(len(bytes)))})
	return uint32(len(m.slabs) - 1)
}

// Return gives what a span lies in back to the arena it is of, from whatever shard: that arena takes it when it needs memory next.
func (m *Memory) Return(s Span) { m.slabs[s.Slab].returns.put(unitsOf(s)) }

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

// Trim is Return for what a span lies in, but for the piece keep of it.
func (m *Memory) Trim(s, keep Span) {
	before, behind := unitsOf(s).around(unitsOf(keep))
	m.slabs[s.Slab].returns.put(before)
	m.slabs[s.Slab].returns.put(behind)
}

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

// Left is how many bytes are not granted.
func (b *Budget) Left() uint64 { return b.limit - b.granted.Load() }

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
	returns  *Returns // what others let go of
	populate func(off, n uint64)
}

// NewArena manages slab number slab of memory, of size bytes, under budget. Populate, if not nil, is told of each piece of the slab before
// it is used for the first time.
func NewArena(memory *Memory, slab uint32, size uint64, budget *Budget, populate func(off, n uint64)) *Arena {
	chunks := int(size / ChunkSize)
	return &Arena{slab: slab, budget: budget, returns: memory.slabs[slab].returns, populate: populate,
		used: make([]uint64, chunks), granted: make([]bool, chunks)}
}

// InUse is how many bytes are handed out.
func (a *Arena) InUse() uint64 {
	a.takeReturns()
	return a.inUse
}

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
	return Span{Slab: a.slab, Len: n, Off: uint64(first) * UnitSize}, true
}

// chargedUnits is what a piece of so many units occupies: large pieces own their last chunk whole.
func chargedUnits(units int) uint64 {
	if units > chunkUnits {
		units = (units + chunkUnits - 1) / chunkUnits * chunkUnits
	}
	return uint64(units)
}

// units are consecutive units of a slab.
type units struct{ first, n int }

// unitsOf is what the piece occupies that ends with s: s may begin in the piece's first unit.
func unitsOf(s Span) units {
	n := int((s.Off%UnitSize + uint64(s.Len) + UnitSize - 1) / UnitSize)
	return units{int(s.Off / UnitSize), int(chargedUnits(n))}
}

// chunks yields the chunks in which the units lie, from the last to the first, each with a bit for every unit.
func (u units) chunks(yield func(chunk int, mask uint64) bool) {
	for end := u.first + u.n; end > u.first; {
		chunk := (end - 1) / chunkUnits
		from := max(u.first, chunk*chunkUnits)
		if !yield(chunk, unitMask(end-from)<<(from%chunkUnits)) {
			return
		}
		end = from
	}
}

// around is what lies before and behind a part.
func (u units) around(part units) (before, behind units) {
	end := part.first + part.n
	return units{u.first, part.first - u.first}, units{end, u.first + u.n - end}
}

// Whole is all that the piece occupies that ends with s: what its owner may use.
func (s Span) Whole() Span {
	u := unitsOf(s)
	return Span{Slab: s.Slab, Len: uint32(u.n * UnitSize), Off: uint64(u.first) * UnitSize}
}

// Free takes back what Alloc returned: the same piece, or what of it begins in its first unit and goes to its end.
func (a *Arena) Free(s Span) {
	if s.Slab != a.slab || s.Len == 0 {
		panic(fmt.Sprintf("components: free of %+v in the arena of slab %d", s, a.slab))
	}
	a.free(unitsOf(s))
}

// Trim is Free for what a span lies in, but for the piece keep of it.
func (a *Arena) Trim(s, keep Span) {
	before, behind := unitsOf(s).around(unitsOf(keep))
	a.free(behind)
	a.free(before)
}

func (a *Arena) free(u units) {
	for chunk, mask := range u.chunks {
		a.put(chunk, mask)
	}
}

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
}

// takeReturns makes free what others have returned.
func (a *Arena) takeReturns() {
	for chunk, mask := range a.returns.take {
		a.put(chunk, mask)
	}
}

// Returns are pieces of a slab that are let go of by shards that do not own its arena. Any shard may put, the owner takes.
type Returns struct {
	any    atomic.Bool
	chunks []atomic.Uint64 // a bit for each chunk that has units below
	units  []atomic.Uint64 // per chunk: a bit for each unit returned
}

func newReturns(size uint64) *Returns {
	chunks := size / ChunkSize
	return &Returns{chunks: make([]atomic.Uint64, (chunks+63)/64), units: make([]atomic.Uint64, chunks)}
}

func (r *Returns) put(u units) {
	for chunk, mask := range u.chunks {
		if r.units[chunk].Or(mask)&mask != 0 {
			panic(fmt.Sprintf("components: units %#x of chunk %d returned twice", mask, chunk))
		}
		r.chunks[chunk/64].Or(1 << (chunk % 64))
	}
	r.any.Store(true)
}

// take yields what is returned, from the last chunk to the first.
func (r *Returns) take(yield func(chunk int, mask uint64) bool) {
	if !r.any.Load() || !r.any.Swap(false) {
		return
	}
	for i := len(r.chunks) - 1; i >= 0; i-- {
		for word := r.chunks[i].Swap(0); word != 0; {
			bit := bits.Len64(word) - 1
			word &^= 1 << bit
			if mask := r.units[i*64+bit].Swap(0); mask != 0 {
				yield(i*64+bit, mask)
			}
		}
	}
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
	a.takeReturns()
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

package components

import "fmt"

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

// returnUnits gives units back to the arena that they are of, from whatever shard: that arena takes them when it needs memory next.
func (m *Memory) returnUnits(slab uint32, u units) { m.slabs[slab].returns.put(u) }

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

// Spare is how many bytes the arena of a slab holds and has no use for, as it said last.
func (m *Memory) Spare(slab uint32) uint64 { return m.slabs[slab].returns.spare.Load() }

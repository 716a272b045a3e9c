package components

import (
	"math/rand/v2"
	"testing"
)

// slabs is a memory of n slabs of so many bytes, of which none is there.
func slabs(n int, size uint64) *Memory {
	m := NewShared(0).Memory
	for range n {
		m.slabs = append(m.slabs, slab{returns: newReturns(size)})
	}
	return m
}

// checkArena compares an arena with what it has handed out.
func checkArena(t *testing.T, a *Arena, live []Span, budget *Budget) {
	t.Helper()
	want := make([]uint64, len(a.used))
	inUse := uint64(0)
	for _, s := range live {
		units := int(AlignUp(uint64(s.Len)) / UnitSize)
		units = int(chargedUnits(units))
		inUse += uint64(units) * UnitSize
		for i := range units {
			unit := int(s.Off/UnitSize) + i
			if want[unit/chunkUnits]&(1<<(unit%chunkUnits)) != 0 {
				t.Fatalf("unit %d: got two owners, want one", unit)
			}
			want[unit/chunkUnits] |= 1 << (unit % chunkUnits)
		}
	}
	held := uint64(0)
	for chunk := range a.used {
		if a.used[chunk] != want[chunk] {
			t.Fatalf("chunk %d: got units %b in use, want %b", chunk, a.used[chunk], want[chunk])
		}
		if a.used[chunk] != 0 && !a.granted[chunk] {
			t.Fatalf("chunk %d: got it used without a grant", chunk)
		}
		if a.granted[chunk] {
			held += ChunkSize
			if chunk >= a.top {
				t.Fatalf("chunk %d: got it granted at or above top %d", chunk, a.top)
			}
		}
		if chunk < a.small && a.used[chunk] != ^uint64(0) {
			t.Fatalf("chunk %d: got room below the first chunk %d that is said to have some", chunk, a.small)
		}
	}
	if a.InUse() != inUse || a.Held() != held || budget.Granted() != held {
		t.Fatalf("arena: got %d bytes in use, %d held, %d granted, want %d, %d, %d", a.InUse(), a.Held(), budget.Granted(), inUse, held, held)
	}
}

func TestArenaModel(t *testing.T) {
	for seed := range uint64(6) {
		random := rand.New(rand.NewPCG(seed, 1))
		budget, memory := NewBudget(24*ChunkSize), slabs(4, 64*ChunkSize)
		populated := map[uint64]bool{}
		a := NewArena(memory, 3, budget, func(off, n uint64) (micros uint64) {
			for at := off; at < off+n; at += ChunkSize {
				if populated[at] {
					t.Fatalf("chunk at %d: got it populated twice", at)
				}
				populated[at] = true
			}
			return 0
		})
		release := func(off, n uint64) {
			if !populated[off] || n != ChunkSize {
				t.Fatalf("release of [%d,+%d): got it without being populated", off, n)
			}
			delete(populated, off)
		}
		var live []Span
		for range 1500 {
			switch random.IntN(6) {
			case 0, 1:
				n := uint32(1 + random.IntN(3*UnitSize))
				switch random.IntN(4) {
				case 0:
					n = uint32(1 + random.IntN(ChunkSize))
				case 1:
					n = uint32(1 + random.IntN(6*ChunkSize))
				}
				if s, ok := a.Alloc(n); ok {
					if s.Slab != 3 || s.Len != n {
						t.Fatalf("span: got %+v for %d bytes in slab 3", s, n)
					}
					live = append(live, s)
				}
			case 2, 3:
				if len(live) > 0 {
					i := random.IntN(len(live))
					span := live[i]
					if lead := random.IntN(UnitSize); lead < int(span.Len) { // what is left of a frame whose first bytes nobody wants
						span = span.Slice(uint32(lead), span.Len-uint32(lead))
					}
					if random.IntN(2) == 0 {
						a.Free(span)
					} else {
						memory.returnUnits(span.Slab, unitsOf(span))
						a.takeReturns()
					}
					live[i] = live[len(live)-1]
					live = live[:len(live)-1]
				}
			case 5:
				if len(live) > 0 {
					i := random.IntN(len(live))
					whole := live[i].Whole()
					from := uint32(random.IntN(int(whole.Len/UnitSize))) * UnitSize
					keep := whole.Slice(from, min(16*UnitSize, whole.Len-from))
					before, behind := unitsOf(live[i]).around(unitsOf(keep))
					if random.IntN(2) == 0 {
						a.free(behind)
						a.free(before)
					} else {
						memory.returnUnits(keep.Slab, before)
						memory.returnUnits(keep.Slab, behind)
						a.takeReturns()
					}
					live[i] = keep
				}
			case 4:
				if random.IntN(10) == 0 {
					most, held := random.IntN(24), a.Held()
					if more := a.GiveBack(most, release); more && held-a.Held() != uint64(most)*ChunkSize || !more && a.GiveBack(1, release) {
						t.Fatalf("given back: got %d bytes and more of them %v, want %d chunks at most, or all", held-a.Held(), more, most)
					}
				}
			}
			checkArena(t, a, live, budget)
		}
		for _, s := range live {
			a.Free(s)
		}
		a.GiveBack(24, release)
		checkArena(t, a, nil, budget)
		if a.Held() != 0 || len(populated) != 0 {
			t.Fatalf("seed %d: got %d bytes held at the end, want 0", seed, a.Held())
		}
	}
}

func TestArenaPanicsOnDoubleFree(t *testing.T) {
	memory := slabs(1, 8*ChunkSize)
	a := NewArena(memory, 0, NewBudget(8*ChunkSize), nil)
	for _, n := range []uint32{100, 2 * ChunkSize} {
		s, _ := a.Alloc(n)
		a.Free(s)
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("second free of %d bytes: got no panic", n)
				}
			}()
			a.Free(s)
		}()
	}
}

// A large piece is made of memory that is held, wherever that lies, before new memory is asked for: the budget may have none.
func TestHeldMemoryComesFirst(t *testing.T) {
	a := NewArena(slabs(1, 64*ChunkSize), 0, NewBudget(8*ChunkSize), nil)
	var pieces []Span
	for range 4 {
		s, _ := a.Alloc(2 * ChunkSize)
		pieces = append(pieces, s)
	}
	a.Free(pieces[1])
	a.GiveBack(8, func(off, n uint64) {}) // addresses without memory, which another arena takes
	if !a.budget.take(2 * ChunkSize) {
		t.Fatal("memory that was given back: got a refusal")
	}
	a.Free(pieces[3])
	a.Free(pieces[0])
	for range 2 {
		if _, ok := a.Alloc(2 * ChunkSize); !ok {
			t.Fatalf("%d bytes of which none is in use: got a refusal of %d", a.Held()-a.InUse(), 2*ChunkSize)
		}
	}
}

// Memory is dear for a while where the machine takes long to hand out some in a row, not where it took very long once.
func TestDearMemory(t *testing.T) {
	for _, c := range []struct {
		name string
		took func(chunk int) uint64
		dear bool
	}{
		{"at once", func(int) uint64 { return 0 }, false},
		{"nearly as slow as a disk", func(int) uint64 { return chunkDear }, false},
		{"a pause now and then", func(chunk int) uint64 { return uint64(chunk%32/31) * 1_000_000 }, false},
		{"slower than a disk", func(int) uint64 { return 2 * chunkDear }, true},
	} {
		chunk, budget := 0, NewBudget(64*ChunkSize)
		a := NewArena(slabs(1, 64*ChunkSize), 0, budget, func(off, n uint64) (micros uint64) {
			chunk++
			return c.took(chunk - 1)
		})
		if budget.Dear(1) {
			t.Errorf("%s: got memory that is dear before there was any", c.name)
		}
		for range 64 {
			if _, ok := a.Alloc(ChunkSize); !ok {
				t.Fatalf("%s: got a refusal within the budget", c.name)
			}
		}
		if got := budget.Dear(1); got != c.dear {
			t.Errorf("%s: got dear %v, want %v", c.name, got, c.dear)
		}
		if budget.Dear(dearBytes) || budget.Dear(1) {
			t.Errorf("%s: got memory that is dear for good, want it tried again", c.name)
		}
	}
}

// Memory that one arena gives back can be had by another.
func TestBudgetIsShared(t *testing.T) {
	budget, memory := NewBudget(4*ChunkSize), slabs(2, 8*ChunkSize)
	a, b := NewArena(memory, 0, budget, nil), NewArena(memory, 1, budget, nil)
	s, _ := a.Alloc(3 * ChunkSize)
	if _, ok := b.Alloc(2 * ChunkSize); ok {
		t.Fatal("two chunks of a budget of four of which three are taken: got them, want a refusal")
	}
	a.Free(s)
	if _, ok := b.Alloc(2 * ChunkSize); ok {
		t.Fatal("chunks that are free but held: got them, want a refusal")
	}
	a.GiveBack(8, func(off, n uint64) {})
	if _, ok := b.Alloc(2 * ChunkSize); !ok {
		t.Fatal("chunks that were given back: got a refusal")
	}
}

// Somebody is short as long as there is less than was wanted, and is not helped by memory of an arena that has it and lacks addresses elsewhere.
func TestShort(t *testing.T) {
	budget, memory := NewBudget(8*ChunkSize), slabs(2, 4*ChunkSize)
	a, b := NewArena(memory, 0, budget, nil), NewArena(memory, 1, budget, nil)
	want := func(when string, ofA, ofB bool) {
		t.Helper()
		if gotA, gotB := a.Short(), b.Short(); gotA != ofA || gotB != ofB {
			t.Fatalf("%s: got %v and %v, want %v and %v", when, gotA, gotB, ofA, ofB)
		}
	}
	want("nobody was refused", false, false)
	all, _ := a.Alloc(4 * ChunkSize)
	if _, ok := a.Alloc(2 * ChunkSize); ok {
		t.Fatal("more than there are addresses: got it, want a refusal")
	}
	a.Refuse(2 * ChunkSize)
	want("addresses are missing", true, false)
	want("after that", false, false)
	small, _ := b.Alloc(3 * ChunkSize)
	b.Refuse(1*ChunkSize + 1)
	want("a chunk is missing", true, true)
	a.Free(all)
	a.GiveBack(8, func(off, n uint64) {})
	want("it is back", false, false)
	if _, ok := a.Alloc(4 * ChunkSize); !ok {
		t.Fatal("what was given back: got a refusal")
	}
	want("it is gone again, and nobody was refused", false, false)
	b.Free(small)
}

func TestPromises(t *testing.T) {
	b := NewBudget(160)
	if !b.Promise(1000) {
		t.Fatal("the only promise: got a refusal, want it whatever its size")
	}
	if b.Promise(1) {
		t.Fatal("a promise beside one that is too large: got it")
	}
	b.Redeem(1000)
	for range 14 {
		if !b.Promise(10) {
			t.Fatal("promises of 140 of 160 bytes: got a refusal")
		}
	}
	if b.Promise(10) {
		t.Fatal("a promise beyond seven eighths: got it")
	}
	for range 14 {
		b.Redeem(10)
	}
	if got := b.promise.Load(); got != 0 {
		t.Fatalf("promised at the end: got %d, want 0", got)
	}
}

// A large piece of a slab of 16 GiB comes back.
func BenchmarkReturns(b *testing.B) {
	r := newReturns(16 << 30)
	for b.Loop() {
		r.put(units{first: 40_000 * chunkUnits, n: 4 * chunkUnits})
		for range r.take {
		}
	}
}

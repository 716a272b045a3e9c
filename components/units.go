package components

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

func unitMask(units int) uint64 { return ^uint64(0) >> (chunkUnits - units) }

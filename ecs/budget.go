package ecs

// Budget is what a stage may still do in this tick.
type Budget struct {
	Rows  int // rows to visit
	Bytes int // bytes to move
}

// Left says whether there are rows and bytes left.
func (b *Budget) Left() bool { return b.Rows > 0 && b.Bytes > 0 }

// Spend takes rows and bytes off, or returns false and takes nothing when nothing is left of a kind that is
// asked for. The last one may ask for more than there is: otherwise what is larger than a whole budget
// would wait for ever. An amount of 0 is always there.
func (b *Budget) Spend(rows, bytes int) bool {
	if rows > 0 && b.Rows <= 0 || bytes > 0 && b.Bytes <= 0 {
		return false
	}
	b.Rows -= rows
	b.Bytes -= bytes
	return true
}

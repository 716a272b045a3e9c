package ecs

// Slots numbers the rows of a table whose rows stand for no entity: the number given back last is the next to be taken. The table grows its
// columns to Cap after each Take, and clears what the row's last owner left. The zero value is ready.
type Slots struct {
	free []uint32
	n    uint32
}

// Take returns a row that nobody has.
func (s *Slots) Take() (row uint32) {
	if n := len(s.free); n > 0 {
		row = s.free[n-1]
		s.free = s.free[:n-1]
		return row
	}
	s.n++
	return s.n - 1
}

// Put gives a row back.
func (s *Slots) Put(row uint32) { s.free = append(s.free, row) }

// Cap is the number of rows that were ever taken: all are below it.
func (s *Slots) Cap() int { return int(s.n) }

// Len is the number of rows that are taken.
func (s *Slots) Len() int { return int(s.n) - len(s.free) }

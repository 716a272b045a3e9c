package ecs

import "fmt"

// Rows says which entity is in which row of a table. A table embeds it beside its columns:
//
//	row := t.Insert(e)
//	t.Size = ecs.Grow(t.Size, t.Cap())
//	t.Size[row] = 0 // a row may have had another owner
//
// A row stays where it is until its entity is removed, and a new entity gets the lowest free row. There are
// never more than rowsMax. At most one generation of an index is in the table at a time. Make it with
// NewRows, and do not copy it once it is in use.
//
// Invariant: rowOf[e.Index()] is the row of e plus one if and only if entities[row] is e, and row is in live.
type Rows struct {
	rowOf    []uint32 // by entity index: row plus one, or 0
	entities []Entity // by row: its entity, or None
	live     Bits     // rows with an entity
	free     Bits     // rows that had one
	rowsMax  int
}

// NewRows makes an empty table of at most rowsMax rows. Nothing is allocated before it is needed.
func NewRows(rowsMax int) Rows {
	return Rows{rowsMax: rowsMax}
}

// Insert gives the entity a row and returns it. It panics if e is None, if any generation of its index
// is in the table, or if the table is full: ask Free first where that may happen.
func (r *Rows) Insert(e Entity) (row int) {
	index := int(e.Index())
	if e.Generation() == 0 {
		panic(fmt.Sprintf("ecs: insert index %d of generation 0", index))
	}
	if r.Free() == 0 {
		panic(fmt.Sprintf("ecs: insert entity %v into a table that has its %d rows", e, r.rowsMax))
	}
	r.rowOf = Grow(r.rowOf, index+1)
	if taken := r.rowOf[index]; taken != 0 {
		panic(fmt.Sprintf("ecs: insert entity %v, while %v is in the table", e, r.entities[taken-1]))
	}
	row, reused := r.free.Next(0)
	if reused {
		r.free.Clear(row)
	} else {
		row = len(r.entities)
		r.entities = Grow(r.entities, row+1)
	}
	r.rowOf[index] = uint32(row) + 1
	r.entities[row] = e
	r.live.Set(row)
	return row
}

// Remove frees the row of the entity and returns it. It panics if the entity is not in the table.
func (r *Rows) Remove(e Entity) (row int) {
	row, ok := r.Row(e)
	if !ok {
		panic(fmt.Sprintf("ecs: remove entity %v, which is not in the table", e))
	}
	r.rowOf[e.Index()] = 0
	r.entities[row] = None
	r.live.Clear(row)
	r.free.Set(row)
	return row
}

// Row finds the row of the entity. Another generation of the same index is not found.
func (r *Rows) Row(e Entity) (row int, ok bool) {
	index := e.Index()
	if uint64(index) >= uint64(len(r.rowOf)) {
		return 0, false
	}
	row = int(r.rowOf[index]) - 1
	if row < 0 || r.entities[row] != e {
		return 0, false
	}
	return row, true
}

// MustRow finds the row of an entity that has to be in the table, and panics if it is not.
func (r *Rows) MustRow(e Entity) (row int) {
	row, ok := r.Row(e)
	if !ok {
		panic(fmt.Sprintf("ecs: entity %v is not in the table", e))
	}
	return row
}

// Entity is the entity in a row below Cap, or None.
func (r *Rows) Entity(row int) Entity { return r.entities[row] }

// Len is how many entities are in the table.
func (r *Rows) Len() int { return r.live.Len() }

// Free is how many more there may be.
func (r *Rows) Free() int { return r.rowsMax - r.live.Len() }

// Cap is how many rows have ever been used: the length that columns need.
func (r *Rows) Cap() int { return len(r.entities) }

// Max is the limit given to NewRows.
func (r *Rows) Max() int { return r.rowsMax }

// Next is the first row from a number on that has an entity.
func (r *Rows) Next(from int) (row int, ok bool) { return r.live.Next(from) }

// All visits the rows that have an entity, ascending: for row := range table.All. The visit may remove its
// own row or any other.
func (r *Rows) All(yield func(row int) bool) { r.live.All(yield) }

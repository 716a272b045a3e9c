package ecs

import (
	"fmt"
	"iter"
)

// Lines is a first-in first-out line per row, for rows of which nearly all have nothing waiting. All lines
// share one pool of nodes, so their number bounds what waits in all lines together. Make it with NewLines,
// and do not copy it once it is in use.
//
// Invariant: a row is in ready if and only if its line is not empty; the lengths of the lines and the free
// nodes add up to the pool.
type Lines[T any] struct {
	lines  []line
	ready  Bits
	cursor int // where Ready goes on
	nodes  []lineNode[T]
	max    int    // nodes at most; the pool grows with need
	free   uint32 // the node that came back last, plus one, or 0
	count  int    // values in all lines
}

// line holds node numbers plus one, so that a zero line is empty.
type line struct {
	first, last uint32
	count       uint32
}

type lineNode[T any] struct {
	value T
	next  uint32 // the node behind it in its line or in the free list, plus one, or 0
}

// NewLines makes empty lines for rows [0, rows) over a pool of nodesMax nodes.
func NewLines[T any](rows, nodesMax int) Lines[T] {
	l := Lines[T]{max: nodesMax}
	l.Grow(rows)
	return l
}

// Grow makes lines for rows [0, rows). A table calls it with Rows.Cap, as it grows its columns.
func (l *Lines[T]) Grow(rows int) {
	l.lines = Grow(l.lines, rows)
	l.ready.Grow(rows)
}

// Push puts a value at the back of the line of a row, or returns false when the pool is used up.
func (l *Lines[T]) Push(row int, v T) bool {
	line := &l.lines[row]
	node := l.takeNode()
	if node == 0 {
		return false
	}
	l.nodes[node-1] = lineNode[T]{value: v}
	if line.count == 0 {
		line.first = node
		l.ready.Set(row)
	} else {
		l.nodes[line.last-1].next = node
	}
	line.last = node
	line.count++
	l.count++
	return true
}

// Pop takes the value at the front of the line of a row. It panics when the line is empty.
func (l *Lines[T]) Pop(row int) T {
	line := &l.lines[row]
	if line.count == 0 {
		panic(fmt.Sprintf("ecs: pop from the empty line of row %d", row))
	}
	node := line.first
	v := l.nodes[node-1].value
	line.first = l.nodes[node-1].next
	line.count--
	l.count--
	if line.count == 0 {
		line.last = 0
		l.ready.Clear(row)
	}
	// The value goes with it: what it refers to is not ours any more.
	l.nodes[node-1] = lineNode[T]{next: l.free}
	l.free = node
	return v
}

// takeNode returns the number of a free node plus one, or 0.
func (l *Lines[T]) takeNode() uint32 {
	if node := l.free; node != 0 {
		l.free = l.nodes[node-1].next
		return node
	}
	if len(l.nodes) == l.max {
		return 0
	}
	l.nodes = append(l.nodes, lineNode[T]{})
	return uint32(len(l.nodes))
}

// Front is the value at the front of the line of a row, or nil when the line is empty. It is good until
// the next Push to any row, or until that value is popped.
func (l *Lines[T]) Front(row int) *T {
	line := &l.lines[row]
	if line.count == 0 {
		return nil
	}
	return &l.nodes[line.first-1].value
}

// Drop empties the line of a row and hands each value to drop, front first. It is how a row that goes away
// answers what waited for it. The line may get new values meanwhile; they are dropped too.
func (l *Lines[T]) Drop(row int, drop func(T)) {
	for l.Len(row) > 0 {
		drop(l.Pop(row))
	}
}

// Ready visits each row whose line is not empty once, beginning behind the row where the last walk ended,
// and ends early when the budget has no rows or no bytes left. It spends one row for each row it visits;
// the bytes are for the visit to spend. The visit may push to and pop from any line.
func (l *Lines[T]) Ready(budget *Budget) iter.Seq[int] {
	return func(yield func(row int) bool) { l.walkReady(budget, yield) }
}

func (l *Lines[T]) walkReady(budget *Budget, yield func(row int) bool) {
	if !budget.Left() {
		return
	}
	for row := range l.ready.Rotate(&l.cursor) {
		// The budget is asked after the visit and not before the next one: the cursor moves with each row
		// that comes out of Rotate, and a row must not lose its turn to a budget that had run out.
		budget.Spend(1, 0)
		if !yield(row) || !budget.Left() {
			return
		}
	}
}

// Len is how many values are in the line of a row.
func (l *Lines[T]) Len(row int) int { return int(l.lines[row].count) }

// Total is how many values are in all lines.
func (l *Lines[T]) Total() int { return l.count }

// Free is how many more values there is room for.
func (l *Lines[T]) Free() int { return l.max - l.count }

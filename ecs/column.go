package ecs

// Grow lengthens a column to at least rows entries and returns it. New entries are zero. A table calls it for
// each of its columns after an Insert, with Rows.Cap: most calls then do nothing, and the others at least
// double, so growing costs little over all. Pointers into the column are stale afterwards.
func Grow[T any](column []T, rows int) []T {
	if rows <= len(column) {
		return column
	}
	return lengthen(column, rows)
}

// lengthen is apart so that the usual case of Grow is inlined.
func lengthen[T any](column []T, rows int) []T {
	if rows <= cap(column) {
		return column[:rows] // zero still: columns never get shorter
	}
	grown := make([]T, rows, max(rows, 2*cap(column)))
	copy(grown, column)
	return grown
}

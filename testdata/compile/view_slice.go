// A storage system slices what a view answers row by row.
package cheat

import (
	"galgo/components"
	"galgo/uring"
)

func write(v components.StateView, st *components.Storage, ring *uring.Ring) {
	levels := v.Level[:] // want "cannot slice v.Level"
	_ = levels
}

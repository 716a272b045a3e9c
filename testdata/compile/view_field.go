// A storage system writes State through its view.
package cheat

import (
	"galgo/components"
	"galgo/uring"
)

func write(v components.StateView, st *components.Storage, ring *uring.Ring) {
	v.s.Partitions.OffsetWritten[0] = 7 // want "v.s undefined (cannot refer to unexported field s)"
}

// A storage system takes a column out of a view: whoever has the slice can write to it.
package cheat

import (
	"galgo/components"
	"galgo/uring"
)

func write(v components.StateView, st *components.Storage, ring *uring.Ring) {
	offsets := v.Partitions.OffsetWritten // want "v.Partitions undefined (type components.StateView has no field or method Partitions"
	offsets[0] = 7
}

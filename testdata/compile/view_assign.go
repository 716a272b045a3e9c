// A storage system assigns to what a view returned.
package cheat

import (
	"galgo/components"
	"galgo/uring"
)

func write(v components.StateView, st *components.Storage, ring *uring.Ring) {
	v.Level(0) = components.LevelMemory // want "cannot assign to v.Level(0)"
	v.Now().WallMicros = 0              // want "cannot assign to v.Now().WallMicros"
	v.Config().Secret = 0               // want "cannot assign to v.Config().Secret"
}

// Systems that keep to the rules: this program compiles, so the others fail for the reason that they name.
package cheat

import (
	"galgo/components"
	"galgo/systems/state"
	"galgo/systems/storage"
	"galgo/uring"
)

// A state system decides, in memory.
func decide(s *components.State) { state.SealJournals(s) }

// A storage system reads State by row, owns Storage and drives the ring.
func write(v components.StateView, st *components.Storage, ring *uring.Ring) {
	if row, ok := v.Partition(0); ok && v.Level(row) == components.LevelDurable {
		st.Writes++
	}
	storage.WriteControl(v, st, ring)
}

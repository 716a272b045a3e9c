// A storage system wants State itself, and a state system makes do with a view.
package cheat

import (
	"galgo/components"
	"galgo/systems/state"
	"galgo/systems/storage"
	"galgo/uring"
)

func both(s *components.State, v components.StateView, st *components.Storage, ring *uring.Ring) {
	storage.WriteControl(s, st, ring) // want "cannot use s (variable of type *components.State) as components.StateView value in argument to storage.WriteControl"
	state.SealJournals(v)             // want "cannot use v (variable of struct type components.StateView) as *components.State value in argument to state.SealJournals"
}

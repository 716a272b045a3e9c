// A plugin reaches for what is not its own: State behind the view, behind the catalog's view and behind what it asks with, and the ring.
package cheat

import (
	"galgo/components"
	"galgo/systems"
)

type spy struct{ kept components.StateView }

func (p *spy) Observe(v components.StateView, events []components.Happened, ask *systems.Asks) {
	p.kept.s.Partitions.OffsetNext[0] = 0 // want "s undefined (cannot refer to unexported field s)"
	v.Catalog().c.Run = 1                 // want "c undefined (cannot refer to unexported field c)"
	ask.s.Stopping = true                 // want "ask.s undefined (cannot refer to unexported field s)"
	ask.Ring.Reap(nil)                    // want "ask.Ring undefined (type *systems.Asks has no field or method Ring)"
	v.FactsOf(0).Size = 0                 // want "cannot assign to v.FactsOf(0).Size"
}

var _ systems.Plugin = (*spy)(nil)

// A plugin takes a tick apart: the view that systems get is made once, when the world is put together.
package cheat

import (
	"galgo/components"
	"galgo/systems"
)

func observe(t *systems.Tick) {
	t.view = components.StateView{} // want "t.view undefined (cannot refer to unexported field view)"
}

// A state system reaches for the ring, or for what the kernel touches: State knows neither.
package cheat

import (
	"galgo/components"
	"galgo/uring"
)

func decide(s *components.State) {
	s.Ring.Push(uring.Fsync(3, true, 0))     // want "s.Ring undefined (type *components.State has no field or method Ring"
	s.Out.Ring.Push(uring.Fsync(3, true, 0)) // want "s.Out.Ring undefined (type *components.Orders has no field or method Ring"
	s.Storage.Segments.LogFD[0] = 3          // want "s.Storage undefined (type *components.State has no field or method Storage"
}

package state

import (
	"testing"

	"galgo/components"
)

// Hot tails give way to memory that is missing, and to nothing else: who was refused what is there by now, or lacks addresses, gains nothing by it.
func TestHotTailsGiveWayToWhatIsMissing(t *testing.T) {
	const size = 1 << 20
	for _, c := range []struct {
		name    string
		refuse  func(a *components.Arena)
		evicted bool
	}{
		{"nobody was refused", func(*components.Arena) {}, false},
		{"as much is there", func(a *components.Arena) { a.Refuse(size) }, false},
		{"more is wanted than there is", func(a *components.Arena) { a.Refuse(32 << 20) }, true},
		{"more than there can be", func(a *components.Arena) { a.Refuse(33 << 20) }, false},
		{"and less after that", func(a *components.Arena) { a.Refuse(32 << 20); a.Refuse(size) }, true},
	} {
		e := newEngine(t, 32<<20)
		e.settle(e.send(e.partition(components.LevelWritten, 64<<20), plain(1, size)))
		hot := e.s.HotIn(e.s.Arena)
		c.refuse(e.s.Arena)
		for range 3 {
			GiveWay(e.s)
		}
		if got := e.s.HotIn(e.s.Arena); (got < hot) != c.evicted {
			t.Errorf("%s: got %d bytes left in memory of %d, want some gone: %v", c.name, got, hot, c.evicted)
		}
	}
}

package components

import (
	"runtime"
	"testing"
)

// What hashes have dropped is collected when half of the blocks are full of it.
func TestPasswordsCollect(t *testing.T) {
	forced := func() uint32 {
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return stats.NumForcedGC
	}
	for _, test := range []struct {
		budget, reserved uint64
		memory           uint32
		hashes           int // until a collection
	}{
		{64 << 20, 0, 0, 1},
		{1 << 30, 2 * HashBytes, 0, 1},
		{8 << 30, 7 * HashBytes, 0, 4},
		{8 << 30, 7 * HashBytes, HashBytes >> 11, 8},
	} {
		p := NewPasswords(test.budget)
		if p.Reserved() != test.reserved || p.Bytes() != test.reserved+HashBytes {
			t.Errorf("budget %d: got %d of %d bytes reserved, want %d", test.budget, p.Reserved(), p.Bytes(), test.reserved)
		}
		for round := range 2 {
			before := forced()
			for i := range test.hashes {
				if got := forced(); got != before {
					t.Fatalf("budget %d, round %d: got a collection after %d hashes, want it after %d", test.budget, round, i, test.hashes)
				}
				p.Hash(test.memory, func() {})
			}
			if got := forced(); got != before+1 {
				t.Errorf("budget %d, round %d: got %d collections after %d hashes, want 1", test.budget, round, got-before, test.hashes)
			}
		}
	}
}

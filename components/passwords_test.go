package components

import (
	"runtime"
	"testing"
)

func forcedCollections() uint32 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.NumForcedGC
}

// What hashes have dropped is collected when half of the blocks are full of it.
func TestPasswordsCollect(t *testing.T) {
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
			before := forcedCollections()
			for i := range test.hashes {
				if got := forcedCollections(); got != before {
					t.Fatalf("budget %d, round %d: got a collection after %d hashes, want it after %d", test.budget, round, i, test.hashes)
				}
				p.Hash(test.memory, func() {})
			}
			if got := forcedCollections(); got != before+1 {
				t.Errorf("budget %d, round %d: got %d collections after %d hashes, want 1", test.budget, round, got-before, test.hashes)
			}
		}
	}
}

// Nobody hashes during a collection.
func TestPasswordsCollectAlone(t *testing.T) {
	p := NewPasswords(8 << 30)
	before := forcedCollections()
	begun, goOn, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		p.Hash(0, func() {
			close(begun)
			<-goOn
			for range 200 { // while the other asks for a collection
				if got := forcedCollections(); got != before {
					t.Errorf("got %d collections while a password was hashed, want none", got-before)
					return
				}
			}
		})
	}()
	<-begun
	for i := range 4 {
		p.Hash(0, func() {
			if i == 3 {
				close(goOn)
			}
		})
	}
	<-done
	if got := forcedCollections(); got != before+1 {
		t.Errorf("got %d collections, want 1", got-before)
	}
}

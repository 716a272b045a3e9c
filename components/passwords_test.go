package components

import (
	"sync"
	"testing"
)

// Memory that a password was hashed in is lent to the next one, and there is no more of it than half of the room.
func TestPasswordsScratch(t *testing.T) {
	const memory = 8 // KiB
	for _, test := range []struct {
		budget, reserved uint64
		turns            int
	}{
		{0, 0, 1},
		{64 << 20, 0, 1},
		{1 << 30, 2 * HashBytes, 2},
		{8 << 30, 7 * HashBytes, 4},
		{1 << 40, 7 * HashBytes, 4},
	} {
		p := NewPasswords(test.budget)
		if p.Reserved() != test.reserved || p.Bytes() != test.reserved+HashBytes {
			t.Errorf("budget %d: got %d of %d bytes reserved, want %d", test.budget, p.Reserved(), p.Bytes(), test.reserved)
		}
		begun, goOn := make(chan Scratch, 10), make(chan struct{})
		var hashes sync.WaitGroup
		for range 10 {
			hashes.Go(func() {
				p.Hash(memory, func(scratch Scratch) {
					begun <- scratch
					<-goOn
				})
			})
		}
		different := map[*[128]uint64]bool{}
		for range test.turns {
			scratch := <-begun
			if len(scratch) != memory {
				t.Fatalf("budget %d: got %d KiB, want %d", test.budget, len(scratch), memory)
			}
			different[&scratch[0]] = true
		}
		if got := len(different); got != test.turns {
			t.Errorf("budget %d: got %d scratches for %d hashes at once", test.budget, got, test.turns)
		}
		close(goOn)
		hashes.Wait()
		close(begun)
		for scratch := range begun {
			if !different[&scratch[0]] {
				t.Errorf("budget %d: got new memory for a later hash, want what an earlier one had", test.budget)
			}
		}
		if got, want := p.Trim(), uint64(test.turns*memory<<10); got != want {
			t.Errorf("budget %d: got %d bytes held after hashes, want %d", test.budget, got, want)
		}
	}
}

// The memory is kept while passwords are hashed, and let go of when there were none for a while.
func TestPasswordsTrim(t *testing.T) {
	p := NewPasswords(0)
	trim := func(want uint64) {
		t.Helper()
		if got := p.Trim(); got != want {
			t.Errorf("got %d bytes held, want %d", got, want)
		}
	}
	trim(0)
	for range 2 {
		p.Hash(0, func(Scratch) { trim(HashBytes) })
		trim(HashBytes)
		trim(0)
		p.Hash(0, func(Scratch) { trim(HashBytes); trim(HashBytes) })
		trim(HashBytes)
		trim(0)
	}
}

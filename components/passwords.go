package components

import (
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// HashBytes is the memory that one password takes while it is hashed, in bytes. Source: the cost in systems/state/password.go.
const HashBytes = 19 << 20

// Passwords bounds the memory in which passwords are hashed. That is on the Go heap, in blocks of HashBytes: one of them is not part of the budget,
// the others are taken off it. Half of the blocks are for passwords that are being hashed, the other half for what such a one has dropped and the
// collector has yet to find: a collection stops the shards for a moment, so there is none for each.
type Passwords struct {
	blocks  uint64
	turns   chan struct{}
	hashing sync.RWMutex  // held by whoever hashes, and alone by whoever collects
	dropped atomic.Uint64 // bytes, since the last collection

	verified *verified
}

// NewPasswords has one block, and one more for each 512 MiB of the budget up to eight.
func NewPasswords(budget uint64) *Passwords {
	blocks := 1 + min(budget>>29, 7)
	return &Passwords{blocks: blocks, turns: make(chan struct{}, (blocks+1)/2), verified: newVerified()}
}

// Bytes is the size of all blocks, and Reserved what of that is to be taken off the budget.
func (p *Passwords) Bytes() uint64    { return p.blocks * HashBytes }
func (p *Passwords) Reserved() uint64 { return p.Bytes() - HashBytes }

// Verify says whether a password is the one of a stored hash. It asks verify, which takes so many KiB, as Hash does, unless it did before and the answer
// was yes. Of many logins by the same password at once, those that wait for their turn learn from the first.
func (p *Passwords) Verify(memory uint32, hash, password []byte, verify func(hash, password []byte) bool) bool {
	mac := p.verified.mac(hash, password)
	if p.verified.has(mac) {
		return true
	}
	same := false
	p.Hash(memory, func() {
		if same = p.verified.has(mac) || verify(hash, password); same {
			p.verified.add(mac)
		}
	})
	return same
}

// Hash runs one, when it is its turn, which takes so many KiB; 0: HashBytes. Workers call it. Left to itself the heap would hold the memory of
// several.
//
// Nobody hashes during a collection. So it finds as much in use each time, and the runtime sees no reason to give blocks back that are asked for
// again at once: pages new to the process are dear, the more so as argon2 reads each before it writes to it. (Under a budget so small that there is
// but one block it is given back all the same.) And the shards, which it stops, do not wait for threads of a lower priority to be stopped too.
func (p *Passwords) Hash(memory uint32, hash func()) {
	p.turns <- struct{}{}
	defer func() { <-p.turns }()
	p.hashing.RLock()
	hash()
	p.hashing.RUnlock()
	bytes := uint64(memory) << 10
	if bytes == 0 {
		bytes = HashBytes
	}
	if p.dropped.Add(bytes) < p.droppedMax() {
		return
	}
	p.hashing.Lock()
	defer p.hashing.Unlock()
	if p.dropped.Load() >= p.droppedMax() { // else somebody else has collected meanwhile
		p.dropped.Store(0)
		if p.Reserved() == 0 {
			debug.FreeOSMemory() // the block has no room of its own
		} else {
			runtime.GC()
		}
	}
}

func (p *Passwords) droppedMax() uint64 { return max(p.blocks/2, 1) * HashBytes }

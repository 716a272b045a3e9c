package components

import "sync"

// HashBytes is the memory that one password takes while it is hashed, in bytes. Source: the cost in systems/state/password.go.
const HashBytes = 19 << 20

// Scratch is memory that a password is hashed in, in argon2's blocks of 1 KiB. What is in it is left from the password before.
type Scratch [][128]uint64

// Passwords bounds the memory in which passwords are hashed, and keeps it for the next ones: left to itself each hash makes and drops HashBytes, which
// collections have to find, the shards being stopped, and which are pages new to the process again and again.
//
// The memory is on the Go heap. That of one password is not part of the budget. Under a large one there is room for up to seven more, which is taken
// off the budget: half of all is for passwords that are being hashed, the other half for whatever else the heap holds until it is collected.
type Passwords struct {
	room  uint64        // HashBytes so many times
	turns chan struct{} // one for each that is being hashed

	mu   sync.Mutex
	free []Scratch // the last one used is the last
	held uint64    // bytes of those free and those in use
	used bool      // since the last Trim

	verified *verified
}

// NewPasswords has room for one password, and one more for each 512 MiB of the budget up to eight.
func NewPasswords(budget uint64) *Passwords {
	room := 1 + min(budget>>29, 7)
	return &Passwords{room: room, turns: make(chan struct{}, (room+1)/2), verified: newVerified()}
}

// Bytes is all the room, and Reserved what of that is to be taken off the budget.
func (p *Passwords) Bytes() uint64    { return p.room * HashBytes }
func (p *Passwords) Reserved() uint64 { return p.Bytes() - HashBytes }

// Verify says whether a password is the one of a stored hash. It asks verify, which takes so many KiB, as Hash does, unless it did before and the answer
// was yes. Of many logins by the same password at once, those that wait for their turn learn from the first.
func (p *Passwords) Verify(memory uint32, hash, password []byte, verify func(hash, password []byte, scratch Scratch) bool) bool {
	mac := p.verified.mac(hash, password)
	if p.verified.has(mac) {
		return true
	}
	same := false
	p.Hash(memory, func(scratch Scratch) {
		if same = p.verified.has(mac) || verify(hash, password, scratch); same {
			p.verified.add(mac)
		}
	})
	return same
}

// Hash runs one, when it is its turn, and lends it so many KiB, which are the same for all; 0: HashBytes. Workers call it.
func (p *Passwords) Hash(memory uint32, hash func(Scratch)) {
	if memory == 0 {
		memory = HashBytes >> 10
	}
	p.turns <- struct{}{}
	defer func() { <-p.turns }()
	scratch := p.take(memory)
	hash(scratch)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free, p.used = append(p.free, scratch), true
}

func (p *Passwords) take(memory uint32) Scratch {
	p.mu.Lock()
	defer p.mu.Unlock()
	if last := len(p.free) - 1; last >= 0 {
		scratch := p.free[last]
		p.free = p.free[:last]
		return scratch
	}
	p.held += uint64(memory) << 10
	return make(Scratch, memory)
}

// Trim lets go of the memory if no password was hashed since it was last called, and returns how many bytes are held.
func (p *Passwords) Trim() (held uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.used {
		for i, scratch := range p.free {
			p.held -= uint64(len(scratch)) << 10
			p.free[i] = nil
		}
		p.free = p.free[:0]
	}
	p.used = false
	return p.held
}

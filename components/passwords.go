package components

// HashBytes is the memory that one password takes while it is hashed, in bytes. Source: the cost in systems/state/password.go.
const HashBytes = 19 << 20

// Passwords says how many passwords may be hashed at a time. They are hashed on the Go heap: the memory of the first is not part of the
// budget, that of every further one is taken off it.
type Passwords chan struct{}

// NewPasswords allows one at a time, and one more for each 512 MiB of the budget up to eight.
func NewPasswords(budget uint64) Passwords {
	return make(Passwords, 1+min(budget>>29, 7))
}

// Reserved is what is to be taken off the budget for them, in bytes.
func (p Passwords) Reserved() uint64 { return uint64(cap(p)-1) * HashBytes }

// Hash runs one, when it is its turn. Workers call it.
func (p Passwords) Hash(hash func()) {
	p <- struct{}{}
	defer func() { <-p }()
	hash()
}

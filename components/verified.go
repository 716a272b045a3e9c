package components

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"sync"
)

// verifiedMax is how many passwords are remembered to have been right.
const verifiedMax = 1024

// verified remembers which passwords were right. A slow hash protects what is stored from whoever gets hold of the disk; to ask the same thing of every
// login again protects nothing more, and when all clients of a busy server connect anew, after a restart, it keeps the machine busy for half a minute.
// So the first login pays, and a wrong password does each time. What is kept, in memory only, is an HMAC-SHA-256 under a key that this process drew and
// nobody else has. The stored hash goes into it, salt and all: a password that was changed, or is another user's too, is not known.
type verified struct {
	key   [sha256.Size]byte
	mu    sync.Mutex
	known map[[sha256.Size]byte]struct{}
	order [verifiedMax][sha256.Size]byte // a ring of those known, by age
	next  int
}

func newVerified() *verified {
	v := &verified{known: make(map[[sha256.Size]byte]struct{})}
	_, _ = rand.Read(v.key[:]) // it does not fail
	return v
}

// mac is what stands for a password that fits a stored hash, which has no zero byte in it.
func (v *verified) mac(hash, password []byte) (sum [sha256.Size]byte) {
	h := hmac.New(sha256.New, v.key[:])
	_, _ = h.Write(hash)
	_, _ = h.Write([]byte{0})
	_, _ = h.Write(password)
	h.Sum(sum[:0])
	return sum
}

func (v *verified) has(mac [sha256.Size]byte) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	_, ok := v.known[mac]
	return ok
}

// add remembers one, and forgets the oldest when there are too many.
func (v *verified) add(mac [sha256.Size]byte) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, ok := v.known[mac]; ok {
		return
	}
	if len(v.known) == verifiedMax {
		delete(v.known, v.order[v.next])
	}
	v.known[mac] = struct{}{}
	v.order[v.next] = mac
	v.next = (v.next + 1) % verifiedMax
}

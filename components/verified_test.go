package components

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
)

// A password that was right is not hashed again; a wrong one, the same one under another hash, and one that is forgotten are.
func TestVerify(t *testing.T) {
	p := NewPasswords(0)
	asked := 0
	verify := func(hash, password []byte, _ Scratch) bool {
		asked++
		return string(hash) == "hash of "+string(password) || string(hash) == "new hash of "+string(password)
	}
	for _, test := range []struct {
		hash, password string
		want           bool
		asked          int
	}{
		{"hash of a", "b", false, 1},
		{"hash of a", "b", false, 2}, // wrong ones are not remembered
		{"hash of a", "a", true, 3},
		{"hash of a", "a", true, 3},
		{"hash of a", "b", false, 4},
		{"hash of b", "a", false, 5},
		{"new hash of a", "a", true, 6}, // another salt
		{"hash of a", "a", true, 6},
		{"hash of ", "aa", false, 7}, // what is hash and what is password stays apart
	} {
		if got := p.Verify(0, []byte(test.hash), []byte(test.password), verify); got != test.want || asked != test.asked {
			t.Errorf("%q for %q: got %v after %d hashes, want %v after %d", test.password, test.hash, got, asked, test.want, test.asked)
		}
	}
	for i := range verifiedMax {
		p.verified.add(p.verified.mac(fmt.Append(nil, i), nil))
	}
	if got := len(p.verified.known); got != verifiedMax {
		t.Errorf("passwords remembered: got %d, want %d", got, verifiedMax)
	}
	if got := p.Verify(0, []byte("hash of a"), []byte("a"), verify); !got || asked != 8 {
		t.Errorf("a password forgotten: got %v after %d hashes, want true after 8", got, asked)
	}
}

// Of many logins by one password at once only those are hashed that have their turn at first.
func TestVerifyTogether(t *testing.T) {
	p := NewPasswords(2 << 30)
	var asked atomic.Int32
	var logins sync.WaitGroup
	for range 100 {
		logins.Go(func() {
			if !p.Verify(1, []byte("hash"), []byte("password"), func(_, _ []byte, _ Scratch) bool { asked.Add(1); return true }) {
				t.Error("a right password: got false, want true")
			}
		})
	}
	logins.Wait()
	if got, most := asked.Load(), int32(cap(p.turns)); got > most {
		t.Errorf("hashes of 100 logins: got %d, want at most %d", got, most)
	}
}

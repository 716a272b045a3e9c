package wire

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

// testSecret seeds the hashes of all file tests.
const testSecret = 0x5ec7e75ec7e75ec7

// wantHex compares got with want, hexadecimal in which white space does not count.
func wantHex(t *testing.T, got []byte, want string) {
	t.Helper()
	if g, w := hex.EncodeToString(got), strings.Join(strings.Fields(want), ""); g != w {
		t.Errorf("got bytes\n%s, want\n%s", g, w)
	}
}

// wantError checks err with errors.Is; want nil is no error.
func wantError(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got error %v, want %v", err, want)
	}
}

// wantAllocs checks that f allocates nothing.
func wantAllocs(t *testing.T, what string, f func()) {
	t.Helper()
	if n := testing.AllocsPerRun(100, f); n != 0 {
		t.Errorf("%s: got %v allocations, want 0", what, n)
	}
}

// flipEachBit calls accepts with each bit of b flipped, one at a time, and wants false. b is as before afterwards.
func flipEachBit(t *testing.T, b []byte, accepts func() bool) {
	t.Helper()
	if !accepts() {
		t.Fatal("got the whole bytes refused, want them accepted")
	}
	for i := range 8 * len(b) {
		b[i/8] ^= 1 << (i % 8)
		if accepts() {
			t.Errorf("got bit %d of byte %d flipped and accepted, want it refused", i%8, i/8)
		}
		b[i/8] ^= 1 << (i % 8)
	}
}

// testHead checks what every head has in common: head is a valid one, and decode is given bytes and the secret.
func testHead(t *testing.T, head []byte, secret uint64, decode func([]byte, uint64) error) {
	t.Helper()
	wantError(t, decode(head, secret), nil)
	flipEachBit(t, head, func() bool { return decode(head, secret) == nil })
	for n := range len(head) {
		if n%8 == 0 {
			wantError(t, decode(head[:n], secret), ErrShort)
		}
	}
	broken := func(change func(b []byte)) []byte {
		b := bytes.Clone(head)
		change(b)
		return b
	}
	wantError(t, decode(broken(func(b []byte) { b[0] ^= 1 }), secret), ErrForeign)
	wantError(t, decode(broken(func(b []byte) { b[20] ^= 1 }), secret), ErrChecksum)
	wantError(t, decode(make([]byte, len(head)), secret), ErrForeign)

	err := decode(broken(func(b []byte) { b[8] = 77 }), secret)
	wantError(t, err, ErrVersion)
	if err == nil || !strings.Contains(err.Error(), "77") {
		t.Errorf("got error %v, want the version 77 named in it", err)
	}
}

package argon2id

import (
	"bytes"
	"fmt"
	"testing"

	"golang.org/x/crypto/argon2"
)

// Keys are those of argon2.IDKey, whatever the scratch was used for before, and those that it is too small for too.
func TestKey(t *testing.T) {
	const size = 64
	scratch := make([][128]uint64, size)
	for _, memory := range []uint32{0, 1, 7, 8, 9, 11, 12, 33, size - 1, size, size + 1, 2 * size} {
		for _, passes := range []uint32{1, 2, 5} {
			for _, threads := range []uint8{1, 2} {
				for _, keySize := range []uint32{1, 32, 64, 65, 200} {
					password, salt := fmt.Append(nil, "password", memory, passes), fmt.Append(nil, "salt", threads, keySize)
					got := Key(scratch, password, salt, passes, memory, threads, keySize)
					want := argon2.IDKey(password, salt, passes, memory, threads, keySize)
					if !bytes.Equal(got, want) {
						t.Fatalf("m=%d, t=%d, p=%d, %d bytes: got %x, want %x", memory, passes, threads, keySize, got, want)
					}
				}
			}
		}
	}
}

// A key takes little memory beside the scratch.
func TestKeyAllocates(t *testing.T) {
	const memory, bytesMax = 1024, 16 << 10
	scratch := make([][128]uint64, memory)
	result := testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
			Key(scratch, []byte("password"), []byte("saltsalt"), 2, memory, 1, 32)
		}
	})
	if got := result.AllocedBytesPerOp(); got > bytesMax {
		t.Errorf("got %d bytes allocated for a key of %d KiB, want %d at most", got, memory, bytesMax)
	}
}

package argon2id

import (
	"encoding/binary"
	_ "unsafe" // for linkname

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/blake2b"
)

const (
	mode      = 2 // argon2id. This and the next: golang.org/x/crypto/argon2
	slices    = 4 // of a lane; the memory is a multiple of it
	blocksMin = 2 * slices
)

// Key is argon2.IDKey, and needs no memory of its own if scratch has memory KiB and there is one thread.
func Key(scratch [][128]uint64, password, salt []byte, passes, memory uint32, threads uint8, size uint32) []byte {
	if threads != 1 || passes < 1 || memory < blocksMin || uint64(memory) > uint64(len(scratch)) {
		return argon2.IDKey(password, salt, passes, memory, threads, size)
	}
	h0 := initHash(password, salt, nil, nil, passes, memory, 1, size, mode)
	blocks := scratch[:memory/slices*slices]
	clear(blocks) // the first pass adds to what is there
	for i := range uint32(2) {
		var first [1024]byte
		binary.LittleEndian.PutUint32(h0[blake2b.Size:], i) // and then the lane, 0
		blake2bHash(first[:], h0[:])
		for j := range blocks[i] {
			blocks[i][j] = binary.LittleEndian.Uint64(first[8*j:])
		}
	}
	processBlocks(blocks, passes, uint32(len(blocks)), 1, mode)
	return extractKey(blocks, uint32(len(blocks)), 1, size)
}

//go:linkname initHash golang.org/x/crypto/argon2.initHash
func initHash(password, salt, secret, data []byte, passes, memory, threads, size uint32, mode int) [blake2b.Size + 8]byte

//go:linkname blake2bHash golang.org/x/crypto/argon2.blake2bHash
func blake2bHash(out, in []byte)

//go:linkname processBlocks golang.org/x/crypto/argon2.processBlocks
func processBlocks(blocks [][128]uint64, passes, memory, threads uint32, mode int)

//go:linkname extractKey golang.org/x/crypto/argon2.extractKey
func extractKey(blocks [][128]uint64, memory, threads, size uint32) []byte

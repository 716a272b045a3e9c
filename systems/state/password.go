package state

import (
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"

	"galgo/components"
	"galgo/systems/state/argon2id"
)

// The cost of a password hash: the second recommendation of OWASP's password storage cheat sheet for argon2id.
const (
	hashMemory  = components.HashBytes >> 10 // KiB: 19456, unless the configuration says otherwise
	hashPasses  = 2
	hashThreads = 1
	hashSize    = 32 // bytes

	// What a stored hash may ask of us at most, so that a strange catalog cannot take the machine down.
	hashMemoryMax  = 1 << 20 // KiB
	hashPassesMax  = 64
	hashThreadsMax = 16
)

// SaltSize is the size of a salt in bytes.
const SaltSize = 16

// HashPassword is the argon2id hash of a password in PHC string form, with a salt of SaltSize random bytes. It takes some 20 ms and
// 19 MiB: on a running server it is work for the worker queue, which lends scratch. Memory is what components.Config says: KiB, 0 for those 19 MiB.
func HashPassword(password, salt []byte, memory uint32, scratch components.Scratch) []byte {
	if memory == 0 {
		memory = hashMemory
	}
	return phc(memory, salt, argon2id.Key(scratch, password, salt, hashPasses, memory, hashThreads, hashSize))
}

// phc is the text of a hash.
func phc(memory uint32, salt, hash []byte) []byte {
	return fmt.Appendf(nil, "$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, memory, hashPasses, hashThreads,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(hash))
}

// VerifyPassword says whether a password is the one that was hashed, and takes the same time whether it is or not. Anything that is
// no argon2id hash in PHC string form is no password's.
func VerifyPassword(hash, password []byte, scratch components.Scratch) bool {
	fields := strings.Split(string(hash), "$")
	if len(fields) != 6 || fields[0] != "" || fields[1] != "argon2id" || fields[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return false
	}
	var memory, passes uint32
	var threads uint8
	if n, err := fmt.Sscanf(fields[3], "m=%d,t=%d,p=%d", &memory, &passes, &threads); n != 3 || err != nil ||
		passes < 1 || threads < 1 || memory > hashMemoryMax || passes > hashPassesMax || threads > hashThreadsMax {
		return false
	}
	salt, err := base64.RawStdEncoding.DecodeString(fields[4])
	if err != nil {
		return false
	}
	want, err := base64.RawStdEncoding.DecodeString(fields[5])
	if err != nil || len(want) == 0 {
		return false
	}
	got := argon2id.Key(scratch, password, salt, passes, memory, threads, uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1
}

// nobodysHash is what the password of an unknown user is compared with, so that time does not tell who exists. It has the cost of a
// real one, and no password that anybody knows.
func nobodysHash(memory uint32) []byte {
	if memory == 0 {
		memory = hashMemory
	}
	return phc(memory, make([]byte, SaltSize), make([]byte, hashSize))
}

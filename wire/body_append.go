package wire

import (
	"encoding/binary"
	"fmt"
)

// appendFlag appends a bool.
func appendFlag(dst []byte, b bool) []byte {
	if b {
		return append(dst, 1)
	}
	return append(dst, 0)
}

// appendStr8 appends a length byte and s. It panics for more than 255 bytes: the caller checks what it is given.
func appendStr8(dst, s []byte) []byte {
	if len(s) > 255 {
		panic(fmt.Sprintf("wire: str8 of %d bytes", len(s)))
	}
	dst = append(dst, byte(len(s)))
	return append(dst, s...)
}

// appendName appends a str8 and panics when it is empty.
func appendName(dst, s []byte) []byte {
	if len(s) == 0 {
		panic("wire: empty name")
	}
	return appendStr8(dst, s)
}

// appendBlob32 appends a u32 length and s.
func appendBlob32(dst, s []byte) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(s)))
	return append(dst, s...)
}

// appendString32 appends a str32.
func appendString32(dst []byte, s string) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(s)))
	return append(dst, s...)
}

// allZero reports whether every byte of b is 0.
func allZero(b []byte) bool {
	for len(b) >= 8 {
		if binary.LittleEndian.Uint64(b) != 0 {
			return false
		}
		b = b[8:]
	}
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

package wire

import (
	"encoding/binary"
	"unicode/utf8"
)

// bodyReader reads fields off the front of a body. A field that is not there or not valid sets bad, and from then on
// every field reads as zero; so a decoder reads them all and asks once at the end.
type bodyReader struct {
	src []byte // what is left
	bad bool
}

// take returns the next n bytes, aliasing src, or nil.
func (r *bodyReader) take(n int) []byte {
	if r.bad || n > len(r.src) {
		r.bad = true
		return nil
	}
	b := r.src[:n:n]
	r.src = r.src[n:]
	return b
}

// skip passes over n bytes.
func (r *bodyReader) skip(n uint64) {
	if n > uint64(len(r.src)) {
		r.bad = true
		return
	}
	r.take(int(n))
}

// rest returns all that is left.
func (r *bodyReader) rest() []byte { return r.take(len(r.src)) }

func (r *bodyReader) u8() uint8 {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *bodyReader) u16() uint16 {
	if b := r.take(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (r *bodyReader) u32() uint32 {
	if b := r.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (r *bodyReader) u64() uint64 {
	if b := r.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (r *bodyReader) u128() U128 {
	if b := r.take(16); b != nil {
		return getU128(b)
	}
	return U128{}
}

// flag reads a bool: 0 is false, anything else is true.
func (r *bodyReader) flag() bool { return r.u8() != 0 }

// str8 reads a length byte and that many bytes, possibly none.
func (r *bodyReader) str8() []byte { return r.take(int(r.u8())) }

// name reads a str8 of 1..=255 bytes that is valid UTF-8.
func (r *bodyReader) name() []byte {
	b := r.str8()
	if len(b) == 0 || !utf8.Valid(b) {
		r.bad = true
		return nil
	}
	return b
}

// blob32 reads a u32 length and that many bytes, possibly none.
func (r *bodyReader) blob32() []byte {
	n := r.u32()
	if uint64(n) > uint64(len(r.src)) {
		r.bad = true
		return nil
	}
	return r.take(int(n))
}

// str32 reads a blob32 that is valid UTF-8.
func (r *bodyReader) str32() []byte {
	b := r.blob32()
	if !utf8.Valid(b) {
		r.bad = true
		return nil
	}
	return b
}

// status is what a request decoder returns for what was read.
func (r *bodyReader) status() Status {
	if r.bad {
		return StatusInvalidCommand
	}
	return StatusOK
}

// err is what a decoder of a server's answer returns for what was read.
func (r *bodyReader) err() error {
	if r.bad {
		return ErrMalformed
	}
	return nil
}

// errAtEnd is err for an answer that must be read to its end.
func (r *bodyReader) errAtEnd() error {
	if len(r.src) > 0 {
		return ErrMalformed
	}
	return r.err()
}

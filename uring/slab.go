package uring

import (
	"fmt"
	"unsafe"
)

// Addr is the absolute address of a byte inside a slab, as entries carry it.
type Addr uint64

// PageSize is the unit in which slabs are made and given back: bytes.
const PageSize = 4096

// Slab is a fixed stretch of memory that a host may read and write. It lies off the Go heap, begins on a page, reads as zeros at first,
// and takes physical memory only where it has been written. Who owns which bytes is its users' agreement.
//
// Under the race detector, which does not see mapped memory, slabs lie on the heap; they are kept alive until Free either way.
type Slab struct {
	base   unsafe.Pointer
	size   uint64
	memory []byte // the whole slab; nil after Free
}

// NewSlab makes a slab of size bytes, rounded up to whole pages. The error wraps a syscall.Errno.
func NewSlab(size uint64) (*Slab, error) {
	if size == 0 {
		return nil, fmt.Errorf("uring: slab of 0 bytes")
	}
	size = (size + PageSize - 1) &^ (PageSize - 1)
	s := &Slab{size: size}
	if err := s.allocate(); err != nil {
		return nil, fmt.Errorf("uring: slab of %d bytes: %w", size, err)
	}
	s.base = unsafe.Pointer(unsafe.SliceData(s.memory))
	return s, nil
}

// Base returns the address of the first byte.
func (s *Slab) Base() Addr { return Addr(uintptr(s.base)) }

// Size returns the slab's bytes.
func (s *Slab) Size() uint64 { return s.size }

// Bytes returns the n bytes at off. They stay the slab's; a range outside of it panics.
func (s *Slab) Bytes(off, n uint64) []byte { return s.memory[off : off+n : off+n] }

// Addr returns the address of the byte at off, which may be the end of the slab.
func (s *Slab) Addr(off uint64) Addr {
	if off > s.size {
		panic(fmt.Sprintf("uring: offset %d outside of a slab of %d bytes", off, s.size))
	}
	return s.Base() + Addr(off)
}

// Contains reports whether the n bytes at a lie inside the slab.
func (s *Slab) Contains(a Addr, n uint64) bool {
	off := uint64(a) - uint64(s.Base()) // wraps to a huge number below the base
	return off <= s.size && n <= s.size-off
}

// At returns the n bytes at the address a: how a host resolves an entry. They must lie inside the slab.
func (s *Slab) At(a Addr, n uint64) []byte {
	if !s.Contains(a, n) {
		panic(fmt.Sprintf("uring: %d bytes at %#x outside of the slab at %#x, %d bytes", n, uint64(a), uint64(s.Base()), s.size))
	}
	return s.Bytes(uint64(a-s.Base()), n)
}

// Populate asks for the memory of n bytes at off before it is touched: one call instead of a fault for each page, which costs a burst of large
// frames a third of its time. Huge pages would need fewer faults still, but were slower where a host takes free memory back from
// its guests in just such pieces.
func (s *Slab) Populate(off, n uint64) { s.populate(s.Bytes(off, n)) }

// Release gives the pages of [off, off+n) back to the machine; they read as zeros afterwards. Both are multiples of PageSize, and nothing in
// flight may touch the range. On race builds the bytes stay as they are.
func (s *Slab) Release(off, n uint64) {
	if off%PageSize != 0 || n%PageSize != 0 {
		panic(fmt.Sprintf("uring: release of [%d, %d+%d): not whole pages", off, off, n))
	}
	if n > 0 {
		s.release(s.Bytes(off, n))
	}
}

// Free gives the slab back. Nothing may use it, or a slice or address of it, afterwards.
func (s *Slab) Free() error {
	if s.memory == nil {
		return nil
	}
	memory := s.memory
	s.memory = nil
	if err := s.free(memory); err != nil {
		return fmt.Errorf("uring: free slab: %w", err)
	}
	return nil
}

// aligned is the one place where bytes of a slab become a typed pointer: n bytes at off, inside the slab and aligned to 8.
func (s *Slab) aligned(off, n uint64) unsafe.Pointer {
	if off%8 != 0 || off > s.size || n > s.size-off {
		panic(fmt.Sprintf("uring: %d bytes at offset %d: not aligned to 8 or outside of a slab of %d bytes", n, off, s.size))
	}
	return unsafe.Add(s.base, off)
}

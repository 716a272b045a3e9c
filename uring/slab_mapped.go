//go:build !race

package uring

import (
	"fmt"

	"golang.org/x/sys/unix"
)

func (s *Slab) allocate() (err error) {
	s.memory, err = unix.Mmap(-1, 0, int(s.size), unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE)
	return err
}

func (s *Slab) release(b []byte) {
	if err := unix.Madvise(b, unix.MADV_DONTNEED); err != nil {
		panic(fmt.Sprintf("uring: release of %d bytes: %v", len(b), err))
	}
}

func (s *Slab) free(memory []byte) error { return unix.Munmap(memory) }

func (s *Slab) populate(b []byte) {
	_ = unix.Madvise(b, unix.MADV_POPULATE_WRITE) // Linux 5.14; without it the first touch of each page faults
}

//go:build race

package uring

import (
	"sync"
	"unsafe"
)

// heapSlabs keeps every slab reachable until Free: the kernel's pointers into it do not count for the collector.
var heapSlabs sync.Map

func (s *Slab) allocate() error {
	memory := make([]byte, s.size+PageSize)
	skip := -uint64(uintptr(unsafe.Pointer(&memory[0]))) % PageSize
	s.memory = memory[skip : skip+s.size : skip+s.size]
	heapSlabs.Store(s, nil)
	return nil
}

func (s *Slab) release([]byte) {}

func (s *Slab) populate([]byte) {}

func (s *Slab) free([]byte) error {
	heapSlabs.Delete(s)
	return nil
}

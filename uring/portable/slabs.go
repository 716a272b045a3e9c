package portable

import (
	"fmt"
	"sync"
	"sync/atomic"
	"unsafe"

	"galgo/uring"
)

// slabs are the slabs of a host: where the addresses in entries lie. Only what is read here is looked up (vectors, times, buffer rings);
// what a system call gets is checked by it.
type slabs struct {
	mu   sync.Mutex
	list atomic.Pointer[[]*uring.Slab] // copied on writing
}

func (s *slabs) add(slab *uring.Slab) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []*uring.Slab
	if old := s.list.Load(); old != nil {
		list = append(list, *old...)
	}
	list = append(list, slab)
	s.list.Store(&list)
}

// bytes returns the n bytes at an address. The newest slab goes first: an older one that was freed may have had the same place.
func (s *slabs) bytes(a uring.Addr, n uint64) []byte {
	if list := s.list.Load(); list != nil {
		for i := len(*list) - 1; i >= 0; i-- {
			if slab := (*list)[i]; slab.Contains(a, n) {
				return slab.At(a, n)
			}
		}
	}
	panic(fmt.Sprintf("portable: %d bytes at %#x are in no slab of the host", n, uint64(a)))
}

// structs returns count values of T at an address, which must be a multiple of 8.
func structs[T any](s *slabs, a uring.Addr, count int) []T {
	if count == 0 {
		return nil
	}
	var one T
	if a%8 != 0 {
		panic(fmt.Sprintf("portable: address %#x is not a multiple of 8", uint64(a)))
	}
	b := s.bytes(a, uint64(count)*uint64(unsafe.Sizeof(one)))
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), count)
}

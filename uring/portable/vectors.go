package portable

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"galgo/uring"
)

// vectors are an operation's own copy of its vectors: the submitter may reuse his at once. They are kept for reuse.
type vectors struct {
	list  []uring.Iovec
	first int // not moved yet
	next  *vectors
}

// takeVectors copies count vectors at an address and returns their bytes together.
func (s *shard) takeVectors(a uring.Addr, count uint64) (v *vectors, want uint64, errno unix.Errno) {
	if count > uring.IovMax {
		return nil, 0, unix.EINVAL
	}
	if v = s.vectors; v == nil {
		v = &vectors{list: make([]uring.Iovec, 0, max(count, 16))}
	} else {
		s.vectors = v.next
	}
	v.list, v.first, v.next = append(v.list[:0], structs[uring.Iovec](&s.kernel.slabs, a, int(count))...), 0, nil
	for _, one := range v.list {
		want += one.Len
	}
	return v, want, 0
}

func (s *shard) dropVectors(v *vectors) {
	v.next = s.vectors
	s.vectors = v
}

// base is the address of the vectors left, for a system call while v is reachable.
func (v *vectors) base() uring.Addr {
	if v.first == len(v.list) {
		return 0
	}
	return uring.Addr(uintptr(unsafe.Pointer(&v.list[v.first])))
}

func (v *vectors) count() int { return len(v.list) - v.first }

// advance takes n bytes off the front.
func (v *vectors) advance(n uint64) {
	for n > 0 {
		one := &v.list[v.first]
		if n < one.Len {
			one.Base += uring.Addr(n)
			one.Len -= n
			return
		}
		n -= one.Len
		v.first++
	}
}

package portable

import (
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	"galgo/uring"
)

// group is a ring of provided buffers; uring.BufRing draws its memory.
type group struct {
	number uint16
	head   uint16 // buffers taken
	slots  []bufferSlot
}

// bufferSlot is struct io_uring_buf; in the first one the last word holds the tail. Source: linux/io_uring.h.
type bufferSlot struct {
	addr   uring.Addr
	length uint32
	id     uint32 // the low 16 bits; the tail above them, in the first slot
}

const bufferIDShift = 16 // in a completion's flags

// next returns the buffer to take next, nil when there is none or no group.
func (g *group) next() (*bufferSlot, uint16) {
	if g == nil {
		return nil, 0
	}
	tail := uint16((*atomic.Uint32)(unsafe.Pointer(&g.slots[0].id)).Load() >> 16)
	if tail == g.head {
		return nil, 0
	}
	slot := &g.slots[int(g.head)&(len(g.slots)-1)]
	return slot, uint16(slot.id)
}

// group returns a registered group, or nil. There are few.
func (s *shard) group(number uint16) *group {
	for i := range s.groups {
		if s.groups[i].number == number {
			return &s.groups[i]
		}
	}
	return nil
}

// addGroup returns a bare errno, or nil.
func (s *shard) addGroup(number, entries uint16, ring uring.Addr) error {
	switch {
	case s.group(number) != nil:
		return unix.EEXIST
	case entries == 0 || entries&(entries-1) != 0 || ring%uring.PageSize != 0:
		return unix.EINVAL
	}
	s.groups = append(s.groups, group{number: number, slots: structs[bufferSlot](&s.kernel.slabs, ring, int(entries))})
	return nil
}

func (s *shard) removeGroup(number uint16) error {
	for i := range s.groups {
		if s.groups[i].number == number {
			s.groups = append(s.groups[:i], s.groups[i+1:]...)
			return nil
		}
	}
	return unix.ENOENT
}

package sim

import (
	"encoding/binary"
	"maps"
	"slices"
	"syscall"

	"galgo/uring"
)

// group is a group of provided buffers, in the layout of uring.BufRing.
type group struct {
	slots []byte
	count uint16
	head  uint16 // buffers taken
	seen  uint16 // buffers that were poisoned when they came
}

const (
	slotSize = 16
	slotID   = 12
	slotTail = 14 // in the first slot
)

func (g *group) tail() uint16 { return binary.LittleEndian.Uint16(g.slots[slotTail:]) }

// buffer returns the bytes and the id of the buffer that was handed over as number n.
func (g *group) buffer(k *Kernel, n uint16) ([]byte, uint16) {
	slot := g.slots[int(n&(g.count-1))*slotSize:]
	return k.bytes(uring.Addr(binary.LittleEndian.Uint64(slot)), uint64(binary.LittleEndian.Uint32(slot[8:]))), binary.LittleEndian.Uint16(slot[slotID:])
}

// poison makes the bytes of buffers that have come back unreadable.
func (g *group) poison(k *Kernel) {
	for ; g.seen != g.tail(); g.seen++ {
		b, _ := g.buffer(k, g.seen)
		fill(b)
	}
}

// take returns the next buffer, cut to limit bytes when that is not 0.
func (s *shard) takeBuffer(number uint16, limit uint32) (b []byte, id uint16, errno syscall.Errno) {
	g := s.groups[number]
	if g == nil || g.head == g.tail() {
		return nil, 0, syscall.ENOBUFS
	}
	g.poison(s.k)
	b, id = g.buffer(s.k, g.head)
	g.head++
	if limit > 0 {
		b = b[:min(len(b), int(limit))]
	}
	return b, id, 0
}

func (s *shard) hasBuffer(number uint16) bool {
	g := s.groups[number]
	return g != nil && g.head != g.tail()
}

// orderGroups is called when a group comes or goes.
func (s *shard) orderGroups() {
	s.ordered = s.ordered[:0]
	for _, number := range slices.Sorted(maps.Keys(s.groups)) {
		s.ordered = append(s.ordered, s.groups[number])
	}
}

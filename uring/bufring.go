package uring

import (
	"fmt"
	"sync/atomic"
	"unsafe"
)

// BufRing is a group of provided buffers: the host takes one when bytes have arrived for an entry that names the group (RecvSelect,
// RecvMultishot), the completion's flags tell its id, and Recycle hands it back. It belongs to the ring's shard.
//
// Its memory in the slab: the ring of count descriptors of 16 bytes (struct io_uring_buf_ring), rounded up to whole pages, then count
// buffers of size bytes. The descriptors' tail lies over the unused last two bytes of the first descriptor:
//
//	0         8        12    14     16
//	| address | length | id | tail |       little-endian
type BufRing struct {
	ring    *Ring
	group   uint16
	slots   []bufSlot
	last    *atomic.Uint32 // id and tail of slots[0], which must be stored as one word: Go has no 16-bit atomics
	firstID uint16         // id in slots[0]
	tail    uint16
	buffers Addr
	size    uint32
}

type bufSlot struct {
	addr   Addr
	length uint32
	id     uint16
	tail   uint16 // slots[0] only
}

// BufRingMax is how many buffers a group may have.
const BufRingMax = 1 << 15

// BytesNeeded returns the bytes of slab that a BufRing of count buffers of size bytes takes.
func BytesNeeded(count uint16, size uint32) uint64 {
	return bufRingBytes(count) + uint64(count)*uint64(size)
}

func bufRingBytes(count uint16) uint64 {
	return (uint64(count)*uint64(unsafe.Sizeof(bufSlot{})) + PageSize - 1) &^ (PageSize - 1)
}

// NewBufRing registers a group of count buffers (a power of two up to BufRingMax) of size bytes in the BytesNeeded bytes of slab at off,
// which is a multiple of PageSize. All buffers are with the host at first.
func NewBufRing(r *Ring, group uint16, slab *Slab, off uint64, count uint16, size uint32) (*BufRing, error) {
	if count == 0 || count > BufRingMax || count&(count-1) != 0 || size == 0 || off%PageSize != 0 {
		panic(fmt.Sprintf("uring: buffer group %d: %d buffers of %d bytes at offset %d", group, count, size, off))
	}
	slab.Bytes(off, BytesNeeded(count, size)) // panics when they do not fit
	b := &BufRing{
		ring:    r,
		group:   group,
		slots:   unsafe.Slice((*bufSlot)(slab.aligned(off, bufRingBytes(count))), count),
		buffers: slab.Addr(off + bufRingBytes(count)),
		size:    size,
	}
	b.last = (*atomic.Uint32)(unsafe.Pointer(&b.slots[0].id))
	b.last.Store(0)
	if err := r.host.RegisterBuffers(r.shard, group, count, slab.Addr(off)); err != nil {
		return nil, fmt.Errorf("uring: shard %d: register buffer group %d: %w", r.shard, group, err)
	}
	for id := range count {
		b.Recycle(id)
	}
	return b, nil
}

// Group returns the group's number.
func (b *BufRing) Group() uint16 { return b.group }

// Buffer returns the address of a buffer.
func (b *BufRing) Buffer(id uint16) Addr {
	if int(id) >= len(b.slots) {
		panic(fmt.Sprintf("uring: buffer %d of %d in group %d", id, len(b.slots), b.group))
	}
	return b.buffers + Addr(id)*Addr(b.size)
}

// Recycle hands a buffer that a completion brought back to the host. Once for each such completion: a buffer handed back twice has two owners.
func (b *BufRing) Recycle(id uint16) {
	slot := &b.slots[int(b.tail)&(len(b.slots)-1)]
	slot.addr, slot.length = b.Buffer(id), b.size
	if slot == &b.slots[0] {
		b.firstID = id
	} else {
		slot.id = id
	}
	b.tail++
	b.last.Store(uint32(b.firstID) | uint32(b.tail)<<16)
}

// Close unregisters the group. No entry that names it may be in flight.
func (b *BufRing) Close() error {
	if err := b.ring.host.UnregisterBuffers(b.ring.shard, b.group); err != nil {
		return fmt.Errorf("uring: shard %d: unregister buffer group %d: %w", b.ring.shard, b.group, err)
	}
	return nil
}

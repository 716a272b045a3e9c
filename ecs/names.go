package ecs

import (
	"bytes"
	"fmt"
	"math"

	"github.com/zeebo/xxh3"
)

// Names finds rows by a name within a parent: the streams of a server, the topics of a stream. It holds
// neither parents nor names, only hashes and rows, and asks its table for the key of a row to be sure. So there is
// no pointer in it and no second copy of a name. Make it with NewNames.
//
// It is a hash table with open addressing: an entry stands at the first free slot from its hash on, and a
// deletion closes the gap, so there are no marks of deleted entries that slow it down with time.
//
// Invariant: between the slot an entry's hash asks for and the slot where it stands no slot is empty.
type Names struct {
	keyOf func(row uint32) (parent uint64, name []byte)
	slots []nameSlot // a power of two of them, at most three quarters taken
	count int
}

type nameSlot struct {
	hash uint32
	row  uint32 // plus one; 0 is an empty slot
}

const nameSlotsMin = 16

// NewNames makes an empty index. keyOf tells the key of a row that is in the index; the name it returns is
// only looked at during the call. It is asked by every method that takes a name.
func NewNames(keyOf func(row uint32) (parent uint64, name []byte)) Names {
	return Names{keyOf: keyOf, slots: make([]nameSlot, nameSlotsMin)}
}

// Put adds a row under its key. The table has to know the row by it from the next call on. It panics if the
// key is in the index.
func (n *Names) Put(parent uint64, name []byte, row uint32) {
	if row == math.MaxUint32 {
		panic(fmt.Sprintf("ecs: put name %q with row %d, which stands for none", name, row))
	}
	if (n.count+1)*4 > len(n.slots)*3 {
		n.grow()
	}
	hash := nameHash(parent, name)
	slot, found := n.find(hash, parent, name)
	if found {
		panic(fmt.Sprintf("ecs: put name %q of parent %d, which row %d has", name, parent, n.slots[slot].row-1))
	}
	n.slots[slot] = nameSlot{hash: hash, row: row + 1}
	n.count++
}

// Get finds the row of a name within a parent.
func (n *Names) Get(parent uint64, name []byte) (row uint32, ok bool) {
	slot, found := n.find(nameHash(parent, name), parent, name)
	if !found {
		return 0, false
	}
	return n.slots[slot].row - 1, true
}

// Delete removes a name, as long as keyOf still knows the row by it, and returns the row.
// It panics if the key is not in the index.
func (n *Names) Delete(parent uint64, name []byte) (row uint32) {
	gap, found := n.find(nameHash(parent, name), parent, name)
	if !found {
		panic(fmt.Sprintf("ecs: delete name %q of parent %d, which is not there", name, parent))
	}
	row = n.slots[gap].row - 1
	mask := len(n.slots) - 1
	for slot := (gap + 1) & mask; n.slots[slot].row != 0; slot = (slot + 1) & mask {
		// An entry may move back into the gap unless it would then stand before the slot its hash asks for.
		wanted := int(n.slots[slot].hash) & mask
		if (slot-wanted)&mask >= (slot-gap)&mask {
			n.slots[gap] = n.slots[slot]
			gap = slot
		}
	}
	n.slots[gap] = nameSlot{}
	n.count--
	return row
}

// find returns the slot of the key, or the empty slot where it would go.
func (n *Names) find(hash uint32, parent uint64, name []byte) (slot int, found bool) {
	mask := len(n.slots) - 1
	for slot = int(hash) & mask; ; slot = (slot + 1) & mask {
		entry := n.slots[slot]
		if entry.row == 0 {
			return slot, false
		}
		if entry.hash != hash {
			continue
		}
		if p, s := n.keyOf(entry.row - 1); p == parent && bytes.Equal(s, name) {
			return slot, true
		}
	}
}

// grow doubles the slots. The hashes are at hand and no two entries are equal, so no key is asked for.
func (n *Names) grow() {
	old := n.slots
	n.slots = make([]nameSlot, 2*len(old))
	mask := len(n.slots) - 1
	for _, entry := range old {
		if entry.row == 0 {
			continue
		}
		slot := int(entry.hash) & mask
		for n.slots[slot].row != 0 {
			slot = (slot + 1) & mask
		}
		n.slots[slot] = entry
	}
}

func nameHash(parent uint64, name []byte) uint32 {
	return uint32(xxh3.HashSeed(name, parent))
}

package ecs

import "strconv"

// Entity is an ID: an index, which is reused, and a generation, which tells the owners of an index apart.
// The index is in the low 32 bits, the generation in the high ones. Generations start at 1, so no live
// entity is zero. An Entity may be kept and compared; whoever looks it up learns whether it is still meant.
type Entity uint64

// None is no entity.
const None Entity = 0

// MakeEntity puts an entity together, for instance from its stored form.
func MakeEntity(index, generation uint32) Entity {
	return Entity(generation)<<32 | Entity(index)
}

// Index is the number that rows are found by. It starts at 0.
func (e Entity) Index() uint32 { return uint32(e) }

// Generation says which owner of the index is meant. It is 0 only in values that are no entity.
func (e Entity) Generation() uint32 { return uint32(e >> 32) }

// String prints index and generation, as in "12v3", and None as "none".
func (e Entity) String() string {
	if e == None {
		return "none"
	}
	return string(e.AppendTo(nil))
}

// AppendTo appends what String prints and returns the extended slice.
func (e Entity) AppendTo(dst []byte) []byte {
	if e == None {
		return append(dst, "none"...)
	}
	dst = strconv.AppendUint(dst, uint64(e.Index()), 10)
	dst = append(dst, 'v')
	return strconv.AppendUint(dst, uint64(e.Generation()), 10)
}

// generationAfter skips 0 when the counter wraps, so that an entity never looks like None.
func generationAfter(generation uint32) uint32 {
	if generation++; generation != 0 {
		return generation
	}
	return 1
}

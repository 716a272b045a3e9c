package ecs

import "fmt"

// Entities gives out entities, always with the lowest free index. The zero value has given out none.
// One place decides (Take, Put); a replay of what it decided uses Restore and Freed instead.
//
// Invariant: generations has one entry per known index. It is the generation of the entity that is alive
// there, or the one that the next owner of a free index gets. It never goes back, except when it wraps.
type Entities struct {
	indexes     IDs
	generations []uint32
}

// Take gives out a new entity.
func (s *Entities) Take() Entity {
	index := s.indexes.Take()
	s.reach(index)
	return MakeEntity(index, s.generations[index])
}

// Put ends the life of an entity; its index goes to a later one of the next generation.
// It panics if the entity is not alive.
func (s *Entities) Put(e Entity) {
	if !s.Alive(e) {
		panic(fmt.Sprintf("ecs: put entity %v, which is not alive", e))
	}
	s.indexes.Put(e.Index())
	s.generations[e.Index()] = generationAfter(e.Generation())
}

// Alive says whether this entity, and not another owner of its index, is alive.
func (s *Entities) Alive(e Entity) bool {
	index := e.Index()
	return e != None && int(index) < len(s.generations) && s.generations[index] == e.Generation() && s.indexes.Has(index)
}

// Len is how many entities are alive.
func (s *Entities) Len() int { return s.indexes.Len() }

// Restore makes exactly this entity alive, as the replay of an event that names it does. It panics if the
// index is alive, or if it had a later generation already.
func (s *Entities) Restore(e Entity) {
	s.admit("restore", e)
	s.generations[e.Index()] = e.Generation()
	s.indexes.Mark(e.Index())
}

// Freed says, in a replay, that the index of e is free and that its next owner is e. It panics if the
// index is alive, or if it had a later generation already.
func (s *Entities) Freed(e Entity) {
	s.admit("free", e)
	s.generations[e.Index()] = e.Generation()
}

// admit makes the index known and refuses what no replay in order can ask for.
func (s *Entities) admit(what string, e Entity) {
	index := e.Index()
	if e.Generation() == 0 {
		panic(fmt.Sprintf("ecs: %s index %d of generation 0", what, index))
	}
	if s.indexes.Has(index) {
		panic(fmt.Sprintf("ecs: %s entity %v, while %v is alive", what, e, MakeEntity(index, s.generations[index])))
	}
	s.indexes.reach(index)
	s.reach(index)
	if e.Generation() < s.generations[index] {
		panic(fmt.Sprintf("ecs: %s entity %v, but its index is at generation %d", what, e, s.generations[index]))
	}
}

// reach gives every index up to this one its first generation.
func (s *Entities) reach(index uint32) {
	known := len(s.generations)
	s.generations = Grow(s.generations, int(index)+1)
	for i := known; i < len(s.generations); i++ {
		s.generations[i] = 1
	}
}

// Free visits every known index that is free, ascending, as the entity that would be its next owner.
// Giving all of them to Freed, and all live entities to Restore, in any order, makes an equal allocator.
// The allocator must not change meanwhile.
func (s *Entities) Free(yield func(next Entity) bool) {
	for index := range s.indexes.Free {
		if !yield(MakeEntity(index, s.generations[index])) {
			return
		}
	}
}

package ecs

import (
	"fmt"
	"math"

	"github.com/RoaringBitmap/roaring/v2"
)

// IDs gives out numbers from 0 up, always the lowest that is free, and takes them back. The zero value has
// given out nothing. A caller whose numbers begin at 1 marks 0 first.
//
// Invariant: every id in free is below next; an id is taken if it is below next and not in free.
type IDs struct {
	free roaring.Bitmap // ids below next that came back
	next uint64         // ids from here on were never given out; 64 bits because all 2^32 may be
}

// Take gives out the lowest free id. It panics when all 2^32 are taken.
func (s *IDs) Take() uint32 {
	if !s.free.IsEmpty() {
		id := s.free.Minimum()
		s.free.Remove(id)
		return id
	}
	if s.next > math.MaxUint32 {
		panic("ecs: all ids are taken")
	}
	s.next++
	return uint32(s.next - 1)
}

// Put takes an id back. It panics if the id is not taken.
func (s *IDs) Put(id uint32) {
	if !s.Has(id) {
		panic(fmt.Sprintf("ecs: put id %d, which is not taken", id))
	}
	s.free.Add(id)
}

// Mark takes exactly this id, as a replay does. It panics if the id is taken.
func (s *IDs) Mark(id uint32) {
	if s.Has(id) {
		panic(fmt.Sprintf("ecs: mark id %d, which is taken", id))
	}
	s.reach(id)
	s.free.Remove(id)
}

// reach makes the ids up to and including id known. Those that are new are free.
func (s *IDs) reach(id uint32) {
	if end := uint64(id) + 1; end > s.next {
		s.free.AddRange(s.next, end)
		s.next = end
	}
}

// Has says whether the id is taken.
func (s *IDs) Has(id uint32) bool {
	return uint64(id) < s.next && (s.free.IsEmpty() || !s.free.Contains(id))
}

// Len is how many ids are taken.
func (s *IDs) Len() int { return int(s.next - s.free.GetCardinality()) }

// Free visits the known ids that are free, ascending. The set must not change meanwhile.
func (s *IDs) Free(yield func(id uint32) bool) {
	for ids := s.free.Iterator(); ids.HasNext(); {
		if !yield(ids.Next()) {
			return
		}
	}
}

// All visits the ids that are taken, ascending. The set must not change meanwhile.
func (s *IDs) All(yield func(id uint32) bool) {
	for id := uint32(0); uint64(id) < uint64(s.next); id++ {
		if !s.free.Contains(id) && !yield(id) {
			return
		}
	}
}

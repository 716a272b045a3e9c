package components

import (
	"fmt"
	"math/bits"
	"sync/atomic"
)

// Returns are the face of an arena for shards that do not own it: they let go of pieces of its slab, and see how much it could spare.
type Returns struct {
	spare  atomic.Uint64 // bytes that the arena holds and does not use; its owner says so
	any    atomic.Bool
	chunks []atomic.Uint64 // a bit for each chunk that has units below
	units  []atomic.Uint64 // per chunk: a bit for each unit returned
}

func newReturns(size uint64) *Returns {
	chunks := size / ChunkSize
	return &Returns{chunks: make([]atomic.Uint64, (chunks+63)/64), units: make([]atomic.Uint64, chunks)}
}

// put lets go of units. Any shard may.
func (r *Returns) put(u units) {
	for chunk, mask := range u.chunks {
		if r.units[chunk].Or(mask)&mask != 0 {
			panic(fmt.Sprintf("components: units %#x of chunk %d returned twice", mask, chunk))
		}
		r.chunks[chunk/64].Or(1 << (chunk % 64))
	}
	r.any.Store(true)
}

// take yields what is returned, from the last chunk to the first. Only the owner of the arena may.
func (r *Returns) take(yield func(chunk int, mask uint64) bool) {
	if !r.any.Load() || !r.any.Swap(false) {
		return
	}
	for i := len(r.chunks) - 1; i >= 0; i-- {
		if r.chunks[i].Load() == 0 { // nearly all are, and a swap costs ten times as much
			continue
		}
		for word := r.chunks[i].Swap(0); word != 0; {
			bit := bits.Len64(word) - 1
			word &^= 1 << bit
			if mask := r.units[i*64+bit].Swap(0); mask != 0 {
				yield(i*64+bit, mask)
			}
		}
	}
}

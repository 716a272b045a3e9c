package components

import "sync/atomic"

// Budget is the one number of bytes that all arenas of the process share. Shards take from it in chunks and return what
// they hold above need when another shard runs short.
type Budget struct {
	limit   uint64
	granted atomic.Uint64
	promise atomic.Uint64
	short   atomic.Uint64 // how often somebody was left without memory
	wanted  atomic.Uint64 // the most that one of them wanted, in bytes, since there was as much; 0: they may have it
	dear    atomic.Int64  // bytes that are still to be found elsewhere before the machine is asked for new memory again
}

// dearBytes is for how many bytes new memory is thought dear once it was.
const dearBytes = 1 << 30

// NewBudget is a budget of limit bytes.
func NewBudget(limit uint64) *Budget { return &Budget{limit: limit} }

// Limit is the size of the budget in bytes.
func (b *Budget) Limit() uint64 { return b.limit }

// Granted is how many bytes the arenas hold now.
func (b *Budget) Granted() uint64 { return b.granted.Load() }

// Left is how many bytes are not granted.
func (b *Budget) Left() uint64 { return b.limit - b.granted.Load() }

// Refuse notes that somebody is left without n bytes although it has evicted what it could: every shard gives way then.
func (b *Budget) Refuse(n uint64) {
	n = (n + ChunkSize - 1) / ChunkSize * ChunkSize // nobody takes less
	for have := b.wanted.Load(); n > have && n <= b.limit && !b.wanted.CompareAndSwap(have, n); have = b.wanted.Load() {
	}
	b.short.Add(1)
}

// Refused is how often that was.
func (b *Budget) Refused() uint64 { return b.short.Load() }

// Short says whether what was refused is not there yet. Whoever finds it refused again says so again.
func (b *Budget) Short() bool {
	wanted := b.wanted.Load()
	if b.Left() < wanted {
		return true
	}
	b.wanted.CompareAndSwap(wanted, 0)
	return false
}

// Promise sets n bytes aside for a frame that is being received and will be journaled: so many frames are admitted as the budget
// can carry to the end, and no two wait for each other. One is always admitted.
func (b *Budget) Promise(n uint64) bool {
	for {
		have := b.promise.Load()
		if have > 0 && have+n > b.limit-b.limit/8 {
			return false
		}
		if b.promise.CompareAndSwap(have, have+n) {
			return true
		}
	}
}

// Promised is how many bytes are set aside.
func (b *Budget) Promised() uint64 { return b.promise.Load() }

// Redeem gives back what was promised.
func (b *Budget) Redeem(n uint64) { b.promise.Add(^(n - 1)) }

// Dear says whether n bytes had better be found among what is held, because the machine hands out new memory more slowly than a disk gives back what is
// written: one that has lent what it had free to others, as the host of a virtual one does, has to get it back first, page by page.
func (b *Budget) Dear(n uint64) bool { return b.dear.Load() > 0 && b.dear.Add(-int64(n)) > 0 }

func (b *Budget) take(n uint64) bool { return addWithin(&b.granted, n, b.limit) }

func (b *Budget) put(n uint64) { b.granted.Add(^(n - 1)) }

// addWithin adds n to what many take from, unless that would exceed limit.
func addWithin(taken *atomic.Uint64, n, limit uint64) bool {
	for {
		have := taken.Load()
		if have+n > limit {
			return false
		}
		if taken.CompareAndSwap(have, have+n) {
			return true
		}
	}
}

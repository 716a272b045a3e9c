package engine

import "sync/atomic"

// quiet is what the shards of a stopping server tell each other: a turn for each, odd while the shard has nothing to do, has nothing in a
// mailbox to another one, and runs no tick. Only a tick fills or empties mailboxes, so at a moment when all are odd all mailboxes are empty,
// and nothing will happen any more.
type quiet []atomic.Uint64

// begin says that a shard begins a tick.
func (q quiet) begin(shard int) {
	if q[shard].Load()%2 == 1 {
		q[shard].Add(1)
	}
}

// rest says that a shard has nothing to do and ends its tick.
func (q quiet) rest(shard int) {
	if q[shard].Load()%2 == 0 {
		q[shard].Add(1)
	}
}

// all says whether there was a moment at which every shard was quiet: between two looks that found the same turns.
func (q quiet) all() bool {
	sum := uint64(0)
	for i := range q {
		turn := q[i].Load()
		if turn%2 == 0 {
			return false
		}
		sum += turn
	}
	for i := range q {
		sum -= q[i].Load() // turns only grow: the same sum is the same turns
	}
	return sum == 0
}

package engine

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// Shards that pass a token on never find each other quiet while it is on its way, however ticks interleave.
func TestQuietSeesMailOnItsWay(t *testing.T) {
	const shards, passes = 3, 500
	q := make(quiet, shards)
	var box [shards]atomic.Int64 // passes left for the shard
	var left atomic.Int64
	box[0].Store(passes)
	left.Store(passes)
	var group sync.WaitGroup
	for shard := range shards {
		group.Go(func() {
			next := &box[(shard+1)%shards]
			for ; ; runtime.Gosched() {
				q.begin(shard)
				if n := box[shard].Swap(0); n > 0 {
					left.Store(n - 1)
					next.Store(n - 1)
				}
				if next.Load() == 0 { // delivered
					q.rest(shard)
				}
				if q.all() {
					if n := left.Load(); n != 0 {
						t.Errorf("shard %d: got all quiet with %d passes left, want none", shard, n)
					}
					return
				}
			}
		})
	}
	group.Wait()
}

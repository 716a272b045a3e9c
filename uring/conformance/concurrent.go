package conformance

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"galgo/uring"
)

// concurrentTests run shards and goroutines beside each other. What goes wrong in them is a hang.
var concurrentTests = map[string]func(*fixture){
	"concurrent_wake_ends_parking":      wakeEndsParking,
	"concurrent_peer_ends_parking":      peerEndsParking,
	"concurrent_work_ends_parking":      workEndsParking,
	"concurrent_work_queue_is_bounded":  workBounded,
	"concurrent_no_wake_is_lost":        noWakeLost,
	"concurrent_no_wake_is_lost_spin":   noWakeLostSpin,
	"concurrent_shards_wake_each_other": shardsWakeEachOther,
	"concurrent_message_storm":          messageStorm,
	"concurrent_rings_are_independent":  ringsIndependent,
}

// shard runs body with a ring of its own on a locked thread.
func (f *fixture) shard(number int, p uring.Params, body func(*uring.Ring)) *sync.WaitGroup {
	var done sync.WaitGroup
	ready := make(chan struct{})
	done.Go(func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		r, err := uring.NewRing(f.host, number, p)
		close(ready)
		if err != nil {
			f.Error(err)
			return
		}
		body(r)
		if err := r.Close(); err != nil {
			f.Error(err)
		}
	})
	<-ready
	return &done
}

// awaitParked returns once a shard is parked.
func awaitParked(h uring.Host, shard int) {
	for !h.Parked(shard) {
		runtime.Gosched()
	}
}

// parkUntil parks again and again until the mailbox holds n.
func parkUntil(r *uring.Ring, mailbox *atomic.Int64, n int64, t testing.TB) {
	var some [8]uring.Completion
	for mailbox.Load() < n {
		if err := r.Enter(true, 0); err != nil {
			t.Error(err)
			return
		}
		for r.Reap(some[:]) > 0 {
		}
	}
}

func wakeEndsParking(f *fixture) {
	for spin := uint64(0); spin <= 50; spin += 50 {
		var mailbox atomic.Int64
		done := f.shard(1, uring.Params{Entries: 8, SpinMicros: spin}, func(r *uring.Ring) {
			for i := range int64(20) {
				parkUntil(r, &mailbox, i+1, f)
			}
		})
		for range 20 {
			awaitParked(f.host, 1)
			mailbox.Add(1)
			f.host.Wake(1)
		}
		done.Wait()
	}
}

func peerEndsParking(f *fixture) {
	var mailbox atomic.Int64
	done := f.shard(1, uring.Params{Entries: 8}, func(r *uring.Ring) {
		for i := range int64(20) {
			parkUntil(r, &mailbox, i+1, f)
		}
	})
	for range 20 {
		awaitParked(f.host, 1)
		mailbox.Add(1)
		f.ring.WakePeer(1)
		f.settle()
	}
	done.Wait()
	if len(f.got) != 0 {
		f.Fatalf("got %v, want no completions from waking", f.got)
	}
}

func workEndsParking(f *fixture) {
	done := f.shard(1, uring.Params{Entries: 8}, func(r *uring.Ring) {
		var some [8]uring.Completion
		for i := range uring.Token(20) {
			f.host.Work(1, i, func() int32 {
				awaitParked(f.host, 1)
				return 5
			})
			n := 0
			for n == 0 {
				if err := r.Enter(true, 0); err != nil {
					f.Error(err)
					return
				}
				n = r.Reap(some[:])
			}
			if n != 1 || some[0].Token() != i || some[0].Res != 5 {
				f.Errorf("got %v, want one completion {%d 5}", some[:n], i)
			}
		}
	})
	done.Wait()
}

func workBounded(f *fixture) {
	const tries = 1 << 20
	hold := make(chan struct{})
	taken := 0
	for taken < tries && f.host.Work(0, uring.Token(taken), func() int32 { <-hold; return 0 }) {
		taken++
	}
	close(hold)
	if taken == 0 || taken == tries {
		f.Fatalf("got %d jobs taken, want a bound", taken)
	}
	for i := range taken {
		f.want(f.wait(uring.Token(i)), 0)
	}
	f.host.Work(0, 1, func() int32 { return 1 })
	f.want(f.wait(1), 1)
}

func noWakeLost(f *fixture)     { wakeStorm(f, 0) }
func noWakeLostSpin(f *fixture) { wakeStorm(f, 20) }

// wakeStorm has goroutines that each hand over one thing, wake, and wait until it was taken, beside a shard that parks whenever it finds
// nothing. A lost wake stops everyone.
func wakeStorm(f *fixture, spin uint64) {
	const senders = 4
	rounds := int64(5000)
	if testing.Short() {
		rounds = 500
	}
	var sent, taken atomic.Int64
	p := uring.Params{Entries: 8, SpinMicros: spin, Ready: func() bool { return sent.Load() != taken.Load() }}
	done := f.shard(1, p, func(r *uring.Ring) {
		var some [8]uring.Completion
		for taken.Load() < senders*rounds {
			if err := r.Enter(true, 0); err != nil {
				f.Error(err)
				return
			}
			for r.Reap(some[:]) > 0 {
			}
			taken.Store(sent.Load())
		}
	})
	var wg sync.WaitGroup
	for range senders {
		wg.Go(func() {
			for range rounds {
				ticket := sent.Add(1)
				f.host.Wake(1)
				for taken.Load() < ticket {
					runtime.Gosched()
				}
			}
		})
	}
	wg.Wait()
	done.Wait()
}

// shardsWakeEachOther passes one ball to and fro between two shards that park in between.
func shardsWakeEachOther(f *fixture) {
	rounds := int64(5000)
	if testing.Short() {
		rounds = 500
	}
	var ball atomic.Int64 // even: shard 1 plays
	play := func(me, other int, parity int64) *sync.WaitGroup {
		seen := int64(-1)
		p := uring.Params{Entries: 8, Ready: func() bool { return ball.Load() != seen }}
		return f.shard(me, p, func(r *uring.Ring) {
			var some [8]uring.Completion
			for {
				seen = ball.Load()
				if seen%2 == parity && seen < 2*rounds {
					ball.Add(1)
					r.WakePeer(other)
				}
				if seen >= 2*rounds {
					r.WakePeer(other)
					return
				}
				if err := r.Enter(true, 0); err != nil {
					f.Error(err)
					return
				}
				for r.Reap(some[:]) > 0 {
				}
			}
		})
	}
	one, two := play(1, 2, 0), play(2, 1, 1)
	one.Wait()
	two.Wait()
}

// messageStorm sends more messages than the receiver's completion queue holds.
func messageStorm(f *fixture) {
	const count = 5000
	var sum atomic.Int64
	done := f.shard(1, uring.Params{Entries: 8, CQEntries: 16}, func(r *uring.Ring) {
		var some [8]uring.Completion
		for got := 0; got < count; {
			if err := r.Enter(true, 0); err != nil {
				f.Error(err)
				return
			}
			for n := r.Reap(some[:]); n > 0; n = r.Reap(some[:]) {
				for _, c := range some[:n] {
					sum.Add(int64(c.Res))
				}
				got += n
			}
		}
	})
	peer := f.host.PeerFD(1)
	for i := 0; i < count; i += 50 {
		var tokens []uring.Token
		for j := range int32(50) {
			tokens = append(tokens, f.push(func(t uring.Token) uring.Entry {
				return uring.MsgRing(peer, int32(i)+j, uring.TokenMessage, t)
			}))
		}
		for _, t := range tokens {
			f.want(f.wait(t), 0)
		}
	}
	done.Wait()
	if got, want := sum.Load(), int64(count*(count-1)/2); got != want {
		f.Fatalf("got sum %d, want %d", got, want)
	}
}

func ringsIndependent(f *fixture) {
	var shards []*sync.WaitGroup
	for n := 1; n <= 4; n++ {
		shards = append(shards, f.shard(n, uring.Params{Entries: 8}, func(r *uring.Ring) {
			var some [8]uring.Completion
			for i := range uring.Token(1000) {
				r.Push(uring.Nop(uring.Token(n)<<32 | i))
				got := 0
				for got == 0 {
					if err := r.Enter(true, 0); err != nil {
						f.Error(err)
						return
					}
					got = r.Reap(some[:])
				}
				if got != 1 || some[0].Token() != uring.Token(n)<<32|i {
					f.Errorf("got %v, want the token of shard %d, %d", some[:got], n, i)
					return
				}
			}
		}))
	}
	for _, s := range shards {
		s.Wait()
	}
}

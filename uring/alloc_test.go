//go:build !race

package uring_test

import (
	"runtime"
	"testing"

	"galgo/uring"
)

// wantNoAllocs runs f on a locked thread with a ring whose queues it owns.
func wantNoAllocs(t *testing.T, p uring.Params, f func(h uring.Host, r *uring.Ring) func()) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	h := kernel(t)
	r, err := uring.NewRing(h, 0, p)
	if err != nil {
		t.Fatal(err)
	}
	step := f(h, r)
	if got := testing.AllocsPerRun(100, step); got != 0 {
		t.Errorf("got %v allocations, want 0", got)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestPushEnterReapAllocateNothing(t *testing.T) {
	p := uring.Params{Entries: 8, Ready: func() bool { return false }}
	wantNoAllocs(t, p, func(h uring.Host, r *uring.Ring) func() {
		var some [64]uring.Completion
		return func() {
			for range 20 { // more than the queue holds
				r.Push(uring.Nop(1))
			}
			for n := 0; n < 20; n += r.Reap(some[:]) {
				_, now := h.Clock()
				if err := r.Enter(true, now+1e6); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

func TestParkingAllocatesNothing(t *testing.T) {
	for _, spin := range []uint64{0, 20} {
		p := uring.Params{Entries: 8, SpinMicros: spin, Ready: func() bool { return false }}
		wantNoAllocs(t, p, func(h uring.Host, r *uring.Ring) func() {
			var some [64]uring.Completion
			return func() {
				_, now := h.Clock()
				if err := r.Enter(true, now+100); err != nil {
					t.Fatal(err)
				}
				r.Reap(some[:])
				h.Wake(0)
				h.Wake(1)
				r.WakePeer(1)
			}
		})
	}
}

func TestProvidedBuffersAllocateNothing(t *testing.T) {
	wantNoAllocs(t, uring.Params{}, func(h uring.Host, r *uring.Ring) func() {
		const size = 128
		slab, err := h.Slab(uring.BytesNeeded(4, size) + uring.PageSize)
		if err != nil {
			t.Fatal(err)
		}
		buffers, err := uring.NewBufRing(r, 0, slab, 0, 4, size)
		if err != nil {
			t.Fatal(err)
		}
		var some [64]uring.Completion
		one := func(e uring.Entry) uring.Completion {
			r.Push(e)
			for {
				if err := r.Enter(true, 0); err != nil {
					t.Fatal(err)
				}
				if r.Reap(some[:]) > 0 {
					return some[0]
				}
			}
		}
		client, server := connect(t, h, slab, one)
		text := slab.Addr(uring.BytesNeeded(4, size))
		return func() {
			one(uring.Send(client, text, 64, 0, 1))
			c := one(uring.RecvSelect(server, 0, 0, 0, 2))
			id, ok := uring.BufferID(c.Flags)
			if c.Res != 64 || !ok {
				t.Fatalf("got result %d, flags %#x, want 64 bytes in a buffer", c.Res, c.Flags)
			}
			buffers.Recycle(id)
		}
	})
}

package baseline

import (
	"errors"
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"

	"galgo/uring"
)

// shard is a ring with a slab, on a locked thread.
type shard struct {
	host uring.Host
	ring *uring.Ring
	slab *uring.Slab
	some [64]uring.Completion
}

// onShard runs body on a thread of its own, with slabSize bytes of slab, and waits for it.
func onShard(h uring.Host, slabSize uint64, p uring.Params, body func(*shard) error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		done <- func() error {
			slab, err := h.Slab(slabSize)
			if err != nil {
				return err
			}
			ring, err := uring.NewRing(h, 0, p)
			if err != nil {
				return errors.Join(err, slab.Free())
			}
			err = body(&shard{host: h, ring: ring, slab: slab})
			return errors.Join(err, ring.Close(), slab.Free())
		}()
	}()
	return <-done
}

// reap waits for completions.
func (s *shard) reap() ([]uring.Completion, error) {
	for {
		if err := s.ring.Enter(true, 0); err != nil {
			return nil, err
		}
		if n := s.ring.Reap(s.some[:]); n > 0 {
			return s.some[:n], nil
		}
	}
}

// do pushes one entry and returns its result.
func (s *shard) do(e uring.Entry) (uring.Completion, error) {
	s.ring.Push(e)
	got, err := s.reap()
	if err != nil {
		return uring.Completion{}, err
	}
	if got[0].Res < 0 {
		return got[0], fmt.Errorf("%s: %w", uring.OpName(e.Opcode), got[0].Errno())
	}
	return got[0], nil
}

// micros is the time since an earlier reading.
func (s *shard) micros(since uint64) float64 { return float64(max(now(s.host)-since, 1)) }

func now(h uring.Host) uint64 {
	_, mono := h.Clock()
	return mono
}

// threadCPU is what the calling thread has used so far, in seconds.
func threadCPU() float64 {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t) // a clock that every Linux has
	return float64(t.Nano()) / 1e9
}

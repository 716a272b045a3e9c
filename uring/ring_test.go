package uring

import (
	"sync/atomic"
	"testing"
)

// enterNoter is a host that notes how it is entered, and does nothing.
type enterNoter struct {
	Host
	blocking []bool
}

func (h *enterNoter) Enter(_ int, _ uint32, block bool, _ uint64) error {
	h.blocking = append(h.blocking, block)
	return nil
}

// notedRing is a ring of four entries each way on such a host.
func notedRing() (*Ring, *enterNoter) {
	h, word := &enterNoter{}, func() *atomic.Uint32 { return new(atomic.Uint32) }
	return &Ring{host: h, arms: true, q: &Queues{
		SQHead: word(), SQTail: word(), SQFlags: word(), SQMask: 3, SQEntries: make([]Entry, 4),
		CQHead: word(), CQTail: word(), CQMask: 3, CQEntries: make([]Completion, 4),
		Arm: PollAdd(7, POLLIN, true, tokenWakeArm), Finished: &Finished{},
	}}, h
}

// A ring does not sleep while a completion waits to be reaped, wherever that is.
func TestEnterDoesNotSleepOnCompletions(t *testing.T) {
	for name, arrive := range map[string]func(*Ring){
		"in the queue":      func(r *Ring) { r.q.CQTail.Add(1) },
		"put aside by Push": func(r *Ring) { r.spilt = append(r.spilt, Completion{UserData: 1}) },
		"of a job":          func(r *Ring) { r.q.Finished.Add(Completion{UserData: 1}) },
	} {
		r, h := notedRing()
		arrive(r)
		if err := r.Enter(true, 0); err != nil || len(h.blocking) != 0 {
			t.Errorf("%s: got enters %v, %v, want none: there is nothing to submit", name, h.blocking, err)
		}
		r.push(&r.q.Arm)
		if err := r.Enter(true, 0); err != nil || len(h.blocking) != 1 || h.blocking[0] {
			t.Errorf("%s, with an entry: got enters %v, %v, want one that does not block", name, h.blocking, err)
		}
	}
	r, h := notedRing()
	if err := r.Enter(true, 0); err != nil || len(h.blocking) != 1 || !h.blocking[0] {
		t.Errorf("no completion: got enters %v, %v, want one that blocks", h.blocking, err)
	}
}

// The entry that ends a sleep is pushed again once it has completed for good, and not before.
func TestRingArmsAgain(t *testing.T) {
	for _, more := range []bool{true, false} {
		r, _ := notedRing()
		if r.q.CQEntries[0] = (Completion{UserData: uint64(tokenWakeArm)}); more {
			r.q.CQEntries[0].Flags = FlagMore
		}
		r.q.CQTail.Add(1)
		if n := r.Reap(make([]Completion, 1)); n != 0 {
			t.Errorf("got %d completions, want none: it is the ring's own", n)
		}
		if armed := r.queued() == 1 && r.q.SQEntries[0] == r.q.Arm; armed == more {
			t.Errorf("completed, more to come %v: got armed again %v, want %v", more, armed, !more)
		}
	}
}

package portable

import (
	"golang.org/x/sys/unix"

	"galgo/uring"
)

// timers are a heap of operations by due time: slots[i].place is where operation i stands.
type timers struct {
	heap []int32
}

func (t *timers) len() int { return len(t.heap) }

// startTimer puts a timeout into the heap. What is left of a microsecond counts as one, so that none comes early.
func (s *shard) startTimer(i int32) outcome {
	o := &s.ops.slots[i]
	ts := structs[uring.Timespec](&s.kernel.slabs, uring.Addr(o.entry.Addr), 1)[0]
	o.due = uint64(ts.Seconds)*1e6 + uint64(ts.Nanoseconds+999)/1e3
	if o.entry.OpFlags&uring.TimeoutAbsolute == 0 {
		_, now := s.kernel.Clock()
		o.due += now + 1
	}
	o.state = stateTimer
	o.place = len(s.timers.heap)
	s.timers.heap = append(s.timers.heap, i)
	s.rise(o.place)
	return outcome{}
}

// due is the earliest due time, 0 when there is none.
func (s *shard) due() uint64 {
	if len(s.timers.heap) == 0 {
		return 0
	}
	return s.ops.slots[s.timers.heap[0]].due
}

// removeTimer takes a timeout out of the heap.
func (s *shard) removeTimer(i int32) {
	heap := s.timers.heap
	place, last := s.ops.slots[i].place, len(heap)-1
	s.swap(place, last)
	s.timers.heap = heap[:last]
	s.ops.slots[i].state = stateStarted
	if place < last {
		s.rise(place)
		s.sink(place)
	}
}

// expire completes what is due.
func (s *shard) expire() {
	if len(s.timers.heap) == 0 {
		return
	}
	_, now := s.kernel.Clock()
	for len(s.timers.heap) > 0 && s.due() <= now {
		i := s.timers.heap[0]
		s.removeTimer(i)
		res := unix.ETIME
		if o := &s.ops.slots[i]; o.entry.Opcode == uring.OpLinkTimeout {
			target := o.bound
			s.ops.slots[target].bound, o.bound = none, none
			if errno := s.stop(target); errno != 0 {
				res = errno
			}
		}
		s.run(s.finish(i, -int32(res), 0))
	}
}

func (s *shard) before(a, b int) bool {
	heap := s.timers.heap
	return s.ops.slots[heap[a]].due < s.ops.slots[heap[b]].due
}

func (s *shard) swap(a, b int) {
	heap := s.timers.heap
	heap[a], heap[b] = heap[b], heap[a]
	s.ops.slots[heap[a]].place, s.ops.slots[heap[b]].place = a, b
}

func (s *shard) rise(place int) {
	for place > 0 && s.before(place, (place-1)/2) {
		s.swap(place, (place-1)/2)
		place = (place - 1) / 2
	}
}

func (s *shard) sink(place int) {
	for {
		least := place
		for child := 2*place + 1; child <= 2*place+2 && child < len(s.timers.heap); child++ {
			if s.before(child, least) {
				least = child
			}
		}
		if least == place {
			return
		}
		s.swap(place, least)
		place = least
	}
}

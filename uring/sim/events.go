package sim

import "container/heap"

// event is something that happens at a virtual time.
type event struct {
	at    uint64 // monotonic µs
	order uint64 // random: who goes first at the same time
	seq   uint64
	run   func() // nil once called off
}

type eventHeap []*event

func (h eventHeap) Len() int { return len(h) }

func (h eventHeap) Less(i, j int) bool {
	a, b := h[i], h[j]
	if a.at != b.at {
		return a.at < b.at
	}
	if a.order != b.order {
		return a.order < b.order
	}
	return a.seq < b.seq
}

func (h eventHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

func (h *eventHeap) Push(x any) { *h = append(*h, x.(*event)) }

func (h *eventHeap) Pop() any {
	last := len(*h) - 1
	e := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return e
}

// after makes run happen so many microseconds from now. It may be called off by setting the event's run to nil.
func (w *World) after(micros uint64, run func()) *event { return w.at(w.mono+micros, run) }

func (w *World) at(mono uint64, run func()) *event {
	w.seq++
	e := &event{at: mono, order: w.rng.Uint64(), seq: w.seq, run: run}
	heap.Push(&w.events, e)
	return e
}

// nextAt returns the time of the next event, and false when nothing will ever happen by itself.
func (w *World) nextAt() (uint64, bool) {
	for len(w.events) > 0 && w.events[0].run == nil {
		heap.Pop(&w.events)
	}
	if len(w.events) == 0 {
		return 0, false
	}
	return w.events[0].at, true
}

// runNext goes to the time of the next event and lets it happen.
func (w *World) runNext() {
	if _, ok := w.nextAt(); !ok {
		return
	}
	e := heap.Pop(&w.events).(*event)
	w.advance(e.at)
	run := e.run
	e.run = nil
	run()
}

// runDue lets everything happen whose time has come.
func (w *World) runDue() {
	for at, ok := w.nextAt(); ok && at <= w.mono; at, ok = w.nextAt() {
		w.runNext()
	}
}

// advance moves the clock forward; it never goes back.
func (w *World) advance(mono uint64) { w.mono = max(w.mono, mono) }

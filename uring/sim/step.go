package sim

// runner is a shard that World.Step runs.
type runner struct {
	shard int
	tick  func()
	rests uint64 // it does not run before: µs
}

// Run lets Step call tick whenever the shard is awake: one tick of its loop, an Enter included. It ends with Halt, Kill or PowerCut.
func (w *World) Run(shard int, tick func()) {
	w.runners = append(w.runners, &runner{shard: shard, tick: tick})
}

// Halt takes a shard out of Step's hands.
func (w *World) Halt(shard int) {
	for i, r := range w.runners {
		if r.shard == shard {
			w.runners = append(w.runners[:i:i], w.runners[i+1:]...)
			return
		}
	}
}

// Step runs one thing: an event that is due, or a tick of a shard that is awake. When there is none it lets time pass to the next. It
// returns false when nothing will ever happen again.
func (w *World) Step() bool {
	w.stepWall()
	w.advance(w.mono + w.below(4))
	for {
		ready := 0
		for _, r := range w.runners {
			if w.awake(r) {
				ready++
			}
		}
		at, any := w.nextAt()
		due := any && at <= w.mono
		if ready == 0 && !due {
			if !w.pass(at, any) {
				return false
			}
			continue
		}
		if due && (ready == 0 || w.rng.Uint32()&1 == 0) {
			w.runNext()
			return true
		}
		nth := w.below(uint64(ready))
		for _, r := range w.runners {
			if !w.awake(r) {
				continue
			}
			if nth == 0 {
				w.tick(r)
				return true
			}
			nth--
		}
	}
}

// tick runs a shard once: its blocking Enter, if it sat in one, returns.
func (w *World) tick(r *runner) {
	if f := &w.o.Faults; w.fault(FaultPause, f.Pause) {
		r.rests = w.mono + w.below(f.PauseMicros)
	}
	w.note(traceStep, uint64(r.shard))
	if w.kernel != nil {
		if s := w.kernel.shards[r.shard]; s != nil {
			s.rise()
		}
	}
	r.tick()
}

// awake reports whether a shard can run now.
func (w *World) awake(r *runner) bool {
	if r.rests > w.mono {
		return false
	}
	s := w.kernel.shards[r.shard]
	if s == nil || !s.asleep {
		return true
	}
	return s.roused() || s.until != 0 && s.until <= w.mono
}

// pass lets time pass until something can happen.
func (w *World) pass(at uint64, any bool) bool {
	next := at
	sooner := func(t uint64) {
		if !any || t < next {
			next, any = t, true
		}
	}
	for _, r := range w.runners {
		s := w.kernel.shards[r.shard]
		switch {
		case r.rests > w.mono:
			sooner(r.rests)
		case s != nil && s.asleep && s.until != 0:
			sooner(s.until)
		}
	}
	if any {
		w.advance(next)
	}
	return any
}

// stepWall lets the wall clock jump and sleepers wake for nothing.
func (w *World) stepWall() {
	f := &w.o.Faults
	if w.fault(FaultWallStep, f.WallStep) {
		w.StepWall(int64(w.below(4_000_000)) - 2_000_000)
	}
	if len(w.runners) > 0 && w.fault(FaultSpurious, f.Spurious) {
		r := w.runners[w.below(uint64(len(w.runners)))]
		if s := w.kernel.shards[r.shard]; s != nil && s.asleep {
			s.woken = true
		}
	}
}

package simtest

import "galgo/wire"

var _ = register(family{name: "poll", weight: 35, act: poll})

// poll reads a partition of a data topic, by one of the five strategies, with and without auto-commit.
func poll(a *actor) {
	p := a.p
	t := a.partition()
	k := p.offsets.of(a, t)
	visible, count := t.visible, uint32(1+a.rng.IntN(40))
	strategy := wire.Strategy{Kind: wire.PollOffset + uint8(a.rng.IntN(5))}
	from, exact := uint64(0), false // where the first message has to be
	switch strategy.Kind {
	case wire.PollOffset:
		strategy.Value = p.rng.Uint64N(visible + 3)
		if a.rng.IntN(3) == 0 && visible > 20 { // what is newest is in memory
			strategy.Value = visible - a.rng.Uint64N(20)
		}
		from, exact = strategy.Value, true
	case wire.PollTimestamp:
		wall, _ := p.w.Clock()
		strategy.Value = wall - a.rng.Uint64N(2_000_000)
	case wire.PollFirst:
		exact = true
	case wire.PollNext:
		from, exact = k.next()
	}
	commit := a.rng.IntN(4) == 0
	if commit && !k.begin() {
		commit = false
	}
	a.ask(wire.OpNonReplicated, wire.CodePollMessages, pollBody(single(k.id), t, strategy, count, commit), func(got answer) {
		last, some := judgePoll(p, t, visible, strategy, count, from, exact, got)
		if commit {
			k.committed(got, last, some)
		}
	}, "poll %s, strategy %d/%d, %d messages, commit %v", t, strategy.Kind, strategy.Value, count, commit)
}

// judgePoll checks an answer, when messages below visible had been acknowledged before it was asked for.
func judgePoll(p *play, t *dataPartition, visible uint64, strategy wire.Strategy, count uint32, from uint64, exact bool, got answer) (last uint64, some bool) {
	switch {
	case got.gone():
		return 0, false
	case got.status == wire.StatusCannotReadMessage && (p.weather.reads || p.weather.slow || p.rotten()):
		p.note("poll refused: cannot read")
		return 0, false
	case !got.ok():
		p.fail("poll %s: got %v, want ok in weather %s", t, got, p.weather.name)
	}
	prefix, _, err := wire.DecodePollPrefix(got.payload)
	if err != nil {
		p.fail("poll reply: %v", err)
	}
	brought, next := p.messages.poll(t, from, exact, got)
	current := uint64(0) // offset after the last one, as the reply has it
	if t.visible > 0 {
		current = prefix.CurrentOffset + 1
	}
	switch {
	case brought > uint64(count):
		p.fail("poll %s: got %d messages, want %d at most", t, brought, count)
	case t.unread: // where a range cannot be read nobody knows the end
	case current < visible:
		p.fail("poll %s: got current offset %d, want %d at least, which was acknowledged before", t, prefix.CurrentOffset, visible-1)
	case exact && from < visible && brought == 0:
		p.fail("poll %s at %d: got no messages, want some of those below %d, which were acknowledged before", t, from, visible)
	case strategy.Kind == wire.PollLast && visible > 0 && (brought == 0 || brought == uint64(count) && next < visible):
		p.fail("poll %s: got the last %d messages up to %d, want those before %d at least", t, brought, next, visible)
	}
	if brought > 0 && strategy.Kind == wire.PollTimestamp {
		p.checkTime(t, next-brought, strategy.Value)
	}
	return next - 1, brought > 0
}

// checkTime checks that a poll by time began at the first batch of that time or later.
func (p *play) checkTime(t *dataPartition, first, micros uint64) {
	if got, ok := t.times[first]; !ok || got < micros {
		p.fail("poll %s by time %d: got a batch at offset %d of time %d", t, micros, first, got)
	}
	for offset, b := range t.log {
		if at, known := t.times[offset]; known && offset+b.count == first && at >= micros {
			p.fail("poll %s by time %d: got offset %d first, want %d, whose time is %d", t, micros, first, offset, at)
		}
	}
}

// partition is some partition of a data topic.
func (a *actor) partition() *dataPartition {
	t := a.p.messages.topics[a.rng.IntN(len(a.p.messages.topics))]
	return t.partitions[a.rng.IntN(len(t.partitions))]
}

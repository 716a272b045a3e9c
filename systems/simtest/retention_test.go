package simtest

import (
	"galgo/uring/sim"
	"galgo/wire"
)

// expired says whether the segment that begins at an offset has to go when the wall clock shows a time: the last of its messages is older than the
// topic wants. Where nobody knows its time, it may be.
func (own *ownTopic) expired(first int, wall uint64) bool {
	last := own.times[own.next(first)-1]
	return own.kind.expiry > 0 && wall > last+own.kind.expiry
}

// tooLarge says whether the topic has to lose the segment that begins at an offset, if it is the first.
func (own *ownTopic) tooLarge(first int) bool {
	return own.kind.sizeMax > 0 && own.kind.record*uint64(len(own.numbers)-first) > own.kind.sizeMax
}

// keepsTo is where the topic begins once retention has done all that it has to, if the wall clock was at a time all the while.
func (own *ownTopic) keepsTo(wall uint64) int {
	first := own.first
	for own.closed(first) && (own.expired(first, wall) && own.times[own.next(first)-1] > 0 || own.tooLarge(first)) {
		first = own.next(first)
	}
	return first
}

// passesLeast and passesMax are how often retention passes while time is passed: what is too large goes with the first of them, however short the time
// is, and what has expired by the third one before the end is gone at the end.
const (
	passesLeast = 4
	passesMax   = 1440
)

// passTime lets up to a day go by while nobody asks for anything, and looks at what retention has left.
func (p *play) passTime() {
	p.setFaults(sim.Faults{})
	long := max(min(p.someTime(), passesMax*p.server.retention), passesLeast*p.server.retention)
	begin := now(p.w)
	p.tell("nothing is asked for %d s", long/second)
	for now(p.w) < begin+long {
		if !p.w.Step() {
			p.fail("nothing happens any more: want retention every %d s", p.server.retention/second)
		}
	}
	p.note("time passed")
	wall, _ := p.w.Clock()
	wall -= 3 * p.server.retention // passes since then have seen all of it
	c := p.connect("retention")
	for _, a := range p.actors {
		if own := &a.own; own.there && len(own.numbers) > 0 && !p.troubled() {
			own.kept(p, c, a.ownStream(), own.keepsTo(wall))
		}
	}
	c.hangUp()
	p.setFaults(rough.faults)
}

// someTime is how much: so much that what some topic holds is about to expire, or just has.
func (p *play) someTime() uint64 {
	times := []uint64{[]uint64{30 * second, hour, 24 * hour}[p.rng.IntN(3)]}
	for _, a := range p.actors {
		if a.own.there && a.own.closed(a.own.first) && a.own.kind.expiry > 0 {
			times = append(times, a.own.kind.expiry*3/4, a.own.kind.expiry*5/4)
		}
	}
	return times[p.rng.IntN(len(times))]
}

// troubled says whether the life's weather may keep retention from working.
func (p *play) troubled() bool {
	return p.weather.disk || p.weather.slow || p.weather.space || p.rotten()
}

// kept wants all below an offset to be gone.
func (own *ownTopic) kept(p *play, c *client, stream wire.Ident, least int) {
	got := c.call(wire.OpNonReplicated, wire.CodePollMessages, wire.AppendPollMessages(nil, ownPoll(stream, 0, 1)))
	_, batches, err := wire.DecodePollPrefix(got.payload)
	read := storedIn(batches)
	if !got.ok() || err != nil || len(read) == 0 {
		p.fail("poll %s: got %v, error %v, %d batches, want what retention has to leave", stream.Name, got, err, len(read))
	}
	own.kind.check(p, read[0])
	own.begins(p, int(read[0].offset), "a poll after some time")
	if own.first < least {
		p.fail("%s, kind %s: got offset %d, want none below %d when time has passed", stream.Name, own.kind.name, own.first, least)
	}
}

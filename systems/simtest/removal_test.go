package simtest

import (
	"galgo/components"
	"galgo/wire"
)

var _ = register(family{name: "segments", weight: 5, act: deleteSegments})

// deleteSegments removes the oldest closed segments of the actor's own topic: as many as it asks for and has, as far as the stored offset has
// passed them.
func deleteSegments(a *actor) {
	own := &a.own
	if !own.there {
		useOwn(a)
		return
	}
	p, count := a.p, a.rng.IntN(4)
	least, most := own.without(own.first, count), own.without(own.mayBegin(p), count)
	if p.server.level == components.LevelMemory {
		least = own.first // what was answered need not be written yet, and stays until it is
	}
	own.removed = most // from now on
	remove := wire.DeleteSegments{Stream: a.ownStream(), Topic: wire.IdentNamed(ownTopicName), SegmentsCount: uint32(count)}
	a.ownWrite(wire.OpDeleteSegments, wire.AppendDeleteSegments(nil, remove), func() {
		if least > own.first {
			p.note("segments deleted")
			p.tempted = p.tempted || a.rng.IntN(6) == 0 // their files are still there
		}
		p.noteIf(own.stored >= 0 && least == own.first && count > 0 && len(own.numbers) > own.kind.open, "segments kept for a stored offset")
		own.first = least
		a.then = a.ownCheck
	}, "delete segments of its topic")
}

// without is where the topic begins when it began at an offset and so many segments go: closed ones, which the stored offset has passed.
func (own *ownTopic) without(first, count int) int {
	for ; count > 0 && own.closed(first) && (own.stored < 0 || own.next(first) <= own.stored+1); count-- {
		first = own.next(first)
	}
	return first
}

// closed says whether the segment that begins at an offset is: another one has begun.
func (own *ownTopic) closed(first int) bool {
	return own.kind.open > 0 && own.next(first) < len(own.numbers)
}

// next is where the segment behind the one that begins at an offset begins.
func (own *ownTopic) next(first int) int { return first + own.kind.open }

// mayBegin is the highest offset at which the topic may begin now: what was to be deleted is, and retention was as quick as it can be.
func (own *ownTopic) mayBegin(p *play) int {
	first, wall := own.first, p.w.WallHighest()
	for own.closed(first) && (own.expired(first, wall) || own.tooLarge(first)) {
		first = own.next(first)
	}
	return max(first, own.removed)
}

// begins takes an offset at which the topic was seen to begin.
func (own *ownTopic) begins(p *play, first int, how string) {
	if most := own.mayBegin(p); first < own.first || first > most || own.kind.open > 0 && first%own.kind.open != 0 {
		p.fail("a topic of kind %s with offsets up to %d: got %d as the first one by %s, want one of [%d, %d] at which a segment begins", own.kind.name, len(own.numbers), first, how, own.first, most)
	}
	if first > own.first {
		p.note("messages gone: " + own.kind.name)
	}
	own.first = first
}

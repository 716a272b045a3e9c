package simtest

import "galgo/wire"

var (
	_ = register(family{name: "purge", weight: 3, act: purge})
	_ = register(family{name: "segments", weight: 2, act: deleteSegments})
)

// purge empties the actor's own topic, or its stream: it is as if it had been made just now.
func purge(a *actor) {
	if !a.own.there {
		useOwn(a)
		return
	}
	op, body := wire.OpPurgeTopic, wire.AppendTopicRef(nil, wire.TopicRef{Stream: a.ownStream(), Topic: wire.IdentNamed(ownTopicName)})
	if a.rng.IntN(3) == 0 {
		op, body = wire.OpPurgeStream, wire.AppendIdent(nil, a.ownStream())
	}
	a.ownWrite(op, body, func() {
		a.own.numbers, a.own.stored = nil, false
		a.then = a.ownCheck
		a.p.note("purged")
	}, "purge its topic")
}

// deleteSegments asks for what there is nothing of: a few messages are all in the open segment, which stays.
func deleteSegments(a *actor) {
	if !a.own.there || len(a.own.numbers) >= evenOpen && a.even() {
		useOwn(a)
		return
	}
	remove := wire.DeleteSegments{Stream: a.ownStream(), Topic: wire.IdentNamed(ownTopicName), SegmentsCount: uint32(a.rng.IntN(3))}
	a.ownWrite(wire.OpDeleteSegments, wire.AppendDeleteSegments(nil, remove), func() { a.then = a.ownCheck }, "delete segments of its topic")
}

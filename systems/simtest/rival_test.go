package simtest

import (
	"slices"

	"galgo/wire"
)

var _ = register(family{name: "rival", weight: 3, act: beRival})

// rival is a second connection that sends to the actor's own topic, one batch after the other, while the first one purges or deletes that. What was
// answered with an offset that goes on came before and is gone; what begins anew at 0 came after, and is there.
type rival struct {
	a      *actor
	c      *client
	op     wire.Operation
	before uint64   // how many messages the topic has that come before
	after  []uint64 // numbers of the messages of a topic that begins anew
	begun  bool     // a send came after
	asked  bool     // for the removal
	ended  bool     // that is answered, or will not be asked for
	vague  bool     // an answer is missing, or says that it may have happened
}

// refusals are what sends get from a topic that is gone, or goes.
var refusals = []wire.Status{wire.StatusTopicIdNotFound, wire.StatusPartitionNotFound, wire.StatusResourceNotFound}

func beRival(a *actor) {
	own := &a.own
	if !own.there || len(own.numbers) == 0 || own.kind.expiry > 0 || own.kind.sizeMax > 0 {
		useOwn(a)
		return
	}
	r := &rival{a: a, op: wire.OpPurgeTopic, before: uint64(len(own.numbers))}
	if a.rng.IntN(3) == 0 {
		r.op = wire.OpDeleteTopic
	}
	own.changes = true
	a.turns++
	a.visit(func(c *client) {
		r.c = c
		c.login(passwordOf(user, password), func(got answer) {
			if !got.ok() {
				own.changes = false
				c.hangUp()
				return
			}
			r.send()
			a.p.w.After(1+uint64(a.rng.IntN(1500)), r.remove)
		})
	})
}

// send sends the next batch.
func (r *rival) send() {
	p, own := r.a.p, &r.a.own
	first, count := p.messages.next, 1+r.a.rng.IntN(5)
	batch := p.messages.encode(first, count)
	if own.kind.record > 0 {
		count, batch = 1, own.kind.batch(first)
	}
	p.messages.next += uint64(count)
	prefix := wire.AppendSendMessages(nil, wire.SendMessages{Stream: r.a.ownStream(), Topic: wire.IdentNamed(ownTopicName), MessagesCount: uint32(count),
		Partitioning: wire.Partitioning{Kind: wire.PartitionNumbered}})
	r.c.ask(wire.OpSendMessages, 0, append(prefix, batch...), func(got answer) {
		again := got.ok() && !r.ended && !p.resting && r.before < 2*evenFull
		switch {
		case got.ok():
			r.take(got, first, count)
		case got.gone():
			r.vague, r.ended = true, r.ended || !r.asked
		case got.status == wire.StatusCannotSaveMessagesToSegment && (p.weather.disk || p.weather.slow):
			r.vague = true
		case got.status == wire.StatusCannotAppendMessage && (p.weather.space || p.weather.slow || p.weather.disk):
		case r.op == wire.OpDeleteTopic && slices.Contains(refusals, got.status):
		default:
			p.fail("a rival's send while %s is under way: got %v in weather %s", r.op, got, p.weather.name)
		}
		if again {
			r.send()
		} else {
			r.settle()
		}
	})
}

// take takes the answer to a send.
func (r *rival) take(got answer, first uint64, count int) {
	p := r.a.p
	c, err := wire.DecodeSendReply(got.payload)
	if err != nil {
		p.fail("send reply: %v", err)
	}
	switch {
	case !r.begun && c.BaseOffset == r.before:
		r.before += uint64(count)
		return
	case !r.begun && c.BaseOffset == 0 && r.op == wire.OpPurgeTopic:
		r.begun = true
	case !r.begun || c.BaseOffset != uint64(len(r.after)):
		p.fail("a rival's send while %s is under way: got offset %d, want %d, or %d of a topic that begins anew", r.op, c.BaseOffset, r.before, len(r.after))
	}
	for n := first; n < first+uint64(count); n++ {
		r.after = append(r.after, n)
	}
}

// remove asks for the removal.
func (r *rival) remove() {
	a, p := r.a, r.a.p
	if r.ended {
		return
	}
	if a.over || a.c.over {
		r.ended, r.vague = true, true
		r.settle()
		return
	}
	r.asked = true
	p.tell("%s asks for %s, and %s sends meanwhile", a.c.name, r.op, r.c.name)
	body := wire.AppendTopicRef(nil, wire.TopicRef{Stream: a.ownStream(), Topic: wire.IdentNamed(ownTopicName)})
	a.c.ask(r.op, 0, body, func(got answer) {
		r.ended = true
		if got.ok() && slices.Contains(always, r.op) {
			p.logged(got.header.Op, a.c.name)
		}
		p.mustWrite(got, r.op.String())
		r.vague = r.vague || !got.ok()
		r.settle()
	})
}

// settle enters what became of the topic, once everything is answered.
func (r *rival) settle() {
	a, p := r.a, r.a.p
	if !r.ended || r.c.reply != nil {
		return
	}
	r.c.hangUp()
	own := &a.own
	own.changes = false
	switch {
	case r.vague:
		a.own = ownTopic{number: own.number + 1}
	case r.op == wire.OpDeleteTopic:
		own.there = false
		p.note("deleted beside a rival")
	default:
		p.noteIf(r.begun, "rival's message after a purge")
		p.noteIf(r.before > uint64(len(own.numbers)), "rival's message before a removal")
		own.empty()
		own.numbers, own.times = r.after, make([]uint64, len(r.after))
		a.then = a.ownCheck
	}
}

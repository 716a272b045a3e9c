package simtest

import (
	"slices"

	"galgo/components"
	"galgo/wire"
)

// left is an own topic as it was when a life ended, and no change was under way.
type left struct {
	stream wire.Ident
	ownTopic
	level components.Level
	sure  bool // no crash since that the level does not survive
}

// leftovers notes the own topics that a life leaves.
func (p *play) leftovers() {
	p.left = p.left[:0]
	for _, a := range p.actors {
		if a.own.there && !a.own.changes && !a.own.doubted {
			p.left = append(p.left, left{a.ownStream(), a.own, p.server.level, true})
		}
	}
}

// auditOwn looks at the topics that the last life left: nothing of those that were there before them under the same name is in them, and
// nothing that was gone is back. All that survives such crashes as there were is there.
func (p *play) auditOwn(c *client) {
	if p.rotten() {
		return
	}
	for i := range p.left {
		l := &p.left[i]
		r := l.read(true)
		for more := true; more; {
			got := c.call(wire.OpNonReplicated, wire.CodePollMessages, wire.AppendPollMessages(nil, ownPoll(l.stream, r.at(), r.most)))
			if got.status == wire.StatusCannotReadMessage && p.diskForgot() {
				return
			}
			_, batches, err := wire.DecodePollPrefix(got.payload)
			if !got.ok() || err != nil {
				p.fail("poll %s after the start: got %v, error %v", l.stream.Name, got, err)
			}
			before := len(r.numbers)
			r.take(p, &l.ownTopic, batches)
			more = len(r.numbers) != before && r.at() <= len(l.numbers) && !r.glance
		}
		want := l.numbers[max(r.first, 0):]
		if r.glance {
			want = want[:min(len(want), max(1, len(r.numbers)))]
		}
		if !slices.Equal(r.numbers, want[:min(len(want), len(r.numbers))]) || l.sure && len(r.numbers) < len(want) {
			p.fail("%s after the start: got messages %v from offset %d on, want the first of %v, or, if %v, all", l.stream.Name, r.numbers, r.first, want, l.sure)
		}
		key := wire.OffsetKey{Consumer: single(7), Stream: l.stream, Topic: wire.IdentNamed(ownTopicName), Partition: wire.OptionalPartition{Present: true}}
		got := c.call(wire.OpNonReplicated, wire.CodeGetConsumerOffset, wire.AppendOffsetKey(nil, key))
		if offset := storedOffset(p, got); offset >= 0 && l.stored < 0 {
			p.fail("%s after the start: got offset %d, which nobody stored", l.stream.Name, offset)
		}
	}
}

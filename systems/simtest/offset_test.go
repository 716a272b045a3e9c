package simtest

import (
	"fmt"
	"slices"

	"galgo/components"
	"galgo/wire"
)

var _ = register(family{name: "offset", weight: 12, act: storeOffset})

// offsets is what is known of stored offsets. Each key belongs to one actor, so that its story is a sequence.
type offsets struct {
	p    *play
	keys []*offsetKey
}

// offsetKey is one consumer's offset in one partition.
type offsetKey struct {
	p     *play
	t     *dataPartition
	id    uint32
	past  []offsetValue // what it was, oldest first; the last is what it is, save for strays
	stray []offsetValue // of requests that were not answered: they may come at any time in this life
	vague bool          // a commit was not answered: anything, until the next life

	crashed bool // since the last audit
	floor   int  // and so past from here on may be what is there
}

// offsetValue is a value it had, or none.
type offsetValue struct {
	set   bool
	value uint64
	soft  bool             // committed by a poll: it promises nothing
	level components.Level // of a store or deletion that was acknowledged
}

func (v offsetValue) String() string {
	if !v.set {
		return "none"
	}
	return fmt.Sprint(v.value)
}

func (v offsetValue) is(other offsetValue) bool {
	return v.set == other.set && (!v.set || v.value == other.value)
}

// of is the key of an actor in a partition.
func (o *offsets) of(a *actor, t *dataPartition) *offsetKey {
	id := uint32(100 + a.id)
	for _, k := range o.keys {
		if k.t == t && k.id == id {
			return k
		}
	}
	k := &offsetKey{p: o.p, t: t, id: id, past: []offsetValue{{level: components.LevelDurable}}}
	o.keys = append(o.keys, k)
	return k
}

func (k *offsetKey) now() offsetValue { return k.past[len(k.past)-1] }

// next is where a poll after the stored offset begins, when that is known.
func (k *offsetKey) next() (from uint64, exact bool) {
	if k.vague || len(k.stray) > 0 {
		return 0, false
	}
	if v := k.now(); v.set {
		return v.value + 1, true
	}
	return 0, true
}

// begin says whether a poll may commit: not while strays are about, which it could not go behind.
func (k *offsetKey) begin() bool { return !k.vague && len(k.stray) == 0 }

// committed takes the answer to a poll that commits.
func (k *offsetKey) committed(got answer, last uint64, some bool) {
	switch {
	case got.gone():
		k.vague = true
	case some && (!k.now().set || last > k.now().value):
		k.past = append(k.past, offsetValue{set: true, value: last, soft: true})
	}
}

// level is what an acknowledgement means for stored offsets.
func (k *offsetKey) level() components.Level { return k.p.messages.level(k.t.topic) }

// possible lists what a reader may find now.
func (k *offsetKey) possible() []offsetValue { return append(slices.Clone(k.stray), k.now()) }

// offsetKey names the offset of a consumer.
func (t *dataPartition) offsetKey(consumer uint32) wire.OffsetKey {
	return wire.OffsetKey{Consumer: single(consumer), Stream: wire.IdentNamed(dataStream), Topic: t.topic.ident(), Partition: wire.OptionalPartition{Present: true, ID: t.id}}
}

// storeOffset stores, reads or deletes an offset.
func storeOffset(a *actor) {
	p := a.p
	t := a.partition()
	k := p.offsets.of(a, t)
	key := t.offsetKey(k.id)
	switch a.rng.IntN(5) {
	case 0, 1:
		visible := t.visible
		v := offsetValue{set: true, value: a.rng.Uint64N(visible + 2), level: k.level()}
		a.ask(wire.OpStoreConsumerOffset, 0, wire.AppendStoreConsumerOffset(nil, wire.StoreConsumerOffset{OffsetKey: key, Offset: v.value, Ack: wire.AckQuorum}), func(got answer) {
			if got.status == wire.StatusInvalidOffset {
				if v.value < visible && !t.unread {
					p.fail("store offset %d of %s: got refused as beyond the end, want ok: messages below %d were acknowledged", v.value, t, visible)
				}
				return
			}
			k.changed(got, v, "store")
		}, "store offset %d of consumer %d in %s", v.value, k.id, t)
	case 2:
		a.ask(wire.OpDeleteConsumerOffset, 0, wire.AppendDeleteConsumerOffset(nil, wire.DeleteConsumerOffset{OffsetKey: key, Ack: wire.AckQuorum}), func(got answer) {
			v := offsetValue{level: k.level()}
			if got.status == wire.StatusConsumerOffsetNotFound {
				k.seen(offsetValue{}, "deletion")
				return
			}
			if got.ok() && !k.vague && len(k.stray) == 0 && !k.now().set {
				p.fail("delete offset of consumer %d in %s: got ok, want refused: there is none", k.id, t)
			}
			k.changed(got, v, "delete")
		}, "delete the offset of consumer %d in %s", k.id, t)
	default:
		a.ask(wire.OpNonReplicated, wire.CodeGetConsumerOffset, wire.AppendOffsetKey(nil, key), func(got answer) { k.read(got) }, "read the offset of consumer %d in %s", k.id, t)
	}
}

// changed takes the answer to a store or a deletion.
func (k *offsetKey) changed(got answer, v offsetValue, what string) {
	switch {
	case got.gone():
		k.stray = append(k.stray, v)
	case got.ok():
		k.past = append(k.past, v)
	case got.status == wire.StatusCannotWriteToFile && (k.p.weather.disk || k.p.weather.slow || k.p.weather.space):
		k.p.note("offset refused: storage failed")
		k.stray = append(k.stray, v)
	default:
		k.p.fail("%s offset of %s: got %v, want ok in weather %s", what, k.t, got, k.p.weather.name)
	}
}

// read takes the answer to a read.
func (k *offsetKey) read(got answer) {
	switch {
	case got.gone():
		return
	case !got.ok():
		k.p.fail("read the offset of consumer %d in %s: got %v, want ok", k.id, k.t, got)
	}
	v := offsetValue{}
	if len(got.payload) > 0 {
		stored, err := wire.DecodeStoredOffset(got.payload)
		if err != nil {
			k.p.fail("stored offset: %v", err)
		}
		v = offsetValue{set: true, value: stored.StoredOffset}
	}
	k.seen(v, "read")
}

// seen checks a value against what it may be.
func (k *offsetKey) seen(v offsetValue, how string) {
	if !k.vague && !slices.ContainsFunc(k.possible(), v.is) {
		k.p.fail("offset of consumer %d in %s: got %v by a %s, want one of %v", k.id, k.t, v, how, k.possible())
	}
}

// crashed widens what may be there: back to what is certain to have survived.
func (o *offsets) crashed(power bool) {
	for _, k := range o.keys {
		certain := 0
		for i, v := range k.past {
			if !v.soft && survives(v.level, power) {
				certain = i
			}
		}
		if !k.crashed || certain < k.floor {
			k.floor = certain
		}
		k.crashed = true
	}
}

// audit reads what a start has found, and holds on to it.
func (o *offsets) audit(c *client) {
	for _, k := range o.keys {
		got := c.call(wire.OpNonReplicated, wire.CodeGetConsumerOffset, wire.AppendOffsetKey(nil, k.t.offsetKey(k.id)))
		if !got.ok() {
			o.p.fail("read the offset of consumer %d in %s after the start: got %v, want ok", k.id, k.t, got)
		}
		v := offsetValue{level: components.LevelDurable}
		if len(got.payload) > 0 {
			stored, err := wire.DecodeStoredOffset(got.payload)
			if err != nil {
				o.p.fail("stored offset: %v", err)
			}
			v.set, v.value = true, stored.StoredOffset
		}
		fits := func(may offsetValue) bool {
			lowered := may
			if may.set && may.value >= k.t.visible { // beyond the end of a log that lost its tail
				lowered.set, lowered.value = k.t.visible > 0, k.t.visible-1
			}
			return v.is(may) || v.is(lowered)
		}
		past := k.past[len(k.past)-1:]
		if k.crashed {
			past = k.past[k.floor:]
		}
		if !k.vague && !o.p.rotten() && !slices.ContainsFunc(append(slices.Clone(past), k.stray...), fits) {
			o.p.fail("offset of consumer %d in %s: got %v after the start, want one of %v or, unanswered, %v; the log ends at %d", k.id, k.t, v, past, k.stray, k.t.visible)
		}
		k.past, k.stray, k.vague, k.crashed = append(k.past[:0], v), k.stray[:0], false, false
	}
}

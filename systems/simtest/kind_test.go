package simtest

import (
	"bytes"
	"encoding/binary"

	"galgo/components"
	"galgo/wire"
)

// topicKind is a way in which an actor's own topic is made and filled.
type topicKind struct {
	name       string
	partitions int    // 0: some
	record     uint64 // bytes of a record, each of one message; 0: batches of a few small messages, which never fill a segment
	open       int    // messages of a segment
	full       int    // and how many it holds at most
	expiry     uint64 // µs after which a closed segment is to go; 0: never
	sizeMax    uint64 // bytes above which the oldest closed segment is to go; 0: never
	glance     bool   // it is too much to be read
	options    []byte
}

// Where a log gets a file of the pool, the records of an even topic stand where those of its predecessor stood. They fill whole blocks, so that
// the last write leaves what stands behind it: where a record ends within a block, its writer makes the rest of that zero.
const (
	evenRecord  = 61 * components.UnitSize
	evenSegment = "1 MiB"
	evenFull    = 13 // three segments and one that is open
	evenOpen    = 4
)

var (
	loose = &topicKind{name: "loose"}
	even  = &topicKind{name: "even", partitions: 1, record: evenRecord, open: evenOpen, full: evenFull, options: options("segment_size", evenSegment)}
	// uneven is as large, and its records end within a block.
	uneven = &topicKind{name: "uneven", partitions: 1, record: evenRecord + 1111, open: evenOpen, full: evenFull, options: options("segment_size", evenSegment)}
	// What expires does so soon after its segment is closed, or in the course of a day.
	brief, middling, lasting = expiring("1s", second), expiring("10m", 600*second), expiring("10h", 10*hour)
	// capped holds no more than a partition may hold in any case, a segment and the largest frame: two of its records.
	capped = &topicKind{name: "capped", partitions: 1, record: 480 * components.UnitSize, open: 1, full: 24, sizeMax: 1<<20 + frameMax, glance: true,
		options: options("max_topic_size", "1 MiB", "segment_size", evenSegment)}
)

// In µs.
const (
	second = 1_000_000
	hour   = 3600 * second
)

func expiring(after string, micros uint64) *topicKind {
	kind := *even
	kind.name, kind.expiry, kind.options = "expiring", micros, options("message_expiry", after, "segment_size", evenSegment)
	return &kind
}

// drawKind is the kind of the next topic of an actor: every other actor's fill segments.
func (a *actor) drawKind() *topicKind {
	switch {
	case a.id%2 != 0 && !a.p.recycling, a.p.s.light:
		return loose
	case a.id == 0 && a.p.bulky:
		return capped
	}
	if a.rng.IntN(2) == 0 || a.p.recycling && a.rng.IntN(3) > 0 {
		if !a.p.recycling && a.rng.IntN(2) == 0 {
			return uneven
		}
		return even
	}
	return []*topicKind{brief, middling, lasting}[a.rng.IntN(3)]
}

// batch is the batch of one message.
func (k *topicKind) batch(n uint64) []byte {
	var builder wire.BatchBuilder
	builder.Reset(n + 1)
	payload := make([]byte, k.record-wire.BatchHeaderSize-wire.MessageHeaderSize)
	binary.LittleEndian.PutUint64(payload, n)
	for size := 8; size < len(payload); size *= 2 {
		copy(payload[size:], payload[:size])
	}
	builder.Add(wire.U128{Lo: n + 1}, 0, payload, nil)
	return builder.Bytes()
}

// check wants the bytes of a message to be its own.
func (k *topicKind) check(p *play, m storedMessage) {
	whole := k.record == 0 && bytes.Equal(m.payload, p.messages.body(nil, m.number)) ||
		k.record > 0 && len(m.payload) == int(k.record)-wire.BatchHeaderSize-wire.MessageHeaderSize && bytes.Equal(m.payload[8:], m.payload[:len(m.payload)-8])
	if !whole {
		p.fail("a topic of kind %s: offset %d: the bytes of message %d are not its own", k.name, m.offset, m.number)
	}
}

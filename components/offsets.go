package components

import (
	"iter"

	"galgo/ecs"
)

// Offsets is the State component of stored consumer offsets of the partitions that this shard owns.
type Offsets struct {
	rows  map[offsetKey]uint32
	slots ecs.Slots
	key   []offsetKey
	Value []uint64 // offset of the last message consumed
	Order []uint64 // run << 40 | counter of the change that set it
	next  []uint32 // the partition's next offset, plus one

	heads  map[ecs.Entity]offsetHead
	Orders uint64 // the counter of the last change
}

type offsetKey struct {
	partition ecs.Entity
	consumer  ConsumerKey
}

type offsetHead struct {
	first  uint32 // row plus one
	counts [3]int // by kind
}

// NewOffsets is an empty table.
func NewOffsets() Offsets {
	return Offsets{rows: map[offsetKey]uint32{}, heads: map[ecs.Entity]offsetHead{}}
}

// Len is how many offsets are stored.
func (o *Offsets) Len() int { return len(o.rows) }

// Find is the row of a stored offset.
func (o *Offsets) Find(partition ecs.Entity, consumer ConsumerKey) (row uint32, ok bool) {
	row, ok = o.rows[offsetKey{partition, consumer}]
	return row, ok
}

// Count is how many offsets of one kind a partition has.
func (o *Offsets) Count(partition ecs.Entity, kind uint8) int { return o.heads[partition].counts[kind] }

// Set stores an offset.
func (o *Offsets) Set(partition ecs.Entity, consumer ConsumerKey, value, order uint64) {
	key := offsetKey{partition, consumer}
	if row, ok := o.rows[key]; ok {
		o.Value[row], o.Order[row] = value, order
		return
	}
	row, n := o.slots.Take(), o.slots.Cap()
	o.key = ecs.Grow(o.key, n)
	o.Value = ecs.Grow(o.Value, n)
	o.Order = ecs.Grow(o.Order, n)
	o.next = ecs.Grow(o.next, n)
	head := o.heads[partition]
	o.key[row], o.Value[row], o.Order[row], o.next[row] = key, value, order, head.first
	head.first = row + 1
	head.counts[consumer.Kind]++
	o.heads[partition] = head
	o.rows[key] = row
}

// Delete forgets an offset.
func (o *Offsets) Delete(partition ecs.Entity, consumer ConsumerKey) {
	key := offsetKey{partition, consumer}
	row, ok := o.rows[key]
	if !ok {
		return
	}
	head := o.heads[partition]
	if head.first == row+1 {
		head.first = o.next[row]
	} else {
		at := head.first - 1
		for o.next[at] != row+1 {
			at = o.next[at] - 1
		}
		o.next[at] = o.next[row]
	}
	head.counts[consumer.Kind]--
	if head.first == 0 {
		delete(o.heads, partition)
	} else {
		o.heads[partition] = head
	}
	delete(o.rows, key)
	o.slots.Put(row)
}

// DeleteAll forgets every offset of a partition.
func (o *Offsets) DeleteAll(partition ecs.Entity) {
	for at := o.heads[partition].first; at != 0; {
		row := at - 1
		at = o.next[row]
		delete(o.rows, o.key[row])
		o.slots.Put(row)
	}
	delete(o.heads, partition)
}

// Of yields the offsets of a partition, newest key first.
func (o *Offsets) Of(partition ecs.Entity, yield func(consumer ConsumerKey, value uint64) bool) {
	for at := o.heads[partition].first; at != 0; at = o.next[at-1] {
		if !yield(o.key[at-1].consumer, o.Value[at-1]) {
			return
		}
	}
}

// Values yields who stored an offset of a partition, and which.
func (o *Offsets) Values(partition ecs.Entity) iter.Seq2[ConsumerKey, uint64] {
	return func(yield func(ConsumerKey, uint64) bool) { o.Of(partition, yield) }
}

// All yields every stored offset, in no particular but a repeatable order.
func (o *Offsets) All(yield func(partition ecs.Entity, consumer ConsumerKey, row uint32) bool) {
	for row := range o.key {
		if at, ok := o.rows[o.key[row]]; ok && at == uint32(row) {
			if !yield(o.key[row].partition, o.key[row].consumer, uint32(row)) {
				return
			}
		}
	}
}

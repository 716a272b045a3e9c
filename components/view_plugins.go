package components

import (
	"math"

	"galgo/ecs"
)

// NextPartition is the first row from a number on that has a partition of this shard.
func (v StateView) NextPartition(from int) (row int, ok bool) { return v.s.Partitions.Next(from) }

// PartitionFacts is what a partition's owner knows of it.
type PartitionFacts struct {
	Topic       ecs.Entity
	ID          uint32
	Created     uint64 // creating seq
	Phase       Phase
	Epoch       uint64
	OffsetFirst uint64
	OffsetNext  uint64
	Size        uint64 // bytes of records
	SegmentSize uint64
	Segments    int // the last one is open
}

// FactsOf is the partition in a row.
func (v StateView) FactsOf(row int) PartitionFacts {
	p := &v.s.Partitions
	return PartitionFacts{Topic: p.Topic[row], ID: p.ID[row], Created: p.Created[row], Phase: p.Phase[row], Epoch: p.Epoch[row],
		OffsetFirst: p.OffsetFirst[row], OffsetNext: p.OffsetNext[row], Size: p.Size[row], SegmentSize: p.SegmentSize[row], Segments: p.Segments[row].Len()}
}

// SegmentFacts is a segment of a partition.
type SegmentFacts struct {
	ID       uint64
	Base     uint64 // offset of the first message
	Next     uint64 // offset after the last
	End      uint64 // position after the last record
	TimeLast uint64 // µs, base timestamp of the last batch
}

// SegmentOf is number i of a partition's segments, the oldest first.
func (v StateView) SegmentOf(row, i int) SegmentFacts {
	s, segment := &v.s.Segments, v.s.Partitions.Segments[row].At(i)
	return SegmentFacts{ID: s.ID[segment], Base: s.Base[segment], Next: s.Next[segment], End: s.End[segment], TimeLast: s.TimeLast[segment]}
}

// LowestOffset is the smallest offset that a consumer or group has stored for a partition.
func (v StateView) LowestOffset(row int) (lowest uint64, ok bool) {
	lowest = math.MaxUint64
	for _, value := range v.s.Offsets.Values(v.s.Partitions.Entity(row)) {
		lowest, ok = min(lowest, value), true
	}
	return lowest, ok
}

// CatalogView is what plugins see of the catalog: values, by entity.
type CatalogView struct{ c *Catalog }

// Catalog is the read-only face of the catalog.
func (v StateView) Catalog() CatalogView { return CatalogView{v.s.Catalog} }

// Applied is the seq of the last event applied.
func (v CatalogView) Applied() uint64 { return v.c.Applied }

// StreamFacts is a stream of the catalog.
type StreamFacts struct {
	ID        uint32
	CreatedAt uint64 // µs
	Created   uint64 // creating seq
	Topics    int
}

// Stream finds a stream.
func (v CatalogView) Stream(stream ecs.Entity) (facts StreamFacts, ok bool) {
	t := &v.c.Streams
	row, ok := t.Row(stream)
	if !ok {
		return facts, false
	}
	return StreamFacts{ID: t.ID[row], CreatedAt: t.CreatedAt[row], Created: t.Created[row], Topics: t.TopicIDs[row].Len()}, true
}

// StreamName is the name of a stream, "" for one that is gone.
func (v CatalogView) StreamName(stream ecs.Entity) string {
	if row, ok := v.c.Streams.Row(stream); ok {
		return string(v.c.Text(v.c.Streams.Name[row]))
	}
	return ""
}

// TopicFacts is a topic of the catalog.
type TopicFacts struct {
	Stream     ecs.Entity
	ID         uint32
	CreatedAt  uint64 // µs
	Created    uint64 // creating seq
	Partitions uint32
	Options    TopicOptions
}

// Topic finds a topic.
func (v CatalogView) Topic(topic ecs.Entity) (facts TopicFacts, ok bool) {
	t := &v.c.Topics
	row, ok := t.Row(topic)
	if !ok {
		return facts, false
	}
	return TopicFacts{Stream: t.Stream[row], ID: t.ID[row], CreatedAt: t.CreatedAt[row], Created: t.Created[row], Partitions: t.Partitions[row],
		Options: t.Options[row]}, true
}

// TopicName is the name of a topic, "" for one that is gone.
func (v CatalogView) TopicName(topic ecs.Entity) string {
	if row, ok := v.c.Topics.Row(topic); ok {
		return string(v.c.Text(v.c.Topics.Name[row]))
	}
	return ""
}

// PartitionOf finds a partition of a topic by its number.
func (v CatalogView) PartitionOf(topic ecs.Entity, id uint32) (partition ecs.Entity, ok bool) {
	row, ok := v.c.Topics.Row(topic)
	if !ok {
		return ecs.None, false
	}
	if row, ok = v.c.PartitionByID(row, id); !ok {
		return ecs.None, false
	}
	return v.c.Partitions.Entity(row), true
}

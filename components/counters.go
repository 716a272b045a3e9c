package components

import (
	"sync/atomic"

	"galgo/ecs"
)

// counterBlock is how many partitions one block of counters covers.
const counterBlock = 1024

// Counters is the one table that all shards share: what any reader may ask of a partition without asking its owner. Each
// partition has one writer, its owner. Cells are stored before the answer leaves that makes them true, so GET_TOPIC on any shard
// right after a send is exact. A cell carries the partition's generation: another generation reads as zeros.
//
// Blocks are made by shard 0 before the event that creates their first partition is published, and never move.
type Counters struct {
	blocks []atomic.Pointer[[counterBlock]counterCell]
	rounds []atomic.Pointer[[counterBlock]atomic.Uint64] // by topic index: generation << 32 | sends without a partition
}

type counterCell struct {
	generation atomic.Uint32
	segments   atomic.Uint32
	first      atomic.Uint64
	next       atomic.Uint64 // visible
	size       atomic.Uint64
	_          [4]uint64 // a cell has its cache line for itself
}

// PartitionCounts is what the counters say of a partition.
type PartitionCounts struct {
	Segments uint32
	First    uint64 // earliest retained offset
	Next     uint64 // visible messages are below it
	Size     uint64 // bytes of records
}

// Messages is how many messages can be read.
func (c PartitionCounts) Messages() uint64 { return c.Next - c.First }

// Current is the offset of the last message, 0 when there is none.
func (c PartitionCounts) Current() uint64 {
	if c.Next == 0 {
		return 0
	}
	return c.Next - 1
}

// NewCounters is an empty table.
func NewCounters() *Counters {
	return &Counters{
		blocks: make([]atomic.Pointer[[counterBlock]counterCell], partitionsMax/counterBlock),
		rounds: make([]atomic.Pointer[[counterBlock]atomic.Uint64], topicsMax/counterBlock),
	}
}

// Reach makes room for a partition.
func (c *Counters) Reach(partition ecs.Entity) {
	block := &c.blocks[partition.Index()/counterBlock]
	if block.Load() == nil {
		block.Store(new([counterBlock]counterCell))
	}
}

func (c *Counters) cell(partition ecs.Entity) *counterCell {
	block := c.blocks[partition.Index()/counterBlock].Load()
	if block == nil {
		return nil
	}
	return &block[partition.Index()%counterBlock]
}

// Set stores the counts of a partition. Only its owner calls it.
func (c *Counters) Set(partition ecs.Entity, counts PartitionCounts) {
	cell := c.cell(partition)
	if cell.generation.Load() != partition.Generation() {
		cell.generation.Store(0) // readers of the old generation see none of the new counts
	}
	cell.segments.Store(counts.Segments)
	cell.first.Store(counts.First)
	cell.next.Store(counts.Next)
	cell.size.Store(counts.Size)
	cell.generation.Store(partition.Generation())
}

// Of reads the counts of a partition.
func (c *Counters) Of(partition ecs.Entity) PartitionCounts {
	cell := c.cell(partition)
	if cell == nil || cell.generation.Load() != partition.Generation() {
		return PartitionCounts{}
	}
	counts := PartitionCounts{
		First: cell.first.Load(), Next: cell.next.Load(), Size: cell.size.Load(), Segments: cell.segments.Load(),
	}
	counts.First = min(counts.First, counts.Next)
	return counts
}

// NextRound counts the balanced sends of a topic, over all shards: 0 for the first.
func (c *Counters) NextRound(topic ecs.Entity) uint32 {
	slot := &c.rounds[topic.Index()/counterBlock]
	block := slot.Load()
	if block == nil {
		slot.CompareAndSwap(nil, new([counterBlock]atomic.Uint64))
		block = slot.Load()
	}
	cell := &block[topic.Index()%counterBlock]
	for {
		old := cell.Load()
		round := uint32(old)
		if uint32(old>>32) != topic.Generation() {
			round = 0
		}
		if cell.CompareAndSwap(old, uint64(topic.Generation())<<32|uint64(round+1)) {
			return round
		}
	}
}

package systems

import (
	"math"

	"galgo/components"
	"galgo/ecs"
	"galgo/wire"
)

const (
	// retentionRows is how many partitions Retention looks at in a tick.
	retentionRows = 256
	// retentionSegments is how many segments of a partition go in one pass. Source: protocol.md, 15.
	retentionSegments = 16
)

// Retention is the plugin that removes old messages: by age, where the topic says message_expiry, and by size, where it says max_topic_size.
// Once an interval it passes over the partitions of its shard, and has closed segments removed from the oldest. Stored offsets do not hold it up, for one
// forgotten consumer must not fill the disk; what it takes from under a reader is logged once for each partition.
type Retention struct {
	interval uint64 // µs
	next     uint64 // mono µs: of the next pass
	row      int    // where the pass is; -1 is between passes
	warned   warned
}

// warned is the table of partitions of which readers were told that messages are gone before they had them.
type warned struct {
	ecs.Rows
}

// NewRetention is the plugin for one shard, with an interval in µs. The first pass comes at once.
func NewRetention(interval uint64) *Retention {
	return &Retention{interval: interval, row: -1, warned: warned{ecs.NewRows(math.MaxInt32)}}
}

// Observe goes on with the pass, a few partitions in a tick and one removal at a time.
func (r *Retention) Observe(v components.StateView, events []components.Happened, ask *Asks) {
	r.forget(v, events)
	now := v.Now().MonoMicros
	if r.row < 0 {
		if now < r.next {
			ask.WakeAt(r.next)
			return
		}
		r.row, r.next = 0, now+r.interval
	}
	if ask.Busy() {
		return
	}
	if answer, ok := ask.Answer(); ok && answer.Status != wire.StatusOK && answer.Status != wire.StatusPartitionNotFound {
		ask.Log(components.LogWarn, "old messages cannot be removed now", components.Num("status", uint64(answer.Status)))
		r.row = -1 // the others would hear the same
		ask.WakeAt(r.next)
		return
	}
	for range retentionRows {
		row, ok := v.NextPartition(r.row)
		if !ok {
			r.row = -1
			ask.WakeAt(r.next)
			return
		}
		r.row = row + 1
		if below := excess(v, row); below > 0 {
			r.warn(v, row, below, ask)
			ask.Truncate(v.PartitionAt(row), below)
			return
		}
	}
	ask.WakeAt(now)
}

// excess is the offset below which a partition's messages have to go, 0 if all may stay. A partition may hold a segment and the largest frame in any
// case: no full segment goes because of one frame behind it. Source: protocol.md, 15, which has frames of 64 MiB.
func excess(v components.StateView, row int) (below uint64) {
	p := v.FactsOf(row)
	topic, ok := v.Catalog().Topic(p.Topic)
	if !ok || p.Segments < 2 || p.Phase != components.Ready && p.Phase != components.Faulted {
		return 0
	}
	limit := uint64(math.MaxUint64)
	if topic.Options.MaxSize != math.MaxUint64 {
		limit = max(topic.Options.MaxSize/uint64(topic.Partitions), p.SegmentSize+uint64(v.Config().FrameMax))
	}
	now, expiry, size := v.Now().WallMicros, topic.Options.MessageExpiry, p.Size
	for i := range min(p.Segments-1, retentionSegments) { // the last one is open
		segment := v.SegmentOf(row, i)
		expired := expiry != math.MaxUint64 && segment.TimeLast < now && now-segment.TimeLast > expiry
		if !expired && size <= limit {
			break
		}
		size -= segment.End - wire.SegmentHeadSize
		below = segment.Next
	}
	return below
}

// warn says, once for a partition, that a reader loses messages.
func (r *Retention) warn(v components.StateView, row int, below uint64, ask *Asks) {
	partition := v.PartitionAt(row)
	lowest, stored := v.LowestOffset(row)
	if _, told := r.warned.Row(partition); told || !stored || lowest+1 >= below {
		return
	}
	r.warned.Insert(partition)
	p := v.FactsOf(row)
	ask.Log(components.LogWarn, "messages are removed by age or size that a consumer has not read: stored offsets do not hold them",
		components.Num("created", p.Created), components.Num("partition", uint64(p.ID)), components.Num("stored", lowest), components.Num("below", below))
}

// forget drops partitions that are gone.
func (r *Retention) forget(v components.StateView, events []components.Happened) {
	if r.warned.Len() == 0 {
		return
	}
	for i := range events {
		switch events[i].Kind {
		case wire.EventStreamDeleted, wire.EventTopicDeleted, wire.EventPartitionsDeleted:
			for row := range r.warned.All {
				partition := r.warned.Entity(row)
				if at, ok := v.Partition(partition); !ok || v.FactsOf(at).Phase == components.Deleting {
					r.warned.Remove(partition)
				}
			}
			return
		}
	}
}

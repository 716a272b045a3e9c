package components

import (
	"strconv"

	"galgo/ecs"
	"galgo/wire"
)

func consumerKind(kind uint8) string { return either(kind == wire.ConsumerGroup, "group", "consumer") }

// SegmentHead prints the head of a segment's log.
func (p *Printer) SegmentHead(h wire.SegmentHead) {
	p.Line(2, "head segment=%s partition=%v id=%d created=%s epoch=%d base=%d run=%d time=%s", RunCounter(h.SegmentID), ecs.Entity(h.Partition),
		h.PartitionID, RunCounter(h.CreatedSeq), h.PurgeEpoch, h.BaseOffset, h.Run, moment(h.Created))
}

// Record prints a record of a segment's log, which begins at position.
func (p *Printer) Record(r wire.RecordInfo, position uint64) {
	p.Line(2, "record @%d [%d,%d) size=%d time=%s run=%d safe-below=%d", position, r.BaseOffset, r.OffsetNext(), r.Length, moment(r.Timestamp), r.Run, r.SafeBelow)
}

// IndexEntry prints an entry or a voucher of a segment's index.
func (p *Printer) IndexEntry(e wire.IndexEntry) {
	p.begin(2)
	if e.Kind == wire.IndexVoucher {
		p.add("voucher end=%d next=%d", e.Position, e.Offset)
	} else {
		p.add("entry @%d offset=%d", e.Position, e.Offset)
	}
	p.add(" time=%s run=%d", moment(e.Time), e.Run)
	p.addIf(e.Synced, " synced")
	p.end()
}

// Recovered prints what recovery found of a partition's log, beside its good segments: damage, what a crash left, and notes.
func (p *Printer) Recovered(found *Recovered) {
	if found.Faulted {
		p.Line(1, "damage %s @%d: %s", found.DamagePath, found.DamageAt, found.Damage)
	}
	if found.CutBytes > 0 {
		p.Line(1, "torn tail of %d bytes", found.CutBytes)
	}
	for _, note := range found.Notes {
		p.Line(1, "note %s", note)
	}
}

// RecoveredSegment prints a segment that recovery found good, in the words of Partitions.
func (p *Printer) RecoveredSegment(s RecoveredSegment) {
	p.Line(1, "segment %s [%d,%d) end=%d allocated=%d", RunCounter(s.ID), s.Base, s.Next, s.End, s.Allocated)
}

// OffsetLogHead prints the head of an offset log.
func (p *Printer) OffsetLogHead(h wire.OffsetLogHead) {
	p.Line(1, "head run=%d shard=%d", h.Run, h.Shard)
}

// OffsetRecord prints a record of an offset log, which begins at position.
func (p *Printer) OffsetRecord(c *Catalog, r wire.OffsetRecord, position int) {
	p.begin(1)
	p.add("record @%d %s ", position, PartitionName(c, ecs.Entity(r.Partition)))
	if r.Kind == wire.OffsetOfLog {
		p.add("begins at %d", r.Value)
	} else {
		p.add("%s %d: %s", consumerKind(r.Kind), r.Consumer, either(r.Deleted, "deleted", strconv.FormatUint(r.Value, 10)))
	}
	p.add(" order=%s", RunCounter(r.Order))
	p.addIf(r.Epoch > 0, " epoch=%d", r.Epoch)
	p.end()
}

// SnapshotHead prints the head of a snapshot of the control log.
func (p *Printer) SnapshotHead(h wire.SnapshotHead) {
	p.Line(1, "head last-record=%d last-seq=%s time=%s size=%d", h.LastNumber, RunCounter(h.LastSeq), moment(h.Time), h.BodyLength)
}

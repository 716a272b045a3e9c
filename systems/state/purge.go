package state

import (
	"galgo/components"
	"galgo/ecs"
	"galgo/wire"
)

// purge applies Purged, as the partition's owner: for every reader the partition is empty from here on, and its stored offsets are gone. What
// waits for a write was accepted before, and is answered so. Sends that come now wait until the old files are let go of, for the writes, reads and
// vouchers that are under way cannot be cancelled. A partition that was Faulted begins anew as well: what was wrong with its files goes with them.
func purge(s *components.State, e *wire.Event) {
	p := &s.Partitions
	entity := ecs.Entity(e.Partition)
	row, owned := p.Row(entity)
	if !owned {
		return
	}
	s.Offsets.DeleteAll(entity)
	s.GroupReads.ForgetAll(entity)
	s.GroupReads.Fresh = true // a hand-over need not wait any more
	s.Acks.Drop(row, func(a components.Ack) { confirm(s, a) })
	s.Marks.Drop(row, func(components.IndexMark) {})
	if p.Phase[row] == components.Faulted {
		s.Gauges.Faulted.Add(-1)
	}
	p.Phase[row], p.Epoch[row] = components.Purging, e.Epoch
	p.OffsetFirst[row], p.OffsetNext[row], p.OffsetWritten[row], p.SealedNext[row], p.Size[row] = 0, 0, 0, 0, 0
	p.Late[row], p.GrowAfter[row] = false, 0
	for i := range p.Segments[row].Len() {
		s.Segments.Gone[p.Segments[row].At(i)] = true
	}
	s.Unsealed.Clear(row)
	s.Unvouched.Clear(row)
	s.Purged.Set(row)
	s.Publish(row)
}

// FinishPurges lets purged partitions take messages again, once what was in flight to their old files has returned. The files are retired.
// Reads Purged. Writes Partitions, Journal, Retiring.
func FinishPurges(s *components.State) {
	for row := range s.Purged.All {
		p := &s.Partitions
		if p.Writing(row) || p.Growing[row] || p.Vouching[row] || p.TailBusy[row] {
			continue // its completion brings us back
		}
		s.ForgetExtents(row)
		for p.Segments[row].Len() > 0 {
			p.Retired[row].Append(p.Segments[row].Pop())
		}
		p.Write[row], p.Written[row], p.Sealed[row], p.MarkLast[row] = components.NoRow, 0, 0, 0
		p.Waiting[row], p.Vouched[row] = 0, true
		p.SealedExtent[row], p.TailHash[row], p.TailCold[row] = components.NoRow, 0, false
		p.Phase[row] = components.Ready
		s.Purged.Clear(row)
		s.Retiring.Set(row)
	}
}

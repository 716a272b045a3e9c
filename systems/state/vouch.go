package state

import (
	"syscall"

	"galgo/components"
	"galgo/wire"
)

// idleMicros is how long a partition is quiet before its log is synced and vouched for, and how long after an attempt that came to nothing it is
// tried again.
const idleMicros = 1_000_000

// vouchMicros is how long partitions that want a voucher are not looked through again: those that are appended to all the time want one in vain.
const vouchMicros = 10_000

// OrderVouchers asks for vouchers: of each segment that is complete, and of the last one where everything is written and nothing came for a
// second. A voucher says that all before it is safe too, so a partition's segments are synced one after the other, and none is passed over.
// Reads Unvouched. Writes VouchAt, Partitions.Vouching, Segments.Users, Marks, Out.Index, Out.Vouch.
func OrderVouchers(s *components.State) {
	if s.Unvouched.Len() == 0 {
		return
	}
	if s.Now.MonoMicros < s.VouchAt && !s.Stopping {
		s.WakeAt(s.VouchAt)
		return
	}
	next := s.Now.MonoMicros + idleMicros // what is written from now on is not due before that
	for row := range s.Unvouched.All {
		p := &s.Partitions
		if p.Phase[row] != components.Ready || p.Vouched[row] {
			s.Unvouched.Clear(row)
			continue
		}
		if p.Vouching[row] {
			continue // its completion brings us back
		}
		segment := firstUnvouched(s, row)
		last := segment == p.Write[row]
		if last && (p.Waiting[row] != 0 || p.Writing(row) || p.Written[row] == 0) {
			continue
		}
		due := p.VouchAfter[row]
		if last {
			due = max(due, p.Quiet[row]+idleMicros)
		}
		if s.Now.MonoMicros < due && !s.Stopping {
			next = min(next, due)
			continue
		}
		if s.Out.Vouch.Free() == 0 || !takeAllMarks(s, row) { // the voucher comes behind all entries
			s.WakeAt(s.Now.MonoMicros + 10_000)
			return
		}
		position := s.Segments.End[segment]
		if last {
			position = p.Written[row]
		}
		vouch(s, row, segment, position)
	}
	s.VouchAt = max(next, s.Now.MonoMicros+vouchMicros)
	s.WakeAt(s.VouchAt)
}

// firstUnvouched is the oldest segment that is not vouched for to its end: the one being written, if all before it are.
func firstUnvouched(s *components.State, row int) uint32 {
	p := &s.Partitions
	segment, list := p.Write[row], &p.Segments[row]
	for i := list.Len() - 1; i >= 0; i-- {
		if id := s.Segments.ID[list.At(i)]; id < p.VouchFrom[row] {
			break
		} else if id <= s.Segments.ID[segment] {
			segment = list.At(i)
		}
	}
	return segment
}

// vouch orders a voucher for a segment of which everything below position is written.
func vouch(s *components.State, row int, segment uint32, position uint64) {
	p := &s.Partitions
	p.Vouching[row] = true
	p.InFlight[row]++
	s.Segments.Users[segment]++
	id := s.Segments.ID[segment]
	s.Out.Vouch.Push(components.VouchOrder{Partition: p.Entity(row), Segment: segment,
		File: wire.SegmentFile{CreatedSeq: p.Created[row], PartitionID: p.ID[row], SegmentID: id, Kind: wire.SegmentLog},
		Entry: wire.IndexEntry{Kind: wire.IndexVoucher, SegmentID: id, Offset: s.Segments.Next[segment], Time: s.Segments.TimeLast[segment],
			Position: position, Run: s.Run, BaseOffset: s.Segments.Base[segment], Synced: true}})
}

// TakeVouched notes vouchers. A sync that failed faults the partition: what it lost is not known.
// Reads In.Vouched. Writes Partitions, Segments.Users, Unvouched, VouchAt.
func TakeVouched(s *components.State) {
	for s.In.Vouched.Len() > 0 {
		vouched := s.In.Vouched.Pop()
		row := landed(s, vouched.Partition)
		p := &s.Partitions
		s.Segments.Users[vouched.Segment]--
		p.Vouching[row] = false
		s.VouchAt = 0 // the next segment's turn may have come
		switch {
		case s.Segments.Gone[vouched.Segment]: // nobody relies on it any more
		case vouched.Err == syscall.EMFILE || vouched.Err == syscall.ENFILE || vouched.Err == syscall.ENOMEM || vouched.Err == syscall.ENOSPC:
			p.VouchAfter[row] = s.Now.MonoMicros + idleMicros // a voucher is a convenience
			if s.Stopping {
				s.Unvouched.Clear(row) // the next start walks a little further
			}
		case vouched.Err != 0:
			fault(s, row, vouched.SegmentID, "sync failed", vouched.Position, uint64(vouched.Err))
		case s.Segments.ID[p.Write[row]] != vouched.SegmentID:
			if s.Segments.End[vouched.Segment] == vouched.Position { // else it grew after the order
				p.VouchFrom[row] = vouched.SegmentID + 1
			}
		case p.Written[row] == vouched.Position && p.Waiting[row] == 0:
			p.Vouched[row] = true
			s.Unvouched.Clear(row)
		}
	}
}

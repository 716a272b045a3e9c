package state

import (
	"errors"
	"syscall"

	"galgo/components"
	"galgo/wire"
)

const (
	// coldMin and coldMax bound what a cold read asks for, in bytes.
	coldMin = 128 << 10
	coldMax = 8 << 20
)

// coldTarget is what a cold read looks for: an offset, or the first batch at or after a time.
type coldTarget struct {
	offset uint64
	micros uint64
	byTime bool
}

// coldPoll begins a read from disk. It returns false when as many wait as there can be connections: some of those were given up.
func coldPoll(s *components.State, row int, r *components.Request, t coldTarget) bool {
	if s.Polls.Live+aheadMax >= s.Out.Cold.Len()+s.Out.Cold.Free() {
		return false
	}
	if !t.byTime && takeAhead(s, row, r, t.offset) {
		return true
	}
	slot := s.Polls.Add(*r)
	s.Polls.Target[slot], s.Polls.Time[slot], s.Polls.ByTime[slot] = t.offset, t.micros, t.byTime
	s.Polls.Size[slot] = coldSize(s, row, r.Count, t.offset)
	readCold(s, row, slot, components.NoPosition)
	return true
}

// coldSize guesses how many bytes so many messages from an offset on take, from the mean of their segment.
func coldSize(s *components.State, row int, count uint32, offset uint64) uint32 {
	segment := segmentOf(s, row, offset)
	messages, size := s.Segments.Next[segment]-s.Segments.Base[segment], s.Segments.End[segment]
	want := float64(size) / float64(max(messages, 1)) * float64(count) * 1.25
	return uint32(min(max(want+coldMin, coldMin), coldMax))
}

// segmentOf is the row of the segment that holds an offset.
func segmentOf(s *components.State, row int, offset uint64) uint32 {
	list := &s.Partitions.Segments[row]
	lo, hi := 0, list.Len()
	for lo < hi {
		if mid := (lo + hi) / 2; s.Segments.Base[list.At(mid)] <= offset {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return list.At(max(lo-1, 0))
}

// readCold orders the next read of a cold poll: from position, or from where a cursor or the index says.
func readCold(s *components.State, row int, slot uint32, position uint64) {
	p := &s.Partitions
	target := s.Polls.Target[slot]
	segment := segmentOf(s, row, target)
	id := s.Segments.ID[segment]
	s.Polls.Segment[slot] = segment
	if position == components.NoPosition && !s.Polls.ByTime[slot] {
		if at, ok := s.Cursors.Get(p.Entity(row), target, id); ok {
			position, s.Polls.Goes[slot] = at, true
		} else if target == s.Segments.Base[segment] {
			position = wire.SegmentHeadSize
		}
	}
	end := coldEnd(s, row, segment)
	p.InFlight[row]++
	s.Segments.Users[segment]++
	s.Out.Cold.Push(components.ColdOrder{
		Slot: slot, Partition: p.Entity(row), Position: position, Offset: target, Time: s.Polls.Time[slot], ByTime: s.Polls.ByTime[slot],
		File: wire.SegmentFile{CreatedSeq: p.Created[row], PartitionID: p.ID[row], SegmentID: id, Kind: wire.SegmentLog},
		Size: s.Polls.Size[slot], End: end, Ahead: s.Polls.Ahead(slot),
	})
}

// coldEnd is the position after the last byte of a segment that is on disk.
func coldEnd(s *components.State, row int, segment uint32) uint64 {
	write := s.Partitions.Write[row]
	switch {
	case segment == write:
		return s.Partitions.Written[row]
	case s.Segments.Base[segment] > s.Segments.Base[write]:
		return 0
	}
	return s.Segments.End[segment]
}

// FinishPolls answers the polls whose cold read came back, or reads on. Every record is checked before it is served.
// Reads In.ColdReads. Writes Polls, Blocks, Replies, Cursors, Offsets, Out.Cold, Out.FreeCold.
func FinishPolls(s *components.State, p *Poller) {
	expireAheads(s)
	for range s.In.ColdReads.Len() {
		read := s.In.ColdReads.Pop()
		r := &s.Polls.Request[read.Slot]
		row, ok := s.Partitions.Row(r.Partition)
		if !ok {
			panic("state: a partition went while it was being read")
		}
		s.Partitions.InFlight[row]--
		segment := s.Polls.Segment[read.Slot]
		s.Segments.Users[segment]--
		if s.Polls.Ahead(read.Slot) {
			keepAhead(s, row, &read, segment)
			continue
		}
		done := true
		switch {
		case s.Polls.Told[read.Slot]:
		case s.Partitions.Phase[row] == components.Deleting:
			s.Refuse(r, wire.StatusPartitionNotFound)
		case s.Segments.Gone[segment]: // what was read is removed or purged: the poll starts at what is left
			done = !again(s, row, r)
		case !mayPoll(s, r):
			done = resync(s, r) || !again(s, row, r)
		case read.Err == syscall.ENOMEM: // it was read ahead of this poll, which is worth waiting for
			readCold(s, row, read.Slot, components.NoPosition)
			done = false
		case read.Err != 0:
			s.Log.Log(components.LogError, "cannot read", components.Num("created", s.Partitions.Created[row]),
				components.Num("partition", uint64(s.Partitions.ID[row])), components.Num("position", read.Position), components.Num("errno", uint64(read.Err)))
			s.Refuse(r, wire.StatusCannotReadMessage)
		default:
			done = p.finishPoll(s, row, &read)
		}
		if read.Memory.Len > 0 {
			s.Out.FreeCold.Push(read.Memory)
		}
		if done {
			s.Polls.Drop(read.Slot)
		}
	}
}

// finishPoll looks for the target in what was read. It returns false when another read was ordered. The read's memory is let go by
// the caller unless a reply refers to it: then read.Memory is zero afterwards.
func (p *Poller) finishPoll(s *components.State, row int, read *components.ColdRead) (done bool) {
	slot := read.Slot
	r, target := &s.Polls.Request[slot], s.Polls.Target[slot]
	segmentID := s.Segments.ID[s.Polls.Segment[slot]]
	bytes, at := s.Memory.Bytes(read.Span), uint64(0)
	visible := s.Partitions.Visible(row)
	var first, end, total uint64
	var count, skip uint32                // messages taken; messages of the first record before the target
	var lastBase, lastNext, lastAt uint64 // of the last record taken
	for count < r.Count && at < uint64(len(bytes)) {
		info, err := wire.CheckRecord(bytes[at:], read.Position+at, segmentID, s.Secret)
		if errors.Is(err, wire.ErrShort) {
			if count == 0 { // the first record wanted does not fit: read it alone, or go on from here
				return p.readOn(s, row, slot, read.Position+at, info.Length)
			}
			break
		}
		if err != nil {
			if count > 0 {
				break // what is good is served; the next poll meets the damage
			}
			s.Log.Log(components.LogError, "damaged record", components.Num("created", s.Partitions.Created[row]),
				components.Num("partition", uint64(s.Partitions.ID[row])), components.Num("position", read.Position+at))
			s.Refuse(r, wire.StatusCannotReadMessage)
			return true
		}
		if s.Polls.ByTime[slot] && count == 0 && info.Timestamp >= s.Polls.Time[slot] && info.OffsetNext() > target {
			s.Polls.ByTime[slot] = false
			target = max(target, info.BaseOffset)
		}
		if s.Polls.ByTime[slot] || info.OffsetNext() <= target {
			at += info.Length
			continue
		}
		if count == 0 && info.BaseOffset > target { // what led here was wrong: read from the start of the segment
			if at == 0 && read.Position > wire.SegmentHeadSize {
				return p.readOn(s, row, slot, wire.SegmentHeadSize, 0)
			}
			s.Refuse(r, wire.StatusCannotReadMessage)
			return true
		}
		if info.BaseOffset >= visible {
			break
		}
		if count == 0 {
			first = at
			skip = uint32(target - info.BaseOffset)
		}
		if total += info.Length; total > pollSizeMax && count > 0 {
			break
		}
		take := info.Count
		if count == 0 {
			take -= skip
		}
		count += min(take, r.Count-count)
		lastBase, lastNext, lastAt = info.BaseOffset, info.OffsetNext(), at
		at += info.Length
		end = at
	}
	if count == 0 {
		return p.readOn(s, row, slot, read.Position+at, 0)
	}
	if r.AutoCommit && offsetsFull(s, row, r.Consumer) {
		s.Refuse(r, wire.StatusTooManyConsumerOffsets)
		return true
	}
	if count < r.Count && target+uint64(count) < visible && s.Polls.Size[slot] < coldMax &&
		read.Position+uint64(len(bytes)) < coldEnd(s, row, segmentOf(s, row, target)) {
		s.Polls.Target[slot] = target
		s.Polls.Size[slot] = min(s.Polls.Size[slot]*2, coldMax)
		readCold(s, row, slot, read.Position+first)
		return false
	}
	if !p.answerCold(s, row, r, read, first, end, skip, count, target, lastBase) {
		return !again(s, row, r)
	}
	next, position := target+uint64(count), read.Position+end
	if next < lastNext {
		position = read.Position + lastAt // the last record was not taken to its end
	}
	commit(s, row, r, next-1)
	s.Cursors.Put(components.Cursor{Partition: r.Partition, Offset: next, SegmentID: segmentID, Position: position})
	if s.Polls.Goes[slot] {
		readAhead(s, row, next, s.Polls.Size[slot])
	}
	return true
}

// again puts a poll back in line, as it was asked: there is no memory for its answer now.
func again(s *components.State, row int, r *components.Request) bool {
	s.Polling.Push(*r)
	s.WakeAt(s.Now.MonoMicros + 1000)
	return false
}

// readOn orders the next read of the same poll, from position; need is what its first record takes, if that is known.
func (p *Poller) readOn(s *components.State, row int, slot uint32, position, need uint64) bool {
	r := &s.Polls.Request[slot]
	end := coldEnd(s, row, segmentOf(s, row, s.Polls.Target[slot]))
	if position >= end && s.Polls.ByTime[slot] {
		return p.planUnwritten(s, row, r) || !again(s, row, r)
	}
	if position >= end || s.Waited(r.Since) >= waitMicros || need > uint64(wire.RecordSizeMax) {
		s.Refuse(r, wire.StatusCannotReadMessage)
		return true
	}
	s.Polls.Size[slot] = max(s.Polls.Size[slot], uint32(components.AlignUp(need)+components.UnitSize))
	readCold(s, row, slot, position)
	return false
}

// answerCold sends the records [first, end) of a cold read, without skip messages at the front and cut to count at the back. Seals are
// cleared where the records lie: the memory is ours until the reply is sent.
func (p *Poller) answerCold(s *components.State, row int, r *components.Request, read *components.ColdRead, first, end uint64,
	skip, count uint32, target, lastBase uint64) bool {
	block, ok := s.NewBlock(r.Partition, 8, wire.PollPrefixSize+2*wire.BatchHeaderSize)
	if !ok {
		return false
	}
	block.Room(wire.PollPrefixSize)
	bytes := s.Memory.Bytes(read.Span)
	whole := first // where the run of whole records begins
	flush := func(to uint64) {
		if to > whole {
			block.Refer(read.Span.Slice(uint32(whole), uint32(to-whole)))
		}
	}
	for at := first; at < end; {
		record := bytes[at:]
		header, _ := wire.DecodeBatchHeader(record)
		from, to := uint32(0), header.MessageCount
		if at == first {
			from = skip
		}
		if last := target + uint64(count); header.BaseOffset == lastBase && header.BaseOffset+uint64(to) > last {
			to = uint32(last - header.BaseOffset)
		}
		wire.ClearSeal(record[:wire.BatchHeaderSize])
		if from > 0 || to < header.MessageCount {
			flush(at)
			begin, stop, ok := p.hasher.SliceBatch(block.Room(wire.BatchHeaderSize), record[:header.Length], from, to)
			if !ok {
				panic("state: a record that was checked cannot be sliced")
			}
			block.Refer(read.Span.Slice(uint32(at)+uint32(begin), uint32(stop-begin)))
			whole = at + header.Length
		}
		at += header.Length
	}
	flush(end)
	block.KeepCold(read.Memory)
	read.Memory = components.Span{}
	answerBlock(s, row, r, &block, count)
	return true
}

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

// coldSize guesses how many bytes so many messages from an offset on take, from the mean of their segment. What is missing afterwards is read
// then, so it need not be generous.
func coldSize(s *components.State, row int, count uint32, offset uint64) uint32 {
	segment := segmentOf(s, row, offset)
	messages, size := s.Segments.Next[segment]-s.Segments.Base[segment], s.Segments.End[segment]
	want := float64(size) / float64(max(messages, 1)) * float64(count)
	return uint32(min(max(want+components.UnitSize, coldMin), coldMax))
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
	segment, ahead := segmentOf(s, row, target), s.Polls.Ahead(slot) || s.Polls.Taken[slot] > 0
	id := s.Segments.ID[segment]
	s.Polls.Segment[slot], s.Polls.At[slot] = segment, 0
	if position == components.NoPosition && !s.Polls.ByTime[slot] {
		position = coldPlace(s, row, segment, target)
		s.Polls.Goes[slot] = s.Polls.Goes[slot] || position != components.NoPosition && target > s.Segments.Base[segment]
	}
	if position == components.NoPosition { // the index leads to a record that lies up to so much before it, save where the log was just written
		s.Polls.Size[slot] = min(s.Polls.Size[slot]+uint32(markEvery(s)), coldMax)
	}
	end := coldEnd(s, row, segment)
	p.InFlight[row]++
	s.Segments.Users[segment]++
	s.Out.Cold.Push(components.ColdOrder{
		Slot: slot, Position: position, Offset: target, Time: s.Polls.Time[slot], ByTime: s.Polls.ByTime[slot],
		File: wire.SegmentFile{CreatedSeq: p.Created[row], PartitionID: p.ID[row], SegmentID: id, Kind: wire.SegmentLog},
		Size: s.Polls.Size[slot], End: end, Spare: ahead,
	})
}

// coldPlace is where a message's record begins in its segment, if a reader ended there or it is the first one; else NoPosition.
func coldPlace(s *components.State, row int, segment uint32, offset uint64) uint64 {
	if at, ok := s.Cursors.Get(s.Partitions.Entity(row), offset, s.Segments.ID[segment]); ok {
		return at
	}
	if offset == s.Segments.Base[segment] {
		return wire.SegmentHeadSize
	}
	return components.NoPosition
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
		row := landed(s, r.Partition)
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
		case s.Segments.Gone[segment] || s.Polls.Taken[read.Slot] > 0 && s.Polls.Begin[read.Slot] < s.Partitions.OffsetFirst[row]:
			done = !again(s, row, r) // what was read is removed or purged: the poll starts at what is left
		case !mayPoll(s, r):
			done = resync(s, r) || !again(s, row, r)
		case read.Err != 0 && s.Polls.Taken[read.Slot] > 0: // what is here is served; the next poll meets the failure
			done = p.answerCold(s, row, read.Slot)
		case read.Err == syscall.ENOMEM: // it was read ahead of this poll, which is worth waiting for
			readCold(s, row, read.Slot, components.NoPosition)
			done = false
		case read.Err != 0:
			s.Log.Log(components.LogError, "cannot read", components.Num("created", s.Partitions.Created[row]),
				components.Num("partition", uint64(s.Partitions.ID[row])), logOf(s, row, s.Segments.ID[segment]),
				components.Num("position", read.Position), components.Num("errno", uint64(read.Err)))
			s.Refuse(r, wire.StatusCannotReadMessage)
		default:
			done = p.finishPoll(s, row, &read)
		}
		if read.Memory.Len > 0 {
			s.Out.FreeCold.Push(read.Memory)
		}
		if done {
			dropPoll(s, read.Slot)
		}
	}
}

// dropPoll frees the row of a poll, and what was read for it and not sent.
func dropPoll(s *components.State, slot uint32) {
	for _, part := range s.Polls.Parts[slot] {
		s.Out.FreeCold.Push(part.Memory)
	}
	s.Polls.Drop(slot)
}

// coldWalk is how far a poll came with the records of a read.
type coldWalk struct {
	first, last uint64 // where the records lie that it took
	at          uint64 // where it ended: at this record
	need        uint64 // bytes of that record, if it is not here to its end
	why         coldEnding
}

// coldEnding is why a walk has ended.
type coldEnding uint8

const (
	coldOver    coldEnding = iota // what was read, what is visible or what is wanted is at its end
	coldFull                      // the answer has no room for the next record
	coldAstray                    // the next record lies behind the one wanted: what led here was wrong
	coldDamaged                   // there is no good record
)

// finishPoll takes what the poll wants of what was read, reads on where that is not all, over the end of a segment too, and answers. It returns false
// when another read was ordered. The read's memory is let go by the caller unless records in it are taken: then read.Memory is zero afterwards.
func (p *Poller) finishPoll(s *components.State, row int, read *components.ColdRead) (done bool) {
	polls, slot := &s.Polls, read.Slot
	r, before := &polls.Request[slot], polls.Taken[slot]
	fromPlace(s, read)
	walk := takeRecords(s, row, read)
	position := read.Position + walk.at
	if polls.Taken[slot] == 0 {
		switch {
		case walk.why == coldAstray && walk.at == 0 && position > wire.SegmentHeadSize:
			return p.readOn(s, row, slot, wire.SegmentHeadSize, 0) // read from the start of the segment
		case walk.why == coldAstray || walk.why == coldDamaged:
			return damagedRecord(s, row, slot, position)
		}
		return p.readOn(s, row, slot, position, walk.need)
	}
	took := polls.Taken[slot] > before
	if took {
		records := read.Span.Slice(uint32(walk.first), uint32(walk.last-walk.first))
		polls.Parts[slot] = append(polls.Parts[slot], components.ColdPart{Memory: read.Memory, Records: records})
		read.Memory = components.Span{}
	}
	// What is good is served where something bad follows: the next poll meets that.
	if walk.why == coldOver && polls.Taken[slot] < r.Count && (took || uint64(polls.Size[slot]) < walk.need) && goOn(s, row, slot, position, walk.need) {
		return false
	}
	s.Cursors.Put(components.Cursor{Partition: r.Partition, Offset: polls.Target[slot], SegmentID: s.Segments.ID[polls.Segment[slot]], Position: position})
	return p.answerCold(s, row, slot)
}

// takeRecords walks what was read and takes the records that the poll wants. Every one is checked.
func takeRecords(s *components.State, row int, read *components.ColdRead) (walk coldWalk) {
	polls, slot := &s.Polls, read.Slot
	bytes, segment, visible := s.Memory.Bytes(read.Span), s.Segments.ID[polls.Segment[slot]], s.Partitions.Visible(row)
	before, count := polls.Taken[slot], polls.Request[slot].Count
	for polls.Taken[slot] < count && walk.at < uint64(len(bytes)) {
		info, err := wire.CheckRecord(bytes[walk.at:], read.Position+walk.at, segment, s.Secret)
		if errors.Is(err, wire.ErrShort) {
			walk.need = info.Length
			return walk
		}
		if err != nil {
			walk.why = coldDamaged
			return walk
		}
		if polls.ByTime[slot] && info.Timestamp >= polls.Time[slot] && info.OffsetNext() > polls.Target[slot] {
			polls.ByTime[slot] = false
			polls.Target[slot] = max(polls.Target[slot], info.BaseOffset)
		}
		switch target := polls.Target[slot]; {
		case polls.ByTime[slot] || info.OffsetNext() <= target:
			walk.at += info.Length
			continue
		case info.BaseOffset > target:
			walk.why = coldAstray
			return walk
		case info.BaseOffset >= visible:
			return walk
		case polls.Taken[slot] > 0 && polls.Bytes[slot]+info.Length > pollSizeMax:
			walk.why = coldFull
			return walk
		}
		if polls.Taken[slot] == before {
			walk.first = walk.at
		}
		walk.last = walk.at + info.Length
		if whole := takeRecord(polls, slot, info); whole {
			walk.at = walk.last
		}
	}
	return walk
}

// takeRecord adds a record, from the poll's target on, to its answer, and says whether the record is used up.
func takeRecord(polls *components.Polls, slot uint32, info wire.RecordInfo) (whole bool) {
	target := &polls.Target[slot]
	if polls.Taken[slot] == 0 {
		polls.Begin[slot] = *target
	}
	take := min(info.OffsetNext()-*target, uint64(polls.Request[slot].Count-polls.Taken[slot]))
	*target += take
	polls.Taken[slot] += uint32(take)
	polls.Bytes[slot] += info.Length
	return *target == info.OffsetNext()
}

// goOn orders the read of what is missing in the answer to a poll, from position or from the start of the next segment; need is what the first record
// there takes, if that is known. It returns false where there is no more on disk, and where the answer is large enough.
func goOn(s *components.State, row int, slot uint32, position, need uint64) bool {
	polls := &s.Polls
	r, target := &polls.Request[slot], polls.Target[slot]
	if target >= s.Partitions.Visible(row) || polls.Bytes[slot]+need >= coldMax || len(polls.Parts[slot]) == components.ColdPartsMax ||
		s.Waited(r.Since) >= waitMicros {
		return false
	}
	segment := segmentOf(s, row, target)
	if segment != polls.Segment[slot] {
		position = wire.SegmentHeadSize
	}
	if end := coldEnd(s, row, segment); position >= end || need > end-position {
		return false
	}
	size := min(uint64(coldSize(s, row, r.Count-polls.Taken[slot], target)), coldMax-polls.Bytes[slot])
	polls.Size[slot] = uint32(max(size, components.AlignUp(need)+components.UnitSize))
	readCold(s, row, slot, position)
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
	if position >= end || need > end-position { // the message is not where it must be, or its record is longer than what is there
		return damagedRecord(s, row, slot, position)
	}
	if s.Waited(r.Since) >= waitMicros {
		s.Refuse(r, wire.StatusCannotReadMessage)
		return true
	}
	s.Polls.Size[slot] = max(s.Polls.Size[slot], uint32(components.AlignUp(need)+components.UnitSize))
	readCold(s, row, slot, position)
	return false
}

// damagedRecord refuses a poll whose messages cannot be read.
func damagedRecord(s *components.State, row int, slot uint32, position uint64) (done bool) {
	s.Log.Log(components.LogError, "damaged record", components.Num("created", s.Partitions.Created[row]),
		components.Num("partition", uint64(s.Partitions.ID[row])), logOf(s, row, s.Segments.ID[s.Polls.Segment[slot]]), components.Num("position", position))
	s.Refuse(&s.Polls.Request[slot], wire.StatusCannotReadMessage)
	return true
}

// answerCold sends the records that were taken, the first and the last of them cut to the messages that are wanted. Seals are cleared where the records
// lie: the memory is ours until the reply is sent.
func (p *Poller) answerCold(s *components.State, row int, slot uint32) (done bool) {
	polls := &s.Polls
	r, begin, next := &polls.Request[slot], polls.Begin[slot], polls.Begin[slot]+uint64(polls.Taken[slot])
	if r.AutoCommit && offsetsFull(s, row, r.Consumer) {
		s.Refuse(r, wire.StatusTooManyConsumerOffsets)
		return true
	}
	block, ok := s.NewBlock(r.Partition, components.ColdPartsMax+8, wire.PollPrefixSize+2*wire.BatchHeaderSize)
	if !ok {
		return !again(s, row, r)
	}
	block.Room(wire.PollPrefixSize)
	for _, part := range polls.Parts[slot] {
		p.referRecords(s, &block, part.Records, begin, next)
		block.KeepCold(part.Memory)
	}
	polls.Parts[slot] = polls.Parts[slot][:0]
	answerBlock(s, row, r, &block, polls.Taken[slot])
	commit(s, row, r, next-1)
	if polls.Goes[slot] { // the next poll will want about as much
		readAhead(s, row, next, uint64(polls.Taken[slot]), polls.Bytes[slot])
	}
	return true
}

// referRecords makes records a part of a reply, without the messages below begin and from next on.
func (p *Poller) referRecords(s *components.State, block *components.Block, records components.Span, begin, next uint64) {
	bytes := s.Memory.Bytes(records)
	whole := uint64(0) // where the run of whole records begins
	flush := func(to uint64) {
		if to > whole {
			block.Refer(records.Slice(uint32(whole), uint32(to-whole)))
		}
	}
	for at := uint64(0); at < uint64(len(bytes)); {
		record := bytes[at:]
		header, _ := wire.DecodeBatchHeader(record)
		from := uint32(max(begin, header.BaseOffset) - header.BaseOffset)
		to := uint32(min(next-header.BaseOffset, uint64(header.MessageCount)))
		wire.ClearSeal(record[:wire.BatchHeaderSize])
		if from > 0 || to < header.MessageCount {
			flush(at)
			begins, ends, ok := p.hasher.SliceBatch(block.Room(wire.BatchHeaderSize), record[:header.Length], from, to)
			if !ok {
				panic("state: a record that was checked cannot be sliced")
			}
			block.Refer(records.Slice(uint32(at)+uint32(begins), uint32(ends-begins)))
			whole = at + header.Length
		}
		at += header.Length
	}
	flush(uint64(len(bytes)))
}

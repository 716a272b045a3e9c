package state

import (
	"math"

	"galgo/components"
	"galgo/ecs"
	"galgo/wire"
)

const (
	// pollSizeMax is what a poll's reply may hold at most, in bytes: clients refuse frames above it.
	pollSizeMax = wire.FrameSizeMax - wire.FrameHeaderSize - wire.PollPrefixSize
)

// pollBudget is how many polls a tick plans, and about how many bytes it copies for them.
var pollBudget = ecs.Budget{Rows: 1024, Bytes: 64 << 20}

// maxBudget is no bound.
var maxBudget = ecs.Budget{Rows: math.MaxInt, Bytes: math.MaxInt}

// Poller is what planning polls needs again and again.
type Poller struct {
	hasher wire.BatchHasher
	pieces []pollPiece
	copied int // bytes of the last answer from memory that were copied
}

// AnswerPolls plans each waiting poll: where it starts, and whether memory has it or the disk must be asked.
// Reads Polling, Partitions, Journal, Offsets. Writes Blocks, Replies, Polls, Out.Cold, Offsets.
func AnswerPolls(s *components.State, p *Poller) {
	budget := pollBudget
	for range s.Polling.Len() {
		if !budget.Left() {
			s.WakeAt(s.Now.MonoMicros)
			return
		}
		r := s.Polling.Pop()
		budget.Spend(1, 0)
		row, ok := s.Partitions.Row(r.Partition)
		if !ok || s.Partitions.Phase[row] == components.Deleting {
			s.Refuse(&r, wire.StatusPartitionNotFound)
			continue
		}
		if s.Waited(r.Since) >= waitMicros {
			s.Refuse(&r, wire.StatusCannotReadMessage)
			continue
		}
		p.copied = 0
		if !p.plan(s, row, &r) { // no memory now, or too many reads wait
			s.Polling.Push(r)
			s.WakeAt(s.Now.MonoMicros + 1000)
		}
		budget.Spend(0, p.copied)
	}
	if s.Polling.Len() > 0 {
		s.WakeAt(s.Now.MonoMicros + 1000)
	}
}

// plan answers a poll, or begins its cold read. It returns false when there is no memory for it now.
func (p *Poller) plan(s *components.State, row int, r *components.Request) bool {
	if !mayPoll(s, r) {
		return resync(s, r)
	}
	parts := &s.Partitions
	first, visible := parts.OffsetFirst[row], parts.Visible(row)
	if r.Count == 0 || first >= visible {
		return emptyPoll(s, row, r)
	}
	start := first
	switch r.Strategy.Kind {
	case wire.PollOffset:
		start = max(first, r.Strategy.Value)
	case wire.PollTimestamp:
		return p.planTime(s, row, r)
	case wire.PollLast:
		start = max(first, visible-min(visible, uint64(r.Count)))
	case wire.PollNext:
		if at, ok := s.Offsets.Find(r.Partition, r.Consumer); ok {
			start = max(first, s.Offsets.Value[at]+1)
		}
	}
	return p.planOffset(s, row, r, start)
}

func (p *Poller) planOffset(s *components.State, row int, r *components.Request, start uint64) bool {
	if start >= s.Partitions.Visible(row) {
		return emptyPoll(s, row, r)
	}
	if r.AutoCommit && offsetsFull(s, row, r.Consumer) {
		s.Refuse(r, wire.StatusTooManyConsumerOffsets)
		return true
	}
	s.Partitions.Touched[row] = true
	if hot, ok := s.HotFirst(row); ok && start >= hot {
		return p.hotPoll(s, row, r, start)
	}
	return coldPoll(s, row, r, coldTarget{offset: start})
}

// planTime finds the first batch appended at or after a time. Segments know the time of their last batch; within one, memory is
// searched if it begins early enough, else the disk.
func (p *Poller) planTime(s *components.State, row int, r *components.Request) bool {
	parts, list := &s.Partitions, &s.Partitions.Segments[row]
	if parts.TimeLast[row] < r.Strategy.Value {
		return emptyPoll(s, row, r)
	}
	if offset, ok := hotTime(s, row, r.Strategy.Value); ok {
		return p.planOffset(s, row, r, offset)
	}
	for i := range list.Len() {
		if segment := list.At(i); s.Segments.TimeLast[segment] >= r.Strategy.Value && s.Segments.Next[segment] > parts.OffsetFirst[row] {
			if coldEnd(s, row, segment) == 0 {
				break
			}
			s.Partitions.Touched[row] = true
			return coldPoll(s, row, r, coldTarget{offset: max(parts.OffsetFirst[row], s.Segments.Base[segment]), micros: r.Strategy.Value, byTime: true})
		}
	}
	return p.planUnwritten(s, row, r)
}

// planUnwritten goes on with what is in memory alone: no batch on disk is young enough.
func (p *Poller) planUnwritten(s *components.State, row int, r *components.Request) bool {
	offset, ok := hotTime(s, row, r.Strategy.Value)
	if !ok {
		offset = s.Partitions.OffsetWritten[row]
	}
	return p.planOffset(s, row, r, offset)
}

// hotTime finds the first batch in memory whose timestamp is not below micros, provided no batch on disk alone can be.
func hotTime(s *components.State, row int, micros uint64) (offset uint64, ok bool) {
	list, x := &s.Partitions.Extents[row], &s.Journal.Extents
	hot, ok := s.HotFirst(row)
	if !ok {
		return 0, false
	}
	// The last extent whose first record is older: the batch wanted is in it, or begins the next.
	lo, hi := 0, list.Len()
	for lo < hi {
		mid := (lo + hi) / 2
		at := mid
		for at >= lo && x.FirstPos[list.At(at)] == components.NoPosition {
			at--
		}
		if at < lo || recordTime(s, row, at) < micros {
			lo = mid + 1
		} else {
			hi = at
		}
	}
	at := lo - 1
	for at >= 0 && x.FirstPos[list.At(at)] == components.NoPosition {
		at--
	}
	if at < 0 {
		return hot, hot == s.Partitions.OffsetFirst[row] // the very first batch in memory is young enough
	}
	place := list.At(at)
	walk := s.Walk(row, components.Place{Index: at, Position: x.FirstPos[place]})
	for {
		header, ok := walk.Header()
		if !ok {
			return s.Partitions.OffsetNext[row], true
		}
		if header.BaseTimestamp >= micros {
			return header.BaseOffset, true
		}
		walk.Skip(header.Length)
	}
}

// recordTime is the base timestamp of the first record that starts in extent number index of a partition.
func recordTime(s *components.State, row, index int) uint64 {
	list, x := &s.Partitions.Extents[row], &s.Journal.Extents
	walk := s.Walk(row, components.Place{Index: index, Position: x.FirstPos[list.At(index)]})
	batch, _ := walk.Header()
	return batch.BaseTimestamp
}

// emptyPoll answers a poll that finds nothing.
func emptyPoll(s *components.State, row int, r *components.Request) bool {
	block, ok := s.NewBlock(r.Partition, 0, wire.PollPrefixSize)
	if !ok {
		return false
	}
	answerBlock(s, row, r, &block, 0)
	return true
}

// answerBlock writes the prefix and sends the block to the poller. The prefix is the first piece of the body.
func answerBlock(s *components.State, row int, r *components.Request, block *components.Block, count uint32) {
	if count == 0 {
		block.Room(wire.PollPrefixSize)
	}
	wire.PutPollPrefix(block.Body(), wire.PollPrefix{PartitionID: r.PartitionID, CurrentOffset: current(s, row), Count: count})
	s.Answer(r.Home, components.Reply{Kind: components.ReplyBlock, Conn: r.Conn, Block: block.Finish()})
}

// commit stores the offset of the last message returned, if the poll asks for it. It never moves back.
func commit(s *components.State, row int, r *components.Request, last uint64) {
	if r.Consumer.Kind == wire.ConsumerGroup {
		s.GroupReads.Read(r.Partition, r.Consumer.ID, r.Session, last+1)
	}
	if !r.AutoCommit {
		return
	}
	if at, ok := s.Offsets.Find(r.Partition, r.Consumer); ok && s.Offsets.Value[at] >= last {
		return
	}
	changeOffset(s, row, r.Consumer, last, false)
}

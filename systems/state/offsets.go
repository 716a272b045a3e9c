package state

import (
	"galgo/components"
	"galgo/wire"
)

// offsetMicros is how long a change of an offset that nobody waits for may stay unwritten.
const offsetMicros = 100_000

// storeOffset sets a consumer's offset. Statuses: protocol.md, 7.5 and 13.
func storeOffset(s *components.State, row int, r *components.Request) {
	p := &s.Partitions
	if !mayCommit(s, r) {
		s.Refuse(r, wire.StatusConsumerGroupPartitionNotOwned)
		return
	}
	if r.Offset >= p.Visible(row) {
		s.Refuse(r, wire.StatusInvalidOffset)
		return
	}
	if full := offsetsFull(s, row, r.Consumer); full {
		s.Refuse(r, wire.StatusTooManyConsumerOffsets)
		return
	}
	if s.OffsetsFailed && p.OffsetLevel[row] != components.LevelMemory {
		s.Refuse(r, wire.StatusCannotWriteToFile)
		return
	}
	order := changeOffset(s, row, r.Consumer, r.Offset, false)
	answerStored(s, row, r, order)
}

func offsetsFull(s *components.State, row int, consumer components.ConsumerKey) bool {
	partition := s.Partitions.Entity(row)
	_, known := s.Offsets.Find(partition, consumer)
	return !known && s.Offsets.Count(partition, consumer.Kind) >= s.OffsetsMax
}

func deleteOffset(s *components.State, row int, r *components.Request) {
	if !mayCommit(s, r) {
		s.Refuse(r, wire.StatusConsumerGroupPartitionNotOwned)
		return
	}
	if _, ok := s.Offsets.Find(s.Partitions.Entity(row), r.Consumer); !ok {
		s.Refuse(r, wire.StatusConsumerOffsetNotFound)
		return
	}
	if s.OffsetsFailed && s.Partitions.OffsetLevel[row] != components.LevelMemory {
		s.Refuse(r, wire.StatusCannotWriteToFile)
		return
	}
	order := changeOffset(s, row, r.Consumer, 0, true)
	answerStored(s, row, r, order)
}

// nextOrder is the order of the next change in the offset log, and lastOrder that of the last.
func nextOrder(s *components.State) uint64 {
	s.Offsets.Orders++
	return lastOrder(s)
}

func lastOrder(s *components.State) uint64 { return s.Run<<wire.RunShift | s.Offsets.Orders }

// changeOffset applies a change and puts its record in line for the offset log.
func changeOffset(s *components.State, row int, consumer components.ConsumerKey, value uint64, deleted bool) (order uint64) {
	partition := s.Partitions.Entity(row)
	order = nextOrder(s)
	if consumer.Kind == wire.ConsumerGroup && len(s.GroupReads.Leaves) > 0 {
		s.WakeAt(max(s.Now.MonoMicros, 1)) // DrainGroups may have waited for this
	}
	if deleted {
		s.Offsets.Delete(partition, consumer)
	} else {
		s.Offsets.Set(partition, consumer, value, order)
	}
	if !s.OffsetsFailed {
		logOffset(s, wire.OffsetRecord{Partition: uint64(partition), Epoch: s.Partitions.Epoch[row],
			Kind: consumer.Kind, Consumer: consumer.ID, Value: value, Order: order, Deleted: deleted})
	}
	return order
}

// logOffset puts a record in line for the offset log.
func logOffset(s *components.State, r wire.OffsetRecord) {
	var record [wire.OffsetRecordSize]byte
	wire.PutOffsetRecord(record[:], r, s.Secret)
	s.OffsetsPending = append(s.OffsetsPending, record[:]...)
	if s.OffsetsSince == 0 {
		s.OffsetsSince = max(s.Now.MonoMicros, 1)
	}
}

// answerStored answers an offset write now, or once the log has it.
func answerStored(s *components.State, row int, r *components.Request, order uint64) {
	switch s.Partitions.OffsetLevel[row] {
	case components.LevelMemory:
		s.Refuse(r, wire.StatusOK)
		return
	case components.LevelDurable:
		s.OffsetsDurable = true
	}
	s.OffsetsWanted = true
	s.Stored.Push(components.StoredAck{Home: r.Home, Conn: r.Conn, Order: order, Since: s.Now.MonoMicros})
}

// SealOffsets hands the pending changes to the offset log, one write at a time: at once when somebody waits, else
// within 100 ms. Reads OffsetsPending. Writes Out.Offsets.
func SealOffsets(s *components.State) {
	if len(s.OffsetsPending) == 0 || s.OffsetsBusy || s.OffsetsFailed {
		return
	}
	if due := s.OffsetsSince + offsetMicros; !s.OffsetsWanted && s.Now.MonoMicros < due && !s.Stopping {
		s.WakeAt(due)
		return
	}
	s.Out.Offsets = components.OffsetsOrder{Records: s.OffsetsPending, Order: lastOrder(s), Durable: s.OffsetsDurable}
	s.OffsetsPending, s.OffsetsSpare = s.OffsetsSpare[:0], s.OffsetsPending
	s.OffsetsBusy, s.OffsetsWanted, s.OffsetsDurable, s.OffsetsSince = true, false, false, 0
}

// TakeOffsetsWritten answers who waited for the offset log. After a failed write, offsets go on in memory only: writes that
// promise more are refused.
func TakeOffsetsWritten(s *components.State) {
	for s.In.OffsetsDone.Len() > 0 {
		done := s.In.OffsetsDone.Pop()
		s.OffsetsBusy = false
		status := wire.StatusOK
		if done.Err != 0 {
			status = wire.StatusCannotWriteToFile
			s.OffsetsFailed = true
			s.OffsetsPending, s.OffsetsSince = s.OffsetsPending[:0], 0
			s.Log.Log(components.LogError, "offset log failed: stored offsets are not kept over a restart any more", components.Num("errno", uint64(done.Err)))
		}
		for s.Stored.Len() > 0 && (s.Stored.Front().Order <= done.Order || done.Err != 0) {
			ack := s.Stored.Pop()
			s.Answer(ack.Home, components.Reply{Kind: components.ReplyStatus, Conn: ack.Conn, Status: status})
		}
		for s.Cuts.Len() > 0 && (s.Cuts.Front().Order <= done.Order || done.Err != 0) {
			cut := s.Cuts.Pop()
			finishTruncation(s, &cut, status)
		}
	}
}

// getOffset answers GET_CONSUMER_OFFSET.
func getOffset(s *components.State, row int, r *components.Request) {
	at, ok := s.Offsets.Find(s.Partitions.Entity(row), r.Consumer)
	if !ok {
		s.Refuse(r, wire.StatusOK) // an empty body: nothing is stored
		return
	}
	s.Answer(r.Home, components.Reply{Kind: components.ReplyOffset, Conn: r.Conn, PartitionID: r.PartitionID,
		Offset: s.Offsets.Value[at], Current: current(s, row)})
}

// current is the offset of the last visible message, 0 when there is none.
func current(s *components.State, row int) uint64 {
	return components.PartitionCounts{Next: s.Partitions.Visible(row)}.Current()
}

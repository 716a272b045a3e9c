package wire

import "fmt"

// SliceBatch makes what a poll sends of messages [from, to) of batch: into the first BatchHeaderSize bytes of dst
// the header with length, count and checksum of the messages kept, reserved bytes zero; and the range
// [begin, end) of batch where their bytes lie. Partition, base offset, times and the messages with
// their deltas stay as they are. from and to count messages as they lie in batch, from 0. Source: protocol.md, 12.2.
//
// dst and batch may not overlap. It reports false when batch does not hold that many whole messages; a range that is
// empty or beyond the header's count is a bug and panics.
func (b *BatchHasher) SliceBatch(dst, batch []byte, from, to uint32) (begin, end int, ok bool) {
	h, err := DecodeBatchHeader(batch)
	if err != nil {
		return 0, 0, false
	}
	if from >= to || to > h.MessageCount {
		panic(fmt.Sprintf("wire: messages [%d, %d) of a batch of %d", from, to, h.MessageCount))
	}
	begin, ok = skipMessages(batch, BatchHeaderSize, from)
	if !ok {
		return 0, 0, false
	}
	end, ok = skipMessages(batch, begin, to-from)
	if !ok {
		return 0, 0, false
	}
	h.Length, h.MessageCount = uint64(BatchHeaderSize+end-begin), to-from
	b.Begin(h)
	b.AddMessages(batch[begin:end])
	h.Checksum = b.Sum()
	PutBatchHeader(dst, h)
	return begin, end, true
}

// skipMessages returns the position behind the next count messages from position.
func skipMessages(batch []byte, position int, count uint32) (int, bool) {
	for ; count > 0; count-- {
		size := messageSize(batch[position:])
		if size == 0 {
			return 0, false
		}
		position += size
	}
	return position, true
}

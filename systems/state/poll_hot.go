package state

import (
	"encoding/binary"

	"galgo/components"
	"galgo/wire"
)

// copyMax is the length in bytes up to which the messages of a batch are copied into the reply: below it, a
// vector costs more than the copy.
const copyMax = 8 << 10

// copiedMax is how many bytes of a reply are copied at most: a poll of very many small batches gets its messages in several
// replies, as one from disk does.
const copiedMax = 8 << 20

// pollPiece is what a reply takes of one record in memory.
type pollPiece struct {
	header wire.BatchHeader  // as sent
	reader components.Reader // at the first message taken
	size   uint64            // bytes of the messages taken
	copied bool
}

// hotPoll answers a poll from memory: the stored messages as they lie, behind headers without their seals.
func (p *Poller) hotPoll(s *components.State, row int, r *components.Request, start uint64) bool {
	count, copied, vectors := p.collect(s, row, r, start)
	if count == 0 {
		return emptyPoll(s, row, r)
	}
	evicted := s.Journal.Evicted
	block, ok := s.NewBlock(r.Partition, vectors, copied)
	if !ok {
		return false
	}
	if evicted != s.Journal.Evicted { // what was collected may have given way to the block: look again, now that there is room
		s.FreeBlock(block.Finish().Row)
		return p.planOffset(s, row, r, start)
	}
	p.copied = int(copied)
	block.Room(wire.PollPrefixSize)
	last := start
	for i := range p.pieces {
		piece := &p.pieces[i]
		wire.PutBatchHeader(block.Room(wire.BatchHeaderSize), piece.header)
		if piece.copied {
			piece.reader.Peek(block.Room(uint32(piece.size)))
			continue
		}
		for left := piece.size; left > 0; {
			span, run := piece.reader.Next(left)
			block.ReferRun(run, span)
			left -= uint64(span.Len)
		}
	}
	last += uint64(count) - 1
	commit(s, row, r, last)
	answerBlock(s, row, r, &block, count)
	return true
}

// collect lists the records, or parts of them, that a poll gets: messages from start on, count at most, below the visible
// watermark, in a reply that clients accept. It returns how many messages, how many bytes to be copied, and how many vectors.
func (p *Poller) collect(s *components.State, row int, r *components.Request, start uint64) (count, copied, vectors uint32) {
	visible := s.Partitions.Visible(row)
	walk := s.Walk(row, s.HotPlace(row, start))
	p.pieces = p.pieces[:0]
	copied = wire.PollPrefixSize
	total := uint64(0)
	for count < r.Count {
		header, ok := walk.Header()
		if !ok || header.BaseOffset >= visible {
			break
		}
		next := header.BaseOffset + uint64(header.MessageCount)
		if next <= start {
			walk.Skip(header.Length)
			continue
		}
		from := uint32(start + uint64(count) - header.BaseOffset)
		to := from + min(r.Count-count, header.MessageCount-from)
		piece := pollPiece{header: header, reader: walk.Reader, size: header.Length - wire.BatchHeaderSize}
		piece.reader.Skip(wire.BatchHeaderSize)
		if from > 0 || to < header.MessageCount {
			p.slice(&piece, from, to)
		}
		if total += wire.BatchHeaderSize + piece.size; total > pollSizeMax && count > 0 {
			break
		}
		spans := uint32(0)
		if piece.size > copyMax {
			spans = piece.reader.Pieces(piece.size)
		}
		piece.copied = spans == 0
		if count > 0 && (vectors+spans+1 >= components.VectorsMax-1 || piece.copied && uint64(copied)+piece.size+wire.BatchHeaderSize > copiedMax) {
			break
		}
		copied += wire.BatchHeaderSize
		if piece.copied {
			copied += uint32(piece.size)
		} else {
			vectors += spans + 1
		}
		p.pieces = append(p.pieces, piece)
		count += to - from
		walk.Skip(header.Length)
	}
	if vectors > 0 {
		vectors++ // what is copied behind the last one that is not
	}
	return count, copied, vectors
}

// slice narrows a piece to messages [from, to) of its record. Source: protocol.md, 12.2.
func (p *Poller) slice(piece *pollPiece, from, to uint32) {
	walk := piece.reader
	var message [wire.MessageHeaderSize]byte
	size := func() uint64 {
		walk.Peek(message[:])
		h, _ := wire.DecodeMessageHeader(message[:])
		n := wire.MessageHeaderSize + uint64(h.PayloadLength) + uint64(h.UserHeadersLength)
		walk.Skip(n)
		return n
	}
	for range from {
		piece.reader.Skip(size())
	}
	kept := walk
	piece.size = 0
	for range to - from {
		piece.size += size()
	}
	piece.header.Length, piece.header.MessageCount = wire.BatchHeaderSize+piece.size, to-from
	p.hasher.Begin(piece.header)
	walk = kept
	for range to - from {
		size()
		p.hasher.Add(binary.LittleEndian.Uint64(message[:]))
	}
	piece.header.Checksum = p.hasher.Sum()
}

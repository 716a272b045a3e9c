package wire

import (
	"encoding/binary"

	"github.com/zeebo/xxh3"
)

// BatchHasher computes a batch's checksum: XXH3-64 of its header fields, the checksum left out, and the checksum
// of each message in order. Payloads are covered only through their messages' checksums, so hashing a verified
// batch anew reads 8 bytes a message. The messages may come in several pieces.
//
// The zero value is ready for Begin; it is about 2 KiB, is used again and again, and never allocates.
type BatchHasher struct {
	hash    xxh3.Hasher
	pending int // bytes in buffer; the hasher is dear to feed 8 bytes at a time, and a small batch never needs it
	spilled bool
	buffer  [batchHashedSize + 64*8]byte
}

// batchHashedSize is how much of a batch header its checksum covers.
const batchHashedSize = batchFieldsSize - 8

// Begin starts on the batch that h opens; h.Checksum is not looked at.
func (b *BatchHasher) Begin(h BatchHeader) {
	binary.LittleEndian.PutUint64(b.buffer[0:], h.PartitionID)
	binary.LittleEndian.PutUint64(b.buffer[8:], h.BaseOffset)
	binary.LittleEndian.PutUint64(b.buffer[16:], h.BaseTimestamp)
	binary.LittleEndian.PutUint64(b.buffer[24:], h.OriginTimestamp)
	binary.LittleEndian.PutUint64(b.buffer[32:], h.Length)
	binary.LittleEndian.PutUint32(b.buffer[40:], h.MessageCount)
	b.pending, b.spilled = batchHashedSize, false
}

// Add takes the next message by its checksum.
func (b *BatchHasher) Add(checksum uint64) {
	if b.pending+8 > len(b.buffer) {
		b.spill()
	}
	binary.LittleEndian.PutUint64(b.buffer[b.pending:], checksum)
	b.pending += 8
}

// AddMessages takes the messages that fill piece, by the checksums they carry, and reports whether whole
// messages fill it.
func (b *BatchHasher) AddMessages(piece []byte) bool {
	for len(piece) > 0 {
		size := messageSize(piece)
		if size == 0 {
			return false
		}
		b.Add(binary.LittleEndian.Uint64(piece))
		piece = piece[size:]
	}
	return true
}

// Sum is the checksum of the batch begun and the messages added.
func (b *BatchHasher) Sum() uint64 {
	if !b.spilled {
		return xxh3.Hash(b.buffer[:b.pending])
	}
	b.spill()
	return b.hash.Sum64()
}

func (b *BatchHasher) spill() {
	if !b.spilled {
		b.hash.Reset()
		b.spilled = true
	}
	_, _ = b.hash.Write(b.buffer[:b.pending]) // a Hasher never fails
	b.pending = 0
}

// StampBatch writes what the owner of the partition decides into the header of batch, whose bytes lie in one piece and
// have been verified, and makes the checksum anew. The reserved bytes stay as they are.
// Messages that do not fill the batch are a bug and panic.
func (b *BatchHasher) StampBatch(batch []byte, partitionID, baseOffset, baseTimestamp uint64) BatchHeader {
	h, err := DecodeBatchHeader(batch)
	if err != nil {
		panic("wire: stamping a batch without a header")
	}
	h.PartitionID, h.BaseOffset, h.BaseTimestamp = partitionID, baseOffset, baseTimestamp
	b.Begin(h)
	if !b.AddMessages(batch[BatchHeaderSize:]) {
		panic("wire: stamping a batch that was not verified")
	}
	h.Checksum = b.Sum()
	putBatchFields(batch, h)
	return h
}

package wire

import "encoding/binary"

// BatchBuilder makes a batch as a producer sends it. It is used again after Reset and keeps its memory.
type BatchBuilder struct {
	buffer []byte
	count  uint32
	origin uint64
	sum    BatchHasher
}

// Reset begins an empty batch; originMicros is the producer's clock.
func (b *BatchBuilder) Reset(originMicros uint64) {
	var header [BatchHeaderSize]byte
	b.buffer = append(b.buffer[:0], header[:]...)
	b.count, b.origin = 0, originMicros
}

// Add appends a message. Its offset delta is its index; deltaMicros is added to the batch's origin time; headers is a
// header map, possibly empty. The bytes are copied. Reset comes first.
func (b *BatchBuilder) Add(id U128, deltaMicros uint32, payload, headers []byte) {
	at := len(b.buffer)
	b.buffer = append(b.buffer, 0, 0, 0, 0, 0, 0, 0, 0) // the checksum
	b.buffer = appendU128(b.buffer, id)
	b.buffer = binary.LittleEndian.AppendUint32(b.buffer, b.count)
	b.buffer = binary.LittleEndian.AppendUint32(b.buffer, deltaMicros)
	b.buffer = binary.LittleEndian.AppendUint32(b.buffer, uint32(len(headers)))
	b.buffer = binary.LittleEndian.AppendUint32(b.buffer, uint32(len(payload)))
	b.buffer = binary.LittleEndian.AppendUint64(b.buffer, 0)
	b.buffer = append(b.buffer, payload...)
	b.buffer = append(b.buffer, headers...)
	binary.LittleEndian.PutUint64(b.buffer[at:], ChecksumMessage(b.buffer[at:]))
	b.count++
}

// Count is how many messages were added since Reset.
func (b *BatchBuilder) Count() uint32 { return b.count }

// Size is the size of the batch so far in bytes, header included.
func (b *BatchBuilder) Size() int { return len(b.buffer) }

// Bytes finishes the header and returns the batch. The bytes stay the builder's: the next Reset or Add writes to them.
func (b *BatchBuilder) Bytes() []byte {
	h := BatchHeader{OriginTimestamp: b.origin, Length: uint64(len(b.buffer)), MessageCount: b.count}
	b.sum.Begin(h)
	b.sum.AddMessages(b.buffer[BatchHeaderSize:])
	h.Checksum = b.sum.Sum()
	PutBatchHeader(b.buffer, h)
	return b.buffer
}

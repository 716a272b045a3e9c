package wire

import "encoding/binary"

// BatchHeaderSize is the size of a batch's header in bytes.
const BatchHeaderSize = 256

// batchFieldsSize is where the reserved bytes of a batch header begin.
const batchFieldsSize = 52

// BatchHeader opens a batch: 256 bytes, little-endian. On the socket the 204 bytes after the fields are zero; in
// journal and segment they hold a seal, which a poll sends as zeros. Source: protocol.md, 11.1.
//
//	0             8            16              24                32       40         48
//	| PartitionID | BaseOffset | BaseTimestamp | OriginTimestamp | Length | Checksum | MessageCount |
type BatchHeader struct {
	PartitionID     uint64 // this and the next two: zero from a producer, stamped by the owner shard
	BaseOffset      uint64 // offset of the first message
	BaseTimestamp   uint64 // µs since the Unix epoch
	OriginTimestamp uint64 // µs, the producer's clock
	Length          uint64 // bytes, this header included
	Checksum        uint64 // XXH3-64 of the other fields and the messages' checksums
	MessageCount    uint32 // at least 1
}

// DecodeBatchHeader reads the header at the start of src and judges nothing. It returns ErrShort for less
// than BatchHeaderSize bytes.
func DecodeBatchHeader(src []byte) (BatchHeader, error) {
	if len(src) < BatchHeaderSize {
		return BatchHeader{}, ErrShort
	}
	return BatchHeader{
		PartitionID:     binary.LittleEndian.Uint64(src),
		BaseOffset:      binary.LittleEndian.Uint64(src[8:]),
		BaseTimestamp:   binary.LittleEndian.Uint64(src[16:]),
		OriginTimestamp: binary.LittleEndian.Uint64(src[24:]),
		Length:          binary.LittleEndian.Uint64(src[32:]),
		Checksum:        binary.LittleEndian.Uint64(src[40:]),
		MessageCount:    binary.LittleEndian.Uint32(src[48:]),
	}, nil
}

// PutBatchHeader writes h into the first BatchHeaderSize bytes of dst and zeroes the reserved ones.
func PutBatchHeader(dst []byte, h BatchHeader) {
	dst = dst[:BatchHeaderSize]
	putBatchFields(dst, h)
	clear(dst[batchFieldsSize:])
}

func putBatchFields(dst []byte, h BatchHeader) {
	_ = dst[batchFieldsSize-1]
	binary.LittleEndian.PutUint64(dst, h.PartitionID)
	binary.LittleEndian.PutUint64(dst[8:], h.BaseOffset)
	binary.LittleEndian.PutUint64(dst[16:], h.BaseTimestamp)
	binary.LittleEndian.PutUint64(dst[24:], h.OriginTimestamp)
	binary.LittleEndian.PutUint64(dst[32:], h.Length)
	binary.LittleEndian.PutUint64(dst[40:], h.Checksum)
	binary.LittleEndian.PutUint32(dst[48:], h.MessageCount)
}

// NextBatch splits the first batch off batches that lie back to back, as they do behind a PollPrefix. It returns ErrShort
// when src ends before the batch, and ErrMalformed for a length below BatchHeaderSize. What is in the batch it does not look at.
func NextBatch(src []byte) (batch, rest []byte, err error) {
	h, err := DecodeBatchHeader(src)
	switch {
	case err != nil:
		return nil, nil, err
	case h.Length < BatchHeaderSize:
		return nil, nil, ErrMalformed
	case h.Length > uint64(len(src)):
		return nil, nil, ErrShort
	}
	return src[:h.Length:h.Length], src[h.Length:], nil
}

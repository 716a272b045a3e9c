package wire

import "encoding/binary"

// ChangePartitions is the body of OpCreatePartitions and OpDeletePartitions.
//
//	| stream ident | topic ident | count u32 |
type ChangePartitions struct {
	Stream, Topic Ident
	Count         uint32 // 1..=PartitionsPerRequestMax
}

// DecodeChangePartitions reads a body; StatusTooManyPartitions for a count of 0 or above PartitionsPerRequestMax.
func DecodeChangePartitions(body []byte) (ChangePartitions, Status) {
	r := bodyReader{src: body}
	c := ChangePartitions{Stream: r.ident(), Topic: r.ident(), Count: r.u32()}
	if !r.bad && (c.Count == 0 || c.Count > PartitionsPerRequestMax) {
		return c, StatusTooManyPartitions
	}
	return c, r.status()
}

// AppendChangePartitions appends the encoding of c.
func AppendChangePartitions(dst []byte, c ChangePartitions) []byte {
	dst = AppendIdent(AppendIdent(dst, c.Stream), c.Topic)
	return binary.LittleEndian.AppendUint32(dst, c.Count)
}

// DeleteSegments is the body of OpDeleteSegments.
//
//	| stream ident | topic ident | partition u32 | segments_count u32 |
type DeleteSegments struct {
	Stream, Topic Ident
	PartitionID   uint32
	SegmentsCount uint32
}

// DecodeDeleteSegments reads a body.
func DecodeDeleteSegments(body []byte) (DeleteSegments, Status) {
	r := bodyReader{src: body}
	d := DeleteSegments{Stream: r.ident(), Topic: r.ident(), PartitionID: r.u32(), SegmentsCount: r.u32()}
	return d, r.status()
}

// AppendDeleteSegments appends the encoding of d.
func AppendDeleteSegments(dst []byte, d DeleteSegments) []byte {
	dst = AppendIdent(AppendIdent(dst, d.Stream), d.Topic)
	dst = binary.LittleEndian.AppendUint32(dst, d.PartitionID)
	return binary.LittleEndian.AppendUint32(dst, d.SegmentsCount)
}

// Partition is one partition in an answer. Source: protocol.md, 8.5.
//
//	| id u32 | created_at u64 | segments_count u32 | current_offset u64 | size u64 | messages_count u64 |
type Partition struct {
	ID            uint32
	CreatedAt     uint64 // µs
	SegmentsCount uint32 // at least 1, save in the answer to OpCreateTopic
	CurrentOffset uint64 // of the last message, 0 when empty
	Size          uint64 // bytes
	MessagesCount uint64
}

// AppendPartition appends the encoding of p.
func AppendPartition(dst []byte, p Partition) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, p.ID)
	dst = binary.LittleEndian.AppendUint64(dst, p.CreatedAt)
	dst = binary.LittleEndian.AppendUint32(dst, p.SegmentsCount)
	dst = binary.LittleEndian.AppendUint64(dst, p.CurrentOffset)
	dst = binary.LittleEndian.AppendUint64(dst, p.Size)
	return binary.LittleEndian.AppendUint64(dst, p.MessagesCount)
}

func (r *bodyReader) partition() Partition {
	return Partition{
		ID:            r.u32(),
		CreatedAt:     r.u64(),
		SegmentsCount: r.u32(),
		CurrentOffset: r.u64(),
		Size:          r.u64(),
		MessagesCount: r.u64(),
	}
}

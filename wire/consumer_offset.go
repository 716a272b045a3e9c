package wire

import "encoding/binary"

// OffsetKey names the stored offset of a consumer in a partition. It is the body of CodeGetConsumerOffset and
// CodeGetConsumerOffsetRouting, and opens those of OpStoreConsumerOffset and OpDeleteConsumerOffset.
//
//	| consumer | stream ident | topic ident | optional partition |
type OffsetKey struct {
	Consumer      Consumer
	Stream, Topic Ident
	Partition     OptionalPartition
}

func (r *bodyReader) offsetKey() OffsetKey {
	return OffsetKey{
		Consumer:  r.consumer(),
		Stream:    r.ident(),
		Topic:     r.ident(),
		Partition: r.optionalPartition(),
	}
}

// DecodeOffsetKey reads a body.
func DecodeOffsetKey(body []byte) (OffsetKey, Status) {
	r := bodyReader{src: body}
	k := r.offsetKey()
	return k, r.status()
}

// AppendOffsetKey appends the encoding of k.
func AppendOffsetKey(dst []byte, k OffsetKey) []byte {
	dst = AppendConsumer(dst, k.Consumer)
	dst = AppendIdent(AppendIdent(dst, k.Stream), k.Topic)
	return AppendOptionalPartition(dst, k.Partition)
}

// Whether an offset write waits for a quorum, which on one node it never does.
const (
	AckNone   uint8 = 0
	AckQuorum uint8 = 1
)

// StoreConsumerOffset is the body of OpStoreConsumerOffset.
//
//	| offset key | offset u64 | ack u8 |
type StoreConsumerOffset struct {
	OffsetKey
	Offset uint64
	Ack    uint8 // AckNone or AckQuorum
}

// DecodeStoreConsumerOffset reads a body.
func DecodeStoreConsumerOffset(body []byte) (StoreConsumerOffset, Status) {
	r := bodyReader{src: body}
	s := StoreConsumerOffset{OffsetKey: r.offsetKey(), Offset: r.u64(), Ack: r.ack()}
	return s, r.status()
}

// AppendStoreConsumerOffset appends the encoding of s.
func AppendStoreConsumerOffset(dst []byte, s StoreConsumerOffset) []byte {
	dst = AppendOffsetKey(dst, s.OffsetKey)
	dst = binary.LittleEndian.AppendUint64(dst, s.Offset)
	return append(dst, s.Ack)
}

// DeleteConsumerOffset is the body of OpDeleteConsumerOffset.
//
//	| offset key | ack u8 |
type DeleteConsumerOffset struct {
	OffsetKey
	Ack uint8 // AckNone or AckQuorum
}

// DecodeDeleteConsumerOffset reads a body.
func DecodeDeleteConsumerOffset(body []byte) (DeleteConsumerOffset, Status) {
	r := bodyReader{src: body}
	d := DeleteConsumerOffset{OffsetKey: r.offsetKey(), Ack: r.ack()}
	return d, r.status()
}

// AppendDeleteConsumerOffset appends the encoding of d.
func AppendDeleteConsumerOffset(dst []byte, d DeleteConsumerOffset) []byte {
	return append(AppendOffsetKey(dst, d.OffsetKey), d.Ack)
}

func (r *bodyReader) ack() uint8 {
	ack := r.u8()
	if ack > AckQuorum {
		r.bad = true
	}
	return ack
}

// StoredOffsetSize is the size of a StoredOffset in bytes.
const StoredOffsetSize = 20

// StoredOffset answers CodeGetConsumerOffset; the body is empty when nothing is stored.
//
//	| partition_id u32 | current_offset u64 | stored_offset u64 |
type StoredOffset struct {
	PartitionID   uint32
	CurrentOffset uint64 // last offset of the partition, 0 when empty
	StoredOffset  uint64
}

// AppendStoredOffset appends the encoding of o.
func AppendStoredOffset(dst []byte, o StoredOffset) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, o.PartitionID)
	dst = binary.LittleEndian.AppendUint64(dst, o.CurrentOffset)
	return binary.LittleEndian.AppendUint64(dst, o.StoredOffset)
}

// DecodeStoredOffset reads a payload that is not empty; ErrMalformed when it is of another size.
func DecodeStoredOffset(payload []byte) (StoredOffset, error) {
	r := bodyReader{src: payload}
	o := StoredOffset{PartitionID: r.u32(), CurrentOffset: r.u64(), StoredOffset: r.u64()}
	return o, r.errAtEnd()
}

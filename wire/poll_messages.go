package wire

import "encoding/binary"

// PollMessages is the body of CodePollMessages, CodeGetPollRouting and CodePollMessagesOnPrimary.
//
//	| consumer | stream ident | topic ident | optional partition | strategy | count u32 | auto_commit bool |
type PollMessages struct {
	Consumer      Consumer
	Stream, Topic Ident
	Partition     OptionalPartition
	Strategy      Strategy
	Count         uint32
	AutoCommit    bool
}

// DecodePollMessages reads a body; StatusInvalidCommand for an undecodable one, an unknown strategy or consumer kind.
func DecodePollMessages(body []byte) (PollMessages, Status) {
	r := bodyReader{src: body}
	p := PollMessages{
		Consumer:   r.consumer(),
		Stream:     r.ident(),
		Topic:      r.ident(),
		Partition:  r.optionalPartition(),
		Strategy:   r.strategy(),
		Count:      r.u32(),
		AutoCommit: r.flag(),
	}
	return p, r.status()
}

// AppendPollMessages appends the encoding of p.
func AppendPollMessages(dst []byte, p PollMessages) []byte {
	dst = AppendConsumer(dst, p.Consumer)
	dst = AppendIdent(dst, p.Stream)
	dst = AppendIdent(dst, p.Topic)
	dst = AppendOptionalPartition(dst, p.Partition)
	dst = AppendStrategy(dst, p.Strategy)
	dst = binary.LittleEndian.AppendUint32(dst, p.Count)
	return appendFlag(dst, p.AutoCommit)
}

// PartitionResync stands where a partition id is expected and tells a group member to ask for its assignment again.
const PartitionResync uint32 = 0xFFFFFFFF

// PollPrefixSize is the size of a PollPrefix in bytes.
const PollPrefixSize = 16

// PollPrefix opens the body that answers a poll; batches follow back to back and fill the body.
//
//	| partition_id u32 | current_offset u64 | count u32 |
type PollPrefix struct {
	PartitionID   uint32 // PartitionResync, with the rest 0, for a caller that does not own the partition
	CurrentOffset uint64 // last offset of the partition, 0 when empty
	Count         uint32 // messages in all batches that follow
}

// PutPollPrefix writes p into the first PollPrefixSize bytes of dst.
func PutPollPrefix(dst []byte, p PollPrefix) {
	_ = dst[PollPrefixSize-1]
	binary.LittleEndian.PutUint32(dst, p.PartitionID)
	binary.LittleEndian.PutUint64(dst[4:], p.CurrentOffset)
	binary.LittleEndian.PutUint32(dst[12:], p.Count)
}

// AppendPollPrefix appends the encoding of p.
func AppendPollPrefix(dst []byte, p PollPrefix) []byte {
	var b [PollPrefixSize]byte
	PutPollPrefix(b[:], p)
	return append(dst, b[:]...)
}

// DecodePollPrefix reads the start of a body and returns the batches that follow, not looked at. It returns
// ErrShort for a body that ends before them.
func DecodePollPrefix(body []byte) (p PollPrefix, batches []byte, err error) {
	if len(body) < PollPrefixSize {
		return PollPrefix{}, nil, ErrShort
	}
	return PollPrefix{
		PartitionID:   binary.LittleEndian.Uint32(body),
		CurrentOffset: binary.LittleEndian.Uint64(body[4:]),
		Count:         binary.LittleEndian.Uint32(body[12:]),
	}, body[PollPrefixSize:], nil
}

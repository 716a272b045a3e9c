package wire

import "encoding/binary"

// SendMessages is the body of OpSendMessages.
//
//	| metadata_length u32 | stream ident | topic ident | partitioning | messages_count u32 | batch |
type SendMessages struct {
	Stream, Topic Ident
	Partitioning  Partitioning
	MessagesCount uint32
	Batch         []byte // the rest of the body, not looked at; BatchVerifier does
}

// DecodeSendMessages reads a body, or as much of its front as reaches the batch. It returns
// StatusResourceNotFound, as the protocol wants, when what precedes the batch is undecodable or metadata_length
// is not its exact size.
func DecodeSendMessages(body []byte) (SendMessages, Status) {
	r := bodyReader{src: body}
	metadata := r.u32()
	before := len(r.src)
	m := SendMessages{
		Stream:        r.ident(),
		Topic:         r.ident(),
		Partitioning:  r.partitioning(),
		MessagesCount: r.u32(),
	}
	if r.bad || uint64(metadata) != uint64(before-len(r.src)) {
		return SendMessages{}, StatusResourceNotFound
	}
	m.Batch = r.src
	return m, StatusOK
}

// AppendSendMessages appends the encoding of m, batch included.
func AppendSendMessages(dst []byte, m SendMessages) []byte {
	metadata := m.Stream.Size() + m.Topic.Size() + m.Partitioning.Size() + 4
	dst = binary.LittleEndian.AppendUint32(dst, uint32(metadata))
	dst = AppendIdent(dst, m.Stream)
	dst = AppendIdent(dst, m.Topic)
	dst = AppendPartitioning(dst, m.Partitioning)
	dst = binary.LittleEndian.AppendUint32(dst, m.MessagesCount)
	return append(dst, m.Batch...)
}

// SendConfirmation tells a producer where its batch is. All ids are numeric.
type SendConfirmation struct {
	StreamID, TopicID, PartitionID uint32
	BaseOffset                     uint64
}

// SendReplySize is the size of the body that answers OpSendMessages: a count of 1 and one confirmation.
const SendReplySize = 24

// PutSendReply writes the whole body of a successful send, SendReplySize bytes. It is not framed.
//
//	| count u32 = 1 | stream_id u32 | topic_id u32 | partition_id u32 | base_offset u64 |
func PutSendReply(dst []byte, c SendConfirmation) {
	_ = dst[SendReplySize-1]
	binary.LittleEndian.PutUint32(dst, 1)
	binary.LittleEndian.PutUint32(dst[4:], c.StreamID)
	binary.LittleEndian.PutUint32(dst[8:], c.TopicID)
	binary.LittleEndian.PutUint32(dst[12:], c.PartitionID)
	binary.LittleEndian.PutUint64(dst[16:], c.BaseOffset)
}

// AppendSendReply appends the whole body of a successful send.
func AppendSendReply(dst []byte, c SendConfirmation) []byte {
	var b [SendReplySize]byte
	PutSendReply(b[:], c)
	return append(dst, b[:]...)
}

// DecodeSendReply reads the body that answers a send. It returns ErrMalformed for any body but one confirmation, exactly.
func DecodeSendReply(body []byte) (SendConfirmation, error) {
	r := bodyReader{src: body}
	if r.u32() != 1 {
		return SendConfirmation{}, ErrMalformed
	}
	c := SendConfirmation{StreamID: r.u32(), TopicID: r.u32(), PartitionID: r.u32(), BaseOffset: r.u64()}
	return c, r.errAtEnd()
}

package wire

import (
	"encoding/binary"

	"github.com/zeebo/xxh3"
)

// MessageHeaderSize is the size of a message's header in bytes.
const MessageHeaderSize = 48

// messageChecksumSize is how much of a message its checksum does not cover: the checksum.
const messageChecksumSize = 8

// MessageHeader opens a message inside a batch: 48 bytes, little-endian; then the payload, then the user
// headers. A server never changes any of it. Source: protocol.md, 11.1.
//
//	0          8    24            28               32                  36              40             48
//	| Checksum | ID | OffsetDelta | TimestampDelta | UserHeadersLength | PayloadLength | reserved u64 |
type MessageHeader struct {
	Checksum          uint64 // XXH3-64 of everything behind it, user headers included
	ID                U128   // chosen by the producer, never looked at
	OffsetDelta       uint32 // index in the batch the producer sent
	TimestampDelta    uint32 // µs, added to the batch's OriginTimestamp
	UserHeadersLength uint32 // bytes
	PayloadLength     uint32 // bytes
}

// DecodeMessageHeader reads the header at the start of src and judges nothing. It returns ErrShort for
// less than MessageHeaderSize bytes.
func DecodeMessageHeader(src []byte) (MessageHeader, error) {
	if len(src) < MessageHeaderSize {
		return MessageHeader{}, ErrShort
	}
	return MessageHeader{
		Checksum:          binary.LittleEndian.Uint64(src),
		ID:                getU128(src[8:]),
		OffsetDelta:       binary.LittleEndian.Uint32(src[24:]),
		TimestampDelta:    binary.LittleEndian.Uint32(src[28:]),
		UserHeadersLength: binary.LittleEndian.Uint32(src[32:]),
		PayloadLength:     binary.LittleEndian.Uint32(src[36:]),
	}, nil
}

// Message is one message of a batch; its slices alias the batch.
type Message struct {
	MessageHeader
	Bytes       []byte // all of it, header included
	Payload     []byte
	UserHeaders []byte // a header map, not looked at; see PairsIn
}

// ChecksumMessage is the checksum of the message that bytes are, from its ID to its last byte.
func ChecksumMessage(bytes []byte) uint64 { return xxh3.Hash(bytes[messageChecksumSize:]) }

// messageSize is the size of the message at the start of src, or 0 when src holds no whole message or its
// reserved bytes are not zero.
func messageSize(src []byte) int {
	if len(src) < MessageHeaderSize {
		return 0
	}
	headers, payload := binary.LittleEndian.Uint32(src[32:]), binary.LittleEndian.Uint32(src[36:])
	size := MessageHeaderSize + uint64(headers) + uint64(payload)
	if size > uint64(len(src)) || binary.LittleEndian.Uint64(src[40:]) != 0 {
		return 0
	}
	return int(size)
}

// MessageIterator walks messages that lie back to back. It allocates nothing.
type MessageIterator struct{ src []byte }

// MessagesIn walks the messages of batch, which begins with a BatchHeader; a batch shorter than that has none.
// The header's counts are not looked at.
func MessagesIn(batch []byte) MessageIterator {
	return MessageIterator{src: batch[min(len(batch), BatchHeaderSize):]}
}

// Next returns the next message, and false at the end or where no whole message follows.
func (it *MessageIterator) Next() (Message, bool) {
	size := messageSize(it.src)
	if size == 0 {
		return Message{}, false
	}
	bytes := it.src[:size:size]
	it.src = it.src[size:]
	m := Message{Bytes: bytes}
	m.MessageHeader, _ = DecodeMessageHeader(bytes)
	payloadEnd := MessageHeaderSize + int(m.PayloadLength)
	m.Payload, m.UserHeaders = bytes[MessageHeaderSize:payloadEnd:payloadEnd], bytes[payloadEnd:]
	return m, true
}

package wire

import "encoding/binary"

// FlushUnsavedBuffer is the body of CodeFlushUnsavedBuffer, which is always refused with StatusFeatureUnavailable.
//
//	| stream ident | topic ident | partition u32 | fsync bool |
type FlushUnsavedBuffer struct {
	Stream, Topic Ident
	PartitionID   uint32
	Fsync         bool
}

// DecodeFlushUnsavedBuffer reads a body.
func DecodeFlushUnsavedBuffer(body []byte) (FlushUnsavedBuffer, Status) {
	r := bodyReader{src: body}
	f := FlushUnsavedBuffer{Stream: r.ident(), Topic: r.ident(), PartitionID: r.u32(), Fsync: r.flag()}
	return f, r.status()
}

// AppendFlushUnsavedBuffer appends the encoding of f.
func AppendFlushUnsavedBuffer(dst []byte, f FlushUnsavedBuffer) []byte {
	dst = AppendIdent(AppendIdent(dst, f.Stream), f.Topic)
	dst = binary.LittleEndian.AppendUint32(dst, f.PartitionID)
	return appendFlag(dst, f.Fsync)
}

package wire

import "encoding/binary"

// ReplyHeader opens a reply: 256 bytes, little-endian. What is not listed is zero, and the command byte
// at 60 is FrameReply. Source: protocol.md, 2.2.
//
//	32        48     52     56        60    61        128               144       160      176
//	| Cluster | Size | View | Release | (8) | Replica | RequestChecksum | Context | Client | Op |
//	184      192         200       208         216
//	| Commit | Timestamp | Request | Operation | Status |
type ReplyHeader struct {
	Cluster         U128
	RequestChecksum U128
	Context         U128 // 0
	Client          U128
	Size            uint32 // bytes, header and body
	View            uint32
	Release         uint32
	Replica         uint8
	Operation       Operation // Operation.ReplyOperation of the request's
	Status          Status    // anything but StatusOK requires an empty body
	Op              uint64    // log position of a committed operation, session after login, the request's session for reads
	Commit          uint64    // the last committed metadata position, never decreasing; 0 before login
	Timestamp       uint64    // µs; the request's, or the server's for a committed operation
	Request         uint64    // the request's, exactly
}

// ReplyTo is the header of a reply to h without a body: every echoed field, the operation a reply
// carries, StatusOK. The caller sets Op, Commit, Status, Timestamp of what it committed, and Size when a body follows.
func ReplyTo(h RequestHeader) ReplyHeader {
	return ReplyHeader{
		Cluster:         h.Cluster,
		RequestChecksum: h.RequestChecksum,
		Client:          h.Client,
		Size:            FrameHeaderSize,
		View:            h.View,
		Release:         h.Release,
		Replica:         h.Replica,
		Operation:       h.Operation.ReplyOperation(),
		Timestamp:       h.Timestamp,
		Request:         h.Request,
	}
}

// PutReplyHeader writes h into the first FrameHeaderSize bytes of dst, the reserved ones included.
func PutReplyHeader(dst []byte, h ReplyHeader) {
	dst = dst[:FrameHeaderSize]
	clear(dst)
	putU128(dst[32:], h.Cluster)
	binary.LittleEndian.PutUint32(dst[48:], h.Size)
	binary.LittleEndian.PutUint32(dst[52:], h.View)
	binary.LittleEndian.PutUint32(dst[56:], h.Release)
	dst[60] = FrameReply
	dst[61] = h.Replica
	putU128(dst[128:], h.RequestChecksum)
	putU128(dst[144:], h.Context)
	putU128(dst[160:], h.Client)
	binary.LittleEndian.PutUint64(dst[176:], h.Op)
	binary.LittleEndian.PutUint64(dst[184:], h.Commit)
	binary.LittleEndian.PutUint64(dst[192:], h.Timestamp)
	binary.LittleEndian.PutUint64(dst[200:], h.Request)
	dst[208] = byte(h.Operation)
	binary.LittleEndian.PutUint32(dst[216:], uint32(h.Status))
}

// AppendReplyHeader appends the encoding of h, FrameHeaderSize bytes.
func AppendReplyHeader(dst []byte, h ReplyHeader) []byte {
	var b [FrameHeaderSize]byte
	PutReplyHeader(b[:], h)
	return append(dst, b[:]...)
}

// DecodeReplyHeader reads the header at the start of src. It returns ErrShort for less than FrameHeaderSize
// bytes, and ErrMalformed for a frame that is no reply, is smaller than its header or larger than FrameSizeMax,
// carries an operation that is not declared, or a status beside a body. FrameKind tells a reply from an eviction.
func DecodeReplyHeader(src []byte) (ReplyHeader, error) {
	if len(src) < FrameHeaderSize {
		return ReplyHeader{}, ErrShort
	}
	src = src[:FrameHeaderSize]
	h := ReplyHeader{
		Cluster:         getU128(src[32:]),
		Size:            binary.LittleEndian.Uint32(src[48:]),
		View:            binary.LittleEndian.Uint32(src[52:]),
		Release:         binary.LittleEndian.Uint32(src[56:]),
		Replica:         src[61],
		RequestChecksum: getU128(src[128:]),
		Context:         getU128(src[144:]),
		Client:          getU128(src[160:]),
		Op:              binary.LittleEndian.Uint64(src[176:]),
		Commit:          binary.LittleEndian.Uint64(src[184:]),
		Timestamp:       binary.LittleEndian.Uint64(src[192:]),
		Request:         binary.LittleEndian.Uint64(src[200:]),
		Operation:       Operation(src[208]),
		Status:          Status(binary.LittleEndian.Uint32(src[216:])),
	}
	if src[60] != FrameReply || h.Size < FrameHeaderSize || h.Size > FrameSizeMax ||
		operations[h.Operation].name == "" || (h.Status != StatusOK && h.Size != FrameHeaderSize) {
		return ReplyHeader{}, ErrMalformed
	}
	return h, nil
}

// FrameKind returns the command byte of the header at the start of src, or ErrShort.
func FrameKind(src []byte) (uint8, error) {
	if len(src) < FrameHeaderSize {
		return 0, ErrShort
	}
	return src[60], nil
}

package wire

import (
	"encoding/binary"

	"github.com/zeebo/xxh3"
)

// FrameHeaderSize is the size of every frame's header in bytes.
const FrameHeaderSize = 256

// FrameSizeMax is the default limit of a frame, header and body together. Clients refuse larger frames too,
// so no reply may exceed it whatever the server accepts.
const FrameSizeMax = 64 << 20

// What the command byte of a header says about the frame. The protocol knows 0..29; a client
// sends requests only and a server answers with the other two.
const (
	FrameRequest  uint8 = 5
	FrameReply    uint8 = 8
	FrameEviction uint8 = 13
)

// RequestHeader opens a request: 256 bytes, little-endian. What is not listed is zero. Source: protocol.md, 2.1.
//
//	32        48     52     56        60        61        128      144               160
//	| Cluster | Size | View | Release | Command | Replica | Client | RequestChecksum | Timestamp |
//	168       176         184       192      196
//	| Request | Operation | Session | UserID | Code |
type RequestHeader struct {
	Cluster         U128
	Client          U128   // minted by the client for each registration, never 0
	RequestChecksum U128   // XXH3-64 of the body, or 0 for not stamped
	Size            uint32 // bytes, header and body
	View            uint32
	Release         uint32
	Command         uint8 // FrameRequest
	Replica         uint8
	Operation       Operation
	Timestamp       uint64
	Request         uint64 // request number, protocol.md 5
	Session         uint64 // 0 before login
	UserID          uint32 // ignored by a server
	Code            Code   // meaningful for OpNonReplicated only; see CommandCode
}

// DecodeRequestHeader reads the fields of the header at the start of src and judges none of them;
// CheckRequestHeader does. It returns ErrShort for less than FrameHeaderSize bytes.
func DecodeRequestHeader(src []byte) (RequestHeader, error) {
	if len(src) < FrameHeaderSize {
		return RequestHeader{}, ErrShort
	}
	src = src[:FrameHeaderSize]
	return RequestHeader{
		Cluster:         getU128(src[32:]),
		Size:            binary.LittleEndian.Uint32(src[48:]),
		View:            binary.LittleEndian.Uint32(src[52:]),
		Release:         binary.LittleEndian.Uint32(src[56:]),
		Command:         src[60],
		Replica:         src[61],
		Client:          getU128(src[128:]),
		RequestChecksum: getU128(src[144:]),
		Timestamp:       binary.LittleEndian.Uint64(src[160:]),
		Request:         binary.LittleEndian.Uint64(src[168:]),
		Operation:       Operation(src[176]),
		Session:         binary.LittleEndian.Uint64(src[184:]),
		UserID:          binary.LittleEndian.Uint32(src[192:]),
		Code:            Code(binary.LittleEndian.Uint32(src[196:])),
	}, nil
}

// PutRequestHeader writes h into the first FrameHeaderSize bytes of dst, the reserved ones included.
func PutRequestHeader(dst []byte, h RequestHeader) {
	dst = dst[:FrameHeaderSize]
	clear(dst)
	putU128(dst[32:], h.Cluster)
	binary.LittleEndian.PutUint32(dst[48:], h.Size)
	binary.LittleEndian.PutUint32(dst[52:], h.View)
	binary.LittleEndian.PutUint32(dst[56:], h.Release)
	dst[60] = h.Command
	dst[61] = h.Replica
	putU128(dst[128:], h.Client)
	putU128(dst[144:], h.RequestChecksum)
	binary.LittleEndian.PutUint64(dst[160:], h.Timestamp)
	binary.LittleEndian.PutUint64(dst[168:], h.Request)
	dst[176] = byte(h.Operation)
	binary.LittleEndian.PutUint64(dst[184:], h.Session)
	binary.LittleEndian.PutUint32(dst[192:], h.UserID)
	binary.LittleEndian.PutUint32(dst[196:], uint32(h.Code))
}

// AppendRequestHeader appends the encoding of h, FrameHeaderSize bytes. The caller has set Size and Command.
func AppendRequestHeader(dst []byte, h RequestHeader) []byte {
	var b [FrameHeaderSize]byte
	PutRequestHeader(b[:], h)
	return append(dst, b[:]...)
}

// CommandCode is the command the request asks for: Code for OpNonReplicated, else the operation's own.
func (h RequestHeader) CommandCode() Code {
	if h.Operation == OpNonReplicated {
		return h.Code
	}
	return h.Operation.Code()
}

// BodySize is how many bytes follow the header. The size must have passed CheckRequestHeader.
func (h RequestHeader) BodySize() int { return int(h.Size) - FrameHeaderSize }

// BodyChecksum is what a stamped request header carries for body.
func BodyChecksum(body []byte) U128 { return U128{Lo: xxh3.Hash(body)} }

// BodyVerifier checks a body against what its header is stamped with, in steps: bodies may be too long to hash at once. The zero value is ready for
// Reset; it is about 1.5 KiB and may be used again.
type BodyVerifier struct {
	body []byte
	want U128
	hash xxh3.Hasher
}

// Reset begins to check body against h. The verifier keeps body until it is reset again or done.
func (v *BodyVerifier) Reset(h RequestHeader, body []byte) {
	v.body, v.want = body, h.RequestChecksum
	v.hash.Reset()
}

// Step hashes up to budget bytes, at least one. Once done, status is StatusInvalidFormat when the header is stamped and the body is not what was stamped.
func (v *BodyVerifier) Step(budget int) (done bool, status Status) {
	if v.want.IsZero() {
		v.body = nil
		return true, StatusOK
	}
	n := min(max(budget, 1), len(v.body))
	_, _ = v.hash.Write(v.body[:n]) // a Hasher never fails
	v.body = v.body[n:]
	if len(v.body) > 0 {
		return false, StatusOK
	}
	if v.want != (U128{Lo: v.hash.Sum64()}) {
		return true, StatusInvalidFormat
	}
	return true, StatusOK
}

package wire

import "encoding/binary"

// EvictionReason tells a client why its session is over.
type EvictionReason uint8

// The reasons a server gives; the protocol has six more, which nobody sends. Source: protocol.md, 2.3.
const (
	EvictNoSession            EvictionReason = 1  // replicated operation without a session, or the session is gone
	EvictSessionTooLow        EvictionReason = 7  // the request's session is older than the registered one
	EvictInvalidCredentials   EvictionReason = 9  // login refused
	EvictInvalidToken         EvictionReason = 10 // personal access token unknown or expired
	EvictUserInactive         EvictionReason = 11 // personal access token of an inactive user
	EvictSessionError         EvictionReason = 12 // the client id belongs to another user
	EvictStaleClient          EvictionReason = 13 // silent for too long while in a consumer group
	EvictIncompatibleProtocol EvictionReason = 14 // version gate; fills both version fields
	EvictMalformedLogin       EvictionReason = 15 // undecodable login body, legacy login code
)

const evictionReasonMax = EvictMalformedLogin

// Status is the error code clients surface for the reason.
func (r EvictionReason) Status() Status {
	switch r {
	case EvictNoSession, EvictSessionTooLow, 8, EvictUserInactive, EvictSessionError:
		return StatusUnauthenticated
	case EvictInvalidCredentials:
		return StatusInvalidCredentials
	case EvictInvalidToken:
		return StatusInvalidPersonalAccessToken
	case EvictStaleClient:
		return StatusStaleClient
	case EvictIncompatibleProtocol:
		return StatusIncompatibleProtocolVersion
	case EvictMalformedLogin:
		return StatusInvalidFormat
	}
	return StatusInvalidCommand
}

// Eviction ends a session: 256 bytes, little-endian, no body. What is not listed is zero.
//
//	48         60     128      144             148                152        255
//	| Size=256 | (13) | Client | ServerVersion | ServerVersionMin | reserved | Reason |
type Eviction struct {
	Client           U128   // never 0
	ServerVersion    uint32 // ProtocolVersion for EvictIncompatibleProtocol, else 0
	ServerVersionMin uint32 // ProtocolVersionMin for EvictIncompatibleProtocol, else 0
	Reason           EvictionReason
}

// EvictionOf is the eviction of client for reason, version fields filled where the reason has them.
// A client that is 0, as in a malformed request, becomes 1: the field must not be 0 and is not read.
func EvictionOf(client U128, reason EvictionReason) Eviction {
	if client.IsZero() {
		client.Lo = 1
	}
	e := Eviction{Client: client, Reason: reason}
	if reason == EvictIncompatibleProtocol {
		e.ServerVersion, e.ServerVersionMin = ProtocolVersion, ProtocolVersionMin
	}
	return e
}

// PutEviction writes e into the first FrameHeaderSize bytes of dst, the reserved ones included.
func PutEviction(dst []byte, e Eviction) {
	dst = dst[:FrameHeaderSize]
	clear(dst)
	binary.LittleEndian.PutUint32(dst[48:], FrameHeaderSize)
	dst[60] = FrameEviction
	putU128(dst[128:], e.Client)
	binary.LittleEndian.PutUint32(dst[144:], e.ServerVersion)
	binary.LittleEndian.PutUint32(dst[148:], e.ServerVersionMin)
	dst[255] = byte(e.Reason)
}

// AppendEviction appends the encoding of e, FrameHeaderSize bytes.
func AppendEviction(dst []byte, e Eviction) []byte {
	var b [FrameHeaderSize]byte
	PutEviction(b[:], e)
	return append(dst, b[:]...)
}

// DecodeEviction reads the frame at the start of src. It returns ErrShort for less than FrameHeaderSize bytes, and
// ErrMalformed for a frame that is no eviction or breaks a rule that clients check.
func DecodeEviction(src []byte) (Eviction, error) {
	if len(src) < FrameHeaderSize {
		return Eviction{}, ErrShort
	}
	src = src[:FrameHeaderSize]
	e := Eviction{
		Client:           getU128(src[128:]),
		ServerVersion:    binary.LittleEndian.Uint32(src[144:]),
		ServerVersionMin: binary.LittleEndian.Uint32(src[148:]),
		Reason:           EvictionReason(src[255]),
	}
	versioned := e.ServerVersion|e.ServerVersionMin != 0
	if src[60] != FrameEviction || binary.LittleEndian.Uint32(src[48:]) != FrameHeaderSize ||
		e.Client.IsZero() || !allZero(src[152:255]) ||
		e.Reason == 0 || e.Reason > evictionReasonMax || versioned != (e.Reason == EvictIncompatibleProtocol) {
		return Eviction{}, ErrMalformed
	}
	return e, nil
}

package wire

import "encoding/binary"

// A result section opens the body of every framed reply. Source: protocol.md, 3.1.
//
//	success:   | count u32 = 0 | payload
//	rejection: | count u32 = 1 | index u32 = 0 | code u32 |
const (
	ResultOKSize    = 4  // bytes before the payload of a success
	ResultErrorSize = 12 // bytes of a rejection
)

// AppendResultOK appends the section of a success; the payload, possibly none, follows.
func AppendResultOK(dst []byte) []byte { return append(dst, 0, 0, 0, 0) }

// AppendResultError appends a whole rejection body. Rejecting with StatusOK is a bug and panics.
func AppendResultError(dst []byte, status Status) []byte {
	if status == StatusOK {
		panic("wire: rejection with status 0")
	}
	dst = binary.LittleEndian.AppendUint32(dst, 1)
	dst = binary.LittleEndian.AppendUint32(dst, 0)
	return binary.LittleEndian.AppendUint32(dst, uint32(status))
}

// DecodeResult reads the section at the start of a framed body as clients do. A success returns the payload,
// a rejection the code of its first entry. It returns ErrMalformed for a body without a section, which an empty one is,
// and for a rejection that is not whole or carries code 0.
func DecodeResult(body []byte) (payload []byte, status Status, err error) {
	if len(body) < ResultOKSize {
		return nil, StatusOK, ErrMalformed
	}
	if binary.LittleEndian.Uint32(body) == 0 {
		return body[ResultOKSize:], StatusOK, nil
	}
	if len(body) < ResultErrorSize {
		return nil, StatusOK, ErrMalformed
	}
	status = Status(binary.LittleEndian.Uint32(body[8:]))
	if status == StatusOK {
		return nil, StatusOK, ErrMalformed
	}
	return nil, status, nil
}

package wire

import "encoding/binary"

// Where a poll starts. Source: protocol.md, 6.5 and 12.3.
const (
	PollOffset    uint8 = 1 // at an offset
	PollTimestamp uint8 = 2 // at the first batch appended at or after a time in µs
	PollFirst     uint8 = 3 // at the earliest retained offset
	PollLast      uint8 = 4 // so that the last messages come
	PollNext      uint8 = 5 // behind the stored offset
)

// Strategy says where a poll starts; 9 bytes.
//
//	| kind u8 | value u64 |
type Strategy struct {
	Kind  uint8
	Value uint64 // offset or µs; ignored for the other kinds
}

// AppendStrategy appends the encoding of s.
func AppendStrategy(dst []byte, s Strategy) []byte {
	return binary.LittleEndian.AppendUint64(append(dst, s.Kind), s.Value)
}

func (r *bodyReader) strategy() Strategy {
	s := Strategy{Kind: r.u8(), Value: r.u64()}
	if s.Kind < PollOffset || s.Kind > PollNext {
		r.bad = true
	}
	return s
}

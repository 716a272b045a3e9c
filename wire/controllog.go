package wire

import (
	"encoding/binary"
	"io"
	"strings"

	"github.com/zeebo/xxh3"
)

const (
	// ControlLogNameMax is the length of a control log file's name, in bytes.
	ControlLogNameMax = len(controlLogPrefix) + 16 + len(logSuffix)

	controlLogMagic  = "GALGOCTL"
	controlLogPrefix = "control-"
	controlTrailer   = 24 // number, safeBelow, checksum
)

// AppendControlLogName appends `control-<first>.log`: the number of the file's first record in 16 hexadecimal digits.
func AppendControlLogName(dst []byte, first uint64) []byte {
	dst = append(dst, controlLogPrefix...)
	dst = appendHex(dst, first, 16)
	return append(dst, logSuffix...)
}

// ControlLogName is AppendControlLogName for those who want a string.
func ControlLogName(first uint64) string {
	return string(AppendControlLogName(make([]byte, 0, ControlLogNameMax), first))
}

// ParseControlLogName reads a file name without its directory. It takes exactly what AppendControlLogName makes.
func ParseControlLogName(name string) (first uint64, ok bool) {
	digits, ok := strings.CutPrefix(name, controlLogPrefix)
	if !ok {
		return 0, false
	}
	digits, ok = strings.CutSuffix(digits, logSuffix)
	if !ok || len(digits) != 16 {
		return 0, false
	}
	return parseHex(digits)
}

// AppendControlLogHead appends the HeadSize bytes that open a file of the control log; those not drawn are zero. First
// is the number of its first record.
//
//	0       8         12  16      24  56
//	| magic | version | 0 | first | 0 | checksum, seeded |
func AppendControlLogHead(dst []byte, first, secret uint64) []byte {
	var head [HeadSize]byte
	binary.LittleEndian.PutUint64(head[16:], first)
	sealHead(head[:], controlLogMagic, secret)
	return append(dst, head[:]...)
}

// DecodeControlLogHead returns the number of the file's first record. It returns ErrShort, ErrForeign, ErrVersion,
// ErrChecksum or ErrMalformed.
func DecodeControlLogHead(src []byte, secret uint64) (first uint64, err error) {
	head, err := checkHead(src, HeadSize, controlLogMagic, secret)
	if err != nil {
		return 0, err
	}
	if !allZero(head[12:16]) || !allZero(head[24:56]) {
		return 0, reservedError(controlLogMagic)
	}
	return binary.LittleEndian.Uint64(head[16:]), nil
}

// AppendControlRecord appends a record of the control log: e, its number, and safeBelow: every record with a lower
// number was durable when the write that holds this one was handed over. It is the same for all records of a write,
// and at most number. An event that is not logged is our bug and panics.
//
//	| event, a multiple of 8 bytes | number u64 | safeBelow u64 | checksum u64, seeded, over all before it |
func AppendControlRecord(dst []byte, number, safeBelow uint64, e *Event, secret uint64) []byte {
	start := len(dst)
	dst = AppendEvent(dst, e)
	dst = binary.LittleEndian.AppendUint64(dst, number)
	dst = binary.LittleEndian.AppendUint64(dst, safeBelow)
	return binary.LittleEndian.AppendUint64(dst, xxh3.HashSeed(dst[start:], secret))
}

// ControlReader reads the records of one file of the control log, held in memory whole.
type ControlReader struct {
	file     []byte
	position int
	number   uint64 // of the next record
	secret   uint64
}

// NewControlReader checks the head of file, which the reader keeps and events alias. Errors are those of
// DecodeControlLogHead.
func NewControlReader(file []byte, secret uint64) (ControlReader, error) {
	first, err := DecodeControlLogHead(file, secret)
	if err != nil {
		return ControlReader{}, err
	}
	return ControlReader{file: file, position: HeadSize, number: first, secret: secret}, nil
}

// Position returns where the next record begins, or the one that Next did not take: bytes from the start of the file.
func (r *ControlReader) Position() int { return r.position }

// Number returns the number that the next record has.
func (r *ControlReader) Number() uint64 { return r.number }

// Next returns the next record and moves behind it. On an error it stays where it is.
//
//   - io.EOF: the end; the file stops here or holds zeros only from here on.
//   - ErrChecksum: bad bytes. TailTorn tells a torn tail from damage.
//   - ErrNumber: a valid record that is not the next one: damage.
//   - ErrVersion: an event that this build does not know: refuse.
//   - ErrMalformed: a valid record that holds no event: damage.
func (r *ControlReader) Next() (uint64, Event, error) {
	rest := r.file[r.position:]
	if allZero(rest) {
		return 0, Event{}, io.EOF
	}
	record, ok := r.recordAt(r.position)
	switch {
	case !ok || !record.holds(r.secret):
		return 0, Event{}, ErrChecksum
	case record.number != r.number:
		return 0, Event{}, ErrNumber
	case record.safeBelow > record.number:
		return 0, Event{}, ErrMalformed
	}
	e, size, err := DecodeEvent(record.event())
	if err != nil {
		return 0, Event{}, err
	}
	if size != len(record.event()) {
		return 0, Event{}, ErrMalformed
	}
	r.position += len(record.bytes)
	r.number++
	return record.number, e, nil
}

// TailTorn reports, after Next returned ErrChecksum, whether the bad bytes can be the end of a write that was never
// acknowledged: no later record of the file says that they were durable. A write holds several records and the disk
// may keep any part of it, so a valid record behind the bad bytes proves damage only if its safeBelow is above the
// number that is missing. Only the last file may have a torn tail, or one whose successor begins with that number.
func (r *ControlReader) TailTorn() bool {
	for at := r.position; at < len(r.file); at += 8 { // records begin at multiples of 8
		// Hashing what happens to look like a record at each position would be dear, so its numbers come first.
		record, ok := r.recordAt(at)
		if ok && record.safeBelow > r.number && record.safeBelow <= record.number &&
			record.number-r.number <= uint64(len(r.file)) && record.holds(r.secret) {
			return false
		}
	}
	return true
}

// controlRecord is a record in the file's bytes; it is one only if it holds.
type controlRecord struct {
	bytes             []byte
	number, safeBelow uint64
}

// recordAt returns the record at position, and false when its size cannot be one.
func (r *ControlReader) recordAt(position int) (controlRecord, bool) {
	rest := r.file[position:]
	if len(rest) < eventHeader+controlTrailer {
		return controlRecord{}, false
	}
	size := uint64(binary.LittleEndian.Uint32(rest))
	if size%8 != 0 || size < eventHeader || size > uint64(len(rest)-controlTrailer) {
		return controlRecord{}, false
	}
	return controlRecord{
		bytes:     rest[:size+controlTrailer],
		number:    binary.LittleEndian.Uint64(rest[size:]),
		safeBelow: binary.LittleEndian.Uint64(rest[size+8:]),
	}, true
}

func (c *controlRecord) event() []byte { return c.bytes[:len(c.bytes)-controlTrailer] }

// holds reports whether the record's checksum holds.
func (c *controlRecord) holds(secret uint64) bool {
	sum := len(c.bytes) - 8
	return binary.LittleEndian.Uint64(c.bytes[sum:]) == xxh3.HashSeed(c.bytes[:sum], secret)
}

package wire

import (
	"encoding/binary"

	"github.com/zeebo/xxh3"
)

// Where the seal lies in a record's header. The bytes from batchFieldsSize to it are zero so that words are aligned.
const (
	sealSegmentID = 56
	sealRun       = 64
	sealSafeBelow = 72
	sealHash      = 80
	sealRest      = 88
)

// Seal says that a record belongs here: to this segment, at this position, in this data directory. It fills the
// reserved bytes of the batch header at rest; on the socket they are zero (ClearSeal).
//
//	52   56          64    72          80     88         256
//	| 0  | SegmentID | Run | SafeBelow | hash | 0        |
//
// The hash is XXH3-64, seeded with the directory's secret, over five words: SegmentID, Run, SafeBelow, the record's
// position in the file, the batch checksum. The highest bit of SafeBelow's word is Durably. The batch checksum alone would not do: partition ids are local to a
// topic, so an old record of another topic in a recycled block could pass for ours.
type Seal struct {
	SegmentID uint64
	Run       uint64 // the run that wrote the record
	SafeBelow uint64 // every offset below it was in the file when this write was handed over
	Durably   bool   // and made durable: it says so after a loss of power too
}

// sealDurably is where Durably stands in the word of SafeBelow.
const sealDurably = 1 << 63

// PutSeal writes s into bytes 52 to 256 of header, whose first 52 bytes are final. The position counts bytes from
// the start of the file. The header must hold 256 bytes.
func PutSeal(header []byte, s Seal, position, secret uint64) {
	header = header[:BatchHeaderSize]
	ClearSeal(header)
	binary.LittleEndian.PutUint64(header[sealSegmentID:], s.SegmentID)
	binary.LittleEndian.PutUint64(header[sealRun:], s.Run)
	safeBelow := s.SafeBelow
	if s.Durably {
		safeBelow |= sealDurably
	}
	binary.LittleEndian.PutUint64(header[sealSafeBelow:], safeBelow)
	binary.LittleEndian.PutUint64(header[sealHash:], hashSeal(header, position, secret))
}

// ReadSeal returns the seal of a record's header, and false when the header is shorter than 256 bytes, the hash is
// another one or the rest of the reserved bytes is not zero. It does not ask which segment the seal names.
func ReadSeal(header []byte, position, secret uint64) (Seal, bool) {
	if len(header) < BatchHeaderSize {
		return Seal{}, false
	}
	header = header[:BatchHeaderSize]
	if binary.LittleEndian.Uint64(header[sealHash:]) != hashSeal(header, position, secret) ||
		!allZero(header[batchFieldsSize:sealSegmentID]) || !allZero(header[sealRest:]) {
		return Seal{}, false
	}
	safeBelow := binary.LittleEndian.Uint64(header[sealSafeBelow:])
	return Seal{
		SegmentID: binary.LittleEndian.Uint64(header[sealSegmentID:]),
		Run:       binary.LittleEndian.Uint64(header[sealRun:]),
		SafeBelow: safeBelow &^ sealDurably,
		Durably:   safeBelow&sealDurably != 0,
	}, true
}

// ClearSeal makes bytes 52 to 256 of header zero, as clients require them.
func ClearSeal(header []byte) {
	clear(header[batchFieldsSize:BatchHeaderSize])
}

// hashSeal hashes what stands in the header's seal, the position and the batch checksum.
func hashSeal(header []byte, position, secret uint64) uint64 {
	var words [40]byte
	copy(words[:24], header[sealSegmentID:sealHash])
	binary.LittleEndian.PutUint64(words[24:], position)
	copy(words[32:], header[40:48])
	return xxh3.HashSeed(words[:], secret)
}

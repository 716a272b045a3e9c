package wire

import "encoding/binary"

const (
	// MarkerSize is the size of the marker file, in bytes.
	MarkerSize = HeadSize

	markerMagic = "GALGODIR"
)

// Marker says that a directory is a data directory of ours. It is written once, when the directory is made,
// and is the one file that is not hashed with the secret, since it holds it.
//
//	0       8         12    16            32       40        48    56
//	| magic | version | 0   | ID 16 bytes | Secret | Created | 0   | checksum, unseeded |
type Marker struct {
	ID      [16]byte // random; tells directories apart
	Secret  uint64   // random; the seed of every other hash in the directory
	Created uint64   // µs since the Unix epoch
}

// AppendMarker appends the MarkerSize bytes of m.
func AppendMarker(dst []byte, m Marker) []byte {
	start := len(dst)
	dst = append(dst, make([]byte, MarkerSize)...)
	head := dst[start:]
	copy(head[16:32], m.ID[:])
	binary.LittleEndian.PutUint64(head[32:], m.Secret)
	binary.LittleEndian.PutUint64(head[40:], m.Created)
	sealHead(head, markerMagic, 0)
	return dst
}

// DecodeMarker reads the marker at the start of src. It returns ErrShort, ErrForeign, ErrVersion, ErrChecksum or ErrMalformed.
func DecodeMarker(src []byte) (Marker, error) {
	head, err := checkHead(src, MarkerSize, markerMagic, 0)
	if err != nil {
		return Marker{}, err
	}
	if !allZero(head[12:16]) || !allZero(head[48:56]) {
		return Marker{}, reservedError(markerMagic)
	}
	m := Marker{Secret: binary.LittleEndian.Uint64(head[32:]), Created: binary.LittleEndian.Uint64(head[40:])}
	copy(m.ID[:], head[16:32])
	return m, nil
}

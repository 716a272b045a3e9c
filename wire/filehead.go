package wire

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/zeebo/xxh3"
)

// FormatVersion is the version in the head of every file. One number serves all formats: a data directory is
// written by one build, and whatever that build does not know it refuses as a whole.
const FormatVersion = 1

// HeadSize is the size of the head of every file but the segment's, in bytes.
const HeadSize = 64

// VersionedSize is how many bytes begin a file in every version: its magic and its version.
const VersionedSize = 12

// A head of any size begins with an 8-byte magic and the version as a u32, and ends with its checksum. The
// version is looked at before the checksum, because another version may place its checksum elsewhere.

var magics = [...]string{markerMagic, segmentMagic, offsetLogMagic, controlLogMagic, snapshotMagic}

// CheckVersion returns ErrVersion if src begins with a magic of ours and a version that this build does not know. It looks at VersionedSize bytes; fewer,
// and bytes that are no head, are of no version.
func CheckVersion(src []byte) error {
	if len(src) < VersionedSize || !slices.Contains(magics[:], string(src[:8])) {
		return nil
	}
	if v := binary.LittleEndian.Uint32(src[8:]); v != FormatVersion {
		return fmt.Errorf("%w: %s version %d, this build knows %d", ErrVersion, src[:8], v, FormatVersion)
	}
	return nil
}

// sealHead stamps magic, version and checksum into head, whose other bytes are final.
func sealHead(head []byte, magic string, secret uint64) {
	copy(head[:8], magic)
	binary.LittleEndian.PutUint32(head[8:], FormatVersion)
	sum := len(head) - 8
	binary.LittleEndian.PutUint64(head[sum:], xxh3.HashSeed(head[:sum], secret))
}

// checkHead returns the head of size bytes at the start of src, or ErrShort, ErrForeign, ErrVersion or ErrChecksum.
func checkHead(src []byte, size int, magic string, secret uint64) ([]byte, error) {
	if len(src) < size {
		return nil, fmt.Errorf("%w: %d bytes of a %s head of %d", ErrShort, len(src), magic, size)
	}
	head := src[:size]
	if string(head[:8]) != magic {
		return nil, fmt.Errorf("%w: magic %q, want %q", ErrForeign, head[:8], magic)
	}
	if err := CheckVersion(head); err != nil {
		return nil, err
	}
	sum := size - 8
	if binary.LittleEndian.Uint64(head[sum:]) != xxh3.HashSeed(head[:sum], secret) {
		return nil, fmt.Errorf("%w: %s head", ErrChecksum, magic)
	}
	return head, nil
}

// reservedError is the answer to reserved bytes that are not zero in a head with a valid checksum.
func reservedError(magic string) error {
	return fmt.Errorf("%w: reserved bytes of a %s head", ErrMalformed, magic)
}

package wire

import (
	"encoding/binary"
	"fmt"
	"io"
	"iter"

	"github.com/zeebo/xxh3"
)

const (
	// SnapshotNameA and SnapshotNameB are the names of the two copies, which are written in turn.
	SnapshotNameA = "snapshot-a"
	SnapshotNameB = "snapshot-b"

	snapshotMagic = "GALGOSNP"
)

// SnapshotHead opens a snapshot: HeadSize bytes. The events follow back to back, each as AppendEvent writes it.
//
//	0       8         12  16           24        32     40           48              56
//	| magic | version | 0 | LastNumber | LastSeq | Time | BodyLength | body checksum | head checksum |
//
// Both checksums are seeded.
type SnapshotHead struct {
	LastNumber uint64 // number of the last control record that the snapshot holds
	LastSeq    uint64 // and its sequence
	Time       uint64 // µs since the Unix epoch, when the snapshot was made
	BodyLength uint64 // bytes
}

// AppendSnapshot appends a whole snapshot file: head and events. The caller yields each event in the order in which
// they are to be applied; one that is not logged is our bug and panics.
func AppendSnapshot(dst []byte, lastNumber, lastSeq, time uint64, events iter.Seq[*Event], secret uint64) []byte {
	start := len(dst)
	dst = append(dst, make([]byte, HeadSize)...)
	for e := range events {
		dst = AppendEvent(dst, e)
	}
	head, body := dst[start:start+HeadSize], dst[start+HeadSize:]
	binary.LittleEndian.PutUint64(head[16:], lastNumber)
	binary.LittleEndian.PutUint64(head[24:], lastSeq)
	binary.LittleEndian.PutUint64(head[32:], time)
	binary.LittleEndian.PutUint64(head[40:], uint64(len(body)))
	binary.LittleEndian.PutUint64(head[48:], xxh3.HashSeed(body, secret))
	sealHead(head, snapshotMagic, secret)
	return dst
}

// SnapshotReader yields the events of a snapshot whose checksums hold.
type SnapshotReader struct {
	body []byte
}

// ReadSnapshot checks the snapshot at the start of file, which the reader keeps and events alias. What follows the
// body is not looked at. It returns ErrShort, ErrForeign, ErrVersion, ErrChecksum or ErrMalformed.
func ReadSnapshot(file []byte, secret uint64) (SnapshotHead, SnapshotReader, error) {
	head, err := checkHead(file, HeadSize, snapshotMagic, secret)
	if err != nil {
		return SnapshotHead{}, SnapshotReader{}, err
	}
	if !allZero(head[12:16]) {
		return SnapshotHead{}, SnapshotReader{}, reservedError(snapshotMagic)
	}
	h := SnapshotHead{
		LastNumber: binary.LittleEndian.Uint64(head[16:]),
		LastSeq:    binary.LittleEndian.Uint64(head[24:]),
		Time:       binary.LittleEndian.Uint64(head[32:]),
		BodyLength: binary.LittleEndian.Uint64(head[40:]),
	}
	body := file[HeadSize:]
	if uint64(len(body)) < h.BodyLength {
		return SnapshotHead{}, SnapshotReader{}, fmt.Errorf("%w: %d bytes of a snapshot body of %d", ErrShort, len(body), h.BodyLength)
	}
	body = body[:h.BodyLength]
	if binary.LittleEndian.Uint64(head[48:]) != xxh3.HashSeed(body, secret) {
		return SnapshotHead{}, SnapshotReader{}, fmt.Errorf("%w: snapshot body", ErrChecksum)
	}
	return h, SnapshotReader{body: body}, nil
}

// Next returns the next event, and io.EOF behind the last one. ErrVersion and ErrMalformed mean that another build
// wrote the snapshot, since its checksum holds: refuse.
func (r *SnapshotReader) Next() (Event, error) {
	if len(r.body) == 0 {
		return Event{}, io.EOF
	}
	e, size, err := DecodeEvent(r.body)
	if err == ErrShort {
		err = ErrMalformed // the body ends where its head says
	}
	if err != nil {
		return Event{}, err
	}
	r.body = r.body[size:]
	return e, nil
}

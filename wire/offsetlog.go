package wire

import (
	"encoding/binary"
	"strings"

	"github.com/zeebo/xxh3"
)

const (
	// OffsetRecordSize is the size of a record of the offset log, in bytes.
	OffsetRecordSize = 64
	// OffsetLogNameMax is the length of an offset log's name, in bytes.
	OffsetLogNameMax = len(offsetLogPrefix) + 16 + 1 + 8 + len(logSuffix)

	offsetLogMagic  = "GALGOOFF"
	offsetLogPrefix = "offsets-"
	logSuffix       = ".log"
)

// AppendOffsetLogName appends `offsets-<run>-<shard>.log`, in 16 and 8 hexadecimal digits.
func AppendOffsetLogName(dst []byte, run uint64, shard uint32) []byte {
	dst = append(dst, offsetLogPrefix...)
	dst = appendHex(dst, run, 16)
	dst = append(dst, '-')
	dst = appendHex(dst, uint64(shard), 8)
	return append(dst, logSuffix...)
}

// OffsetLogName is AppendOffsetLogName for those who want a string.
func OffsetLogName(run uint64, shard uint32) string {
	return string(AppendOffsetLogName(make([]byte, 0, OffsetLogNameMax), run, shard))
}

// ParseOffsetLogName reads a file name without its directory. It takes exactly what AppendOffsetLogName makes.
func ParseOffsetLogName(name string) (run uint64, shard uint32, ok bool) {
	digits, ok := strings.CutPrefix(name, offsetLogPrefix)
	if !ok {
		return 0, 0, false
	}
	digits, ok = strings.CutSuffix(digits, logSuffix)
	if !ok || len(digits) != 25 || digits[16] != '-' {
		return 0, 0, false
	}
	run, ok1 := parseHex(digits[:16])
	wide, ok2 := parseHex(digits[17:])
	if !ok1 || !ok2 {
		return 0, 0, false
	}
	return run, uint32(wide), true
}

// OffsetLogHead opens an offset log: HeadSize bytes, of which those not drawn are zero.
//
//	0       8         12      16    24   56
//	| magic | version | Shard | Run | 0  | checksum, seeded |
type OffsetLogHead struct {
	Run   uint64 // the run that made the file
	Shard uint32 // the shard that wrote it; says nothing about who owns the partitions today
}

// AppendOffsetLogHead appends the HeadSize bytes of h.
func AppendOffsetLogHead(dst []byte, h OffsetLogHead, secret uint64) []byte {
	var head [HeadSize]byte
	binary.LittleEndian.PutUint32(head[12:], h.Shard)
	binary.LittleEndian.PutUint64(head[16:], h.Run)
	sealHead(head[:], offsetLogMagic, secret)
	return append(dst, head[:]...)
}

// DecodeOffsetLogHead reads the head at the start of src. It returns ErrShort, ErrForeign, ErrVersion, ErrChecksum or
// ErrMalformed.
func DecodeOffsetLogHead(src []byte, secret uint64) (OffsetLogHead, error) {
	head, err := checkHead(src, HeadSize, offsetLogMagic, secret)
	if err != nil {
		return OffsetLogHead{}, err
	}
	if !allZero(head[24:56]) {
		return OffsetLogHead{}, reservedError(offsetLogMagic)
	}
	return OffsetLogHead{
		Shard: binary.LittleEndian.Uint32(head[12:]),
		Run:   binary.LittleEndian.Uint64(head[16:]),
	}, nil
}

// offsetDeleted is the flag bit of OffsetRecord.Deleted.
const offsetDeleted = 1

// OffsetOfLog is the kind of a record that is of no consumer: the partition's log begins at Value, and what was below is removed.
const OffsetOfLog uint8 = 3

// OffsetRecord is one change of a stored offset, or of the offset at which a partition's log begins. Of all records of a partition, kind
// and consumer, in whatever file, the one with the highest Order holds, provided its Epoch is the partition's.
//
//	0           8       16     17      18  20         24      32      40  56
//	| Partition | Epoch | Kind | flags | 0 | Consumer | Value | Order | 0 | checksum, seeded |
type OffsetRecord struct {
	Partition uint64 // entity: index and generation
	Epoch     uint64 // purge epoch of the partition
	Value     uint64 // the stored offset; 0 when Deleted
	Order     uint64 // run << 40 | counter
	Consumer  uint32 // consumer or group id; 0 of OffsetOfLog
	Kind      uint8  // ConsumerSingle, ConsumerGroup or OffsetOfLog
	Deleted   bool
}

// PutOffsetRecord writes r into the first OffsetRecordSize bytes of dst.
func PutOffsetRecord(dst []byte, r OffsetRecord, secret uint64) {
	dst = dst[:OffsetRecordSize]
	clear(dst)
	binary.LittleEndian.PutUint64(dst, r.Partition)
	binary.LittleEndian.PutUint64(dst[8:], r.Epoch)
	dst[16] = r.Kind
	if r.Deleted {
		dst[17] = offsetDeleted
	}
	binary.LittleEndian.PutUint32(dst[20:], r.Consumer)
	binary.LittleEndian.PutUint64(dst[24:], r.Value)
	binary.LittleEndian.PutUint64(dst[32:], r.Order)
	binary.LittleEndian.PutUint64(dst[56:], xxh3.HashSeed(dst[:56], secret))
}

// DecodeOffsetRecord reads the record at the start of src. It returns ErrShort, ErrChecksum or ErrMalformed.
func DecodeOffsetRecord(src []byte, secret uint64) (OffsetRecord, error) {
	if len(src) < OffsetRecordSize {
		return OffsetRecord{}, ErrShort
	}
	src = src[:OffsetRecordSize]
	if binary.LittleEndian.Uint64(src[56:]) != xxh3.HashSeed(src[:56], secret) {
		return OffsetRecord{}, ErrChecksum
	}
	r := OffsetRecord{
		Partition: binary.LittleEndian.Uint64(src),
		Epoch:     binary.LittleEndian.Uint64(src[8:]),
		Kind:      src[16],
		Deleted:   src[17]&offsetDeleted != 0,
		Consumer:  binary.LittleEndian.Uint32(src[20:]),
		Value:     binary.LittleEndian.Uint64(src[24:]),
		Order:     binary.LittleEndian.Uint64(src[32:]),
	}
	if (r.Kind != ConsumerSingle && r.Kind != ConsumerGroup && r.Kind != OffsetOfLog) || src[17]&^offsetDeleted != 0 ||
		!allZero(src[18:20]) || !allZero(src[40:56]) {
		return OffsetRecord{}, ErrMalformed
	}
	return r, nil
}

// ReadOffsetRecords calls visit for each record of src, an offset log behind its head, and stops at the first that is
// not valid. Count is the number visited. Garbage says that bytes other than zero follow: a write that was torn, or rot.
func ReadOffsetRecords(src []byte, secret uint64, visit func(OffsetRecord)) (count int, garbage bool) {
	for {
		r, err := DecodeOffsetRecord(src, secret)
		if err != nil {
			return count, !allZero(src)
		}
		visit(r)
		count++
		src = src[OffsetRecordSize:]
	}
}

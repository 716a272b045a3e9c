package wire

import (
	"bytes"
	"encoding/binary"
	"strings"
)

const (
	// SegmentHeadSize is the size of a segment's head, in bytes: the first record begins there.
	SegmentHeadSize = 4096
	// RecordSizeMax is the size of the longest record, in bytes: a batch comes in a frame.
	RecordSizeMax = FrameSizeMax

	segmentMagic = "GALGOSEG"
)

// SegmentKind tells the two files of a segment apart.
type SegmentKind uint8

const (
	SegmentLog   SegmentKind = 1 // the records, `.log`
	SegmentIndex SegmentKind = 2 // the sparse index, `.index`
)

func (k SegmentKind) suffix() string {
	if k == SegmentIndex {
		return ".index"
	}
	return ".log"
}

// SegmentFile is what the name of a segment's file says. The files of all partitions lie flat in one directory.
type SegmentFile struct {
	CreatedSeq  uint64 // the sequence that created the partition; never reused, unlike wire ids
	SegmentID   uint64
	PartitionID uint32
	Kind        SegmentKind
}

// SegmentNameMax is the length of the longest segment name, in bytes.
const SegmentNameMax = 16 + 1 + 8 + 1 + 16 + len(".index")

// AppendSegmentName appends `<createdSeq>-<partitionID>-<segmentID>` in 16, 8 and 16 hexadecimal digits, and the
// suffix of the kind.
func AppendSegmentName(dst []byte, createdSeq uint64, partitionID uint32, segmentID uint64, kind SegmentKind) []byte {
	dst = appendHex(dst, createdSeq, 16)
	dst = append(dst, '-')
	dst = appendHex(dst, uint64(partitionID), 8)
	dst = append(dst, '-')
	dst = appendHex(dst, segmentID, 16)
	return append(dst, kind.suffix()...)
}

// SegmentName is AppendSegmentName for those who want a string.
func SegmentName(createdSeq uint64, partitionID uint32, segmentID uint64, kind SegmentKind) string {
	return string(AppendSegmentName(make([]byte, 0, SegmentNameMax), createdSeq, partitionID, segmentID, kind))
}

// ParseSegmentName reads a file name without its directory. It takes exactly what AppendSegmentName makes.
func ParseSegmentName(name string) (SegmentFile, bool) {
	f := SegmentFile{Kind: SegmentLog}
	digits, ok := strings.CutSuffix(name, SegmentLog.suffix())
	if !ok {
		f.Kind = SegmentIndex
		if digits, ok = strings.CutSuffix(name, SegmentIndex.suffix()); !ok {
			return SegmentFile{}, false
		}
	}
	if len(digits) != 42 || digits[16] != '-' || digits[25] != '-' {
		return SegmentFile{}, false
	}
	createdSeq, ok1 := parseHex(digits[:16])
	partitionID, ok2 := parseHex(digits[17:25])
	segmentID, ok3 := parseHex(digits[26:])
	if !ok1 || !ok2 || !ok3 {
		return SegmentFile{}, false
	}
	f.CreatedSeq, f.PartitionID, f.SegmentID = createdSeq, uint32(partitionID), segmentID
	return f, true
}

// Names of the pool: `pool-<number, 16 hexadecimal digits>.log`, in the directory of the segments.
const (
	poolPrefix = "pool-"
	// PoolNameSize is the length of such a name, in bytes.
	PoolNameSize = len(poolPrefix) + 16 + len(".log")
)

// AppendPoolName appends the name of a file that was a log and is kept to become one again.
func AppendPoolName(dst []byte, number uint64) []byte {
	dst = appendHex(append(dst, poolPrefix...), number, 16)
	return append(dst, SegmentLog.suffix()...)
}

// ParsePoolName reads a file name without its directory. It takes exactly what AppendPoolName makes.
func ParsePoolName(name string) (number uint64, ok bool) {
	if len(name) != PoolNameSize || !strings.HasPrefix(name, poolPrefix) || !strings.HasSuffix(name, SegmentLog.suffix()) {
		return 0, false
	}
	return parseHex(name[len(poolPrefix) : len(poolPrefix)+16])
}

// SegmentHead opens a segment: 4,096 bytes, of which those not drawn are zero.
//
//	0       8         12            16          24          32           40           48           56    64
//	| magic | version | PartitionID | SegmentID | Partition | CreatedSeq | PurgeEpoch | BaseOffset | Run | Created |
//	... 4088
//	| checksum, seeded |
type SegmentHead struct {
	SegmentID   uint64 // run << 40 | counter, made by the owner shard
	Partition   uint64 // entity: index and generation
	CreatedSeq  uint64 // the sequence that created the partition
	PurgeEpoch  uint64 // of the partition when the segment was made; a lower one than the partition's means purged
	BaseOffset  uint64 // offset of the first message
	Run         uint64 // the run that made the segment
	Created     uint64 // µs since the Unix epoch
	PartitionID uint32 // in its topic
}

// PutSegmentHead writes h over the first SegmentHeadSize bytes of dst.
func PutSegmentHead(dst []byte, h SegmentHead, secret uint64) {
	head := dst[:SegmentHeadSize]
	clear(head)
	binary.LittleEndian.PutUint32(head[12:], h.PartitionID)
	binary.LittleEndian.PutUint64(head[16:], h.SegmentID)
	binary.LittleEndian.PutUint64(head[24:], h.Partition)
	binary.LittleEndian.PutUint64(head[32:], h.CreatedSeq)
	binary.LittleEndian.PutUint64(head[40:], h.PurgeEpoch)
	binary.LittleEndian.PutUint64(head[48:], h.BaseOffset)
	binary.LittleEndian.PutUint64(head[56:], h.Run)
	binary.LittleEndian.PutUint64(head[64:], h.Created)
	sealHead(head, segmentMagic, secret)
}

// DecodeSegmentHead reads the head at the start of src. It returns ErrShort, ErrForeign, ErrVersion, ErrChecksum or
// ErrMalformed.
func DecodeSegmentHead(src []byte, secret uint64) (SegmentHead, error) {
	head, err := checkHead(src, SegmentHeadSize, segmentMagic, secret)
	if err != nil {
		return SegmentHead{}, err
	}
	if !allZero(head[72 : SegmentHeadSize-8]) {
		return SegmentHead{}, reservedError(segmentMagic)
	}
	return SegmentHead{
		PartitionID: binary.LittleEndian.Uint32(head[12:]),
		SegmentID:   binary.LittleEndian.Uint64(head[16:]),
		Partition:   binary.LittleEndian.Uint64(head[24:]),
		CreatedSeq:  binary.LittleEndian.Uint64(head[32:]),
		PurgeEpoch:  binary.LittleEndian.Uint64(head[40:]),
		BaseOffset:  binary.LittleEndian.Uint64(head[48:]),
		Run:         binary.LittleEndian.Uint64(head[56:]),
		Created:     binary.LittleEndian.Uint64(head[64:]),
	}, nil
}

// RecordInfo is what a walk needs to know of a record.
type RecordInfo struct {
	BaseOffset uint64 // offset of the first message
	Timestamp  uint64 // µs, the base timestamp
	Length     uint64 // bytes, the header included
	Run        uint64 // the run that wrote it
	SafeBelow  uint64 // see Seal
	Count      uint32 // messages
}

// OffsetNext returns the offset of the first message after the record.
func (r *RecordInfo) OffsetNext() uint64 { return r.BaseOffset + uint64(r.Count) }

// CheckRecord checks the record whose header begins at b[0], which stands at position in the segment's file: seal,
// lengths, messages and both kinds of checksum. b may hold more than the record.
//
//   - ErrShort: b ends before the record. Info.Length says how many bytes from b[0] are needed; when b holds the
//     header, the rest of info is what CheckRecordHeader returns.
//   - ErrSeal: no seal of this segment here.
//   - ErrChecksum: the seal holds and something else does not.
func CheckRecord(b []byte, position, segmentID, secret uint64) (RecordInfo, error) {
	info, err := CheckRecordHeader(b, position, segmentID, secret)
	if err != nil {
		return info, err
	}
	if uint64(len(b)) < info.Length {
		return info, ErrShort
	}
	if !recordHolds(b[:info.Length]) {
		return RecordInfo{}, ErrChecksum
	}
	return info, nil
}

// CheckRecordHeader is CheckRecord for the header alone. What the seal does not cover (offset, timestamp, length,
// count) is covered by the batch checksum only, so until the messages are checked it is likely and no more.
func CheckRecordHeader(b []byte, position, segmentID, secret uint64) (RecordInfo, error) {
	if len(b) < BatchHeaderSize {
		return RecordInfo{Length: BatchHeaderSize}, ErrShort
	}
	seal, ok := ReadSeal(b, position, secret)
	if !ok || seal.SegmentID != segmentID {
		return RecordInfo{}, ErrSeal
	}
	header, _ := DecodeBatchHeader(b) // b is long enough
	info := RecordInfo{
		BaseOffset: header.BaseOffset,
		Timestamp:  header.BaseTimestamp,
		Length:     header.Length,
		Count:      header.MessageCount,
		Run:        seal.Run,
		SafeBelow:  seal.SafeBelow,
	}
	if info.Count == 0 || info.Length > RecordSizeMax || info.Length < BatchHeaderSize+uint64(info.Count)*MessageHeaderSize {
		return RecordInfo{}, ErrChecksum
	}
	return info, nil
}

// FindSeal returns the index in b of the first record header with a valid seal of the segment, and -1 when b holds
// none; b[0] stands at position in the file. Recovery looks with it beyond bad bytes.
func FindSeal(b []byte, position, segmentID, secret uint64) int {
	var id [8]byte
	binary.LittleEndian.PutUint64(id[:], segmentID)
	for from := 0; len(b)-from >= BatchHeaderSize; from++ {
		// The segment id is the cheap thing to look for; hashing each position would be dear.
		at := bytes.Index(b[from+sealSegmentID:], id[:])
		if at < 0 {
			return -1
		}
		from += at
		if _, ok := ReadSeal(b[from:], position+uint64(from), secret); ok {
			return from
		}
	}
	return -1
}

// recordHolds reports whether the messages of a record fill it behind its header, are as many as it says, and hold
// their checksums, and the batch checksum holds over the header's fields and theirs.
func recordHolds(record []byte) bool {
	header, _ := DecodeBatchHeader(record) // CheckRecordHeader has read it
	var sum BatchHasher
	sum.Begin(header)
	messages := record[BatchHeaderSize:]
	for range header.MessageCount {
		size := messageSize(messages)
		if size == 0 {
			return false
		}
		checksum := binary.LittleEndian.Uint64(messages)
		if checksum != ChecksumMessage(messages[:size]) {
			return false
		}
		sum.Add(checksum)
		messages = messages[size:]
	}
	return len(messages) == 0 && sum.Sum() == header.Checksum
}

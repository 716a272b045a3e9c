package wire

import "encoding/binary"

// The kinds of partitioning. Source: protocol.md, 6.4 and 11.5.
const (
	PartitionBalanced uint8 = 1 // the server goes round-robin over the topic
	PartitionNumbered uint8 = 2
	PartitionKeyed    uint8 = 3 // by hash of the key
)

// Partitioning says which partition a batch is for.
//
//	| kind u8 | length u8 | nothing, 4 bytes of id, or 1..=255 bytes of key |
type Partitioning struct {
	Kind uint8
	ID   uint32 // of PartitionNumbered
	Key  []byte // of PartitionKeyed; aliases what was decoded
}

// KeyPartition is the partition of a key among count partitions, XXH32(key) mod count. Clients compute the same. count is
// not 0.
func KeyPartition(key []byte, count uint32) uint32 { return hashKey(key) % count }

// Size is the size of the encoding in bytes.
func (p Partitioning) Size() int {
	switch p.Kind {
	case PartitionNumbered:
		return 6
	case PartitionKeyed:
		return 2 + len(p.Key)
	}
	return 2
}

// AppendPartitioning appends the encoding of p.
func AppendPartitioning(dst []byte, p Partitioning) []byte {
	dst = append(dst, p.Kind)
	switch p.Kind {
	case PartitionNumbered:
		return binary.LittleEndian.AppendUint32(append(dst, 4), p.ID)
	case PartitionKeyed:
		return appendName(dst, p.Key)
	}
	return append(dst, 0)
}

func (r *bodyReader) partitioning() Partitioning {
	p := Partitioning{Kind: r.u8()}
	value := r.str8()
	switch {
	case p.Kind == PartitionBalanced && len(value) == 0:
	case p.Kind == PartitionNumbered && len(value) == 4:
		p.ID = binary.LittleEndian.Uint32(value)
	case p.Kind == PartitionKeyed && len(value) > 0:
		p.Key = value
	default:
		r.bad = true
		return Partitioning{}
	}
	return p
}

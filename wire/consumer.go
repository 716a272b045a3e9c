package wire

import (
	"encoding/binary"

	"github.com/OneOfOne/xxhash"
)

// The kinds of a consumer. Source: protocol.md, 6.2.
const (
	ConsumerSingle uint8 = 1
	ConsumerGroup  uint8 = 2
)

// Consumer names who polls or stores an offset.
//
//	| kind u8 | ident |
type Consumer struct {
	Kind uint8 // ConsumerSingle or ConsumerGroup
	Ident
}

// FoldID is the number an individual consumer goes by: its id as given, or XXH32 (seed 0) of its name. It means
// nothing for a group, whose id the topic knows.
func (c Consumer) FoldID() uint32 {
	if c.Ident.Kind == IdentID {
		return c.ID
	}
	return hashKey(c.Name)
}

// IsGroup reports whether the consumer is a consumer group.
func (c Consumer) IsGroup() bool { return c.Kind == ConsumerGroup }

// AppendConsumer appends the encoding of c.
func AppendConsumer(dst []byte, c Consumer) []byte {
	return AppendIdent(append(dst, c.Kind), c.Ident)
}

func (r *bodyReader) consumer() Consumer {
	kind := r.u8()
	if kind != ConsumerSingle && kind != ConsumerGroup {
		r.bad = true
	}
	return Consumer{Kind: kind, Ident: r.ident()}
}

// OptionalPartition names a partition or leaves it open; always 5 bytes.
//
//	| flag u8: 1 = present, else absent | u32, 0 when absent |
type OptionalPartition struct {
	Present bool
	ID      uint32
}

// AppendOptionalPartition appends the encoding of p.
func AppendOptionalPartition(dst []byte, p OptionalPartition) []byte {
	if !p.Present {
		return append(dst, 0, 0, 0, 0, 0)
	}
	return binary.LittleEndian.AppendUint32(append(dst, 1), p.ID)
}

func (r *bodyReader) optionalPartition() OptionalPartition {
	present, id := r.u8() == 1, r.u32()
	if !present {
		id = 0
	}
	return OptionalPartition{Present: present, ID: id}
}

// hashKey is the hash clients and servers share for message keys and consumer names: XXH32, seed 0.
func hashKey(key []byte) uint32 { return xxhash.Checksum32S(key, 0) }

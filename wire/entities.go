package wire

import "encoding/binary"

// Entities is a list of entities, 8 bytes each, little-endian, as it lies in an event. Decoding one takes no memory:
// it aliases its source.
type Entities []byte

// Len returns the number of entities.
func (e Entities) Len() int { return len(e) / 8 }

// At returns entity number i, counted from 0.
func (e Entities) At(i int) uint64 { return binary.LittleEndian.Uint64(e[8*i:]) }

// AppendEntity appends one entity and returns the longer list.
func (e Entities) AppendEntity(entity uint64) Entities {
	return binary.LittleEndian.AppendUint64(e, entity)
}

package wire

import "encoding/binary"

// The kinds of an identifier. Source: protocol.md, 6.1.
const (
	IdentID   uint8 = 1 // matches ids only
	IdentName uint8 = 2 // matches names only, byte for byte
)

// Ident names a stream, topic, group or user.
//
//	| kind u8 | length u8 | 4 bytes of id, or 1..=255 bytes of UTF-8 |
type Ident struct {
	Kind uint8  // IdentID or IdentName
	ID   uint32 // of IdentID
	Name []byte // of IdentName; aliases what was decoded
}

// IdentOf is the identifier of a numeric id.
func IdentOf(id uint32) Ident { return Ident{Kind: IdentID, ID: id} }

// IdentNamed is the identifier of a name, which it aliases.
func IdentNamed(name []byte) Ident { return Ident{Kind: IdentName, Name: name} }

// Size is the size of the encoding in bytes.
func (id Ident) Size() int {
	if id.Kind == IdentID {
		return 6
	}
	return 2 + len(id.Name)
}

// DecodeIdent reads an identifier at the start of src and returns what follows it, or StatusInvalidCommand.
func DecodeIdent(src []byte) (id Ident, rest []byte, status Status) {
	r := bodyReader{src: src}
	id = r.ident()
	return id, r.src, r.status()
}

// AppendIdent appends the encoding of id.
func AppendIdent(dst []byte, id Ident) []byte {
	dst = append(dst, id.Kind)
	if id.Kind == IdentID {
		return binary.LittleEndian.AppendUint32(append(dst, 4), id.ID)
	}
	return appendName(dst, id.Name)
}

func (r *bodyReader) ident() Ident {
	switch kind := r.u8(); kind {
	case IdentID:
		if r.u8() != 4 {
			r.bad = true
		}
		return Ident{Kind: kind, ID: r.u32()}
	case IdentName:
		return Ident{Kind: kind, Name: r.name()}
	}
	r.bad = true
	return Ident{}
}

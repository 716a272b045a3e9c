package wire

import "encoding/binary"

// U128 is a number of 128 bits; 16 bytes on the wire, little-endian, Lo first.
type U128 struct{ Lo, Hi uint64 }

// IsZero reports whether the number is 0, which stands for "none" wherever the protocol has a U128.
func (u U128) IsZero() bool { return u.Lo|u.Hi == 0 }

func getU128(src []byte) U128 {
	_ = src[15]
	return U128{Lo: binary.LittleEndian.Uint64(src), Hi: binary.LittleEndian.Uint64(src[8:])}
}

func putU128(dst []byte, u U128) {
	_ = dst[15]
	binary.LittleEndian.PutUint64(dst, u.Lo)
	binary.LittleEndian.PutUint64(dst[8:], u.Hi)
}

func appendU128(dst []byte, u U128) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, u.Lo)
	return binary.LittleEndian.AppendUint64(dst, u.Hi)
}

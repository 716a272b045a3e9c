package wire

import (
	"encoding/binary"
	"unicode/utf8"
)

// ValueKind is the kind of a typed value. Source: protocol.md, 6.6.
type ValueKind uint8

// Numbers are little-endian.
const (
	ValueRaw     ValueKind = 1
	ValueString  ValueKind = 2 // UTF-8
	ValueBool    ValueKind = 3 // 0 or 1
	ValueInt8    ValueKind = 4
	ValueInt16   ValueKind = 5
	ValueInt32   ValueKind = 6
	ValueInt64   ValueKind = 7
	ValueInt128  ValueKind = 8
	ValueUint8   ValueKind = 9
	ValueUint16  ValueKind = 10
	ValueUint32  ValueKind = 11
	ValueUint64  ValueKind = 12
	ValueUint128 ValueKind = 13
	ValueFloat32 ValueKind = 14
	ValueFloat64 ValueKind = 15
)

// valueSizes are the bytes of each kind; 0 for those of any size.
var valueSizes = [...]int{
	ValueBool: 1, ValueInt8: 1, ValueInt16: 2, ValueInt32: 4, ValueInt64: 8, ValueInt128: 16,
	ValueUint8: 1, ValueUint16: 2, ValueUint32: 4, ValueUint64: 8, ValueUint128: 16, ValueFloat32: 4, ValueFloat64: 8,
}

// valueSizeMax is how long a typed value may be in bytes.
const valueSizeMax = 255

// TypedValue is a key or a value of a header map or an options block.
//
//	| kind u8 | length u32, 1..=255 | data |
type TypedValue struct {
	Kind ValueKind
	Data []byte // aliases what was decoded
}

// Valid reports whether the data is a value of its kind: of its size, UTF-8 for a string, 0 or 1 for a bool.
func (v TypedValue) Valid() bool {
	if v.Kind < ValueRaw || v.Kind > ValueFloat64 || len(v.Data) == 0 || len(v.Data) > valueSizeMax {
		return false
	}
	if size := valueSizes[v.Kind]; size != 0 && len(v.Data) != size {
		return false
	}
	switch v.Kind {
	case ValueString:
		return utf8.Valid(v.Data)
	case ValueBool:
		return v.Data[0] <= 1
	}
	return true
}

// StringValue is a typed value that aliases s.
func StringValue(s []byte) TypedValue { return TypedValue{ValueString, s} }

// AppendTypedValue appends the encoding of v.
func AppendTypedValue(dst []byte, v TypedValue) []byte {
	return appendBlob32(append(dst, byte(v.Kind)), v.Data)
}

// typedValue reads a typed value of a known kind and a possible length; Valid judges the data.
func (r *bodyReader) typedValue() TypedValue {
	v := TypedValue{Kind: ValueKind(r.u8()), Data: r.blob32()}
	if v.Kind < ValueRaw || v.Kind > ValueFloat64 || len(v.Data) == 0 || len(v.Data) > valueSizeMax {
		r.bad = true
		return TypedValue{}
	}
	return v
}

func appendUint32Value(dst []byte, v uint32) []byte {
	dst = append(dst, byte(ValueUint32), 4, 0, 0, 0)
	return binary.LittleEndian.AppendUint32(dst, v)
}

func appendUint64Value(dst []byte, v uint64) []byte {
	dst = append(dst, byte(ValueUint64), 8, 0, 0, 0)
	return binary.LittleEndian.AppendUint64(dst, v)
}

func appendBoolValue(dst []byte, v bool) []byte {
	return appendFlag(append(dst, byte(ValueBool), 1, 0, 0, 0), v)
}

func appendStringValue(dst []byte, s string) []byte {
	dst = append(dst, byte(ValueString))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(s)))
	return append(dst, s...)
}

package main

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"math"
	"math/big"
	"strconv"
	"time"
	"unicode/utf8"

	"galgo/wire"
)

// messageJSONHelp is the part of the help of consume on --with-meta.
const messageJSONHelp = `With --with-meta each message is one line of JSON: partition, offset, timestamp (when the server appended it) and
origin_timestamp (the producer's clock), id (32 hexadecimal digits), headers if it has any, and payload. What is no
UTF-8 is base64, and then "base64":true follows the payload. Headers are an object: strings, numbers and bools as such,
whatever else as {"base64":"..."}; 128-bit numbers are strings. A header map that does not decode is "headers_base64".`

// appendMessageJSON appends message as one line of JSON.
func appendMessageJSON(dst []byte, partition uint32, h wire.BatchHeader, m wire.Message) []byte {
	dst = strconv.AppendUint(append(dst, `{"partition":`...), uint64(partition), 10)
	dst = strconv.AppendUint(append(dst, `,"offset":`...), h.BaseOffset+uint64(m.OffsetDelta), 10)
	dst = appendMicros(append(dst, `,"timestamp":"`...), h.BaseTimestamp)
	dst = appendMicros(append(dst, `","origin_timestamp":"`...), h.OriginTimestamp+uint64(m.TimestampDelta))
	var id [16]byte
	binary.BigEndian.PutUint64(id[:], m.ID.Hi)
	binary.BigEndian.PutUint64(id[8:], m.ID.Lo)
	dst = hex.AppendEncode(append(dst, `","id":"`...), id[:])
	dst = append(dst, '"')
	dst = appendHeadersJSON(dst, m.UserHeaders)
	dst = append(dst, `,"payload":`...)
	if utf8.Valid(m.Payload) {
		dst = appendStringJSON(dst, m.Payload)
	} else {
		dst = append(appendBase64JSON(dst, m.Payload), `,"base64":true`...)
	}
	return append(dst, "}\n"...)
}

// appendMicros appends a time in µs as RFC 3339 in UTC, in a form that --from takes. What no year of four digits holds is a number.
func appendMicros(dst []byte, micros uint64) []byte {
	at := time.UnixMicro(int64(micros)).UTC()
	if micros > math.MaxInt64 || at.Year() > 9999 {
		return strconv.AppendUint(dst, micros, 10)
	}
	return at.AppendFormat(dst, "2006-01-02T15:04:05.000000Z")
}

// appendHeadersJSON appends the member for a header map, nothing for an empty one.
func appendHeadersJSON(dst, headers []byte) []byte {
	if len(headers) == 0 {
		return dst
	}
	begin := len(dst)
	dst = append(dst, `,"headers":{`...)
	pairs := wire.PairsIn(headers)
	for first := true; ; first = false {
		key, value, ok := pairs.Next()
		if pairs.Malformed() {
			return appendBase64JSON(append(dst[:begin], `,"headers_base64":`...), headers)
		}
		if !ok {
			return append(dst, '}')
		}
		if !first {
			dst = append(dst, ',')
		}
		dst = appendKeyJSON(dst, key)
		dst = appendValueJSON(append(dst, ':'), value)
	}
}

// appendKeyJSON appends a header's key, which in JSON must be a string: of a key that is none, what it would be as a value.
func appendKeyJSON(dst []byte, key wire.TypedValue) []byte {
	if key.Kind == wire.ValueString && key.Valid() {
		return appendStringJSON(dst, key.Data)
	}
	if key.Kind == wire.ValueRaw || !key.Valid() {
		return appendBase64JSON(dst, key.Data)
	}
	text := appendValueJSON(nil, key)
	if text[0] == '"' {
		return append(dst, text...)
	}
	return append(append(append(dst, '"'), text...), '"')
}

func appendValueJSON(dst []byte, v wire.TypedValue) []byte {
	if !v.Valid() {
		return appendBytesJSON(dst, v.Data)
	}
	switch v.Kind {
	case wire.ValueString:
		return appendStringJSON(dst, v.Data)
	case wire.ValueBool:
		return strconv.AppendBool(dst, v.Data[0] == 1)
	case wire.ValueInt8:
		return strconv.AppendInt(dst, int64(int8(v.Data[0])), 10)
	case wire.ValueInt16:
		return strconv.AppendInt(dst, int64(int16(binary.LittleEndian.Uint16(v.Data))), 10)
	case wire.ValueInt32:
		return strconv.AppendInt(dst, int64(int32(binary.LittleEndian.Uint32(v.Data))), 10)
	case wire.ValueInt64:
		return strconv.AppendInt(dst, int64(binary.LittleEndian.Uint64(v.Data)), 10)
	case wire.ValueUint8:
		return strconv.AppendUint(dst, uint64(v.Data[0]), 10)
	case wire.ValueUint16:
		return strconv.AppendUint(dst, uint64(binary.LittleEndian.Uint16(v.Data)), 10)
	case wire.ValueUint32:
		return strconv.AppendUint(dst, uint64(binary.LittleEndian.Uint32(v.Data)), 10)
	case wire.ValueUint64:
		return strconv.AppendUint(dst, binary.LittleEndian.Uint64(v.Data), 10)
	case wire.ValueInt128, wire.ValueUint128:
		return append(append(append(dst, '"'), wideNumber(v).String()...), '"')
	case wire.ValueFloat32:
		return appendFloatJSON(dst, float64(math.Float32frombits(binary.LittleEndian.Uint32(v.Data))), 32)
	case wire.ValueFloat64:
		return appendFloatJSON(dst, math.Float64frombits(binary.LittleEndian.Uint64(v.Data)), 64)
	}
	return appendBytesJSON(dst, v.Data)
}

// wideNumber is a value of 128 bits.
func wideNumber(v wire.TypedValue) *big.Int {
	high := new(big.Int).SetUint64(binary.LittleEndian.Uint64(v.Data[8:]))
	if v.Kind == wire.ValueInt128 {
		high.SetInt64(int64(binary.LittleEndian.Uint64(v.Data[8:])))
	}
	low := new(big.Int).SetUint64(binary.LittleEndian.Uint64(v.Data))
	return high.Add(high.Lsh(high, 64), low)
}

// appendFloatJSON appends a number, or a string for those that JSON has no number for.
func appendFloatJSON(dst []byte, f float64, bits int) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(strconv.AppendFloat(append(dst, '"'), f, 'g', -1, bits), '"')
	}
	return strconv.AppendFloat(dst, f, 'g', -1, bits)
}

// appendBytesJSON appends bytes where an object says that they are base64.
func appendBytesJSON(dst, b []byte) []byte {
	return append(appendBase64JSON(append(dst, `{"base64":`...), b), '}')
}

func appendBase64JSON(dst, b []byte) []byte {
	return append(base64.StdEncoding.AppendEncode(append(dst, '"'), b), '"')
}

// appendStringJSON appends s, which is UTF-8, as a JSON string. What JSON does not force it leaves unescaped.
func appendStringJSON(dst, s []byte) []byte {
	const digits = "0123456789abcdef"
	dst = append(dst, '"')
	begin := 0
	for i, b := range s {
		if b >= 0x20 && b != '"' && b != '\\' {
			continue
		}
		dst = append(dst, s[begin:i]...)
		begin = i + 1
		switch b {
		case '"', '\\':
			dst = append(dst, '\\', b)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', digits[b>>4], digits[b&15])
		}
	}
	return append(append(dst, s[begin:]...), '"')
}

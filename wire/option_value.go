package wire

import (
	"encoding/binary"
	"math/bits"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"
)

// The words that stand for a number where an option takes one. A server default is 0, which means "not set".
func isDefaultWord(s string) bool {
	return strings.EqualFold(s, "server_default") || strings.EqualFold(s, "default")
}

// expiryValue reads a duration in µs: a Uint64, or a string that is a word or a duration.
func expiryValue(v TypedValue) (micros uint64, ok bool) {
	if v.Kind != ValueString {
		return uint64Value(v)
	}
	s := string(v.Data)
	switch {
	case isDefaultWord(s):
		return 0, true
	case strings.EqualFold(s, "never_expire"), strings.EqualFold(s, "unlimited"), strings.EqualFold(s, "none"):
		return Never, true
	}
	return parseDuration(s)
}

// limitValue reads a size in bytes that may have no limit: a Uint64, or a string that is a word or a size.
func limitValue(v TypedValue) (size uint64, ok bool) {
	if v.Kind == ValueString {
		s := string(v.Data)
		switch {
		case isDefaultWord(s):
			return 0, true
		case strings.EqualFold(s, "unlimited"), strings.EqualFold(s, "none"):
			return Unlimited, true
		}
	}
	return sizeValue(v)
}

// sizeValue reads a size in bytes: a Uint64, or a string such as "10 GB" or "1GiB".
func sizeValue(v TypedValue) (size uint64, ok bool) {
	if v.Kind != ValueString {
		return uint64Value(v)
	}
	size, err := humanize.ParseBytes(string(v.Data))
	return size, err == nil
}

func uint64Value(v TypedValue) (uint64, bool) {
	if v.Kind != ValueUint64 {
		return 0, false
	}
	return binary.LittleEndian.Uint64(v.Data), true
}

// uint32Value reads a Uint32, or a string of decimal digits.
func uint32Value(v TypedValue) (uint32, bool) {
	switch v.Kind {
	case ValueUint32:
		return binary.LittleEndian.Uint32(v.Data), true
	case ValueString:
		n, err := strconv.ParseUint(string(v.Data), 10, 32)
		return uint32(n), err == nil
	}
	return 0, false
}

// boolValue reads a Bool, or one of the strings "true" and "false".
func boolValue(v TypedValue) (value, ok bool) {
	switch v.Kind {
	case ValueBool:
		return v.Data[0] == 1, true
	case ValueString:
		s := string(v.Data)
		return s == "true", s == "true" || s == "false"
	}
	return false, false
}

func durabilityValue(v TypedValue) (Durability, bool) {
	if v.Kind != ValueString {
		return 0, false
	}
	s := string(v.Data)
	if strings.EqualFold(s, DurabilityPersisted.String()) {
		return DurabilityPersisted, true
	}
	return DurabilityReplicated, strings.EqualFold(s, DurabilityReplicated.String())
}

func compressionValue(v TypedValue) (Compression, bool) {
	switch v.Kind {
	case ValueUint8:
		c := Compression(v.Data[0])
		return c, c == CompressionNone || c == CompressionGzip
	case ValueString:
		for _, c := range [...]Compression{CompressionNone, CompressionGzip} {
			if string(v.Data) == c.String() {
				return c, true
			}
		}
	}
	return 0, false
}

// durationUnits are the units clients write, in ns. A month is a twelfth of a year, a year 365.25 days.
var durationUnits = map[string]uint64{
	"ns": 1, "nsec": 1, "nanos": 1,
	"us": 1e3, "µs": 1e3, "usec": 1e3, "micros": 1e3,
	"ms": 1e6, "msec": 1e6, "millis": 1e6,
	"s": 1e9, "sec": 1e9, "secs": 1e9, "second": 1e9, "seconds": 1e9,
	"m": 60e9, "min": 60e9, "mins": 60e9, "minute": 60e9, "minutes": 60e9,
	"h": 3600e9, "hr": 3600e9, "hrs": 3600e9, "hour": 3600e9, "hours": 3600e9,
	"d": 86_400e9, "day": 86_400e9, "days": 86_400e9,
	"w": 604_800e9, "wk": 604_800e9, "wks": 604_800e9, "week": 604_800e9, "weeks": 604_800e9,
	"M": 2_629_800e9, "month": 2_629_800e9, "months": 2_629_800e9,
	"y": 31_557_600e9, "yr": 31_557_600e9, "yrs": 31_557_600e9, "year": 31_557_600e9, "years": 31_557_600e9,
}

// parseDuration reads numbers with units, such as "1h 5m" or "10s", and "0". time.ParseDuration knows no days and no
// spaces. What lies below a µs is dropped; 2^64 ns, 584 years, and more is no duration.
func parseDuration(s string) (micros uint64, ok bool) {
	if s == "0" {
		return 0, true
	}
	var nanos uint64
	rest := strings.TrimSpace(s)
	for rest != "" {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		number, err := strconv.ParseUint(rest[:digits], 10, 64)
		if err != nil {
			return 0, false
		}
		rest = strings.TrimLeft(rest[digits:], " ")
		end := strings.IndexAny(rest, "0123456789 ")
		if end < 0 {
			end = len(rest)
		}
		high, part := bits.Mul64(number, durationUnits[rest[:end]])
		sum, carry := bits.Add64(nanos, part, 0)
		if durationUnits[rest[:end]] == 0 || high|carry != 0 {
			return 0, false
		}
		nanos = sum
		rest = strings.TrimLeft(rest[end:], " ")
	}
	return nanos / 1000, strings.TrimSpace(s) != ""
}

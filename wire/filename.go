package wire

// File names are made of fixed-width lower-case hexadecimal numbers, so that they sort as the numbers do and
// each number has one spelling.

const hexDigits = "0123456789abcdef"

// appendHex appends the low digits*4 bits of v.
func appendHex(dst []byte, v uint64, digits int) []byte {
	for shift := 4 * (digits - 1); shift >= 0; shift -= 4 {
		dst = append(dst, hexDigits[v>>shift&15])
	}
	return dst
}

// parseHex reads s whole; it refuses the empty string, more than 16 digits and capitals.
func parseHex(s string) (uint64, bool) {
	if len(s) == 0 || len(s) > 16 {
		return 0, false
	}
	var v uint64
	for i := range len(s) {
		switch c := s[i]; {
		case '0' <= c && c <= '9':
			v = v<<4 | uint64(c-'0')
		case 'a' <= c && c <= 'f':
			v = v<<4 | uint64(c-'a'+10)
		default:
			return 0, false
		}
	}
	return v, true
}

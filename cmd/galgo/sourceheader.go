package main

import (
	"encoding/binary"
	"fmt"
	"unicode/utf8"

	"galgo/wire"
)

// sourceHeader makes the user headers that say where a line comes from: `file`, a String, and `line`, a Uint64 from 1.
// The map is built once a file; a line writes its number into it.
type sourceHeader struct{ headers []byte }

const pathSizeMax = 255 // bytes of a header value, and of a message key

// checkSourcePath says whether path can be a header value.
func checkSourcePath(path string) error {
	if len(path) > pathSizeMax || !utf8.ValidString(path) {
		return fmt.Errorf("--source: %q is not UTF-8 of at most %d bytes, and fits no header", path, pathSizeMax)
	}
	return nil
}

func (s *sourceHeader) setFile(path string) {
	var number [8]byte
	s.headers = wire.AppendPair(s.headers[:0], wire.StringValue([]byte("file")), wire.StringValue([]byte(path)))
	s.headers = wire.AppendPair(s.headers, wire.StringValue([]byte("line")), wire.TypedValue{Kind: wire.ValueUint64, Data: number[:]})
}

// at returns the headers of a line. They are good until the next call.
func (s *sourceHeader) at(line uint64) []byte {
	binary.LittleEndian.PutUint64(s.headers[len(s.headers)-8:], line)
	return s.headers
}

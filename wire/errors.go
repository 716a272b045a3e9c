package wire

import "errors"

var (
	// ErrShort means that the bytes end before the fixed layout does.
	ErrShort = errors.New("wire: too short")
	// ErrMalformed means that the bytes are no encoding of what they should be.
	ErrMalformed = errors.New("wire: malformed")
)

package wire

import "errors"

// What a decoder of a file format can say, tested with errors.Is. Those about a head are wrapped with the magic and
// what was found; those about records are bare, as a walk meets them on its way. ErrShort and
// ErrMalformed (the checksum holds, but no writer of this version lays values out like that) are among them.
var (
	// ErrForeign: the file does not begin with the magic of its format, so it is not ours.
	ErrForeign = errors.New("wire: foreign file")
	// ErrVersion: a format version or an event kind that this build does not know. Refuse, say so, touch nothing.
	ErrVersion = errors.New("wire: unknown version")
	// ErrChecksum: the bytes are not the bytes that were written.
	ErrChecksum = errors.New("wire: wrong checksum")
	// ErrSeal: no seal of this segment at this position.
	ErrSeal = errors.New("wire: no seal")
	// ErrNumber: a valid control record that is not the next one.
	ErrNumber = errors.New("wire: control record out of order")
)

package client

import (
	"fmt"

	"galgo/wire"
)

// StatusError is a request that the server refused, in the header of its reply or in its result section. It was not
// executed, and the connection is as good as before.
type StatusError struct {
	Command wire.Code
	Status  wire.Status // never StatusOK
}

func (e StatusError) Error() string {
	return fmt.Sprintf("%s: refused: %s (%d)", e.Command, e.Status, uint32(e.Status))
}

// EvictionError is a session that the server ended. The connection is over.
type EvictionError struct {
	Reason                          wire.EvictionReason
	ServerVersion, ServerVersionMin uint32 // packed, 0 unless Reason is EvictIncompatibleProtocol
}

func (e EvictionError) Error() string {
	return fmt.Sprintf("session ended by the server: %s (eviction %d)", e.Reason.Status(), uint8(e.Reason))
}

// SizeError is a request that fits no frame. Nothing was sent, and the connection is as good as before.
type SizeError struct {
	Command wire.Code
	Size    int // bytes, header and body
}

func (e SizeError) Error() string {
	return fmt.Sprintf("%s: frame of %d bytes, at most %d are possible", e.Command, e.Size, wire.FrameSizeMax)
}

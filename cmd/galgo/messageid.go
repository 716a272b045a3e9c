package main

import (
	"crypto/rand"
	"encoding/binary"

	"galgo/wire"
)

// connectionsMax bounds --connections, and leaves 48 bits of a message id for counting.
const connectionsMax = 1024

// messageIDs makes the ids of one connection's messages: 64 random bits of the run, 16 of the connection, and a count.
type messageIDs struct{ last wire.U128 }

// randomRun is the part of all ids of this run that no other run has.
func randomRun() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.LittleEndian.Uint64(b[:])
}

func newMessageIDs(run uint64, connection int) messageIDs {
	return messageIDs{wire.U128{Hi: run, Lo: uint64(connection) << 48}}
}

func (m *messageIDs) next() wire.U128 {
	m.last.Lo++
	return m.last
}

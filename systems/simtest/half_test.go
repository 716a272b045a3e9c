package simtest

import (
	"testing"

	"galgo/components"
	"galgo/wire"
)

// Frames that are being received are promised for as much memory as they occupy, however small they are: those who have promised it all away must not find
// that others have it.
func TestHalfFramesArePromisedFor(t *testing.T) {
	const clients = 40
	s := newScene(t, components.LevelWritten, 32<<20)
	storage := s.server.Shards[0].Storage
	var halves []*client
	for range clients {
		halves = append(halves, s.connect("half a frame"))
	}
	s.wait(second)
	used, promised := storage.Arena.InUse(), storage.Budget.Promised()
	for _, c := range halves {
		h := wire.RequestHeader{Command: wire.FrameRequest, Operation: wire.OpNonReplicated, Code: wire.CodePing, Size: wire.FrameHeaderSize + 100, Client: c.id, Session: c.session}
		c.peer.Write(append(wire.AppendRequestHeader(nil, h), make([]byte, 50)...))
	}
	s.wait(second)
	used, promised = storage.Arena.InUse()-used, storage.Budget.Promised()-promised
	if used < clients*components.UnitSize || promised < 2*used {
		t.Errorf("%d halves of frames: got %d bytes used and %d promised, want %d used at least, and twice as much promised", clients, used, promised, clients*components.UnitSize)
	}
	if leaks := s.server.Unaccounted(); leaks != "" {
		t.Error(leaks)
	}
	for _, c := range halves {
		c.hangUp()
	}
	s.wait(second)
	if got := storage.Budget.Promised(); got != 0 {
		t.Errorf("promised once they are gone: got %d bytes, want none", got)
	}
}

// A frame that is too small for its batch to be left where it was received lies at the beginning of its memory, and needs no more of it.
func TestSmallFramesBegin(t *testing.T) {
	const size = components.UnitSize - 10
	s := newScene(t, components.LevelWritten, 32<<20)
	s.topic("t")
	s.send("t", 1000, wire.StatusOK) // from now on it is known where the next batch would belong
	s.wait(3 * second)
	storage := s.server.Shards[0].Storage
	used := storage.Arena.InUse()
	h := wire.RequestHeader{Command: wire.FrameRequest, Operation: wire.OpNonReplicated, Code: wire.CodePing, Size: size, Client: s.c.id, Session: s.c.session}
	s.c.peer.Write(append(wire.AppendRequestHeader(nil, h), make([]byte, 50)...))
	s.wait(second)
	if got := storage.Arena.InUse() - used; got != components.UnitSize {
		t.Errorf("a frame of %d bytes: got %d bytes for it, want %d", size, got, components.UnitSize)
	}
}

// What a connection has sent and nobody will look at any more has no receive buffer once the connection is gone.
func TestBuffersComeBack(t *testing.T) {
	s := newScene(t, components.LevelWritten, 32<<20)
	shard := s.server.Shards[0]
	others := shard.State.Conns.Len()
	s.connect("garbage").peer.Write(make([]byte, 2*wire.FrameHeaderSize))
	s.wait(second)
	if got := shard.State.Conns.Len(); got != others {
		t.Errorf("after what is no frame: got %d connections, want %d", got, others)
	}
	if leaks := s.server.Unaccounted(); leaks != "" {
		t.Error(leaks)
	}
}

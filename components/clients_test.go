package components

import (
	"testing"

	"galgo/wire"
)

func TestClientRepliesAreKept(t *testing.T) {
	stamp := func(n uint64) wire.U128 { return wire.U128{Lo: n} }
	c := &Client{}
	expect := func(request uint64, checksum wire.U128, want Standing) {
		t.Helper()
		if got, _ := c.Stand(request, checksum); got != want {
			t.Errorf("request %d: got %d, want %d", request, got, want)
		}
	}
	expect(3, stamp(3), NumberNew)
	c.Begin(3, stamp(3))
	expect(3, stamp(3), NumberBusy)
	expect(3, stamp(4), NumberMismatch)
	expect(2, stamp(2), NumberGone)
	c.Keep(3, []byte("three"))
	expect(3, stamp(3), NumberKept)
	expect(3, wire.U128{}, NumberKept)
	expect(3, stamp(4), NumberMismatch)
	for request := uint64(10); request < 10+repliesMax; request++ {
		c.Begin(request, wire.U128{})
		c.Keep(request, []byte{byte(request)})
	}
	expect(3, stamp(3), NumberGone)
	expect(10, stamp(1), NumberKept)
	c.Begin(20, wire.U128{})
	c.Keep(20, make([]byte, ReplySizeMax))
	expect(20, wire.U128{}, NumberKept)
	c.Begin(21, wire.U128{})
	c.Keep(21, make([]byte, ReplySizeMax+1))
	expect(21, wire.U128{}, NumberGone)
	expect(22, wire.U128{}, NumberNew)
}

// A session that has been followed by another one of its client is over already.
func TestRemoveIsOfOneSession(t *testing.T) {
	clients := NewClients(2)
	client := &Client{ID: wire.U128{Lo: 1}, Session: 7}
	clients.Add(client)
	if clients.Remove(client.ID, 6) || clients.Find(client.ID) != client {
		t.Error("another session: got the client removed, want it there")
	}
	if !clients.Remove(client.ID, 7) || clients.Find(client.ID) != nil {
		t.Error("its session: got the client there, want it removed")
	}
}

func TestFullClientTableEvictsTheOldest(t *testing.T) {
	clients := NewClients(2)
	for i, commit := range []uint64{7, 5} {
		if evicted := clients.Add(&Client{ID: wire.U128{Lo: uint64(i + 1)}, Commit: commit}); evicted != nil {
			t.Fatalf("client %d: got %v evicted, want room", i, evicted.ID)
		}
	}
	evicted := clients.Add(&Client{ID: wire.U128{Lo: 3}, Commit: 9})
	if evicted == nil || evicted.ID.Lo != 2 || clients.Len() != 2 || clients.Find(wire.U128{Lo: 2}) != nil {
		t.Errorf("evicted: got %v, want client 2", evicted)
	}
}

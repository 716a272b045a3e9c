package sim_test

import (
	"bytes"
	"syscall"
	"testing"

	"galgo/uring"
	"galgo/uring/sim"
)

// connect returns a peer and the process's end of its connection.
func (m *machine) connect(changed func()) (*sim.Peer, int32) {
	m.Helper()
	listener, address, err := m.k.Listen("127.0.0.1:0")
	check(m.T, err)
	peer := m.w.Dial(address, changed)
	c := m.do(uring.Accept(listener, 0, 0))
	if c.Res < 0 {
		m.Fatalf("got %v, want a connection", c.Errno())
	}
	check(m.T, m.k.CloseFD(listener))
	m.pass(1000)
	return peer, c.Res
}

// pass lets time go by.
func (m *machine) pass(micros uint64) {
	m.Helper()
	_, now := m.k.Clock()
	check(m.T, m.ring.Enter(true, now+micros))
}

func (m *machine) receive(fd int32, n uint32) ([]byte, uring.Completion) {
	m.Helper()
	c := m.do(uring.Recv(fd, m.slab.Base(), n, uring.MSG_WAITALL, 0))
	return m.slab.Bytes(0, uint64(max(c.Res, 0))), c
}

// Bytes are cut anywhere and stall, and arrive in order all the same.
func TestSplitAndStalled(t *testing.T) {
	m := newMachine(t, sim.Options{Faults: sim.Faults{Split: 0.9, Stall: 0.5, SlowRead: 0.5}, Window: 2000})
	want := make([]byte, 20_000)
	for i := range want {
		want[i] = byte(i / 7)
	}
	sent := 0
	var peer *sim.Peer
	peer, server := m.connect(func() {
		if peer != nil {
			sent += peer.Write(want[sent:min(len(want), sent+700)])
		}
	})
	sent = peer.Write(want[:700])
	var got []byte
	sizes := map[int32]bool{}
	for len(got) < len(want) {
		c := m.do(uring.Recv(server, m.slab.Base(), 1000, 0, 0))
		if c.Res <= 0 {
			t.Fatalf("got %v, want bytes", c.Errno())
		}
		sizes[c.Res] = true
		got = append(got, m.slab.Bytes(0, uint64(c.Res))...)
	}
	if !bytes.Equal(got, want) {
		t.Fatal("got other bytes, want those that were sent, in order")
	}
	counts := m.w.FaultCounts()
	if len(sizes) < 10 || counts[sim.FaultSplit] == 0 || counts[sim.FaultStall] == 0 || counts[sim.FaultSlowRead] == 0 {
		t.Fatalf("got %d sizes and %v, want cuts at many places", len(sizes), counts)
	}
}

// A peer that reads slowly holds up the sender for so long, and loses nothing.
func TestSlowReader(t *testing.T) {
	m := newMachine(t, sim.Options{Window: 1000})
	var peer *sim.Peer
	got := 0
	var read func()
	read = func() {
		b := make([]byte, 100)
		got += peer.Read(b)
		m.w.After(10_000, read)
	}
	peer, server := m.connect(func() {})
	m.w.After(10_000, read)
	took := m.took(func() {
		if c := m.do(uring.Send(server, m.slab.Base(), 10_000, uring.MSG_WAITALL, 0)); c.Res != 10_000 {
			t.Fatalf("got %d (%v), want all sent", c.Res, c.Errno())
		}
	})
	m.pass(2_000_000)
	if got != 10_000 || took < 90*10_000*9/10 {
		t.Fatalf("got %d bytes in %d µs, want 10000 at 100 in 10 ms, but for the window", got, took)
	}
}

// A reset is told to both ends once, and then the connection is gone.
func TestResets(t *testing.T) {
	m := newMachine(t, sim.Options{})
	peer, server := m.connect(func() {})
	m.w.SetFaults(sim.Faults{Reset: 1})
	peer.Write([]byte("x"))
	m.pass(10_000)
	if peer.Err() != syscall.ECONNRESET {
		t.Fatalf("got %v at the peer, want ECONNRESET", peer.Err())
	}
	var c uring.Completion
	for c.Res = 1; c.Res > 0; { // what came before may be read
		_, c = m.receive(server, 1)
	}
	if c.Errno() != syscall.ECONNRESET {
		t.Fatalf("got %v, want ECONNRESET", c.Errno())
	}
	if c := m.do(uring.Send(server, m.slab.Base(), 1, 0, 0)); c.Errno() != syscall.EPIPE {
		t.Fatalf("got %v, want EPIPE", c.Errno())
	}
	if m.w.FaultCounts()[sim.FaultReset] != 1 {
		t.Fatalf("got %v, want one reset", m.w.FaultCounts())
	}
}

// Of a peer that is gone without a word nothing more is heard: sends fill the window and then wait.
func TestHalfOpenPeer(t *testing.T) {
	m := newMachine(t, sim.Options{Window: 1000})
	peer, server := m.connect(func() {})
	m.w.SetFaults(sim.Faults{Vanish: 1})
	peer.Write([]byte("last words")) // may arrive or not
	m.w.SetFaults(sim.Faults{})
	if c := m.do(uring.Send(server, m.slab.Base(), 600, uring.MSG_WAITALL, 0)); c.Res != 600 {
		t.Fatalf("got %d (%v), want the window to take it", c.Res, c.Errno())
	}
	m.ring.Push(uring.Send(server, m.slab.Base(), 600, uring.MSG_WAITALL, 5))
	m.pass(3600e6)
	var c [2]uring.Completion
	if n := m.ring.Reap(c[:]); n != 0 {
		t.Fatalf("got %v after an hour, want the send to wait", c[:n])
	}
	if m.w.FaultCounts()[sim.FaultVanish] != 1 || peer.Write([]byte("x")) != 0 {
		t.Fatalf("got %v, want one peer gone", m.w.FaultCounts())
	}
	if got := m.do(uring.Send(server, m.slab.Base(), 10, uring.MSG_DONTWAIT, 0)); got.Errno() != syscall.EAGAIN {
		t.Fatalf("got %d behind a send that waits, want EAGAIN", got.Res)
	}
	m.ring.Push(uring.CancelFD(server, 6))
	results := map[uring.Token]int32{}
	for len(results) < 2 {
		check(t, m.ring.Enter(true, 0))
		for _, c := range c[:m.ring.Reap(c[:])] {
			results[c.Token()] = c.Res
		}
	}
	if results[5] != 400 || results[6] != 1 {
		t.Fatalf("got %v, want the send cancelled after the 400 bytes that the window took", results)
	}
	if got := m.do(uring.Send(server, m.slab.Base(), 10, uring.MSG_DONTWAIT, 0)); got.Errno() != syscall.EAGAIN {
		t.Fatalf("got %d, want EAGAIN: nobody acknowledges anything", got.Res)
	}
}

// After a power cut the peers hear nothing until they send, and are then told that nobody is there.
func TestPeersOfAPowerCut(t *testing.T) {
	m := newMachine(t, sim.Options{})
	peer, _ := m.connect(func() {})
	m.w.PowerCut()
	m.k = m.w.Boot()
	var err error
	m.ring, err = uring.NewRing(m.k, 0, uring.Params{})
	check(t, err)
	m.pass(60e6)
	if peer.Err() != 0 || peer.Ended() {
		t.Fatalf("got %v, ended %v, want a peer that knows nothing", peer.Err(), peer.Ended())
	}
	peer.Write([]byte("are you there"))
	m.pass(10_000)
	if peer.Err() != syscall.ECONNRESET {
		t.Fatalf("got %v, want ECONNRESET", peer.Err())
	}
}

// A network that repeats what a peer writes, for checkers.
func TestRepeatedSegment(t *testing.T) {
	m := newMachine(t, sim.Options{Faults: sim.Faults{Repeat: 1}})
	peer, server := m.connect(func() {})
	peer.Write([]byte("frame."))
	if got, c := m.receive(server, 12); string(got) != "frame.frame." {
		t.Fatalf("got %q (%v), want it twice", got, c.Errno())
	}
	if m.w.FaultCounts()[sim.FaultRepeat] != 1 {
		t.Fatalf("got %v, want one repetition", m.w.FaultCounts())
	}
}

// Thousands of clients at once, each served.
func TestThousandsOfClients(t *testing.T) {
	const clients = 4000
	m := newMachine(t, sim.Options{Faults: sim.Rough()})
	listener, address, err := m.k.Listen("127.0.0.1:0")
	check(t, err)
	echoed := 0
	for i := range clients {
		var p *sim.Peer
		text, sent := []byte{byte(i), byte(i >> 8)}, 0
		p = m.w.Dial(address, func() {
			sent += p.Write(text[sent:])
			if p.Readable() == 2 {
				b := make([]byte, 2)
				if p.Read(b); !bytes.Equal(b, text) {
					t.Errorf("got %x, want %x", b, text)
				}
				echoed++
				p.Close()
			}
		})
	}
	m.ring.Push(uring.AcceptMultishot(listener, 0, 1<<32))
	var c [64]uring.Completion
	for echoed < clients {
		_, now := m.k.Clock()
		check(t, m.ring.Enter(true, now+1000))
		for n := m.ring.Reap(c[:]); n > 0; n = m.ring.Reap(c[:]) {
			for _, c := range c[:n] {
				fd := int32(c.UserData)
				at := m.slab.Addr(uint64(fd) * 8)
				switch c.UserData >> 32 {
				case 1:
					if c.Res < 0 {
						t.Fatalf("got %v, want a connection", c.Errno())
					}
					m.ring.Push(uring.Recv(c.Res, m.slab.Addr(uint64(c.Res)*8), 2, uring.MSG_WAITALL, 2<<32|uring.Token(c.Res)))
				case 2:
					m.ring.Push(uring.Send(fd, at, 2, uring.MSG_WAITALL, 3<<32|uring.Token(fd)))
				}
			}
		}
	}
}

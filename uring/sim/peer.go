package sim

import (
	"fmt"
	"net/netip"
	"syscall"
)

// Peer is a socket outside of the machine, where a simulated client sits. Nothing of it blocks: its owner is called when something may have
// changed, and looks.
type Peer struct{ s *socket }

// Dial begins to connect to an address, ip:port. Changed is called, from World.Step or a blocking Enter, some time after anything of the
// connection may have changed: connected, refused, bytes, room, the end, a reset.
func (w *World) Dial(address string, changed func()) *Peer {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		panic(fmt.Sprintf("sim: dial %q: %v", address, err))
	}
	s := w.net.newSocket(nil)
	s.changed = changed
	s.local = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, 1}), w.net.nextPort())
	w.note(tracePeer, uint64(s.local.Port()))
	w.net.connect(s, to)
	return &Peer{s}
}

// tell calls the owner a moment later.
func (s *socket) tell() {
	if s.telling {
		return
	}
	s.telling = true
	s.w.after(s.w.below(20), func() {
		s.telling = false
		if !s.closed {
			s.changed()
		}
	})
}

// Connected reports whether the connection stands or stood.
func (p *Peer) Connected() bool { return p.s.state == established }

// Err is why the connection is over, or never came to be: ECONNREFUSED or ECONNRESET; 0 while it is not.
func (p *Peer) Err() syscall.Errno { return p.s.err }

// Ended reports whether the other side has said that nothing follows, and everything was read.
func (p *Peer) Ended() bool {
	return p.s.state == established && p.s.in.ended && len(p.s.in.inbox) == 0
}

// Room returns how many bytes Write takes.
func (p *Peer) Room() int {
	if s := p.s; s.state == established && !s.closed && !s.broken && !s.shutWrite {
		return s.out.room()
	}
	return 0
}

// Write sends what there is room for and returns how much that was. It copies.
func (p *Peer) Write(b []byte) int {
	n, w := min(len(b), p.Room()), p.s.w
	if n == 0 {
		return 0
	}
	p.s.out.send(append([]byte(nil), b[:n]...))
	switch f := &w.o.Faults; {
	case w.fault(FaultRepeat, f.Repeat):
		p.s.out.send(append([]byte(nil), b[:n]...))
	case w.fault(FaultVanish, f.Vanish):
		p.Vanish()
	}
	return n
}

// Read takes what has arrived, as much as fits.
func (p *Peer) Read(b []byte) int {
	if p.s.state != established || p.s.closed {
		return 0
	}
	return p.s.in.take(b, false)
}

// Readable returns how many bytes have arrived.
func (p *Peer) Readable() int {
	if p.s.state != established {
		return 0
	}
	return len(p.s.in.inbox)
}

// CloseWrite says that nothing follows.
func (p *Peer) CloseWrite() {
	if s := p.s; s.state == established && !s.shutWrite && !s.broken {
		s.shutWrite = true
		s.out.put(segment{kind: segmentEnd})
	}
}

// Close ends the connection; unread bytes make a reset of it.
func (p *Peer) Close() { p.s.close() }

// Reset ends the connection without order.
func (p *Peer) Reset() {
	p.s.abort = true
	p.s.close()
}

// Vanish takes the peer off the network: the other side hears nothing more, and what it sends goes nowhere.
func (p *Peer) Vanish() {
	p.s.silent, p.s.closed = true, true
	if p.s.out != nil {
		p.s.out.cut = true // what is still on its way too
	}
}

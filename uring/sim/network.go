package sim

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
)

// network is what sockets are connected by.
type network struct {
	world   *World
	sockets []*socket // of the process, not closed
	port    uint16    // the last one given out
	taken   []taken   // ports of killed processes
}

// taken is a port that a killed process still holds for a moment.
type taken struct {
	port  uint16
	until uint64 // µs
}

// holdMost is how long ports stay taken after a SIGKILL: a ring's sockets are closed a moment after the process is gone.
const holdMost = 12_000

// Listen makes a listener; see Host. Names are not looked up: localhost is the one that is known.
func (k *Kernel) Listen(address string) (fd int32, bound string, err error) {
	n := &k.world.net
	at, err := parseListen(address)
	if err != nil {
		return -1, "", fmt.Errorf("listen %s: %w", address, err)
	}
	ip := at.Addr()
	if !ip.IsLoopback() && !ip.IsUnspecified() {
		return -1, "", fmt.Errorf("listen %s: %w", address, syscall.EADDRNOTAVAIL)
	}
	for _, t := range n.taken {
		if t.port == at.Port() && t.until > k.world.mono {
			k.world.pauseUntil(t.until) // the real one tries again until it is free
		}
	}
	if at.Port() == 0 {
		at = netip.AddrPortFrom(ip, n.nextPort())
	}
	for _, s := range n.sockets {
		if s.state == listening && s.local.Port() == at.Port() && (s.local.Addr() == ip || s.local.Addr().IsUnspecified() || ip.IsUnspecified()) {
			return -1, "", fmt.Errorf("listen %s: %w", address, syscall.EADDRINUSE)
		}
	}
	s := n.newSocket(k)
	s.state, s.local = listening, at
	fd, errno := k.open(&file{socket: s})
	if errno != 0 {
		s.close()
		return -1, "", fmt.Errorf("listen %s: %w", address, errno)
	}
	return fd, at.String(), nil
}

// pauseUntil lets time pass within a blocking call.
func (w *World) pauseUntil(mono uint64) {
	for at, any := w.nextAt(); any && at <= mono; at, any = w.nextAt() {
		w.runNext()
	}
	w.advance(mono)
}

func parseListen(address string) (netip.AddrPort, error) {
	host, port, ok := strings.Cut(address, ":")
	if i := strings.LastIndexByte(address, ':'); i >= 0 {
		host, port = address[:i], address[i+1:]
	}
	number, err := strconv.ParseUint(port, 10, 16)
	switch {
	case !ok:
		return netip.AddrPort{}, fmt.Errorf("missing port: %w", syscall.EINVAL)
	case err != nil:
		return netip.AddrPort{}, fmt.Errorf("port: %w", err)
	case host == "":
		return netip.AddrPortFrom(netip.IPv6Unspecified(), uint16(number)), nil
	case host == "localhost":
		host = "127.0.0.1"
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return netip.AddrPortFrom(ip, uint16(number)), err
}

func (n *network) nextPort() uint16 {
	n.port++
	if n.port < 32768 { // around
		n.port = 32768
	}
	return n.port
}

// listener finds who listens at an address.
func (n *network) listener(at netip.AddrPort) *socket {
	for _, s := range n.sockets {
		if s.state == listening && s.local.Port() == at.Port() && (s.local.Addr() == at.Addr() || s.local.Addr().IsUnspecified()) {
			return s
		}
	}
	return nil
}

// connect lets the request of a client travel to a listener, and the answer back.
func (n *network) connect(client *socket, to netip.AddrPort) {
	w := n.world
	client.state, client.remote = connecting, to
	w.after(w.delay(w.o.Wire), func() {
		l := n.listener(to)
		if client.closed {
			return
		}
		if l == nil || len(l.pending) >= backlogMax {
			w.after(w.delay(w.o.Wire), func() { client.connected(syscall.ECONNREFUSED) })
			return
		}
		server := n.newSocket(l.k)
		server.state, server.local, server.remote = established, to, client.local
		client.in, server.out = newPipe(w, server, client)
		server.in, client.out = newPipe(w, client, server)
		l.pending = append(l.pending, server)
		w.note(traceArrive, uint64(to.Port()), uint64(client.local.Port()))
		w.after(w.delay(w.o.Wire), func() { client.connected(0) })
		l.serve(pollIn)
	})
}

const backlogMax = 4096

// newPipe makes one direction of a connection, and returns it for both ends.
func newPipe(w *World, from, to *socket) (*pipe, *pipe) {
	p := &pipe{w: w, from: from, to: to, window: w.o.Window}
	return p, p
}

// SockNames returns both ends of a socket; see Host.
func (k *Kernel) SockNames(fd int32) (local, peer string, err error) {
	f := k.file(fd)
	switch {
	case f == nil:
		return "", "", callError("getsockname", syscall.EBADF)
	case f.socket == nil:
		return "", "", callError("getsockname", syscall.ENOTSOCK)
	}
	s := f.socket
	if s.remote.IsValid() {
		peer = s.remote.String()
	}
	if s.local.IsValid() {
		local = s.local.String()
	}
	return local, peer, nil
}

// processEnds closes the sockets of a killed process, or forgets them with the machine.
func (n *network) processEnds(k *Kernel, power bool) {
	n.taken = nil
	for _, s := range append([]*socket(nil), n.sockets...) {
		s.readers, s.writers, s.polls, s.connector = nil, nil, nil, nil // nobody is there to complete for
		if s.state == listening && !power {
			n.taken = append(n.taken, taken{s.local.Port(), n.world.mono + n.world.below(holdMost)})
		}
		if power {
			s.vanish()
		} else {
			s.close()
		}
	}
	n.sockets = nil
}

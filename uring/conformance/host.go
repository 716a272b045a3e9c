package conformance

import (
	"bytes"
	"errors"
	"net/netip"
	"strings"
	"syscall"

	"galgo/uring"
)

// hostTests are about what a Host does beside entries.
var hostTests = map[string]func(*fixture){
	"host_name":                hostName,
	"host_supports":            hostSupports,
	"slab":                     slab,
	"random":                   random,
	"work":                     work,
	"listen_names":             listenNames,
	"listen_on_a_host_name":    listenHostName,
	"listen_everywhere":        listenEverywhere,
	"listen_twice":             listenTwice,
	"listen_again_at_once":     listenAgain,
	"listen_errors":            listenErrors,
	"not_parked":               notParked,
	"ready_keeps_from_parking": readyKeeps,
	"ready_is_asked_parked":    readyAskedParked,
	"wake_after_the_look":      wakeAfterLook,
}

func hostName(f *fixture) {
	if f.host.Name() == "" {
		f.Fatal("got no name, want one")
	}
	if f.ring.Host() != f.host {
		f.Fatal("got another host from the ring, want the one it was made with")
	}
}

func hostSupports(f *fixture) {
	for _, op := range uring.Ops() {
		if late := op == uring.OpFtruncate || op == uring.OpSetSockOpt; !late && !f.host.Supports(op) {
			f.Errorf("got no support for %s, want it", uring.OpName(op))
		}
	}
	if f.host.Supports(255) {
		f.Error("got support for opcode 255, want none")
	}
}

func slab(f *fixture) {
	s, err := f.host.Slab(3*uring.PageSize - 1)
	f.check(err)
	if s.Size() != 3*uring.PageSize || uint64(s.Base())%uring.PageSize != 0 {
		f.Fatalf("got %d bytes at %#x, want %d on a page", s.Size(), uint64(s.Base()), 3*uring.PageSize)
	}
	if b := s.Bytes(0, s.Size()); !bytes.Equal(b, make([]byte, len(b))) {
		f.Fatal("got other bytes in a new slab, want zeros")
	}
	for _, c := range []struct {
		a    uring.Addr
		n    uint64
		want bool
	}{
		{s.Base(), s.Size(), true},
		{s.Base() + 1, s.Size(), false},
		{s.Base() - 1, 1, false},
		{s.Addr(s.Size()), 0, true},
		{s.Addr(s.Size()), 1, false},
		{s.Base(), ^uint64(0), false},
		{0, 0, false},
	} {
		if got := s.Contains(c.a, c.n); got != c.want {
			f.Errorf("got contains(base%+d, %d) = %v, want %v", int64(c.a-s.Base()), c.n, got, c.want)
		}
	}
	copy(s.Bytes(uring.PageSize, 5), "words")
	f.wantBytes(s.At(s.Addr(uring.PageSize), 5), "words")
	s.Bytes(0, 1)[0] = 7
	s.Release(uring.PageSize, 2*uring.PageSize)
	if s.Bytes(0, 1)[0] != 7 {
		f.Error("got a byte changed beside the released range, want it kept")
	}
	copy(s.Bytes(uring.PageSize, 5), "again")
	f.wantBytes(s.Bytes(uring.PageSize, 5), "again")
	f.check(s.Free())
}

func random(f *fixture) {
	a, b := make([]byte, 32), make([]byte, 32)
	f.host.Random(a)
	f.host.Random(b)
	if bytes.Equal(a, b) || bytes.Equal(a, make([]byte, 32)) {
		f.Fatalf("got %x and %x, want two different random strings", a, b)
	}
}

func work(f *fixture) {
	const count = 100
	var results [count]int32
	for i := range count {
		token := uring.Token(5000 + i)
		if !f.host.Work(0, token, func() int32 {
			results[i] = int32(i) // what a job wrote is seen by whoever reaps its completion
			return int32(i) - 50
		}) {
			f.Fatalf("got job %d refused, want it taken", i)
		}
	}
	for i := range count {
		f.want(f.wait(uring.Token(5000+i)), int32(i)-50)
		if results[i] != int32(i) {
			f.Fatalf("got %d, want %d", results[i], i)
		}
	}
}

func listenNames(f *fixture) {
	listener, address := f.listen()
	bound, err := netip.ParseAddrPort(address)
	f.check(err)
	if bound.Port() == 0 || bound.Addr() != netip.MustParseAddr("127.0.0.1") {
		f.Fatalf("got %s, want 127.0.0.1 with a port", address)
	}
	local, peer, err := f.host.SockNames(listener)
	f.check(err)
	if local != address || peer != "" {
		f.Fatalf("got %q and %q, want %q and none", local, peer, address)
	}
	accept := f.push(func(t uring.Token) uring.Entry { return uring.Accept(listener, uring.SOCK_CLOEXEC, t) })
	client, connect := f.dial(address)
	f.want(f.wait(connect), 0)
	server := f.wait(accept).Res
	clientLocal, clientPeer, err := f.host.SockNames(client)
	f.check(err)
	serverLocal, serverPeer, err := f.host.SockNames(server)
	f.check(err)
	if clientLocal != serverPeer || clientPeer != serverLocal || serverLocal != address {
		f.Fatalf("got client %s to %s, server %s to %s, want them to mirror each other at %s",
			clientLocal, clientPeer, serverLocal, serverPeer, address)
	}
	f.closeAll(client, server)
	f.check(f.host.CloseFD(listener))
	if _, _, err := f.host.SockNames(listener); !errors.Is(err, syscall.EBADF) {
		f.Fatalf("got %v, want EBADF", err)
	}
}

func listenHostName(f *fixture) {
	fd, address, err := f.host.Listen("localhost:0")
	f.check(err)
	if bound, err := netip.ParseAddrPort(address); err != nil || !bound.Addr().IsLoopback() {
		f.Fatalf("got %s, want a loopback address", address)
	}
	f.check(f.host.CloseFD(fd))
}

func listenEverywhere(f *fixture) {
	listener, address, err := f.host.Listen(":0")
	f.check(err)
	accept := f.push(func(t uring.Token) uring.Entry { return uring.Accept(listener, uring.SOCK_CLOEXEC, t) })
	client, connect := f.dial("127.0.0.1" + address[strings.LastIndex(address, ":"):])
	f.want(f.wait(connect), 0)
	server := f.wait(accept).Res
	_, peer, err := f.host.SockNames(server)
	f.check(err)
	if !strings.HasPrefix(peer, "127.0.0.1:") {
		f.Fatalf("got peer %s, want 127.0.0.1 without a mapping", peer)
	}
	f.closeAll(client, server, listener)
}

func listenTwice(f *fixture) {
	listener, address := f.listen()
	if _, _, err := f.host.Listen(address); !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), address) {
		f.Fatalf("got %v, want EADDRINUSE with the address", err)
	}
	f.closeFD(listener)
}

func listenAgain(f *fixture) {
	listener, address := f.listen()
	accept := f.push(func(t uring.Token) uring.Entry { return uring.Accept(listener, uring.SOCK_CLOEXEC, t) })
	client, connect := f.dial(address)
	f.want(f.wait(connect), 0)
	f.closeAll(f.wait(accept).Res, listener, client) // the server closes first: its port is in TIME_WAIT
	listener, _, err := f.host.Listen(address)
	f.check(err)
	f.closeFD(listener)
}

func listenErrors(f *fixture) {
	for _, address := range []string{"127.0.0.1", "127.0.0.1:99999", "192.0.2.1:0"} {
		if fd, bound, err := f.host.Listen(address); err == nil {
			f.Errorf("got descriptor %d at %s for %q, want an error", fd, bound, address)
		}
	}
}

func notParked(f *fixture) {
	f.settle()
	if f.host.Parked(0) || f.ring.Parked() || f.host.Parked(7) {
		f.Fatal("got a parked shard, want none")
	}
	f.host.Wake(0)
	f.host.Wake(7) // never set up
	if got := f.host.PeerFD(7); got != -1 {
		f.Fatalf("got peer descriptor %d, want -1", got)
	}
	f.want(f.do(uring.Nop), 0)
}

func readyKeeps(f *fixture) {
	f.check(f.ring.Close())
	asked := 0
	f.ring = f.newRing(0, uring.Params{Entries: 8, Ready: func() bool {
		asked++
		return true
	}})
	nop := f.push(uring.Nop)
	f.enter(true, 0) // would wait forever
	f.want(f.wait(nop), 0)
	f.enter(true, 0)
	f.enter(true, 0)
	if asked == 0 {
		f.Fatal("got Ready asked 0 times, want at least once")
	}
}

// readyAskedParked: the shard is announced first and asked afterwards, so that a sender who finds it awake has stored what it will see. The
// other order loses wakes: such a host would sleep here until the test gives up.
func readyAskedParked(f *fixture) {
	for _, spin := range []uint64{0, 20} {
		f.check(f.ring.Close())
		asked := 0
		f.ring = f.newRing(0, uring.Params{Entries: 8, SpinMicros: spin, Ready: func() bool {
			if !f.host.Parked(0) {
				return false
			}
			asked++
			return true
		}})
		_, before := f.host.Clock()
		now := before
		for asked == 0 && now < before+patienceMicros { // an old wake may end the first ones early
			f.enter(true, before+patienceMicros)
			_, now = f.host.Clock()
		}
		if asked != 1 {
			f.Fatalf("spin %d: got Ready asked %d times of a parked shard, want once: work is there, so it does not sleep", spin, asked)
		}
		if f.host.Parked(0) {
			f.Fatalf("spin %d: got a shard that is still parked, want it awake", spin)
		}
	}
}

// wakeAfterLook: what comes between the last look and the sleep ends the sleep.
func wakeAfterLook(f *fixture) {
	for _, spin := range []uint64{0, 20} {
		f.check(f.ring.Close())
		woken := 0
		f.ring = f.newRing(0, uring.Params{Entries: 8, SpinMicros: spin, Ready: func() bool {
			if woken == 0 && f.host.Parked(0) {
				woken++
				f.host.Wake(0) // as if another had stored its work now: the answer was already made up
			}
			return false
		}})
		_, before := f.host.Clock()
		now := before
		for woken == 0 && now < before+patienceMicros {
			f.enter(true, before+patienceMicros)
			_, now = f.host.Clock()
		}
		if woken != 1 || now >= before+patienceMicros {
			f.Fatalf("spin %d: got %d wakes and %d µs of sleep, want a wake that ends it", spin, woken, now-before)
		}
	}
}

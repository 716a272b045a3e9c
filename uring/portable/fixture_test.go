package portable

import (
	"net"
	"net/netip"
	"runtime"
	"testing"

	"galgo/uring"
)

// fixture is a ring of shard 0 on the test's own thread, with a slab.
type fixture struct {
	testing.TB
	kernel *Kernel
	ring   *uring.Ring
	slab   *uring.Slab
	got    []uring.Completion
	some   [16]uring.Completion
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	runtime.LockOSThread()
	f := &fixture{TB: t, kernel: New()}
	var err error
	if f.slab, err = f.kernel.Slab(4 << 20); err != nil {
		t.Fatal(err)
	}
	if f.ring, err = uring.NewRing(f.kernel, 0, uring.Params{}); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *fixture) close() {
	f.Helper()
	if f.Failed() {
		return
	}
	for _, end := range []func() error{f.ring.Close, f.kernel.Close, f.slab.Free} {
		if err := end(); err != nil {
			f.Fatal(err)
		}
	}
	runtime.UnlockOSThread()
}

func (f *fixture) push(e uring.Entry) { f.ring.Push(e) }

func (f *fixture) enter(block bool) {
	f.Helper()
	if err := f.ring.Enter(block, 0); err != nil {
		f.Fatal(err)
	}
	for n := f.ring.Reap(f.some[:]); n > 0; n = f.ring.Reap(f.some[:]) {
		f.got = append(f.got, f.some[:n]...)
	}
}

// wait returns the oldest completion of a token. It waits for good: a hang is how a missed event shows.
func (f *fixture) wait(token uring.Token) uring.Completion {
	f.Helper()
	for {
		for i, c := range f.got {
			if c.Token() == token {
				f.got = append(f.got[:i], f.got[i+1:]...)
				return c
			}
		}
		f.enter(true)
	}
}

func (f *fixture) want(token uring.Token, res int32) {
	f.Helper()
	if c := f.wait(token); c.Res != res {
		f.Fatalf("operation %d: got result %d (%v), want %d", token, c.Res, c.Errno(), res)
	}
}

// wantWaiting submits, and checks that no operation of a token is done.
func (f *fixture) wantWaiting(token uring.Token) {
	f.Helper()
	f.enter(false)
	for _, c := range f.got {
		if c.Token() == token {
			f.Fatalf("operation %d: got result %d (%v), want it to wait", token, c.Res, c.Errno())
		}
	}
}

// listener is one of the host, with its address.
func (f *fixture) listener() (int32, netip.AddrPort) {
	f.Helper()
	fd, bound, err := f.kernel.Listen("127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	return fd, netip.MustParseAddrPort(bound)
}

// accept returns both ends of a new connection; the client's is package net's.
func (f *fixture) accept(listener int32, address netip.AddrPort) (int32, *net.TCPConn) {
	f.Helper()
	client, err := net.DialTCP("tcp", nil, net.TCPAddrFromAddrPort(address))
	if err != nil {
		f.Fatal(err)
	}
	const token = 1 << 40
	f.push(uring.Accept(listener, uring.SOCK_CLOEXEC, token))
	c := f.wait(token)
	if c.Res < 0 {
		f.Fatalf("accept: got %v, want a descriptor", c.Errno())
	}
	return c.Res, client
}

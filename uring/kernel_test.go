package uring_test

import (
	"net/netip"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"galgo/uring"
	"galgo/uring/conformance"
)

func kernel(t testing.TB) uring.Host {
	if err := uring.Probe(); err != nil {
		t.Skip(err)
	}
	return uring.NewKernel()
}

func TestKernelConformance(t *testing.T) {
	conformance.Run(t, func(t *testing.T) uring.Host { return kernel(t) })
}

// connect returns both ends of a connection; the last page of the slab is scratch.
func connect(t testing.TB, h uring.Host, slab *uring.Slab, one func(uring.Entry) uring.Completion) (client, server int32) {
	t.Helper()
	listener, address, err := h.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	off := slab.Size() - uring.PageSize
	n := copy(slab.Bytes(off, 64), uring.AppendSockAddr(nil, netip.MustParseAddrPort(address)))
	client = one(uring.Socket(uring.AF_INET, uring.SOCK_STREAM|uring.SOCK_CLOEXEC, 0, 1)).Res
	if c := one(uring.Connect(client, slab.Addr(off), uint32(n), 1)); c.Res != 0 {
		t.Fatalf("got connect result %d, want 0", c.Res)
	}
	server = one(uring.Accept(listener, uring.SOCK_CLOEXEC, 1)).Res
	if err := h.CloseFD(listener); err != nil {
		t.Fatal(err)
	}
	return client, server
}

func TestSocketOptionsPassToAcceptedSockets(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	h := kernel(t)
	r, err := uring.NewRing(h, 0, uring.Params{})
	if err != nil {
		t.Fatal(err)
	}
	slab, err := h.Slab(uring.PageSize)
	if err != nil {
		t.Fatal(err)
	}
	_, server := connect(t, h, slab, func(e uring.Entry) uring.Completion {
		var c [1]uring.Completion
		r.Push(e)
		for r.Reap(c[:]) == 0 {
			if err := r.Enter(true, 0); err != nil {
				t.Fatal(err)
			}
		}
		return c[0]
	})
	for name, option := range map[string][2]int{
		"TCP_NODELAY": {unix.IPPROTO_TCP, unix.TCP_NODELAY}, "SO_KEEPALIVE": {unix.SOL_SOCKET, unix.SO_KEEPALIVE},
	} {
		if got, err := unix.GetsockoptInt(int(server), option[0], option[1]); got != 1 || err != nil {
			t.Errorf("%s: got %d, %v, want 1, nil", name, got, err)
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
}

// A ring belongs to the thread that made it, which the kernel enforces; this is how a slip shows.
func TestEnterFromAnotherThreadIsAnError(t *testing.T) {
	h := kernel(t)
	made := make(chan *uring.Ring)
	entered, closed := make(chan struct{}), make(chan error)
	go func() {
		runtime.LockOSThread()
		r, err := uring.NewRing(h, 0, uring.Params{})
		if err != nil {
			t.Error(err)
		}
		made <- r
		<-entered
		closed <- r.Close()
	}()
	r := <-made
	if err := r.Enter(false, 0); err == nil {
		t.Error("got no error, want one")
	}
	close(entered)
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

package conformance

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"galgo/uring"
)

const (
	slabSize = 64 << 20
	// patienceMicros is how long a completion may take before the test gives up: no assertion, only an end to a hang.
	patienceMicros = 30_000_000
)

// fixture is one test's host with a ring for shard 0 on the test's own thread.
type fixture struct {
	*testing.T
	host uring.Host
	ring *uring.Ring
	slab *uring.Slab
	used uint64
	got  []uring.Completion // reaped and not asked for yet
	dir  string
	next uring.Token
}

func newFixture(t *testing.T, h uring.Host) *fixture {
	t.Helper()
	runtime.LockOSThread()
	f := &fixture{T: t, host: h, next: 1000}
	var err error
	if f.slab, err = h.Slab(slabSize); err != nil {
		t.Fatal(err)
	}
	f.ring = f.newRing(0, uring.Params{Entries: 64})
	return f
}

func (f *fixture) newRing(shard int, p uring.Params) *uring.Ring {
	f.Helper()
	r, err := uring.NewRing(f.host, shard, p)
	if err != nil {
		f.Fatal(err)
	}
	return r
}

func (f *fixture) close() {
	f.Helper()
	if f.Failed() {
		return // its shards may still be running
	}
	if f.ring != nil {
		f.check(f.ring.Close())
	}
	f.check(f.host.Close())
	f.check(f.slab.Free())
	runtime.UnlockOSThread()
}

func (f *fixture) check(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// token returns a fresh one.
func (f *fixture) token() uring.Token {
	f.next++
	return f.next
}

// buffer takes n bytes of the slab, on a page of their own.
func (f *fixture) buffer(n int) (uring.Addr, []byte) {
	off := f.take(uint64(n))
	return f.slab.Addr(off), f.slab.Bytes(off, uint64(n))
}

func (f *fixture) take(n uint64) uint64 {
	off := f.used
	f.used = (f.used + n + uring.PageSize - 1) &^ (uring.PageSize - 1)
	if f.used > slabSize {
		panic(fmt.Sprintf("conformance: slab of %d bytes is too small", slabSize))
	}
	return off
}

func (f *fixture) bytes(text string) (uring.Addr, uint32) {
	a, b := f.buffer(len(text))
	copy(b, text)
	return a, uint32(len(text))
}

func (f *fixture) path(text string) uring.Addr {
	return f.slab.PutPath(f.take(uint64(len(text))+1), text)
}

func (f *fixture) timespec(micros uint64) uring.Addr {
	off := f.take(16)
	*f.slab.Timespec(off) = uring.TimespecMicros(micros)
	return f.slab.Addr(off)
}

// temp returns the test's directory, made in the host's own file system.
func (f *fixture) temp() string {
	f.Helper()
	if f.dir == "" {
		f.dir = f.TempDir()
		var parents []string
		for p := f.dir; p != filepath.Dir(p); p = filepath.Dir(p) {
			parents = append(parents, p)
		}
		for i := len(parents) - 1; i >= 0; i-- {
			f.check(f.host.Files().MakeDir(parents[i], 0o755))
		}
	}
	return f.dir
}

// push queues an entry and returns its token.
func (f *fixture) push(make func(uring.Token) uring.Entry) uring.Token {
	t := f.token()
	f.ring.Push(make(t))
	return t
}

// do pushes an entry and waits for it.
func (f *fixture) do(make func(uring.Token) uring.Entry) uring.Completion {
	f.Helper()
	return f.wait(f.push(make))
}

// ok is do for an operation that must succeed; it returns the result.
func (f *fixture) ok(make func(uring.Token) uring.Entry) int32 {
	f.Helper()
	c := f.do(make)
	if c.Res < 0 {
		f.Fatalf("got error %v, want success", c.Errno())
	}
	return c.Res
}

// wait returns the oldest completion of token.
func (f *fixture) wait(token uring.Token) uring.Completion {
	f.Helper()
	_, now := f.host.Clock()
	limit := now + patienceMicros
	for {
		for i, c := range f.got {
			if c.Token() == token {
				f.got = append(f.got[:i], f.got[i+1:]...)
				return c
			}
		}
		if now >= limit {
			f.Fatalf("got no completion of token %d, want one (others: %v)", token, f.got)
		}
		f.enter(true, limit)
		_, now = f.host.Clock()
	}
}

// settle submits what was pushed, and reaps without waiting.
func (f *fixture) settle() {
	f.Helper()
	f.enter(false, 0)
}

func (f *fixture) enter(block bool, until uint64) {
	f.Helper()
	f.check(f.ring.Enter(block, until))
	var some [16]uring.Completion
	for n := f.ring.Reap(some[:]); n > 0; n = f.ring.Reap(some[:]) {
		f.got = append(f.got, some[:n]...)
	}
}

// has reports whether a completion of token has been reaped.
func (f *fixture) has(token uring.Token) bool {
	for _, c := range f.got {
		if c.Token() == token {
			return true
		}
	}
	return false
}

func (f *fixture) want(c uring.Completion, res int32) {
	f.Helper()
	if c.Res != res {
		f.Fatalf("got result %d (%v), want %d", c.Res, c.Errno(), res)
	}
}

func (f *fixture) wantErrno(c uring.Completion, errno syscall.Errno) {
	f.Helper()
	if c.Errno() != errno {
		f.Fatalf("got result %d (%v), want %v", c.Res, c.Errno(), errno)
	}
}

func (f *fixture) wantBytes(got []byte, want string) {
	f.Helper()
	if string(got) != want {
		f.Fatalf("got %.60q (%d bytes), want %.60q (%d bytes)", got, len(got), want, len(want))
	}
}

// open opens a path through the ring.
func (f *fixture) open(path string, flags uint32) int32 {
	f.Helper()
	name := f.path(path)
	return f.ok(func(t uring.Token) uring.Entry {
		return uring.Openat(uring.AtCWD, name, flags|uring.O_CLOEXEC, 0o644, t)
	})
}

func (f *fixture) closeFD(fd int32) {
	f.Helper()
	f.ok(func(t uring.Token) uring.Entry { return uring.Close(fd, t) })
}

// file makes a file with content.
func (f *fixture) file(name, content string) (fd int32, path string) {
	f.Helper()
	path = filepath.Join(f.temp(), name)
	fd = f.open(path, uring.O_RDWR|uring.O_CREAT|uring.O_EXCL)
	if content != "" {
		a, n := f.bytes(content)
		if got := f.ok(func(t uring.Token) uring.Entry { return uring.Write(fd, a, n, 0, 0, t) }); got != int32(n) {
			f.Fatalf("got %d bytes written, want %d", got, n)
		}
	}
	return fd, path
}

func (f *fixture) listen() (fd int32, address string) {
	f.Helper()
	fd, address, err := f.host.Listen("127.0.0.1:0")
	f.check(err)
	return fd, address
}

// dial makes a socket and pushes its connect.
func (f *fixture) dial(address string) (fd int32, connect uring.Token) {
	f.Helper()
	port, err := netip.ParseAddrPort(address)
	f.check(err)
	domain := uint32(uring.AF_INET)
	if port.Addr().Is6() {
		domain = uring.AF_INET6
	}
	fd = f.ok(func(t uring.Token) uring.Entry {
		return uring.Socket(domain, uring.SOCK_STREAM|uring.SOCK_CLOEXEC, 0, t)
	})
	name := uring.AppendSockAddr(nil, port)
	a, b := f.buffer(len(name))
	copy(b, name)
	return fd, f.push(func(t uring.Token) uring.Entry { return uring.Connect(fd, a, uint32(len(name)), t) })
}

// pair returns both ends of a connection.
func (f *fixture) pair() (client, server int32) {
	f.Helper()
	listener, address := f.listen()
	accept := f.push(func(t uring.Token) uring.Entry { return uring.Accept(listener, uring.SOCK_CLOEXEC, t) })
	client, connect := f.dial(address)
	f.want(f.wait(connect), 0)
	c := f.wait(accept)
	if c.Res < 0 {
		f.Fatalf("got accept error %v, want a descriptor", c.Errno())
	}
	f.closeFD(listener)
	return client, c.Res
}

// send sends all of text, and receive receives exactly n bytes.
func (f *fixture) send(fd int32, text string) {
	f.Helper()
	a, n := f.bytes(text)
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Send(fd, a, n, uring.MSG_WAITALL, t) }), int32(n))
}

func (f *fixture) receive(fd int32, n int) string {
	f.Helper()
	a, b := f.buffer(n)
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Recv(fd, a, uint32(n), uring.MSG_WAITALL, t) }), int32(n))
	return string(b)
}

// pattern returns n bytes that tell their place.
func pattern(n int) string {
	b := make([]byte, 0, n+8)
	for i := 0; len(b) < n; i++ {
		b = append(b, "0000000\n"...)
		for place, left := len(b)-2, i; left > 0; place, left = place-1, left/10 {
			b[place] += byte(left % 10)
		}
	}
	return string(b[:n])
}

package sim_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"galgo/uring"
	"galgo/uring/portable"
	"galgo/uring/sim"
)

// program is a random sequence of operations on one host. What it prints must not depend on the host.
type program struct {
	t     *testing.T
	rng   *rand.Rand
	host  uring.Host
	ring  *uring.Ring
	slab  *uring.Slab
	dir   string
	files []int32 // descriptors, by order of opening; noFile once closed
	out   bytes.Buffer
	used  map[uint8]bool // operations

	listener int32
	address  []byte
	client   int32
	server   int32
	peer     *uring.Ring // shard 1, for messages
	buffers  *uring.BufRing
}

const noFile = 9999

const (
	dataAt  = 1 << 20 // where buffers lie
	dataMax = 64 << 10
	intoAt  = 2 << 20
	pathAt  = 0
	iovAt   = 64 << 10
	timeAt  = 68 << 10
	bufRing = 3 << 20
)

// newProgram makes what the operations work on: a slab, a ring and a connection.
func newProgram(t *testing.T, h uring.Host, dir string, seed uint64) *program {
	t.Helper()
	p := &program{t: t, rng: rand.New(rand.NewPCG(seed, 7)), host: h, dir: dir, used: map[uint8]bool{}}
	var err error
	if p.slab, err = h.Slab(4 << 20); err == nil {
		p.ring, err = uring.NewRing(h, 0, uring.Params{})
	}
	if err != nil {
		t.Fatal(err)
	}
	if p.peer, err = uring.NewRing(h, 1, uring.Params{Entries: 8}); err != nil {
		t.Fatal(err)
	}
	if p.buffers, err = uring.NewBufRing(p.ring, 7, p.slab, bufRing, 8, 1000); err != nil {
		t.Fatal(err)
	}
	listener, address, err := h.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.listener, p.address = listener, uring.AppendSockAddr(nil, netip.MustParseAddrPort(address))
	p.client, p.server = p.pair()
	if err := h.Files().MakeDir(dir+"/sub", 0o755); err != nil {
		t.Fatal(err)
	}
	return p
}

// pair returns both ends of a new connection.
func (p *program) pair() (client, server int32) {
	p.t.Helper()
	copy(p.slab.Bytes(0, 64), p.address)
	client = p.do(uring.Socket(uring.AF_INET, uring.SOCK_STREAM|uring.SOCK_CLOEXEC, 0, 0))[0].Res
	p.do(uring.Connect(client, p.slab.Base(), uint32(len(p.address)), 0))
	return client, p.do(uring.Accept(p.listener, uring.SOCK_CLOEXEC, 0))[0].Res
}

// do pushes entries, which may be a chain, and returns their last completions in that order. Their tokens count from 1.
func (p *program) do(entries ...uring.Entry) []uring.Completion {
	p.t.Helper()
	for i := range entries {
		p.push(entries[i], uring.Token(i+1))
	}
	got := make([]uring.Completion, len(entries))
	for left := len(entries); left > 0; {
		for _, c := range p.reap() {
			if got[c.UserData-1] = c; !c.More() {
				left--
			}
		}
	}
	return got
}

func (p *program) push(e uring.Entry, token uring.Token) {
	e.UserData = uint64(token)
	p.used[e.Opcode] = true
	p.ring.Push(e)
}

// reap waits for completions. It returns them all: what is not asked for is not lost.
func (p *program) reap() (got []uring.Completion) {
	p.t.Helper()
	var some [8]uring.Completion
	for len(got) == 0 {
		if err := p.ring.Enter(true, 0); err != nil {
			p.t.Fatal(err)
		}
		for n := p.ring.Reap(some[:]); n > 0; n = p.ring.Reap(some[:]) {
			got = append(got, some[:n]...)
		}
	}
	return got
}

func (p *program) name() string {
	return p.dir + []string{"/", "/sub/"}[p.rng.IntN(2)] + fmt.Sprintf("f%d", p.rng.IntN(4))
}

func (p *program) file() int32 {
	if len(p.files) == 0 {
		return noFile
	}
	return p.files[p.rng.IntN(len(p.files))]
}

// size favours the edges of sectors and pages.
func (p *program) size() uint32 {
	n := []uint32{0, 1, 511, 512, 513, 4095, 4096, 4097, 12288}[p.rng.IntN(9)]
	if p.rng.IntN(2) == 0 {
		n = p.rng.Uint32N(dataMax)
	}
	return n
}

func (p *program) data(n uint32) uring.Addr {
	b := p.slab.Bytes(dataAt, uint64(n))
	for i := range b {
		b[i] = byte(p.rng.Uint32())
	}
	return p.slab.Addr(dataAt)
}

func (p *program) print(what string, completions ...uring.Completion) {
	fmt.Fprint(&p.out, what)
	for _, c := range completions {
		fmt.Fprintf(&p.out, " %d", c.Res)
	}
	fmt.Fprintln(&p.out)
}

// read prints the bytes too, those that were read.
func (p *program) read(what string, completions ...uring.Completion) {
	if last := completions[len(completions)-1]; last.Res > 0 {
		fmt.Fprintf(&p.out, "%x ", hashOf(p.slab.Bytes(intoAt, uint64(last.Res))))
	}
	p.print(what, completions...)
}

func hashOf(b []byte) (h uint64) {
	for _, c := range b {
		h = (h ^ uint64(c)) * 0x100000001B3
	}
	return h
}

// run runs the program and returns what it printed, the names and contents of the files last, and the operations that it used.
func run(t *testing.T, h uring.Host, dir string, seed uint64, steps int) (printed string, used map[uint8]bool) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	p := newProgram(t, h, dir, seed)
	for range steps {
		p.step()
	}
	p.list("")
	p.list("/sub")
	if err := errors.Join(p.buffers.Close(), p.ring.Close(), p.peer.Close()); err != nil {
		t.Fatal(err)
	}
	for _, fd := range append(p.files, p.client, p.server, p.listener) {
		if fd != noFile {
			_ = h.CloseFD(fd)
		}
	}
	if err := errors.Join(h.Close(), p.slab.Free()); err != nil {
		t.Fatal(err)
	}
	return p.out.String(), p.used
}

// list prints what is in a directory.
func (p *program) list(dir string) {
	files := p.host.Files()
	names, err := files.List(p.dir + dir)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, name := range names {
		fmt.Fprintf(&p.out, "%s/%s", dir, name)
		if fd, err := files.Open(filepath.Join(p.dir+dir, name), uring.O_RDWR, 0); err == nil {
			size, _ := files.Size(fd)
			b := make([]byte, size)
			n, _ := files.ReadAt(fd, b, 0)
			fmt.Fprintf(&p.out, " %d %x", n, hashOf(b))
			_ = files.Close(fd)
		}
		fmt.Fprintln(&p.out)
	}
}

// simulated runs a program in a new World, and returns the World's hash too.
func simulated(t *testing.T, o sim.Options, seed uint64, steps int) (string, uint64) {
	t.Helper()
	w := sim.New(o)
	k := w.Boot()
	if err := k.Files().MakeDir("/d", 0o755); err != nil {
		t.Fatal(err)
	}
	printed, _ := run(t, k, "/d", seed, steps)
	return printed, w.Hash()
}

var programs = flag.Uint64("programs", 15, "how many random programs the hosts are compared on")

// The same program on every host: results, bytes, names and sizes are the same, and over all programs every operation is used.
func TestHostsAgree(t *testing.T) {
	used, count := map[uint8]bool{}, *programs
	if testing.Short() {
		count = min(count, 5)
	}
	for seed := range count {
		hosts := map[string]func() string{
			"sim": func() string {
				o := sim.Options{Seed: seed, Faults: sim.Faults{Slow: 0.1, Split: 0.3, ShortSend: 0.3, Late: 0.3, Stall: 0.05, SlowRead: 0.1, FewTaken: 0.1}}
				printed, _ := simulated(t, o, seed, 300)
				return printed
			},
		}
		want, ops := run(t, portable.New(), t.TempDir(), seed, 300)
		maps.Copy(used, ops)
		if uring.Probe() == nil {
			hosts["kernel"] = func() string {
				printed, _ := run(t, uring.NewKernel(), t.TempDir(), seed, 300)
				return printed
			}
		}
		for name, play := range hosts {
			got := play()
			if got == want {
				continue
			}
			a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
			for i := range min(len(a), len(b)) {
				if a[i] != b[i] {
					t.Fatalf("seed %d, line %d: got %q from %s, want %q as ordinary system calls have it", seed, i, a[i], name, b[i])
				}
			}
			t.Fatalf("seed %d: got %d lines from %s, want %d", seed, len(a), name, len(b))
		}
	}
	for _, op := range uring.Ops() {
		if !used[op] {
			t.Errorf("got no use of %s in any program, want all operations", uring.OpName(op))
		}
	}
}

// A seed decides everything: twice the same program is twice the same history.
func TestSeedDecides(t *testing.T) {
	hashes := map[uint64]bool{}
	for seed := range uint64(10) {
		o := sim.Options{Seed: seed, Faults: sim.Rough()}
		o.Faults.WriteError, o.Faults.ReadError, o.Faults.ShortWrite, o.Faults.BitRot = 0.05, 0.05, 0.05, 0.05
		a, first := simulated(t, o, seed, 300)
		b, second := simulated(t, o, seed, 300)
		if a != b || first != second {
			t.Fatalf("seed %d: got hash %x the second time, want %x", seed, second, first)
		}
		hashes[first] = true
	}
	if len(hashes) != 10 {
		t.Fatalf("got %d different hashes of 10 seeds, want 10", len(hashes))
	}
}

package sim_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"path/filepath"
	"runtime"
	"testing"

	"galgo/uring"
	"galgo/uring/sim"
)

// program is a random sequence of operations on one host. What it prints must not depend on the host.
type program struct {
	t      *testing.T
	rng    *rand.Rand
	host   uring.Host
	ring   *uring.Ring
	slab   *uring.Slab
	dir    string
	files  []int32 // descriptors, by order of opening; -1 once closed
	client int32
	server int32
	out    bytes.Buffer
}

const (
	dataAt  = 1 << 20 // where buffers lie
	dataMax = 64 << 10
	intoAt  = 2 << 20
	pathAt  = 0
	iovAt   = 64 << 10
)

// newProgram makes what the operations work on: a slab, a ring and a connection.
func newProgram(t *testing.T, h uring.Host, dir string, seed uint64) *program {
	t.Helper()
	p := &program{t: t, rng: rand.New(rand.NewPCG(seed, 7)), host: h, dir: dir}
	var err error
	if p.slab, err = h.Slab(4 << 20); err == nil {
		p.ring, err = uring.NewRing(h, 0, uring.Params{})
	}
	if err != nil {
		t.Fatal(err)
	}
	listener, address, err := h.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	name := uring.AppendSockAddr(nil, netip.MustParseAddrPort(address))
	copy(p.slab.Bytes(0, 64), name)
	p.client = p.do(uring.Socket(uring.AF_INET, uring.SOCK_STREAM|uring.SOCK_CLOEXEC, 0, 0))[0].Res
	p.do(uring.Connect(p.client, p.slab.Base(), uint32(len(name)), 0))
	p.server = p.do(uring.Accept(listener, uring.SOCK_CLOEXEC, 0))[0].Res
	if err := h.CloseFD(listener); err != nil {
		t.Fatal(err)
	}
	return p
}

// do pushes a chain and returns the completions in its order.
func (p *program) do(chain ...uring.Entry) []uring.Completion {
	p.t.Helper()
	got := make([]uring.Completion, len(chain))
	for i := range chain {
		e := chain[i]
		e.UserData = uint64(i + 1)
		p.ring.Push(e)
	}
	var some [8]uring.Completion
	for left := len(chain); left > 0; {
		if err := p.ring.Enter(true, 0); err != nil {
			p.t.Fatal(err)
		}
		for n := p.ring.Reap(some[:]); n > 0; n = p.ring.Reap(some[:]) {
			for _, c := range some[:n] {
				got[c.UserData-1] = c
				left--
			}
		}
	}
	return got
}

func (p *program) name() string { return fmt.Sprintf("%s/f%d", p.dir, p.rng.IntN(4)) }

func (p *program) file() int32 {
	if len(p.files) == 0 {
		return 9999
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

// step makes one operation or chain, and prints its results.
func (p *program) step() {
	path := p.slab.PutPath(pathAt, p.name())
	other := p.slab.PutPath(pathAt+8192, p.name())
	into, position, n := p.slab.Addr(intoAt), uint64(p.size()), p.size()
	fd := p.file()
	clear(p.slab.Bytes(intoAt, dataMax))
	switch kind := p.rng.IntN(16); kind {
	case 0:
		flags := []uint32{uring.O_RDWR, uring.O_RDWR | uring.O_CREAT, uring.O_RDWR | uring.O_CREAT | uring.O_EXCL, uring.O_RDONLY,
			uring.O_WRONLY | uring.O_CREAT | uring.O_TRUNC, uring.O_RDONLY | uring.O_DIRECTORY, uring.O_RDWR | uring.O_CREAT | uring.O_DSYNC}[p.rng.IntN(7)]
		c := p.do(uring.Openat(uring.AtCWD, path, flags|uring.O_CLOEXEC, 0o644, 0))[0]
		if c.Res >= 0 {
			p.files = append(p.files, c.Res)
			c.Res = 0
		}
		p.print("open", c)
	case 1:
		p.print("close", p.do(uring.Close(fd, 0))...)
		for i := range p.files {
			if p.files[i] == fd {
				p.files[i] = 9999
			}
		}
	case 2, 3:
		p.print("write", p.do(uring.Write(fd, p.data(n), n, position, 0, 0))...)
	case 4:
		p.print("durable write", p.do(uring.Write(fd, p.data(n), n, position, uring.RWF_DSYNC, 0))...)
	case 5, 6:
		p.read("read", p.do(uring.Read(fd, into, n, position, 0, 0))...)
	case 7:
		iov := p.slab.Iovecs(iovAt, 3)
		a := p.data(n)
		iov[0], iov[1], iov[2] = uring.Iovec{Base: a, Len: uint64(n / 3)}, uring.Iovec{Base: a + 7, Len: 0}, uring.Iovec{Base: a + uring.Addr(n/3), Len: uint64(n - n/3)}
		p.print("writev", p.do(uring.Writev(fd, p.slab.Addr(iovAt), 3, position, 0, 0))...)
	case 8:
		mode := []uint32{0, uring.FALLOC_FL_KEEP_SIZE, uring.FALLOC_FL_PUNCH_HOLE | uring.FALLOC_FL_KEEP_SIZE}[p.rng.IntN(3)]
		p.print("fallocate", p.do(uring.Fallocate(fd, mode, position, uint64(n), 0))...)
	case 9:
		if p.host.Supports(uring.OpFtruncate) {
			p.print("truncate", p.do(uring.Ftruncate(fd, position, 0))...)
		}
	case 10:
		p.print("fsync", p.do(uring.Fsync(fd, n%2 == 0, 0))...)
	case 11:
		flags := uint32(p.rng.IntN(2) * uring.RENAME_NOREPLACE)
		p.print("rename", p.do(uring.Renameat(uring.AtCWD, path, uring.AtCWD, other, flags, 0))...)
	case 12:
		switch p.rng.IntN(3) {
		case 0:
			p.print("unlink", p.do(uring.Unlinkat(uring.AtCWD, path, 0, 0))...)
		case 1:
			p.print("rmdir", p.do(uring.Unlinkat(uring.AtCWD, path, uring.AT_REMOVEDIR, 0))...)
		default:
			p.print("mkdir", p.do(uring.Mkdirat(uring.AtCWD, path, 0o755, 0))...)
		}
	case 13:
		c := p.do(uring.Statx(uring.AtCWD, path, 0, uring.STATX_BASIC_STATS, p.slab.Addr(intoAt), 0))
		if r := p.slab.StatxResult(intoAt); c[0].Res == 0 {
			fmt.Fprintf(&p.out, "mode %o ", r.Mode&0o170000)
			if r.Mode&0o170000 == 0o100000 {
				fmt.Fprintf(&p.out, "size %d ", r.Size)
			}
		}
		p.print("stat", c...)
	case 14:
		m := min(n, 4096)
		a := p.data(m)
		first := uring.Write(fd, a, m, position, 0, 0).Link()
		if p.rng.IntN(2) == 0 {
			first = uring.Read(fd, into, n, position, 0, 0).HardLink()
		}
		p.read("chain", p.do(first, uring.Fsync(fd, true, 0).Link(), uring.Read(fd, into, m, position, 0, 0))...)
	case 15:
		n = min(n, 16<<10) // what a connection holds anyhow
		p.print("send", p.do(uring.Send(p.client, p.data(n), n, uring.MSG_WAITALL, 0))...)
		if n > 0 {
			p.read("receive", p.do(uring.Recv(p.server, into, n, uring.MSG_WAITALL, 0))...)
		}
		p.print("empty", p.do(uring.Recv(p.server, into, 10, uring.MSG_DONTWAIT, 0))...)
	}
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

// run runs the program and returns what it printed, the names and contents of the files last.
func run(t *testing.T, h uring.Host, dir string, seed uint64, steps int) string {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	p := newProgram(t, h, dir, seed)
	for range steps {
		p.step()
	}
	names, err := h.Files().List(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		fmt.Fprintf(&p.out, "%s", name)
		if fd, err := h.Files().Open(filepath.Join(dir, name), uring.O_RDWR, 0); err == nil {
			size, _ := h.Files().Size(fd)
			b := make([]byte, size)
			n, _ := h.Files().ReadAt(fd, b, 0)
			fmt.Fprintf(&p.out, " %d %x", n, hashOf(b))
			_ = h.Files().Close(fd)
		}
		fmt.Fprintln(&p.out)
	}
	if err := p.ring.Close(); err != nil {
		t.Fatal(err)
	}
	for _, fd := range append(p.files, p.client, p.server) {
		if fd != 9999 {
			_ = h.CloseFD(fd)
		}
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	_ = p.slab.Free()
	return p.out.String()
}

// simulated runs a program in a new World, and returns the World's hash too.
func simulated(t *testing.T, o sim.Options, seed uint64, steps int) (string, uint64) {
	t.Helper()
	w := sim.New(o)
	k := w.Boot()
	if err := k.Files().MakeDir("/d", 0o755); err != nil {
		t.Fatal(err)
	}
	return run(t, k, "/d", seed, steps), w.Hash()
}

// The same program on the kernel and on the simulation: results, bytes, names and sizes are the same.
func TestKernelAndSimulationAgree(t *testing.T) {
	if err := uring.Probe(); err != nil {
		t.Skip(err)
	}
	for seed := range uint64(30) {
		want := run(t, uring.NewKernel(), t.TempDir(), seed, 300)
		o := sim.Options{Seed: seed, Faults: sim.Faults{Slow: 0.1, Split: 0.3, ShortSend: 0.3, Late: 0.3}}
		got, _ := simulated(t, o, seed, 300)
		if got != want {
			a, b := bytes.Split([]byte(got), []byte("\n")), bytes.Split([]byte(want), []byte("\n"))
			for i := range min(len(a), len(b)) {
				if !bytes.Equal(a[i], b[i]) {
					t.Fatalf("seed %d, step %d: got %q, want %q as the kernel has it", seed, i, a[i], b[i])
				}
			}
			t.Fatalf("seed %d: got %d lines, want %d", seed, len(a), len(b))
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

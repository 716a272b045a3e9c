package sim_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"galgo/uring"
	"galgo/uring/sim"
)

// machine is a process with a ring, a slab and an open file of 64 KiB, in blocking mode.
type machine struct {
	*testing.T
	w    *sim.World
	k    *sim.Kernel
	ring *uring.Ring
	slab *uring.Slab
	fd   int32
}

func newMachine(t *testing.T, o sim.Options) *machine {
	t.Helper()
	m := &machine{T: t, w: sim.New(o)}
	m.k = m.w.Boot()
	var err error
	m.ring, err = uring.NewRing(m.k, 0, uring.Params{})
	check(t, err)
	m.slab, err = m.k.Slab(1 << 20)
	check(t, err)
	m.fd = open(t, m.k.Files(), "/f", uring.O_CREAT)
	_, err = m.k.Files().WriteAt(m.fd, filled('a', 64<<10), 0)
	check(t, err)
	return m
}

// do runs one entry.
func (m *machine) do(e uring.Entry) uring.Completion {
	m.Helper()
	e.UserData = 1
	m.ring.Push(e)
	var c [1]uring.Completion
	for m.ring.Reap(c[:]) == 0 {
		check(m.T, m.ring.Enter(true, 0))
	}
	return c[0]
}

func (m *machine) write(n uint32, flags uint32) uring.Completion {
	m.Helper()
	copy(m.slab.Bytes(0, uint64(n)), filled('b', int(n)))
	return m.do(uring.Write(m.fd, m.slab.Base(), n, 0, flags, 0))
}

func (m *machine) read(n uint32) ([]byte, uring.Completion) {
	m.Helper()
	c := m.do(uring.Read(m.fd, m.slab.Base(), n, 0, 0, 0))
	return m.slab.Bytes(0, uint64(max(c.Res, 0))), c
}

// Each fault of the disk does what it says, is counted and told to the trace, and is gone when it is switched off.
func TestDiskFaults(t *testing.T) {
	whole := filled('a', 64<<10)
	for _, c := range []struct {
		fault  sim.Fault
		faults sim.Faults
		strike func(m *machine) bool // reports whether the fault shows
	}{
		{sim.FaultReadError, sim.Faults{ReadError: 1}, func(m *machine) bool { _, c := m.read(4096); return c.Errno() == syscall.EIO }},
		{sim.FaultWriteError, sim.Faults{WriteError: 1}, func(m *machine) bool { return m.write(4096, 0).Errno() == syscall.EIO }},
		{sim.FaultSyncError, sim.Faults{SyncError: 1}, func(m *machine) bool { return m.do(uring.Fsync(m.fd, true, 0)).Errno() == syscall.EIO }},
		{sim.FaultOtherError, sim.Faults{OtherError: 1}, func(m *machine) bool { return m.do(uring.Ftruncate(m.fd, 1, 0)).Errno() == syscall.EIO }},
		{sim.FaultShortRead, sim.Faults{ShortRead: 1}, func(m *machine) bool {
			for range 50 {
				if b, c := m.read(4096); c.Res > 0 && c.Res < 4096 && bytes.Equal(b, whole[:c.Res]) {
					return true
				}
			}
			return false
		}},
		{sim.FaultShortWrite, sim.Faults{ShortWrite: 1}, func(m *machine) bool { c := m.write(4096, 0); return c.Res > 0 && c.Res < 4096 }},
		{sim.FaultBitRot, sim.Faults{BitRot: 1}, func(m *machine) bool {
			b, _ := m.read(64 << 10)
			m.w.SetFaults(sim.Faults{})
			again := bytes.Clone(b)
			b, _ = m.read(64 << 10)
			return !bytes.Equal(again, whole) && bytes.Equal(again, b) // for good
		}},
		{sim.FaultWriteAstray, sim.Faults{WriteAstray: 1}, func(m *machine) bool {
			for range 20 {
				m.write(512, 0)
			}
			m.w.SetFaults(sim.Faults{})
			b, _ := m.read(64 << 10)
			return bytes.Contains(b[512:], filled('b', 512))
		}},
		{sim.FaultReadAstray, sim.Faults{ReadAstray: 1}, func(m *machine) bool {
			m.write(512, 0)
			for range 20 {
				if b, c := m.read(512); c.Res == 512 && b[0] == 'a' {
					return true
				}
			}
			return false
		}},
		{sim.FaultSlow, sim.Faults{Slow: 1, SlowMicros: 1_000_000}, func(m *machine) bool { return m.took(func() { m.read(512); m.read(512) }) > 100_000 }},
		{sim.FaultStuck, sim.Faults{Stuck: 1, StuckMicros: 30_000_000}, func(m *machine) bool { return m.took(func() { m.read(512) }) >= 30_000_000 }},
		{sim.FaultNoSpace, sim.Faults{NoSpace: 1}, func(m *machine) bool {
			return m.do(uring.Fallocate(m.fd, 0, 1<<20, 4096, 0)).Errno() == syscall.ENOSPC
		}},
		{sim.FaultDescriptors, sim.Faults{Descriptors: 1}, func(m *machine) bool {
			path := m.slab.PutPath(0, "/f")
			return m.do(uring.Openat(uring.AtCWD, path, uring.O_RDONLY, 0, 0)).Errno() == syscall.EMFILE &&
				m.do(uring.Socket(uring.AF_INET, uring.SOCK_STREAM, 0, 0)).Errno() == syscall.EMFILE
		}},
	} {
		t.Run(c.fault.String(), func(t *testing.T) {
			m := newMachine(t, sim.Options{})
			var trace strings.Builder
			m.w.Trace = &trace
			m.w.SetFaults(c.faults)
			if !c.strike(m) {
				t.Error("got no sign of the fault, want one")
			}
			counts := m.w.FaultCounts()
			if counts[c.fault] == 0 || counts.Total() != counts[c.fault] || !strings.Contains(counts.String(), c.fault.String()) {
				t.Errorf("got counts %v, want that fault alone", counts)
			}
			if line := fmt.Sprintf(" fault %s\n", c.fault); !strings.Contains(trace.String(), line) {
				t.Errorf("got no line %q in the trace, want one", line)
			}
			m.w.SetFaults(sim.Faults{})
			if c := m.write(4096, 0); c.Res != 4096 {
				t.Errorf("got %v once the fault is switched off, want success", c.Errno())
			}
			if m.w.FaultCounts() != counts {
				t.Errorf("got counts %v once it is switched off, want %v", m.w.FaultCounts(), counts)
			}
		})
	}
}

// took returns the virtual time that something takes.
func (m *machine) took(run func()) uint64 {
	_, before := m.k.Clock()
	run()
	_, after := m.k.Clock()
	return after - before
}

// A short write breaks the chain behind it, and the disk's limit makes one too.
func TestShortWritesBreakChains(t *testing.T) {
	m := newMachine(t, sim.Options{Faults: sim.Faults{ShortWrite: 1}})
	m.ring.Push(uring.Write(m.fd, m.slab.Base(), 4096, 0, 0, 1).Link())
	m.ring.Push(uring.Fsync(m.fd, true, 2))
	var c [2]uring.Completion
	for n := 0; n < 2; n += m.ring.Reap(c[n:]) {
		check(t, m.ring.Enter(true, 0))
	}
	if c[0].Res <= 0 || c[0].Res >= 4096 || c[1].Errno() != syscall.ECANCELED {
		t.Fatalf("got %v, want a short write and ECANCELED", c)
	}
}

// A disk that lies keeps nothing of what it said was durable, neither by sync nor by a durable write, nor names.
func TestDiskThatLies(t *testing.T) {
	lost := map[string]int{}
	for seed := range uint64(50) {
		w := sim.New(sim.Options{Seed: seed})
		f := w.Boot().Files()
		fd := open(t, f, "/synced", uring.O_CREAT)
		dsync := open(t, f, "/dsync", uring.O_CREAT|uring.O_DSYNC)
		check(t, f.SyncDir("/"))
		w.SetFaults(sim.Faults{SyncLie: 1})
		for _, fd := range []int32{fd, dsync} {
			_, err := f.WriteAt(fd, filled('x', 512), 0)
			check(t, err)
		}
		check(t, f.Sync(fd))
		check(t, f.MakeDir("/name", 0o755))
		check(t, f.SyncDir("/"))
		if w.FaultCounts()[sim.FaultSyncLie] != 3 {
			t.Fatalf("got %v, want three lies", w.FaultCounts())
		}
		w.PowerCut()
		f = w.Boot().Files()
		for _, path := range []string{"/synced", "/dsync"} {
			if got, _ := content(t, f, path); len(got) < 512 {
				lost[path]++
			}
		}
		if there, _ := f.Exists("/name"); !there {
			lost["/name"]++
		}
	}
	if len(lost) != 3 {
		t.Fatalf("got %v lost over the seeds, want some of each", lost)
	}
}

// An entry that is not simulated panics with its name, and so does one with flags that are not.
func TestWhatIsNotSimulatedPanics(t *testing.T) {
	for want, e := range map[string]uring.Entry{
		"read, token 0x1 with operation flags":     uring.Read(3, 0, 0, 0, uring.RWF_HIPRI, 0),
		"renameat, token 0x1 with operation flags": {Opcode: uring.OpRenameat, OpFlags: 2}, // RENAME_EXCHANGE
		"nop, token 0x1 with flags 0x2":            {Opcode: uring.OpNop, Flags: 1 << 1},   // IOSQE_IO_DRAIN
		"recv, token 0x1 with flags 0x10 in its":   {Opcode: uring.OpRecv, IoPrio: 1 << 4}, // IORING_RECVSEND_BUNDLE
	} {
		t.Run(want, func(t *testing.T) {
			m := newMachine(t, sim.Options{})
			e.Addr, e.Off = uint64(m.slab.Base()), uint64(m.slab.Base())
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, want) {
					t.Fatalf("got %q, want a panic with %q", got, want)
				}
			}()
			m.do(e)
		})
	}
}

// A file system without RENAME_NOREPLACE says so where it could go wrong no other way.
func TestPlainRenames(t *testing.T) {
	m := newMachine(t, sim.Options{PlainRenames: true})
	f := m.k.Files()
	check(t, f.Close(open(t, f, "/a", uring.O_CREAT)))
	check(t, f.Close(open(t, f, "/b", uring.O_CREAT)))
	for _, test := range []struct {
		from, to string
		want     error
	}{{"/a", "/b", syscall.EEXIST}, {"/a", "/c", syscall.EINVAL}, {"/d", "/c", syscall.ENOENT}} {
		if err := f.RenameNew(test.from, test.to); !errors.Is(err, test.want) {
			t.Errorf("rename of %s to %s: got %v, want %v", test.from, test.to, err, test.want)
		}
	}
	check(t, f.Rename("/a", "/b"))
}

// Space that a killed process held open without a name comes back.
func TestKillFreesWhatHadNoName(t *testing.T) {
	m := newMachine(t, sim.Options{Stepping: true})
	f := m.k.Files()
	check(t, f.Remove("/f"))
	m.ring.Push(uring.Write(m.fd, m.slab.Base(), 512, 0, 0, 1)) // in flight, and holds the file after the close
	check(t, m.ring.Enter(false, 0))
	check(t, f.Close(m.fd))
	m.w.Kill()
	total, free, err := m.w.Boot().Files().StatFS("/")
	check(t, err)
	if got := total - free; got > 4096 { // the boot id
		t.Fatalf("got %d bytes still taken, want none but the boot id's", got)
	}
}

// Direct I/O is refused unless position, size and address are whole sectors.
func TestDirectIORules(t *testing.T) {
	m := newMachine(t, sim.Options{})
	fd := open(t, m.k.Files(), "/f", uring.O_DIRECT)
	a := m.slab.Base()
	iov := m.slab.Iovecs(64<<10, 2)
	iov[0], iov[1] = uring.Iovec{Base: a, Len: 512}, uring.Iovec{Base: a + 512, Len: 100}
	vectors := m.slab.Addr(64 << 10)
	for name, e := range map[string]uring.Entry{
		"size": uring.Read(fd, a, 100, 0, 0, 0), "position": uring.Write(fd, a, 512, 100, 0, 0), "address": uring.Read(fd, a+8, 512, 0, 0, 0),
		"vector": uring.Writev(fd, vectors, 2, 0, 0, 0),
	} {
		if got := m.do(e); got.Errno() != syscall.EINVAL {
			t.Errorf("%s: got %d, want EINVAL", name, got.Res)
		}
	}
	if got := m.do(uring.Readv(fd, vectors, 1, 512, 0, 0)); got.Res != 512 {
		t.Errorf("got %d (%v), want 512", got.Res, got.Errno())
	}
	if _, err := m.k.Files().WriteAt(fd, make([]byte, 100), 0); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("got %v, want EINVAL", err)
	}
}

// Memory that waits for bytes is poison meanwhile, provided buffers from the moment they are handed over, and what a send reads must not change.
func TestBuffersInFlight(t *testing.T) {
	m := newMachine(t, sim.Options{})
	const poison = 0xA7
	into := m.slab.Bytes(8192, 512)
	m.ring.Push(uring.Read(m.fd, m.slab.Addr(8192), 512, 0, 0, 1))
	check(t, m.ring.Enter(false, 0))
	if !bytes.Equal(into, filled(poison, 512)) {
		t.Fatalf("got %x, want poison while the read is in flight", into[:8])
	}
	var c [4]uring.Completion
	for m.ring.Reap(c[:]) == 0 {
		check(t, m.ring.Enter(true, 0))
	}
	if !bytes.Equal(into, filled('a', 512)) {
		t.Fatalf("got %x, want the file's bytes", into[:8])
	}

	buffers, err := uring.NewBufRing(m.ring, 0, m.slab, 16<<10, 2, 512)
	check(t, err)
	check(t, m.ring.Enter(true, 1))
	for id := range uint16(2) {
		if b := m.slab.At(buffers.Buffer(id), 512); !bytes.Equal(b, filled(poison, 512)) {
			t.Fatalf("got %x, want poison in a buffer that was handed over", b[:8])
		}
	}

	peer, server := m.connect(func() {})
	m.ring.Push(uring.Recv(server, m.slab.Addr(8192), 512, 0, 1))
	check(t, m.ring.Enter(false, 0))
	if !bytes.Equal(into, filled(poison, 512)) {
		t.Fatalf("got %x, want poison while the receive waits", into[:8])
	}
	peer.Write([]byte("bytes"))
	for m.ring.Reap(c[:]) == 0 {
		check(t, m.ring.Enter(true, 0))
	}
	if string(into[:5]) != "bytes" || into[5] != poison {
		t.Fatalf("got %q, want the bytes and poison behind them", into[:8])
	}

	m.ring.Push(uring.Send(server, m.slab.Addr(0), 512<<10, uring.MSG_WAITALL, 1)) // more than the window
	check(t, m.ring.Enter(false, 0))
	m.slab.Bytes(400<<10, 1)[0]++
	defer func() {
		if got := fmt.Sprint(recover()); !strings.Contains(got, "bytes of send, token 0x1") || !strings.Contains(got, "changed before it completed") {
			t.Fatalf("got %q, want a panic about the change", got)
		}
	}()
	read := make([]byte, 64<<10)
	for m.ring.Reap(c[:]) == 0 {
		peer.Read(read)
		_, now := m.k.Clock()
		check(t, m.ring.Enter(true, now+1000))
	}
}

package sim_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"

	"galgo/uring"
	"galgo/uring/sim"
)

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, f uring.Files, path string, flags int) int32 {
	t.Helper()
	fd, err := f.Open(path, uring.O_RDWR|flags, 0o644)
	check(t, err)
	return fd
}

func content(t *testing.T, f uring.Files, path string) ([]byte, bool) {
	t.Helper()
	fd, err := f.Open(path, uring.O_RDONLY, 0)
	if errors.Is(err, syscall.ENOENT) {
		return nil, false
	}
	check(t, err)
	size, err := f.Size(fd)
	check(t, err)
	b := make([]byte, size)
	_, err = f.ReadAt(fd, b, 0)
	check(t, err)
	return b, true
}

func filled(b byte, n int) []byte { return bytes.Repeat([]byte{b}, n) }

// What was synced survives every power cut; a sector that was not holds its old bytes or its new ones, and over the seeds both are seen.
func TestPowerCutKeepsWhatWasSynced(t *testing.T) {
	old, fresh, mixed := 0, 0, 0
	for seed := range uint64(200) {
		w := sim.New(sim.Options{Seed: seed})
		f := w.Boot().Files()
		fd := open(t, f, "/synced", uring.O_CREAT|uring.O_EXCL)
		_, err := f.WriteAt(fd, filled('a', 16384), 0)
		check(t, err)
		check(t, f.Sync(fd))
		check(t, f.SyncDir("/"))
		_, err = f.WriteAt(fd, filled('b', 8192), 4096)
		check(t, err)
		w.PowerCut()
		got, there := content(t, w.Boot().Files(), "/synced")
		if !there || len(got) != 16384 {
			t.Fatalf("seed %d: got %d bytes, there %v, want 16384", seed, len(got), there)
		}
		if !bytes.Equal(got[:4096], filled('a', 4096)) || !bytes.Equal(got[12288:], filled('a', 4096)) {
			t.Fatalf("seed %d: synced bytes beside the write changed", seed)
		}
		sectors := map[string]int{}
		for at := 4096; at < 12288; at += 512 {
			sectors[string(got[at:at+512])]++
		}
		a, b := sectors[string(filled('a', 512))], sectors[string(filled('b', 512))]
		switch {
		case a+b != 16:
			t.Fatalf("seed %d: got %d sectors old and %d new, want 16 together", seed, a, b)
		case a == 16:
			old++
		case b == 16:
			fresh++
		default:
			mixed++
		}
	}
	if old == 0 || fresh == 0 || mixed == 0 {
		t.Fatalf("got %d old, %d new, %d torn, want some of each", old, fresh, mixed)
	}
}

// A name is durable once its directory was synced; a rename stands for the old file or the new one, never for neither.
func TestPowerCutAndNames(t *testing.T) {
	lost, kept, renamed := 0, 0, 0
	for seed := range uint64(100) {
		w := sim.New(sim.Options{Seed: seed})
		f := w.Boot().Files()
		check(t, f.MakeDir("/d", 0o755))
		check(t, f.SyncDir("/"))
		one := open(t, f, "/d/one", uring.O_CREAT)
		_, err := f.WriteAt(one, []byte("old"), 0)
		check(t, err)
		check(t, f.Sync(one))
		check(t, f.SyncDir("/d"))
		two := open(t, f, "/d/two", uring.O_CREAT)
		_, err = f.WriteAt(two, []byte("new"), 0)
		check(t, err)
		check(t, f.Sync(two)) // the bytes, not the name
		check(t, f.Rename("/d/two", "/d/one"))
		open(t, f, "/d/three", uring.O_CREAT)
		w.PowerCut()
		f = w.Boot().Files()
		switch got, there := content(t, f, "/d/one"); {
		case !there || string(got) != "old" && string(got) != "new":
			t.Fatalf("seed %d: got %q, there %v, want old or new", seed, got, there)
		case string(got) == "new":
			renamed++
		}
		if _, there := content(t, f, "/d/three"); there {
			kept++
		} else {
			lost++
		}
	}
	if lost == 0 || kept == 0 || renamed == 0 || renamed == 100 {
		t.Fatalf("got %d names lost, %d kept, %d renames of 100 kept, want some of each", lost, kept, renamed)
	}
}

// SIGKILL takes nothing that completed, and frees locks; what was in flight happened or did not.
func TestKillKeepsWhatCompleted(t *testing.T) {
	happened := 0
	for seed := range uint64(50) {
		w := sim.New(sim.Options{Seed: seed, Stepping: true})
		k := w.Boot()
		fd := open(t, k.Files(), "/f", uring.O_CREAT)
		check(t, k.Files().Lock(fd))
		_, err := k.Files().WriteAt(fd, filled('a', 512), 0)
		check(t, err)
		ring, err := uring.NewRing(k, 0, uring.Params{})
		check(t, err)
		slab, err := k.Slab(4096)
		check(t, err)
		copy(slab.Bytes(0, 512), filled('b', 512))
		ring.Push(uring.Write(fd, slab.Base(), 512, 0, 0, 1))
		check(t, ring.Enter(false, 0))
		w.Kill()
		f := w.Boot().Files()
		got, _ := content(t, f, "/f")
		switch {
		case bytes.Equal(got, filled('b', 512)):
			happened++
		case !bytes.Equal(got, filled('a', 512)):
			t.Fatalf("seed %d: got %.20q, want a write in whole or not at all", seed, got)
		}
		check(t, f.Lock(open(t, f, "/f", 0)))
	}
	if happened == 0 || happened == 50 {
		t.Fatalf("got %d of 50 writes in flight done, want some", happened)
	}
}

// A durable write survives although nothing before it was synced, and a failed sync loses its bytes for good.
func TestDurableWritesAndFailedSyncs(t *testing.T) {
	for seed := range uint64(50) {
		w := sim.New(sim.Options{Seed: seed})
		f := w.Boot().Files()
		dsync := open(t, f, "/dsync", uring.O_CREAT|uring.O_DSYNC)
		fd := open(t, f, "/failed", uring.O_CREAT)
		check(t, f.SyncDir("/"))
		_, err := f.WriteAt(dsync, filled('d', 1000), 5000)
		check(t, err)
		_, err = f.WriteAt(fd, filled('x', 1000), 0)
		check(t, err)
		w.SetFaults(sim.Faults{SyncError: 1})
		if err := f.Sync(fd); !errors.Is(err, syscall.EIO) {
			t.Fatalf("got %v, want EIO", err)
		}
		w.SetFaults(sim.Faults{})
		check(t, f.Sync(fd)) // as the kernel has it: the second one knows of nothing
		w.PowerCut()
		f = w.Boot().Files()
		if got, _ := content(t, f, "/dsync"); len(got) != 6000 || !bytes.Equal(got[5000:], filled('d', 1000)) {
			t.Fatalf("seed %d: got %d bytes of the durable write, want 6000", seed, len(got))
		}
		if got, _ := content(t, f, "/failed"); bytes.IndexByte(got, 'x') >= 0 {
			t.Fatalf("seed %d: bytes of a failed sync came back", seed)
		}
		if got, want := w.Forgotten(), []string{"/failed"}; !slices.Equal(got, want) {
			t.Fatalf("seed %d: files of which something was forgotten: got %q, want %q", seed, got, want)
		}
	}
}

// What a failed sync has dropped is forgotten by nobody who writes it once more before the power is cut.
func TestFailedSyncMadeGood(t *testing.T) {
	w := sim.New(sim.Options{Seed: 1})
	f := w.Boot().Files()
	fd := open(t, f, "/f", uring.O_CREAT)
	check(t, f.SyncDir("/"))
	put := func() {
		t.Helper()
		_, err := f.WriteAt(fd, filled('x', 1000), 0)
		check(t, err)
	}
	put()
	w.SetFaults(sim.Faults{SyncError: 1})
	if err := f.Sync(fd); !errors.Is(err, syscall.EIO) {
		t.Fatalf("got %v, want EIO", err)
	}
	w.SetFaults(sim.Faults{})
	put()
	check(t, f.Sync(fd))
	w.PowerCut()
	if got := w.Forgotten(); len(got) > 0 {
		t.Fatalf("files of which something was forgotten: got %q, want none", got)
	}
}

func TestDiskFull(t *testing.T) {
	w := sim.New(sim.Options{DiskBytes: 1 << 20})
	f := w.Boot().Files()
	fd := open(t, f, "/f", uring.O_CREAT)
	if err := f.Allocate(fd, 0, 2<<20); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("got %v, want ENOSPC", err)
	}
	if _, free, _ := f.StatFS("/"); free != 0 {
		t.Fatalf("got %d bytes free, want 0: what there was is taken", free)
	}
	check(t, f.Truncate(fd, 0))
	if n, err := f.WriteAt(fd, filled('x', 4<<20), 0); n == 0 || n >= 1<<20 || !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("got %d, %v, want less than a MiB and ENOSPC", n, err)
	}
}

// crashesIn runs start with a crash at its n-th file call, and reports whether it came so far.
func crashesIn(w *sim.World, n int, start func(uring.Files)) (crashed bool) {
	k := w.Boot()
	w.CrashAfter(n)
	defer func() {
		if _, crashed = recover().(sim.Crashed); !crashed {
			w.CrashAfter(0)
		}
	}()
	start(k.Files())
	return false
}

func TestCrashAfter(t *testing.T) {
	for n := 1; ; n++ {
		w := sim.New(sim.Options{Seed: uint64(n)})
		crashed := crashesIn(w, n, func(f uring.Files) {
			for i := range 3 {
				check(t, f.MakeDir(fmt.Sprint("/d", i), 0o755))
				check(t, f.SyncDir("/"))
			}
		})
		w.PowerCut()
		names, err := w.Boot().Files().List("/")
		check(t, err)
		if !crashed {
			if want := "d0 d1 d2 proc"; strings.Join(names, " ") != want {
				t.Fatalf("got %q, want %q", names, want)
			}
			break
		}
		if want := (n - 1) / 2; len(names)-1 < want {
			t.Fatalf("call %d: got %q, want the first %d directories", n, names, want)
		}
	}
}

// A change of bytes that the kernel is writing is found.
func TestChangeInFlightPanics(t *testing.T) {
	w := sim.New(sim.Options{})
	k := w.Boot()
	ring, err := uring.NewRing(k, 0, uring.Params{})
	check(t, err)
	slab, err := k.Slab(4096)
	check(t, err)
	ring.Push(uring.Write(open(t, k.Files(), "/f", uring.O_CREAT), slab.Base(), 512, 0, 0, 1))
	check(t, ring.Enter(false, 0))
	slab.Bytes(0, 1)[0] = 1
	defer func() {
		if got := fmt.Sprint(recover()); !strings.Contains(got, "changed before it completed") {
			t.Fatalf("got %q, want a panic about the change", got)
		}
	}()
	_ = ring.Enter(true, 0)
}

// Two shards and a peer, stepped: an echo under every network fault that loses nothing, twice with the same history.
func TestSteppingEcho(t *testing.T) {
	for seed := range uint64(20) {
		a, b := echo(t, seed), echo(t, seed)
		if a != b {
			t.Fatalf("seed %d: got hash %x the second time, want %x", seed, b, a)
		}
	}
}

func echo(t *testing.T, seed uint64) uint64 {
	t.Helper()
	w := sim.New(sim.Options{Seed: seed, Stepping: true, Window: 1000, Faults: sim.Rough()})
	k := w.Boot()
	listener, address, err := k.Listen("127.0.0.1:0")
	check(t, err)
	slab, err := k.Slab(64 << 10)
	check(t, err)
	for i := range 2 { // each shard accepts one connection and sends back what it gets
		ring, err := uring.NewRing(k, i, uring.Params{Entries: 8})
		check(t, err)
		ring.Push(uring.Accept(listener, 0, 1))
		fd, at := int32(-1), slab.Addr(uint64(i)*4096)
		w.Run(i, func() {
			var c [4]uring.Completion
			for _, c := range c[:ring.Reap(c[:])] {
				switch c.Token() {
				case 1:
					fd = c.Res
					ring.Push(uring.Recv(fd, at, 4096, 0, 2))
				case 2:
					if c.Res <= 0 {
						ring.Push(uring.Close(fd, 4))
						continue
					}
					ring.Push(uring.Send(fd, at, uint32(c.Res), uring.MSG_WAITALL, 3))
				case 3:
					ring.Push(uring.Recv(fd, at, 4096, 0, 2))
				}
			}
			check(t, ring.Enter(true, 0))
		})
	}
	want := []byte(strings.Repeat("what goes out comes back. ", 400))
	done := 0
	for range 2 {
		sent, got := 0, []byte(nil)
		var p *sim.Peer
		p = w.Dial(address, func() {
			sent += p.Write(want[sent:])
			b := make([]byte, p.Readable())
			got = append(got, b[:p.Read(b)]...)
			if sent == len(want) {
				p.CloseWrite()
			}
			if p.Ended() {
				if !bytes.Equal(got, want) {
					t.Errorf("seed %d: got %d bytes back, want %d", seed, len(got), len(want))
				}
				done++
				p.Close()
			}
		})
	}
	for range 1_000_000 {
		if done == 2 || !w.Step() {
			break
		}
	}
	if done != 2 {
		t.Fatalf("seed %d: got %d echoes ended, want 2", seed, done)
	}
	w.Kill()
	return w.Hash()
}

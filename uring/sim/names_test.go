package sim_test

import (
	"fmt"
	"testing"

	"galgo/uring"
	"galgo/uring/sim"
)

// places returns which of some paths hold the text, and the one that does when there is but one.
func places(t *testing.T, f uring.Files, text string, paths ...string) (at []string) {
	t.Helper()
	for _, path := range paths {
		if got, there := content(t, f, path); there && string(got) == text {
			at = append(at, path)
		}
	}
	return at
}

// pools makes two directories whose names are durable, and a file in the first whose bytes and name are.
func pools(t *testing.T, f uring.Files) {
	t.Helper()
	for _, dir := range []string{"/a", "/pool"} {
		check(t, f.MakeDir(dir, 0o755))
	}
	check(t, f.SyncDir("/"))
	fd := open(t, f, "/a/segment", uring.O_CREAT)
	_, err := f.WriteAt(fd, []byte("bytes"), 0)
	check(t, err)
	check(t, f.Sync(fd))
	check(t, f.SyncDir("/a"))
}

// A file that moves between directories is in one of them after a power cut, whatever was synced; in the new one for sure once both were.
func TestPowerCutAndMovesBetweenDirectories(t *testing.T) {
	for _, c := range []struct {
		synced    []string
		old, made bool // seen over the seeds
	}{
		{nil, true, true},
		{[]string{"/a"}, true, true},
		{[]string{"/pool"}, true, true},
		{[]string{"/a", "/pool"}, false, true},
		{[]string{"/pool", "/a"}, false, true},
	} {
		seen := map[string]int{}
		for seed := range uint64(60) {
			w := sim.New(sim.Options{Seed: seed})
			f := w.Boot().Files()
			pools(t, f)
			check(t, f.Rename("/a/segment", "/pool/1"))
			for _, dir := range c.synced {
				check(t, f.SyncDir(dir))
			}
			w.PowerCut()
			at := places(t, w.Boot().Files(), "bytes", "/a/segment", "/pool/1")
			if len(at) != 1 {
				t.Fatalf("synced %q, seed %d: got the file at %q, want it in one place", c.synced, seed, at)
			}
			seen[at[0]]++
		}
		if (seen["/a/segment"] > 0) != c.old || (seen["/pool/1"] > 0) != c.made {
			t.Errorf("synced %q: got %v, want the old place: %v, the new one: %v", c.synced, seen, c.old, c.made)
		}
	}
}

// Into the pool and out of it again, another file in its old place: each file is in one place, and what was synced last is where it is.
func TestPowerCutAndAFileThatMovesTwice(t *testing.T) {
	for _, synced := range []bool{false, true} {
		seen := map[string]int{}
		for seed := range uint64(200) {
			w := sim.New(sim.Options{Seed: seed})
			f := w.Boot().Files()
			pools(t, f)
			check(t, f.MakeDir("/b", 0o755))
			check(t, f.SyncDir("/"))
			check(t, f.Rename("/a/segment", "/pool/1"))
			other := open(t, f, "/a/segment", uring.O_CREAT)
			_, err := f.WriteAt(other, []byte("other"), 0)
			check(t, err)
			check(t, f.Sync(other))
			check(t, f.Rename("/pool/1", "/b/segment"))
			if synced { // of the second move alone: it rests on the first
				check(t, f.SyncDir("/b"))
				check(t, f.SyncDir("/pool"))
			}
			w.PowerCut()
			f = w.Boot().Files()
			at := places(t, f, "bytes", "/a/segment", "/pool/1", "/b/segment")
			if len(at) != 1 || synced && at[0] != "/b/segment" {
				t.Fatalf("seed %d, synced %v: got the file at %q, want it in one place", seed, synced, at)
			}
			if len(places(t, f, "other", "/a/segment")) == 1 && at[0] == "/a/segment" {
				t.Fatalf("seed %d: got two files of one name", seed)
			}
			seen[at[0]]++
		}
		if !synced && len(seen) != 3 {
			t.Errorf("got %v, want each place for some seed", seen)
		}
	}
}

// A directory that is durably gone was emptied before: what moved out of it is where it went.
func TestPowerCutAndARemovedDirectory(t *testing.T) {
	for seed := range uint64(60) {
		w := sim.New(sim.Options{Seed: seed})
		f := w.Boot().Files()
		pools(t, f)
		check(t, f.Rename("/a/segment", "/pool/1"))
		check(t, f.Remove("/a"))
		check(t, f.SyncDir("/"))
		w.PowerCut()
		f = w.Boot().Files()
		if at := places(t, f, "bytes", "/pool/1"); len(at) != 1 {
			t.Fatalf("seed %d: got no file in the pool, want it", seed)
		}
		if there, err := f.Exists("/a"); err != nil || there {
			t.Fatalf("seed %d: got a directory that was durably removed (%v)", seed, err)
		}
	}
}

// Changes of names that nobody ever syncs reach the disk some day, and do not pile up.
func TestNamesReachTheDiskByThemselves(t *testing.T) {
	w := sim.New(sim.Options{})
	f := w.Boot().Files()
	const made, certain = 5000, 5000 - 4096
	for i := range made {
		check(t, f.MakeDir(fmt.Sprintf("/%04d", i), 0o755))
	}
	w.PowerCut()
	f = w.Boot().Files()
	for i := range certain {
		if there, err := f.Exists(fmt.Sprintf("/%04d", i)); err != nil || !there {
			t.Fatalf("got no directory %d of %d, want those that are long made (%v)", i, made, err)
		}
	}
}

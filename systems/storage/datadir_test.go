package storage

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"galgo/components"
	"galgo/uring"
	"galgo/wire"
)

func openTest(root string, fresh bool) (*DataDir, error) {
	return OpenDirectory(uring.SystemFiles(), root, fresh, testRandom, 77, 1)
}

func mustOpen(t *testing.T, root string, fresh bool) *DataDir {
	t.Helper()
	d, err := openTest(root, fresh)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestOpenDirectoryMakesOne(t *testing.T) {
	for _, root := range []string{t.TempDir(), filepath.Join(t.TempDir(), "a", "b")} {
		d := mustOpen(t, root, false)
		if !d.Created || d.Secret() == 0 || d.Marker.Created != 77 {
			t.Errorf("got %+v, want a new directory with a secret", d)
		}
		marker := d.Marker
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		d = mustOpen(t, root, false)
		if d.Created || d.Marker != marker {
			t.Errorf("got %+v, want the directory as it was", d)
		}
		for _, dir := range []string{components.SegmentsDir, components.ControlDir, components.OffsetsDir, components.RuntimeDir, components.LogsDir} {
			if info, err := os.Stat(filepath.Join(root, dir)); err != nil || !info.IsDir() {
				t.Errorf("got no directory %s: %v", dir, err)
			}
		}
		_ = d.Close()
	}
}

// A crash while the marker was written leaves a directory that is as good as empty.
func TestOpenDirectoryHalfMade(t *testing.T) {
	root := t.TempDir()
	writeTest(t, []byte("GALGO"), root, components.MarkerFile+freshSuffix)
	d := mustOpen(t, root, false)
	defer d.Close()
	if names, _ := filepath.Glob(filepath.Join(root, "*"+freshSuffix)); !d.Created || len(names) > 0 {
		t.Errorf("got %+v and %q, want a new directory", d, names)
	}
}

func TestOpenDirectoryForeign(t *testing.T) {
	for _, fresh := range []bool{false, true} {
		root := t.TempDir()
		writeTest(t, []byte("mine"), root, "thesis.txt")
		before := tree(t, root)
		_, err := openTest(root, fresh)
		if !errors.Is(err, ErrForeignDirectory) || strings.Contains(err.Error(), "\n") {
			t.Errorf("got %v, want %v in one line", err, ErrForeignDirectory)
		}
		wantTree(t, root, before)
		if entries, _ := os.ReadDir(root); len(entries) != 1 {
			t.Errorf("got %v, want the directory untouched", entries)
		}
	}
}

// lockless is a file system that has no locks to give.
type lockless struct{ uring.Files }

func (lockless) Lock(int32) error { return os.NewSyscallError("flock", syscall.ENOLCK) }

// A directory that cannot be locked is not said to be another server's.
func TestOpenDirectoryWithoutLocks(t *testing.T) {
	root := t.TempDir()
	for _, marked := range []bool{false, true} {
		if marked {
			_ = mustOpen(t, root, false).Close()
		}
		_, err := OpenDirectory(lockless{uring.SystemFiles()}, root, false, testRandom, 77, 1)
		if !errors.Is(err, syscall.ENOLCK) || strings.Contains(err.Error(), "another server") {
			t.Errorf("marked %v: got %v, want %v and no word of another server", marked, err, syscall.ENOLCK)
		}
	}
}

func TestOpenDirectoryLocked(t *testing.T) {
	root := t.TempDir()
	d := mustOpen(t, root, false)
	for _, fresh := range []bool{false, true} {
		if _, err := openTest(root, fresh); !errors.Is(err, uring.ErrLocked) {
			t.Errorf("got %v, want %v", err, uring.ErrLocked)
		}
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	d = mustOpen(t, root, true)
	if _, err := openTest(root, false); !errors.Is(err, uring.ErrLocked) {
		t.Errorf("after a fresh start: got %v, want %v", err, uring.ErrLocked)
	}
	_ = d.Close()
}

func TestOpenDirectoryBadMarker(t *testing.T) {
	root := t.TempDir()
	d := mustOpen(t, root, false)
	_ = d.Close()
	marker, err := os.ReadFile(filepath.Join(root, components.MarkerFile))
	if err != nil {
		t.Fatal(err)
	}
	for at := range marker {
		bad := append([]byte(nil), marker...)
		bad[at] ^= 1
		writeTest(t, bad, root, components.MarkerFile)
		for _, fresh := range []bool{false, true} {
			before := tree(t, root)
			_, err := openTest(root, fresh)
			if err == nil || !strings.Contains(err.Error(), components.MarkerFile) || strings.Contains(err.Error(), "\n") {
				t.Errorf("byte %d: got %v, want an error in one line that names the marker", at, err)
			}
			if versioned := at >= 8 && at < 12; versioned != errors.Is(err, wire.ErrVersion) {
				t.Errorf("byte %d: got %v", at, err)
			}
			wantTree(t, root, before)
		}
	}
}

func TestOpenDirectoryFresh(t *testing.T) {
	root := t.TempDir()
	d := mustOpen(t, root, true)
	_ = d.Close()
	writeTest(t, []byte("data"), root, components.SegmentsDir, "x.log")
	if err := os.MkdirAll(filepath.Join(root, "deep", "er"), 0o700); err != nil {
		t.Fatal(err)
	}
	outside := t.TempDir()
	writeTest(t, []byte("keep"), outside, "kept")
	if err := os.Symlink(outside, filepath.Join(root, "deep", "er", "link")); err != nil {
		t.Fatal(err)
	}
	d = mustOpen(t, root, true)
	defer d.Close()
	if files := tree(t, root); len(files) != 1 || !d.Created {
		t.Errorf("got %d files, want the marker alone", len(files))
	}
	if files := tree(t, outside); len(files) != 1 {
		t.Error("got what a link names deleted, want it kept")
	}
}

// A fresh start may be interrupted anywhere: what is left is ours.
func TestOpenDirectoryFreshInterrupted(t *testing.T) {
	for fail := 0; ; fail++ {
		root := t.TempDir()
		d := mustOpen(t, root, false)
		_ = d.Close()
		writeTest(t, []byte("data"), root, components.SegmentsDir, "x.log")
		files := &failingFiles{Files: uring.SystemFiles(), left: fail}
		d, err := OpenDirectory(files, root, true, testRandom, 78, 1)
		if !files.failed {
			if err != nil {
				t.Fatal(err)
			}
			_ = d.Close()
			return
		}
		if err == nil {
			t.Fatalf("change %d failed: got no error", fail)
		}
		d = mustOpen(t, root, false)
		_ = d.Close()
	}
}

package storage

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"galgo/uring"
)

// memoryFiles are files in memory: what is done to them is done at once, and costs nothing. Copies share content until it is changed.
type memoryFiles struct {
	content map[string][]byte // by path; never changed in place
	dirs    map[string]bool
	open    []string // by descriptor
}

// loadFiles reads a directory; it stands as /data.
func loadFiles(t testing.TB, dir string) *memoryFiles {
	t.Helper()
	f := &memoryFiles{content: map[string][]byte{}, dirs: map[string]bool{"/": true, "/data": true}}
	err := filepath.WalkDir(dir, func(name string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		inner, _ := filepath.Rel(dir, name)
		if entry.IsDir() {
			f.dirs[path.Join("/data", inner)] = true
			return nil
		}
		f.content[path.Join("/data", inner)], err = os.ReadFile(name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// with is a copy in which a file has other content.
func (f *memoryFiles) with(name string, content []byte) *memoryFiles {
	c := &memoryFiles{content: make(map[string][]byte, len(f.content)), dirs: f.dirs}
	for other, bytes := range f.content {
		c.content[other] = bytes
	}
	c.content[name] = content
	return c
}

func (f *memoryFiles) Open(name string, flags int, _ uint32) (int32, error) {
	_, exists := f.content[name]
	if !exists && !f.dirs[name] {
		if flags&uring.O_CREAT == 0 {
			return -1, &os.PathError{Op: "open", Path: name, Err: syscall.ENOENT}
		}
		f.content[name] = nil
	}
	if flags&uring.O_TRUNC != 0 {
		f.content[name] = nil
	}
	f.open = append(f.open, name)
	return int32(len(f.open) - 1), nil
}

func (f *memoryFiles) Close(fd int32) error { f.open[fd] = ""; return nil }

func (f *memoryFiles) ReadAt(fd int32, b []byte, position uint64) (int, error) {
	content := f.content[f.open[fd]]
	return copy(b, content[min(position, uint64(len(content))):]), nil
}

func (f *memoryFiles) WriteAt(fd int32, b []byte, position uint64) (int, error) {
	name := f.open[fd]
	changed := make([]byte, max(uint64(len(f.content[name])), position+uint64(len(b))))
	copy(changed, f.content[name])
	copy(changed[position:], b)
	f.content[name] = changed
	return len(b), nil
}

func (f *memoryFiles) Sync(int32) error { return nil }

func (f *memoryFiles) Truncate(fd int32, size uint64) error {
	name := f.open[fd]
	changed := make([]byte, size)
	copy(changed, f.content[name])
	f.content[name] = changed
	return nil
}

func (f *memoryFiles) Allocate(int32, uint64, uint64) error { return nil }

func (f *memoryFiles) Size(fd int32) (uint64, error) { return uint64(len(f.content[f.open[fd]])), nil }

func (f *memoryFiles) NextData(fd int32, position uint64) (from, to uint64, err error) {
	size := uint64(len(f.content[f.open[fd]]))
	return min(position, size), size, nil
}

func (f *memoryFiles) Rename(from, to string) error {
	content, exists := f.content[from]
	if !exists {
		return &os.PathError{Op: "rename", Path: from, Err: syscall.ENOENT}
	}
	delete(f.content, from)
	f.content[to] = content
	for fd, name := range f.open {
		if name == from {
			f.open[fd] = to
		}
	}
	return nil
}

func (f *memoryFiles) RenameNew(from, to string) error {
	if _, exists := f.content[to]; exists {
		return &os.PathError{Op: "renameat2", Path: from, Err: syscall.EEXIST}
	}
	return f.Rename(from, to)
}

func (f *memoryFiles) Remove(name string) error {
	if _, exists := f.content[name]; !exists {
		return &os.PathError{Op: "unlink", Path: name, Err: syscall.ENOENT}
	}
	delete(f.content, name)
	return nil
}

func (f *memoryFiles) MakeDir(name string, _ uint32) error { f.dirs[name] = true; return nil }

func (f *memoryFiles) List(dir string) (names []string, err error) {
	add := func(name string) {
		if inner, found := strings.CutPrefix(name, dir+"/"); found && !strings.Contains(inner, "/") {
			names = append(names, inner)
		}
	}
	for name := range f.content {
		add(name)
	}
	for name := range f.dirs {
		add(name)
	}
	slices.Sort(names)
	return names, nil
}

func (f *memoryFiles) SyncDir(string) error { return nil }

func (f *memoryFiles) StatFS(string) (total, free uint64, err error) { return 1 << 40, 1 << 39, nil }

func (f *memoryFiles) Lock(int32) error { return nil }

func (f *memoryFiles) Exists(name string) (bool, error) {
	_, exists := f.content[name]
	return exists || f.dirs[name], nil
}

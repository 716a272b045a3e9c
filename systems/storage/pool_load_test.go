package storage

import (
	"errors"
	"path"
	"slices"
	"strings"
	"syscall"
	"testing"

	"galgo/components"
	"galgo/uring"
	"galgo/wire"
)

// sickFiles are files of which one, or the directory of segments, fails.
type sickFiles struct {
	*memoryFiles
	open, size, sync error
	name             string
	fd               int32
}

func (f *sickFiles) Open(name string, flags int, mode uint32) (int32, error) {
	if name == f.name && f.open != nil {
		return -1, f.open
	}
	fd, err := f.memoryFiles.Open(name, flags, mode)
	if name == f.name {
		f.fd = fd
	}
	return fd, err
}

func (f *sickFiles) Size(fd int32) (uint64, error) {
	if fd == f.fd && f.size != nil {
		return 0, f.size
	}
	return f.memoryFiles.Size(fd)
}

func (f *sickFiles) SyncDir(string) error { return f.sync }

// A file of the pool is only blocks: one that cannot be opened, or whose size cannot be told, is left alone and counted nowhere. What the directory or the
// process lacks stops the start.
func TestPoolFileThatCannotBeOpened(t *testing.T) {
	const sick = 2
	for _, test := range []struct {
		name  string
		files sickFiles
		want  []uint64 // in the pool
		stops syscall.Errno
	}{
		{"sound", sickFiles{}, []uint64{1, 2, 3}, 0},
		{"open EACCES", sickFiles{open: syscall.EACCES}, []uint64{1, 3}, 0},
		{"open EIO", sickFiles{open: syscall.EIO}, []uint64{1, 3}, 0},
		{"size EIO", sickFiles{size: syscall.EIO}, []uint64{1, 3}, 0},
		{"open EMFILE", sickFiles{open: syscall.EMFILE}, nil, syscall.EMFILE},
		{"sync EIO", sickFiles{sync: syscall.EIO}, nil, syscall.EIO},
	} {
		_, st := idleStorage(t)
		st.Space.SizeMax = 1 << 30
		var files uring.Files = &test.files
		test.files.memoryFiles = &memoryFiles{content: map[string][]byte{}, dirs: map[string]bool{"/data": true, "/data/" + components.SegmentsDir: true}}
		test.files.fd = -1
		var paths []string
		for number := range uint64(3) {
			name := path.Join("/data", components.SegmentsDir, string(wire.AppendPoolName(nil, number+1)))
			paths = append(paths, name)
			test.files.content[name] = make([]byte, components.PoolFileMin)
		}
		test.files.name = paths[sick-1]
		list, err := ListSegments(files, "/data")
		if err != nil {
			t.Fatal(err)
		}
		err = LoadPool(files, "/data", list, []*components.Storage{st})
		if test.stops != 0 {
			if !errors.Is(err, test.stops) {
				t.Errorf("%s: got %v, want %v", test.name, err, test.stops)
			}
			continue
		}
		var got []uint64
		for _, file := range st.Pool.Files {
			got = append(got, file.Number)
		}
		if err != nil || !sameNumbers(got, test.want) {
			t.Errorf("%s: got files %v and error %v, want %v", test.name, got, err, test.want)
		}
		if held, files := st.Space.SizeMax-st.Space.Room(), uint64(len(test.want)); held != files*components.PoolFileMin || st.Space.Pooled.Load() != held {
			t.Errorf("%s: got %d bytes claimed and %d pooled, want those of %d files", test.name, held, st.Space.Pooled.Load(), files)
		}
		for _, name := range paths {
			if _, there := test.files.content[name]; !there {
				t.Errorf("%s: got %s removed, want it left alone", test.name, strings.TrimPrefix(name, "/data/"))
			}
		}
	}
}

func sameNumbers(got, want []uint64) bool {
	got = slices.Sorted(slices.Values(got))
	return slices.Equal(got, want)
}

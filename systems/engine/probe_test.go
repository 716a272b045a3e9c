package engine

import (
	"errors"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"galgo/components"
	"galgo/systems/storage"
	"galgo/uring"
	"galgo/uring/sim"
	"galgo/wire"
)

// pickyHost has a file system that lacks something: it refuses to open a file for direct I/O, to use one, or to see to it that a rename replaces nothing.
type pickyHost struct {
	*sim.Kernel
	files *pickyFiles
}

type pickyFiles struct {
	uring.Files
	refuses string // "open", "write", "read" or "rename"; "" is nothing
	direct  map[int32]bool
}

func (h pickyHost) Files() uring.Files { return h.files }

func (f *pickyFiles) Open(path string, flags int, mode uint32) (int32, error) {
	direct := flags&uring.O_DIRECT != 0
	if direct && f.refuses == "open" {
		return -1, syscall.EINVAL
	}
	fd, err := f.Files.Open(path, flags, mode)
	f.direct[fd] = direct
	return fd, err
}

func (f *pickyFiles) WriteAt(fd int32, b []byte, position uint64) (int, error) {
	if f.direct[fd] && f.refuses == "write" {
		return 0, syscall.EINVAL
	}
	return f.Files.WriteAt(fd, b, position)
}

func (f *pickyFiles) ReadAt(fd int32, b []byte, position uint64) (int, error) {
	if f.direct[fd] && f.refuses == "read" {
		return 0, syscall.EIO
	}
	return f.Files.ReadAt(fd, b, position)
}

func (f *pickyFiles) RenameNew(from, to string) error {
	if f.refuses == "rename" {
		return syscall.EINVAL
	}
	return f.Files.RenameNew(from, to)
}

// recoverOn starts an engine on an empty directory of a file system that refuses something. Prepare may put files there first.
func recoverOn(t *testing.T, refuses string, direct bool, log *logged, prepare func(uring.Files)) (*Engine, uring.Files) {
	t.Helper()
	e, files, err := tryRecover(t, refuses, direct, log, prepare)
	if err != nil {
		t.Fatal(err)
	}
	return e, files
}

// tryRecover is recoverOn where the start may be refused.
func tryRecover(t *testing.T, refuses string, direct bool, log *logged, prepare func(uring.Files)) (*Engine, uring.Files, error) {
	t.Helper()
	w := sim.New(sim.Options{Seed: 1, DiskBytes: 1 << 30})
	kernel := w.Boot()
	host := pickyHost{kernel, &pickyFiles{Files: kernel.Files(), refuses: refuses, direct: map[int32]bool{}}}
	dir, err := storage.OpenDirectory(host.Files(), "/data", false, kernel.Random, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	if prepare != nil {
		prepare(kernel.Files())
	}
	e, err := Recover(Options{Host: host, Dir: dir, Listener: components.NoFD, Memory: 32 << 20, Direct: direct,
		Config:   components.Config{Shards: 1, PartitionsMax: 10, ClientsMax: 2, ConnectionsMax: 2, OffsetsMax: 2, TCPAddress: netip.MustParseAddrPort("127.0.0.1:1")},
		Reserve:  func(uint64) uint64 { return 0 },
		PoolSize: func(uint64) uint64 { return 64 << 20 },
		FilesMax: 16, Slots: 64, Entries: 64, CQEntries: 128, Recoverers: 1,
		Root: func() ([]byte, []byte) { return []byte("root"), []byte("hash") }, Machine: func(*wire.Stats) {}, Log: log})
	t.Cleanup(e.Free)
	return e, kernel.Files(), err
}

// makeEmpty makes an empty file.
func makeEmpty(t *testing.T, files uring.Files, name string) {
	t.Helper()
	fd, err := files.Open(name, uring.O_RDWR|uring.O_CREAT, 0o600)
	if err = errors.Join(err, files.Close(fd)); err != nil {
		t.Fatal(err)
	}
}

// left lists the directory of segments.
func left(t *testing.T, files uring.Files) []string {
	t.Helper()
	names, err := files.List("/data/segments")
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// logged keeps what is logged.
type logged struct{ text strings.Builder }

func (l *logged) Log(_ components.LogLevel, message string, fields ...components.LogField) {
	l.text.WriteString(message)
	for _, f := range fields {
		l.text.WriteString(" " + f.Key + "=" + f.Text)
	}
	l.text.WriteByte('\n')
}

// Direct I/O is used where it works, and only there; the log says which and why.
func TestDirectIsTried(t *testing.T) {
	for _, c := range []struct {
		refuses    string
		configured bool
		want       bool
		log        string
	}{
		{"", true, true, "written and read directly"},
		{"", false, false, "page cache reason=configured"},
		{"open", true, false, "page cache reason=invalid argument"},
		{"write", true, false, "page cache reason=invalid argument"},
		{"read", true, false, "page cache reason=input/output error"},
	} {
		log := &logged{}
		e, files := recoverOn(t, c.refuses, c.configured, log, nil)
		if got := e.Shards[0].Storage.Directory.Direct; got != c.want || !strings.Contains(log.text.String(), c.log) {
			t.Errorf("direct I/O configured %v, refused at %q: got %v and the log %q, want %v and %q", c.configured, c.refuses, got, log.text.String(), c.want, c.log)
		}
		if names := left(t, files); len(names) > 0 {
			t.Errorf("refused at %q: got %q left behind, want nothing", c.refuses, names)
		}
	}
}

// Renames are asked to replace nothing where the file system takes that, whatever an earlier probe left behind. Where it does not, there is a pool all the
// same, unless files have numbers that the run is going to give.
func TestRenamesAreTried(t *testing.T) {
	const run = 1 // that of the first start
	for _, c := range []struct {
		refuses string
		there   string
		flags   uint32
		pool    bool
		log     string
	}{
		{"", "", uring.RENAME_NOREPLACE, true, ""},
		{"", "renamed.probe", uring.RENAME_NOREPLACE, true, ""},
		{"rename", "", 0, true, "renames replace nothing: the names do reason=invalid argument"},
		{"rename", wire.SegmentName(1, 0, run<<wire.RunShift-1, wire.SegmentLog), 0, true, "the names do"},
		{"rename", wire.SegmentName(1, 0, run<<wire.RunShift, wire.SegmentLog), 0, false, "there is no pool"},
		{"rename", wire.SegmentName(1, 0, (run+1)<<wire.RunShift, wire.SegmentIndex), 0, false, "there is no pool"},
		{"rename", string(wire.AppendPoolName(nil, run<<wire.RunShift+3)), 0, false, "there is no pool"},
		{"", wire.SegmentName(1, 0, run<<wire.RunShift, wire.SegmentLog), uring.RENAME_NOREPLACE, true, ""},
	} {
		log := &logged{}
		e, files := recoverOn(t, c.refuses, true, log, func(files uring.Files) {
			if c.there == "" {
				return
			}
			makeEmpty(t, files, "/data/segments/"+c.there)
		})
		st := e.Shards[0].Storage
		if got, pool := st.Directory.RenameFlags, st.Space.SizeMax > 0; got != c.flags || pool != c.pool || !strings.Contains(log.text.String(), c.log) {
			t.Errorf("refused at %q, with %q there: got flags %d, a pool %v and the log %q, want %d, %v and %q", c.refuses, c.there, got, pool, log.text.String(),
				c.flags, c.pool, c.log)
		}
		for _, name := range left(t, files) {
			if strings.HasSuffix(name, ".probe") {
				t.Errorf("refused at %q: got %q left behind", c.refuses, name)
			}
		}
	}
}

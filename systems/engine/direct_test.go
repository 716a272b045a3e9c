package engine

import (
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

// pickyHost has a file system that does not take direct I/O: it refuses to open a file so, or to use one.
type pickyHost struct {
	*sim.Kernel
	files *pickyFiles
}

type pickyFiles struct {
	uring.Files
	refuses string // "open", "write" or "read"; "" is nothing
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
		w := sim.New(sim.Options{Seed: 1, DiskBytes: 1 << 30})
		kernel := w.Boot()
		host := pickyHost{kernel, &pickyFiles{Files: kernel.Files(), refuses: c.refuses, direct: map[int32]bool{}}}
		dir, err := storage.OpenDirectory(host.Files(), "/data", false, kernel.Random, 1)
		if err != nil {
			t.Fatal(err)
		}
		log := &logged{}
		e, err := Recover(Options{Host: host, Dir: dir, Listener: components.NoFD, Memory: 32 << 20, Direct: c.configured,
			Config:   components.Config{Shards: 1, PartitionsMax: 10, ClientsMax: 2, ConnectionsMax: 2, OffsetsMax: 2, TCPAddress: netip.MustParseAddrPort("127.0.0.1:1")},
			Reserve:  func(uint64) uint64 { return 0 },
			PoolSize: func(uint64) uint64 { return 0 },
			FilesMax: 16, Slots: 64, Entries: 64, CQEntries: 128, Recoverers: 1,
			Root: func() ([]byte, []byte) { return []byte("root"), []byte("hash") }, Machine: func(*wire.Stats) {}, Log: log})
		if err != nil {
			t.Fatal(err)
		}
		if got := e.Shards[0].Storage.Directory.Direct; got != c.want || !strings.Contains(log.text.String(), c.log) {
			t.Errorf("direct I/O configured %v, refused at %q: got %v and the log %q, want %v and %q", c.configured, c.refuses, got, log.text.String(), c.want, c.log)
		}
		if exists, err := kernel.Files().Exists("/data/segments/direct.probe"); exists || err != nil {
			t.Errorf("refused at %q: got the probe's file left behind (%v), want it gone", c.refuses, err)
		}
		e.Free()
	}
}

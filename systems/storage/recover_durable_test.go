package storage

import (
	"path"
	"strings"
	"syscall"
	"testing"

	"galgo/components"
	"galgo/uring"
	"galgo/wire"
)

// syncingFiles note which names of files were synced, "" for the directory of segments, and have no room for indexes if full is set.
type syncingFiles struct {
	uring.Files
	full   bool
	open   map[int32]string
	synced []string
}

func (f *syncingFiles) Open(name string, flags int, mode uint32) (int32, error) {
	fd, err := f.Files.Open(name, flags, mode)
	if err == nil {
		f.open[fd] = path.Base(name)
	}
	return fd, err
}

func (f *syncingFiles) WriteAt(fd int32, b []byte, position uint64) (int, error) {
	if f.full && strings.HasSuffix(f.open[fd], ".index") {
		return 0, syscall.ENOSPC
	}
	return f.Files.WriteAt(fd, b, position)
}

func (f *syncingFiles) Sync(fd int32) error {
	f.synced = append(f.synced, f.open[fd])
	return f.Files.Sync(fd)
}

func (f *syncingFiles) SyncDir(name string) error {
	f.synced = append(f.synced, path.Base(name))
	return f.Files.SyncDir(name)
}

// What is appended at durable to a log of an earlier run, which may have been at another level, needs what that log begins with, and its name: both are
// durable before the partition serves, also where there is no record yet, and where no room is left for a voucher.
func TestRecoverMakesDurable(t *testing.T) {
	for name, c := range map[string]struct {
		records int
		full    bool
	}{"records": {3, false}, "no record": {0, false}, "no room": {3, true}} {
		t.Run(name, func(t *testing.T) {
			p := newPartition(t)
			p.in.Level = components.LevelDurable
			s := p.segment(testID, 0)
			for range c.records {
				s.record(3, 0, 100)
			}
			p.write()
			files := &syncingFiles{Files: uring.SystemFiles(), full: c.full, open: map[int32]string{}}
			p.in.SegmentIDs = []uint64{testID}
			got, err := RecoverPartition(files, p.in)
			if err != nil || got.Faulted || got.OffsetNext != uint64(2*c.records) || got.Vouched == c.full {
				t.Fatalf("got %+v, %v, want %d messages, vouched for: %v", got, err, 2*c.records, !c.full)
			}
			for _, want := range []string{s.name(wire.SegmentLog), components.SegmentsDir} {
				found := false
				for _, name := range files.synced {
					found = found || name == want
				}
				if !found {
					t.Errorf("got synced %q, want %s among it", files.synced, want)
				}
			}
		})
	}
}

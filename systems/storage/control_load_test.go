package storage

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"galgo/components"
	"galgo/uring"
	"galgo/wire"
)

// testRun starts a run that creates streams with the given names, all in one write.
func testRun(t testing.TB, root string, boot byte, streams ...string) ControlStart {
	t.Helper()
	catalog, start, err := LoadControl(uring.SystemFiles(), root, testSecret)
	if err != nil {
		t.Fatal(err)
	}
	var events []*wire.Event
	if catalog.Users.Len() == 0 {
		events = append(events, RootCreated(catalog, []byte("root"), []byte("hash")))
	}
	for _, name := range streams {
		events = append(events, streamCreated(catalog, name))
	}
	start, err = StartRun(uring.SystemFiles(), root, testSecret, catalog, start, RunInfo{BootID: [16]byte{boot}, Shards: 2, TimeMicros: 5}, events...)
	if err != nil {
		t.Fatal(err)
	}
	return start
}

func streamCreated(catalog *components.Catalog, name string) *wire.Event {
	entity := catalog.Streams.Entities.Take()
	return &wire.Event{Kind: wire.EventStreamCreated, Stream: uint64(entity), StreamID: entity.Index(), Name: []byte(name)}
}

func closeTest(t testing.TB, start ControlStart) {
	t.Helper()
	if err := errors.Join(uring.SystemFiles().Close(start.File.FD), uring.SystemFiles().Close(start.File.DirFD)); err != nil {
		t.Fatal(err)
	}
}

// streamsOf are the streams' names in order of their ids.
func streamsOf(catalog *components.Catalog) []string {
	var names []string
	for row := range catalog.StreamsByID {
		names = append(names, string(catalog.Text(catalog.Streams.Name[row])))
	}
	return names
}

func wantStreams(t testing.TB, root string, want ...string) ControlStart {
	t.Helper()
	catalog, start, err := LoadControl(uring.SystemFiles(), root, testSecret)
	if err != nil {
		t.Fatal(err)
	}
	if got := streamsOf(catalog); !slices.Equal(got, want) {
		t.Fatalf("got streams %q, want %q", got, want)
	}
	return start
}

func TestControlRuns(t *testing.T) {
	root := testDir(t)
	start := testRun(t, root, 1, "a")
	if start.Run != 1 || start.Counter != 3 || start.Record != 4 || start.LastSeq != 1<<40|3 || start.File.First != 1 || start.File.Next != 4 {
		t.Errorf("got %+v, want run 1 after three records", start)
	}
	closeTest(t, start)
	start = testRun(t, root, 1, "b", "c")
	closeTest(t, start)
	if start.Run != 2 || start.Record != 7 || start.File.First != 4 {
		t.Errorf("got %+v, want run 2 after six records", start)
	}
	closeTest(t, testRun(t, root, 2))
	catalog, start, err := LoadControl(uring.SystemFiles(), root, testSecret)
	if err != nil {
		t.Fatal(err)
	}
	if got := streamsOf(catalog); !slices.Equal(got, []string{"a", "b", "c"}) || catalog.Run != 3 || catalog.BootFirst != 3 || catalog.Users.Len() != 1 {
		t.Errorf("got streams %q run %d boot from %d, want a b c, 3, 3", got, catalog.Run, catalog.BootFirst)
	}
	if start.Record != 8 || start.LastSeq != catalog.Applied {
		t.Errorf("got %+v, want record 8 next", start)
	}
}

// appendControl appends one write with events to the last file.
func appendControl(t testing.TB, root string, start ControlStart, events ...*wire.Event) {
	t.Helper()
	name := filepath.Join(root, components.ControlDir, wire.ControlLogName(start.File.First))
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	safeBelow := start.Record
	for i, e := range events {
		e.Seq = start.LastSeq + 1 + uint64(i)
		content = wire.AppendControlRecord(content, start.Record+uint64(i), safeBelow, e, testSecret)
	}
	writeTest(t, content, name)
}

func TestControlTornTail(t *testing.T) {
	root := testDir(t)
	start := testRun(t, root, 1, "a")
	closeTest(t, start)
	catalog, _, err := LoadControl(uring.SystemFiles(), root, testSecret)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(root, components.ControlDir, wire.ControlLogName(1))
	begin, _ := os.ReadFile(name)
	appendControl(t, root, start, streamCreated(catalog, "b"), streamCreated(catalog, "c"))
	whole, _ := os.ReadFile(name)
	middle := len(begin) + (len(whole)-len(begin))/2
	for keep := len(begin); keep < len(whole); keep++ {
		writeTest(t, whole[:keep], name)
		want := []string{"a"}
		if keep >= middle {
			want = append(want, "b")
		}
		torn := wantStreams(t, root, want...)
		if clean := keep == len(begin) || keep == middle; clean != (len(torn.Notes) == 0) {
			t.Fatalf("%d bytes kept: got notes %q", keep-len(begin), torn.Notes)
		}
		wantTree(t, root, map[string]string{name: string(whole[:keep])}) // loading writes nothing
	}
	closeTest(t, testRun(t, root, 1, "d"))
	wantStreams(t, root, "a", "b", "d")
	if cut, _ := os.ReadFile(name); len(cut) != middle {
		t.Errorf("got %d bytes, want the tail cut at %d", len(cut), middle)
	}
	// The first record of a write is torn, the second arrived: nobody had an answer to either.
	writeTest(t, whole[:middle], name)
	if err := os.Remove(filepath.Join(root, components.ControlDir, wire.ControlLogName(5))); err != nil {
		t.Fatal(err)
	}
	torn := bytes.Clone(whole)
	torn[len(begin)+10] ^= 1
	writeTest(t, torn, name)
	wantStreams(t, root, "a")
}

// What a run began with is durable before the run does anything, so if it cannot be read that is rot, and looks like a torn tail where nothing came
// after it. The number of such a run is not given again: segments, seals and offset logs bear it.
func TestControlRunIsNotGivenAgain(t *testing.T) {
	for _, test := range []struct {
		name  string
		spoil func(file []byte) []byte
	}{
		{"a wrong bit", func(file []byte) []byte { file[wire.HeadSize+10] ^= 1; return file }},
		{"zeros", func(file []byte) []byte { clear(file[wire.HeadSize:]); return file }},
		{"nothing", func(file []byte) []byte { return file[:wire.HeadSize] }},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := testDir(t)
			closeTest(t, testRun(t, root, 1, "a"))
			killed := testRun(t, root, 1)
			closeTest(t, killed)
			name := filepath.Join(root, components.ControlDir, wire.ControlLogName(killed.File.First))
			file, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			writeTest(t, test.spoil(file), name)
			wantStreams(t, root, "a")
			for _, want := range []uint64{3, 4} {
				start := testRun(t, root, 2)
				closeTest(t, start)
				if start.Run != want || start.LastSeq>>wire.RunShift != want {
					t.Errorf("got run %d with sequence %#x, want run %d", start.Run, start.LastSeq, want)
				}
			}
		})
	}
}

func TestControlDamage(t *testing.T) {
	root := testDir(t)
	start := testRun(t, root, 1, "a")
	closeTest(t, start)
	catalog, loaded, _ := LoadControl(uring.SystemFiles(), root, testSecret)
	loaded.File = start.File
	name := filepath.Join(root, components.ControlDir, wire.ControlLogName(1))
	appendControl(t, root, loaded, streamCreated(catalog, "b"))
	before, _ := os.ReadFile(name)
	loaded.Record, loaded.LastSeq = loaded.Record+1, loaded.LastSeq+1
	appendControl(t, root, loaded, streamCreated(catalog, "c"))
	wantStreams(t, root, "a", "b", "c")
	whole, _ := os.ReadFile(name)
	for at := range before {
		bad := bytes.Clone(whole)
		bad[at] ^= 1
		writeTest(t, bad, name)
		_, _, err := LoadControl(uring.SystemFiles(), root, testSecret)
		if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "byte") {
			t.Fatalf("byte %d: got %v, want an error that names file and byte", at, err)
		}
	}
	// A file in the middle, or the first one, is missing.
	writeTest(t, whole, name)
	closeTest(t, testRun(t, root, 1, "d"))
	closeTest(t, testRun(t, root, 1, "e"))
	files := tree(t, root)
	for _, gone := range []uint64{1, 6} {
		path := filepath.Join(root, components.ControlDir, wire.ControlLogName(gone))
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if _, _, err := LoadControl(uring.SystemFiles(), root, testSecret); !errors.Is(err, ErrCorrupt) {
			t.Errorf("without the file from record %d: got %v, want %v", gone, err, ErrCorrupt)
		}
		writeTest(t, []byte(files[path]), path)
	}
	wantStreams(t, root, "a", "b", "c", "d", "e")
}

// A crash came while a file was made: it holds nothing, perhaps not even its head.
func TestControlUnusedFile(t *testing.T) {
	for size := 0; size <= wire.HeadSize; size++ {
		root := testDir(t)
		closeTest(t, testRun(t, root, 1, "a"))
		writeTest(t, wire.AppendControlLogHead(nil, 4, testSecret)[:size], root, components.ControlDir, wire.ControlLogName(4))
		wantStreams(t, root, "a")
		closeTest(t, testRun(t, root, 1, "b"))
		wantStreams(t, root, "a", "b")
	}
}

func TestSnapshots(t *testing.T) {
	root := testDir(t)
	var names []string
	for run := range 6 {
		names = append(names, string(rune('a'+run)))
		start := testRun(t, root, 1, names[run])
		closeTest(t, start)
		if err := Snapshot(uring.SystemFiles(), root, testSecret, start.File.First, 9); err != nil {
			t.Fatal(err)
		}
		wantStreams(t, root, names...)
		// Either copy may be bad, and so may what is older.
		for _, copyName := range snapshotNames {
			path := filepath.Join(root, components.ControlDir, copyName)
			content, err := os.ReadFile(path)
			if err != nil {
				continue
			}
			bad := bytes.Clone(content)
			bad[len(bad)/2] ^= 1
			writeTest(t, bad, path)
			if start := wantStreams(t, root, names...); len(start.Notes) != 1 {
				t.Errorf("got notes %q, want one about the bad copy", start.Notes)
			}
			writeTest(t, content, path)
			for _, errno := range []syscall.Errno{syscall.EIO, syscall.EUCLEAN, syscall.EBADMSG, syscall.ENODATA} {
				_, start, err := LoadControl(unreadable{uring.SystemFiles(), path, errno}, root, testSecret)
				if err != nil || len(start.Notes) != 1 {
					t.Errorf("a copy that cannot be read, %v: got notes %q, %v, want one about it", errno, start.Notes, err)
				}
			}
			if _, _, err := LoadControl(unreadable{uring.SystemFiles(), path, syscall.EMFILE}, root, testSecret); !errors.Is(err, syscall.EMFILE) {
				t.Errorf("no descriptor for a copy: got %v, want %v", err, syscall.EMFILE)
			}
		}
	}
	logs, err := listControl(uring.SystemFiles(), filepath.Join(root, components.ControlDir))
	if err != nil || len(logs) != 2 { // the open one, and the one that only the newer snapshot covers
		t.Errorf("got %d files %v, want 2", len(logs), err)
	}
	// Made again it changes nothing.
	before := tree(t, root)
	if err := Snapshot(uring.SystemFiles(), root, testSecret, logs[1], 10); err != nil {
		t.Fatal(err)
	}
	wantTree(t, root, before)
	// Both bad: the records they held are gone.
	for _, name := range snapshotNames {
		writeTest(t, []byte("GALGOSNP"), root, components.ControlDir, name)
	}
	if _, _, err := LoadControl(uring.SystemFiles(), root, testSecret); !errors.Is(err, ErrCorrupt) {
		t.Errorf("got %v, want %v", err, ErrCorrupt)
	}
}

// unreadable files are those of a disk that cannot read one of them.
type unreadable struct {
	uring.Files
	path string
	with syscall.Errno
}

func (u unreadable) Open(path string, flags int, mode uint32) (int32, error) {
	if path == u.path {
		return -1, &os.PathError{Op: "open", Path: path, Err: u.with}
	}
	return u.Files.Open(path, flags, mode)
}

// A snapshot may be interrupted after any change.
func TestSnapshotInterrupted(t *testing.T) {
	for fail := 0; ; fail++ {
		root := testDir(t)
		for _, name := range []string{"a", "b"} {
			start := testRun(t, root, 1, name)
			closeTest(t, start)
			if err := Snapshot(uring.SystemFiles(), root, testSecret, start.File.First, 9); err != nil {
				t.Fatal(err)
			}
		}
		start := testRun(t, root, 1, "c")
		closeTest(t, start)
		files := &failingFiles{Files: uring.SystemFiles(), left: fail}
		err := Snapshot(files, root, testSecret, start.File.First, 9)
		if !files.failed {
			if err != nil {
				t.Fatal(err)
			}
			return
		}
		if err == nil {
			t.Fatalf("change %d failed: got no error", fail)
		}
		wantStreams(t, root, "a", "b", "c")
		start = testRun(t, root, 1, "d")
		closeTest(t, start)
		if err := Snapshot(uring.SystemFiles(), root, testSecret, start.File.First, 9); err != nil {
			t.Fatal(err)
		}
		wantStreams(t, root, "a", "b", "c", "d")
	}
}

// One bit is wrong anywhere in a control directory: the catalog is whole, or without the last write, or the start is refused.
func TestControlBitFlips(t *testing.T) {
	root := testDir(t)
	for _, name := range []string{"a", "b", "c"} {
		start := testRun(t, root, 1, name)
		closeTest(t, start)
		if err := Snapshot(uring.SystemFiles(), root, testSecret, start.File.First, 9); err != nil {
			t.Fatal(err)
		}
	}
	files := map[string][]byte{}
	for name, content := range tree(t, root) {
		relative, _ := filepath.Rel(root, name)
		files[relative] = []byte(content)
	}
	refused := 0
	flipEach(t, files, root, 1, func(t *testing.T, name string, at int) {
		catalog, _, err := LoadControl(uring.SystemFiles(), root, testSecret)
		if err != nil {
			refused++
			if !strings.Contains(err.Error(), components.ControlDir) {
				t.Errorf("byte %d of %s: got %v, want the file named", at, name, err)
			}
			return
		}
		got := streamsOf(catalog)
		if !slices.Equal(got, []string{"a", "b", "c"}) && !slices.Equal(got, []string{"a", "b"}) {
			t.Errorf("byte %d of %s: got streams %q", at, name, got)
		}
	})
	if refused == 0 {
		t.Error("got no flip refused")
	}
}

func TestBootID(t *testing.T) {
	first, second := BootID(uring.SystemFiles(), testRandom), BootID(uring.SystemFiles(), func([]byte) {})
	if first == [16]byte{} || (first != second && first != [16]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}) {
		t.Errorf("got %x and %x, want the same id, or a random one", first, second)
	}
}

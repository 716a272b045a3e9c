package snapshot

import (
	"archive/zip"
	"bytes"
	"compress/bzip2"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"

	"galgo/wire"
)

// newTest is a collector of a directory with some files and a log of so many bytes.
func newTest(t *testing.T, logSizes ...int) *Collector {
	t.Helper()
	data := t.TempDir()
	logs := filepath.Join(data, "logs")
	if err := os.Mkdir(logs, 0o700); err != nil {
		t.Fatal(err)
	}
	for i, size := range logSizes {
		name := filepath.Join(logs, fmt.Sprintf("galgo-%d.log", i))
		if err := os.WriteFile(name, bytes.Repeat([]byte{byte('a' + i)}, size), 0o600); err != nil {
			t.Fatal(err)
		}
		modified := time.Unix(int64(1_700_000_000+i), 0)
		if err := os.Chtimes(name, modified, modified); err != nil {
			t.Fatal(err)
		}
	}
	return New(Sources{Data: data, Logs: logs, Machine: func(stats *wire.Stats) { stats.Hostname = "here" }, Counts: func(func(string, any)) {},
		Config: func(w io.Writer) error { _, err := io.WriteString(w, "tcp.enabled = true\n"); return err }})
}

// readers are decompressors for every method, none of them of the library that compresses where there is another.
func readers(z *zip.Reader) {
	z.RegisterDecompressor(methodBzip2, func(r io.Reader) io.ReadCloser { return io.NopCloser(bzip2.NewReader(r)) })
	z.RegisterDecompressor(zstd.ZipMethodWinZip, zstd.ZipDecompressor())
	z.RegisterDecompressor(methodXz, func(r io.Reader) io.ReadCloser {
		inner, err := xz.NewReader(r)
		return opened(inner, err)
	})
	z.RegisterDecompressor(methodLzma, func(r io.Reader) io.ReadCloser {
		head := make([]byte, 4+lzmaPropertiesSize)
		if _, err := io.ReadFull(r, head); err != nil {
			return opened(nil, err)
		}
		if size := binary.LittleEndian.Uint16(head[2:]); size != lzmaPropertiesSize {
			return opened(nil, fmt.Errorf("got properties of %d bytes, want %d", size, lzmaPropertiesSize))
		}
		unknown := bytes.Repeat([]byte{0xff}, 8) // the size: up to the end marker
		inner, err := lzma.NewReader(io.MultiReader(bytes.NewReader(head[4:]), bytes.NewReader(unknown), r))
		return opened(inner, err)
	})
}

func opened(r io.Reader, err error) io.ReadCloser {
	if err != nil {
		r = failing{err}
	}
	return io.NopCloser(r)
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// contents unpacks a file.
func contents(t *testing.T, file []byte) (names []string, texts map[string]string) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatalf("%d bytes: %v", len(file), err)
	}
	readers(z)
	texts = map[string]string{}
	for _, entry := range z.File {
		r, err := entry.Open()
		if err != nil {
			t.Fatalf("%s: %v", entry.Name, err)
		}
		text, err := io.ReadAll(r) // checks the CRC too
		if err != nil {
			t.Fatalf("%s: %v", entry.Name, err)
		}
		names = append(names, entry.Name)
		texts[entry.Name] = string(text)
	}
	return names, texts
}

func TestCollect(t *testing.T) {
	for compression := wire.SnapshotStored; compression <= wire.SnapshotXz; compression++ {
		c := newTest(t, 100, 70_000)
		file, err := c.Collect(wire.GetSnapshot{Compression: compression, Types: []byte{100}}, 1<<20)
		if err != nil {
			t.Fatalf("compression %d: %v", compression, err)
		}
		z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range z.File {
			if entry.Method != methods[compression] {
				t.Errorf("compression %d: got method %d, want %d", compression, entry.Method, methods[compression])
			}
		}
		names, texts := contents(t, file)
		if got, want := strings.Join(names, " "), "filesystem_overview.txt process_list.txt resource_usage.txt test.txt server_logs.txt server_config.txt"; got != want {
			t.Errorf("entries: got %s, want %s", got, want)
		}
		for name, want := range map[string]string{
			"filesystem_overview.txt": "logs/galgo-1.log", "process_list.txt": "program", "resource_usage.txt": "here", "test.txt": "test\n",
			"server_logs.txt":   "=== galgo-0.log, from byte 0\n" + strings.Repeat("a", 100) + "=== galgo-1.log, from byte 0\n" + strings.Repeat("b", 70_000),
			"server_config.txt": "tcp.enabled = true\n",
		} {
			if !strings.Contains(texts[name], want) {
				t.Errorf("compression %d, %s: got %.200q, want %.200q in it", compression, name, texts[name], want)
			}
		}
	}
}

// Sections come once each and in order, whatever is asked for; no section is an empty file.
func TestCollectSome(t *testing.T) {
	c := newTest(t)
	for _, test := range []struct {
		types []byte
		want  string
	}{
		{nil, ""},
		{[]byte{4}, "test.txt"},
		{[]byte{6, 4, 6}, "test.txt server_config.txt"},
	} {
		file, err := c.Collect(wire.GetSnapshot{Compression: wire.SnapshotDeflated, Types: test.types}, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		if names, _ := contents(t, file); strings.Join(names, " ") != test.want {
			t.Errorf("%v: got %v, want %s", test.types, names, test.want)
		}
	}
}

// Of the log the end is kept, whatever the number of files.
func TestLogIsCut(t *testing.T) {
	c := newTest(t, 10, 3<<20, 6<<20)
	file, err := c.Collect(wire.GetSnapshot{Compression: wire.SnapshotZstd, Types: []byte{5}}, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	_, texts := contents(t, file)
	want := "=== galgo-1.log, from byte 1048576\n" + strings.Repeat("b", 2<<20) + "=== galgo-2.log, from byte 0\n" + strings.Repeat("c", 6<<20)
	if got := texts["server_logs.txt"]; got != want {
		t.Errorf("got %d bytes, %.60q, want %d bytes, %.60q", len(got), got, len(want), want)
	}
}

func TestCollectRefuses(t *testing.T) {
	c := newTest(t, 100_000)
	stored := wire.GetSnapshot{Compression: wire.SnapshotStored, Types: []byte{5}}
	if _, err := c.Collect(stored, 100_000); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a file beyond the frame: got %v, want %v", err, ErrTooLarge)
	}
	c.busy.Lock()
	if _, err := c.Collect(stored, 1<<20); !errors.Is(err, ErrBusy) {
		t.Errorf("beside another: got %v, want %v", err, ErrBusy)
	}
	c.busy.Unlock()
	late := file{sizeMax: 10, deadline: time.Now().Add(-time.Second)}
	if _, err := late.Write([]byte{1}); !errors.Is(err, ErrTooSlow) {
		t.Errorf("after the deadline: got %v, want %v", err, ErrTooSlow)
	}
	if _, err := c.Collect(stored, 1<<20); err != nil {
		t.Errorf("afterwards: got %v, want success", err)
	}
}

// A section that cannot be read says so, and the others are there.
func TestUnreadableSection(t *testing.T) {
	c := newTest(t)
	c.Logs = filepath.Join(c.Data, "absent")
	c.Config = func(io.Writer) error { return errors.New("no such luck") }
	file, err := c.Collect(wire.GetSnapshot{Compression: wire.SnapshotStored, Types: []byte{4, 5, 6}}, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	_, texts := contents(t, file)
	if texts["test.txt"] != "test\n" || !strings.Contains(texts["server_logs.txt"], "could not be read: ") || !strings.Contains(texts["server_config.txt"], "no such luck") {
		t.Errorf("got %q, want the reasons", texts)
	}
}

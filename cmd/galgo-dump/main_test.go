package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"galgo/components"
	"galgo/systems/storage"
	"galgo/uring"
	"galgo/wire"
)

// dump runs the command.
func dump(args ...string) (code int, stdout, stderr string) {
	var out, err strings.Builder
	code = run(args, &out, &err)
	return code, out.String(), err.String()
}

// Data directories: the first format version, one that a kill left, one with wrong bytes.
const (
	v1      = "../../testdata/dirs/v1"
	crashed = "../../testdata/dirs/crashed"
	rotten  = "../../testdata/dirs/rotten"
)

// copied is a copy of a data directory.
func copied(t *testing.T, dir string) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "data")
	if err := os.CopyFS(root, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return root
}

// change edits a file of a directory.
func change(t *testing.T, edit func([]byte) []byte, parts ...string) {
	t.Helper()
	name := filepath.Join(parts...)
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, edit(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func flip(at int) func([]byte) []byte {
	return func(b []byte) []byte { b[at] ^= 1; return b }
}

// tree is the content of all files of a directory.
func tree(t *testing.T, root string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(name)
		found[name] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestMistakesAreOneLine(t *testing.T) {
	other := copied(t, v1)
	change(t, func(b []byte) []byte { b[8] = 9; return b }, other, components.MarkerFile) // the format version
	newer := copied(t, v1)
	change(t, func(b []byte) []byte { b[8] = 9; return b }, newer, components.ControlDir, "snapshot-b")
	broken := copied(t, v1)
	change(t, flip(40), broken, components.MarkerFile)
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"tables"}, "arg"},
		{[]string{"tabels", v1}, "unknown command"},
		{[]string{"tables", t.TempDir()}, "not a data directory of galgo"},
		{[]string{"tables", filepath.Join(v1, "nowhere")}, "not a data directory of galgo"},
		{[]string{"tables", other}, "version 9"},
		{[]string{"tables", newer}, "version 9"},
		{[]string{"events", broken}, "wrong checksum"},
		{[]string{"tables", v1, "--durability=always"}, "memory, written or durable"},
		{[]string{"tables", v1, "--shards=0"}, "--shards"},
		{[]string{"segments", v1, "--partition=orders"}, "STREAM/TOPIC/ID"},
		{[]string{"segments", v1, "--partition=orders/eu/x"}, "number"},
		{[]string{"segments", v1, "--partition=orders/eu/9"}, "no partition orders/eu/9"},
	} {
		code, stdout, stderr := dump(test.args...)
		if code != 1 || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.HasPrefix(stderr, "galgo-dump: ") || !strings.Contains(stderr, test.want) {
			t.Errorf("%q: got code %d, %q and %q, want 1 and one line with %q", test.args, code, stdout, stderr, test.want)
		}
	}
}

func TestHelpHasExamples(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"tables", "--help"}, {"events", "--help"}, {"segments", "--help"}, {"offsets", "--help"}, {"repair", "--help"}} {
		if code, stdout, _ := dump(args...); code != 0 || !strings.Contains(stdout, "Examples:\n  galgo-dump ") {
			t.Errorf("%q: got code %d and %q, want examples", args, code, stdout)
		}
	}
}

func TestOnePartition(t *testing.T) {
	_, named, _ := dump("segments", v1, "--partition", "orders/safe/0", "--records")
	code, numbered, stderr := dump("segments", v1, "--partition", "0/1/0", "--records")
	if code != 0 || stderr != "" || named != numbered || strings.Count(named, "partition orders/") != 1 || strings.Count(named, "record @") != 2 {
		t.Errorf("got code %d, %q, %q and %q, want one partition with its two records, by name and by id", code, stderr, named, numbered)
	}
}

// A running server holds the lock. The dump says so, and neither waits for the lock nor takes it.
func TestBesideAServer(t *testing.T) {
	root := copied(t, v1)
	open := func() (*storage.DataDir, error) {
		return storage.OpenDirectory(uring.SystemFiles(), root, false, func([]byte) {}, 0, 1)
	}
	if _, _, stderr := dump("tables", root); stderr != "" {
		t.Errorf("got %q of a directory that nobody uses, want nothing", stderr)
	}
	server, err := open()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	code, stdout, stderr := dump("tables", root)
	if code != 0 || !strings.Contains(stdout, "partition orders/eu/0 ready") || !strings.Contains(stderr, "a server runs on") || strings.Count(stderr, "\n") != 1 {
		t.Errorf("got code %d, %q and %q, want the tables and one line about the server", code, stdout, stderr)
	}
}

// wantDamage wants what is good to be printed, one line that says what is not, and no file changed.
func wantDamage(t *testing.T, root string, args []string, good, damage string) {
	t.Helper()
	before := tree(t, root)
	code, stdout, stderr := dump(args...)
	if code != 1 || !strings.Contains(stdout, good) || !strings.Contains(stdout+stderr, damage) || strings.Count(stderr, "\n") != 1 {
		t.Errorf("%q: got code %d, %q and %q, want 1, %q printed and one line with %q", args, code, stdout, stderr, good, damage)
	}
	wantTree(t, before, tree(t, root))
}

func TestDamageIsPrintedWithWhatIsGood(t *testing.T) {
	// The log of orders/safe/0 and the control log of the second life, by the names that are in testdata.
	safe := wire.SegmentName(1<<40|6, 0, 1<<40|4, wire.SegmentLog)
	control := wire.ControlLogName(14)

	rotten := copied(t, v1)
	change(t, flip(4800), rotten, components.SegmentsDir, safe) // in the second record; a voucher covers it, so only a walk sees it
	wantDamage(t, rotten, []string{"segments", rotten, "--records"}, "record @4096 [0,3)", "damage @4799")
	if code, _, _ := dump("segments", rotten); code != 0 {
		t.Errorf("segments without records: got code %d, want 0", code)
	}

	short := copied(t, v1)
	change(t, func(b []byte) []byte { return b[:4096] }, short, components.SegmentsDir, safe)
	wantDamage(t, short, []string{"tables", short}, "partition orders/eu/0 ready", "partition orders/safe/0 faulted")
	wantDamage(t, short, []string{"segments", short}, "partition orders/eu/1", "damage")

	lost := copied(t, v1)
	change(t, flip(100), lost, components.ControlDir, control) // in record 14, behind which are others
	wantDamage(t, lost, []string{"events", lost}, "control-000000000000000e.log", "damage @64")
	wantDamage(t, lost, []string{"tables", lost}, "partition orders/safe/0 ready", "control")
	if _, stdout, _ := dump("tables", lost); strings.Contains(stdout, "late") {
		t.Errorf("tables: got a topic from behind the damage, want none")
	}
}

func TestTornTailIsNoDamage(t *testing.T) {
	torn := copied(t, v1)
	change(t, func(b []byte) []byte { return append(bytes.TrimRight(b, "\x00"), "torn"...) }, torn, components.ControlDir, wire.ControlLogName(14))
	if code, stdout, stderr := dump("events", torn); code != 0 || !strings.Contains(stdout, "torn @672: 4 bytes") {
		t.Errorf("events: got code %d, %q and %q, want the torn tail and 0", code, stdout, stderr)
	}
}

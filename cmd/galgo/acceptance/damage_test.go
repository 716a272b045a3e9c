package acceptance

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"galgo/wire"
)

// A start on a control log with a wrong byte is refused in a line that names the file and the byte, and changes nothing. Files of nobody are named
// and left alone.
func TestDamagedControlLog(t *testing.T) {
	s := start(t, options{shards: 1})
	c := s.dial(t)
	for _, name := range []string{"one", "two", "three"} {
		if _, err := c.CreateStream(name); err != nil {
			t.Fatal(err)
		}
	}
	s.kill(t)
	stranger := filepath.Join(s.dir, "segments", "notes.txt")
	if err := os.WriteFile(stranger, []byte("somebody else's"), 0o600); err != nil {
		t.Fatal(err)
	}
	s = start(t, options{dir: s.dir})
	s.stop(t)
	if !strings.Contains(s.log.String(), "notes.txt") {
		t.Errorf("got no line about a foreign file, want its name")
	}
	if _, err := os.Stat(stranger); err != nil {
		t.Errorf("the foreign file: got %v, want it left alone", err)
	}

	logs, err := filepath.Glob(filepath.Join(s.dir, "control", "control-*.log"))
	if err != nil || len(logs) == 0 {
		t.Fatalf("control logs: got %v, %v", logs, err)
	}
	snapshots, err := filepath.Glob(filepath.Join(s.dir, "control", "snapshot-*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(snapshots, logs[0]) {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		content[wire.HeadSize+20] ^= 1 // in the first record, behind which are others
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	refused := launch(t, options{dir: s.dir})
	if address := <-refused.serves; address != "" {
		t.Fatal("got a server on a damaged control log, want a refusal")
	}
	<-refused.read
	_ = refused.process.Wait() // the process state says it
	refused.ended = true
	said := refused.log.String()
	if code := refused.process.ProcessState.ExitCode(); code == 0 || !strings.Contains(said, filepath.Base(logs[0])) || !strings.Contains(said, "at byte ") {
		t.Errorf("got exit code %d and %q, want a line that names %s and the byte", code, said, filepath.Base(logs[0]))
	}
}

package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"galgo/components"
	"galgo/server"
	"galgo/server/config"
	"galgo/uring"
	"galgo/wire"
)

// A start, a fresh one aside, and a repair on a directory in which any file is of another version are refused in words that name the file and the version,
// and leave the directory as it is.
func TestOtherVersions(t *testing.T) {
	if err := uring.Probe(); err != nil {
		t.Skip(err)
	}
	kinds := map[string]int{}
	for name := range tree(t, v1) {
		inner, err := filepath.Rel(v1, name)
		must(t, err)
		if strings.HasSuffix(name, ".index") {
			continue // of the version of the log beside it
		}
		kinds[filepath.Dir(inner)]++
		for _, short := range []bool{false, true} { // another version may have shorter heads
			root := copied(t, v1)
			change(t, func(b []byte) []byte {
				b[8] = 9
				if short {
					b = b[:wire.HeadSize/2]
				}
				return b
			}, root, inner)
			cfg, err := config.Load(config.Sources{Environ: []string{"GALGO_LOGGING_LEVEL=off"},
				Flags: map[string]string{"data": root, "tcp-address": "127.0.0.1:0", "shards": "1", "memory": "160 MiB", "pin": "off"}})
			must(t, err)
			before, below := tree(t, root), directories(t, root)
			s, err := server.Start(cfg)
			if err == nil {
				must(t, s.Stop())
			}
			if inner == components.MarkerFile && short {
				if err == nil || !strings.Contains(err.Error(), inner) {
					t.Errorf("short %s: got %v, want it named", inner, err)
				}
			} else if !errors.Is(err, wire.ErrVersion) || !strings.Contains(err.Error(), inner) || !strings.Contains(err.Error(), "version 9") {
				t.Errorf("%s, short %v: start: got %v, want the file and its version named", inner, short, err)
			}
			if code, _, stderr := dump("repair", root, "--cut"); code != 1 || !strings.Contains(stderr, inner) || strings.Count(stderr, "\n") != 1 {
				t.Errorf("%s, short %v: repair: got code %d and %q, want one line that names the file", inner, short, code, stderr)
			}
			wantTree(t, before, tree(t, root))
			if got := directories(t, root); !slices.Equal(got, below) {
				t.Errorf("%s: got directories %q, want %q", inner, got, below)
			}
		}
	}
	if len(kinds) != 4 {
		t.Errorf("got files in %v, want some everywhere", kinds)
	}
}

// directories are those in a data directory.
func directories(t *testing.T, root string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(root)
	must(t, err)
	for _, entry := range entries {
		if entry.IsDir() {
			names = append(names, entry.Name())
		}
	}
	return names
}

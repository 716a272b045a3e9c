package engine

import (
	"errors"
	"strings"
	"testing"

	"galgo/systems/storage"
	"galgo/uring"
	"galgo/wire"
)

// A start that is refused because the control log does not hold what the snapshots held says what is wrong with them.
func TestRefusedStartSaysWhy(t *testing.T) {
	log := &logged{}
	_, _, err := tryRecover(t, "", true, log, func(files uring.Files) {
		for _, name := range []string{wire.SnapshotNameA, wire.SnapshotNameB, wire.ControlLogName(7)} {
			makeEmpty(t, files, "/data/control/"+name)
		}
	})
	if !errors.Is(err, storage.ErrCorrupt) {
		t.Errorf("got %v, want %v", err, storage.ErrCorrupt)
	}
	for _, name := range []string{wire.SnapshotNameA, wire.SnapshotNameB} {
		if !strings.Contains(log.text.String(), name) {
			t.Errorf("got the log %q, want %s named", log.text.String(), name)
		}
	}
}

package simtest

import (
	"path"
	"slices"
	"testing"

	"galgo/components"
	"galgo/systems/storage"
	"galgo/uring/sim"
	"galgo/wire"
)

// damage is a line of the log that says what is damaged.
type damage struct {
	text string
	of   storage.PartitionFiles // whose files it is about; zero: of no partition
}

func (d damage) String() string { return d.text }

// filesIn finds what a line of the log is about.
func filesIn(fields []components.LogField) (of storage.PartitionFiles) {
	for _, field := range fields {
		switch {
		case field.Key == "file":
			return filesOf(field.Text)
		case field.Key == "created":
			of.CreatedSeq = field.Number
		case field.Key == "partition" && !field.IsText:
			of.PartitionID = uint32(field.Number)
		}
	}
	return of
}

// filesOf says whose file a path names.
func filesOf(name string) storage.PartitionFiles {
	file, _ := wire.ParseSegmentName(path.Base(name))
	return storage.PartitionFiles{CreatedSeq: file.CreatedSeq, PartitionID: file.PartitionID}
}

// diskForgot says whether all damage that the server speaks of is in logs of which a power cut took what a failed sync had dropped: the disk said yes to the
// next process that asked, and nobody could know. Then the play is over: what can be asked for is that it is said, and it was.
func (p *play) diskForgot() bool {
	for _, d := range p.server.damage {
		if d.of == (storage.PartitionFiles{}) || !slices.ContainsFunc(p.w.Forgotten(), func(name string) bool { return filesOf(name) == d.of }) {
			return false
		}
	}
	if len(p.server.damage) > 0 {
		p.tell("the server finds damage after a sync had failed: %q", p.server.damage)
		p.note("damage after a failed sync")
		p.broken = true
	}
	return p.broken
}

// What a failed sync has dropped and the next start vouched for, since the disk had it to read and said yes, is missing once the power is cut. It is refused
// when it is asked for, and not passed over.
func TestForgottenBytes(t *testing.T) {
	s := newScene(t, components.LevelWritten, 32<<20)
	s.topic("t")
	s.send("t", 3000, wire.StatusOK)
	s.wait(3_000_000) // idle: synced, and vouched for
	s.send("t", 30_000, wire.StatusOK)
	s.setFaults(sim.Faults{SyncError: 1})
	s.wait(3_000_000)
	s.faulted(1)
	s.level = components.LevelDurable
	s.again()
	s.faulted(0)
	s.check("t", 0)
	s.w.PowerCut()
	s.begin()
	if got := s.poll("t", 1); got.status != wire.StatusCannotReadMessage {
		t.Fatalf("poll of what the disk forgot: got %v, want status %v", got, wire.StatusCannotReadMessage)
	}
	if !s.diskForgot() {
		t.Fatalf("got damage %q, want it to be in what the disk forgot, %q", s.server.damage, s.w.Forgotten())
	}
}

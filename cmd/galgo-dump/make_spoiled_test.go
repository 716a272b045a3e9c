package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"galgo/components"
	"galgo/systems/storage"
	"galgo/uring"
	"galgo/wire"
	"galgo/wire/client"
)

var (
	makeCrashed = flag.String("make-crashed", "", "make the data directory for testdata/dirs/crashed here, with the server of this build")
	makeRotten  = flag.String("make-rotten", "", "make the data directory for testdata/dirs/rotten here, of testdata/dirs/v1")
)

// TestMakeCrashed makes a data directory as a kill leaves it: a copy under a running server, with the torn beginnings of what it wrote next.
func TestMakeCrashed(t *testing.T) {
	if *makeCrashed == "" {
		t.Skip("without -make-crashed")
	}
	*makeDir = filepath.Join(t.TempDir(), "live")
	life(t, "2", func(c *client.Client) {
		create(t, c, "orders", "eu", 2, nil)
		create(t, c, "orders", "safe", 1, []string{"durability", "persisted", "consumer_offset_durability", "persisted"})
		send(t, c, "orders", "eu", 0, 4, 50)
		send(t, c, "orders", "safe", 0, 2, 50)
		store(t, c, "orders", "safe", 0, 7, 0)
	})
	life(t, "1", func(c *client.Client) {
		for i := range 3 {
			send(t, c, "orders", "eu", 0, 1+i, 100)
			send(t, c, "orders", "safe", 0, 1+i, 100)
		}
		send(t, c, "orders", "eu", 1, 1, 0)
		store(t, c, "orders", "safe", 0, 7, 5)
		store(t, c, "orders", "eu", 0, 7, 6)
		must(t, os.CopyFS(*makeCrashed, os.DirFS(*makeDir)))
	})
	*makeDir = *makeCrashed
	trim(t)
	tear(t)
}

// tear adds what a kill in the middle of writes leaves behind.
func tear(t *testing.T) {
	t.Helper()
	c := loaded(t)
	entity, err := findPartition(c.world.Catalog, "orders/eu/0")
	must(t, err)
	d, err := openDirectory(uring.SystemFiles(), *makeDir, components.LevelWritten)
	must(t, err)
	in, _ := d.recoverInput(c)(c.world.Catalog.Partitions.MustRow(entity))
	last := c.recovered[entity].Segments[len(c.recovered[entity].Segments)-1]
	record := bytes.Clone(batch(2, 400))
	var hasher wire.BatchHasher
	hasher.StampBatch(record, uint64(in.PartitionID), last.Next, last.TimeLast+1)
	wire.PutSeal(record, wire.Seal{SegmentID: last.ID, Run: c.world.Catalog.Run, SafeBelow: last.Next}, last.End, d.secret)
	log := wire.SegmentName(in.CreatedSeq, in.PartitionID, last.ID, wire.SegmentLog)
	change(t, func(b []byte) []byte { return append(b[:last.End], record[:300]...) }, *makeDir, components.SegmentsDir, log)
	index := wire.SegmentName(in.CreatedSeq, in.PartitionID, last.ID, wire.SegmentIndex)
	change(t, func(b []byte) []byte { return append(b, b[:20]...) }, *makeDir, components.SegmentsDir, index)
	unused := wire.SegmentName(in.CreatedSeq, in.PartitionID, last.ID+1, wire.SegmentLog)
	must(t, os.WriteFile(filepath.Join(*makeDir, components.SegmentsDir, unused), make([]byte, 4096), 0o600))
	must(t, os.WriteFile(filepath.Join(*makeDir, components.SegmentsDir, "notes.txt"), []byte("somebody else's\n"), 0o600))
	logs, err := d.controlLogs()
	must(t, err)
	control := wire.ControlLogName(logs[len(logs)-1])
	change(t, func(b []byte) []byte { return append(b, b[wire.HeadSize:wire.HeadSize+40]...) }, *makeDir, components.ControlDir, control)
	must(t, os.WriteFile(filepath.Join(*makeDir, components.ControlDir, wire.SnapshotNameA+".new"), []byte("half"), 0o600))
	offsets, err := filepath.Glob(filepath.Join(*makeDir, components.OffsetsDir, "*"))
	must(t, err)
	change(t, func(b []byte) []byte { return append(b, b[wire.HeadSize:wire.HeadSize+40]...) }, offsets[len(offsets)-1])
}

// TestMakeRotten makes a data directory with wrong bytes in all kinds of files, none of which keeps a server from its start.
func TestMakeRotten(t *testing.T) {
	if *makeRotten == "" {
		t.Skip("without -make-rotten")
	}
	must(t, os.CopyFS(*makeRotten, os.DirFS(v1)))
	segment := func(created uint64, partition uint32, id uint64, kind wire.SegmentKind) string {
		return filepath.Join(components.SegmentsDir, wire.SegmentName(created, partition, id, kind))
	}
	change(t, flip(5000), *makeRotten, segment(1<<40|5, 0, 1<<40|3, wire.SegmentLog))                                          // orders/eu/0: a record that a voucher covers
	change(t, func(b []byte) []byte { return b[:9000] }, *makeRotten, segment(1<<40|5, 1, 1<<40|2, wire.SegmentLog))           // orders/eu/1: the end is gone
	change(t, flip(wire.IndexEntrySize+9), *makeRotten, segment(1<<40|6, 0, 1<<40|4, wire.SegmentIndex))                       // orders/safe/0: a voucher before the last
	change(t, flip(100), *makeRotten, segment(2<<40|3, 0, 2<<40|1, wire.SegmentLog))                                           // orders/late/0: the head
	change(t, flip(200), *makeRotten, components.ControlDir, wire.SnapshotNameB)                                               // the newer copy
	change(t, flip(wire.HeadSize+20), *makeRotten, components.OffsetsDir, wire.OffsetLogName(2, 0))                            // the first record
	must(t, os.Remove(filepath.Join(*makeRotten, segment(1<<40|5, 0, 2<<40|1000, wire.SegmentIndex))))                         // orders/eu/0: an index is missing
	must(t, os.WriteFile(filepath.Join(*makeRotten, components.SegmentsDir, "notes.txt"), []byte("somebody else's\n"), 0o600)) // a foreign file
}

// A repair of the rotten directory says what it does, keeps what it removes, and leaves a directory that is good. A dry run says the same.
func TestRepairRotten(t *testing.T) {
	root := copied(t, rotten)
	before := tree(t, root)
	if code, _, stderr := dump("repair", root); code != 1 || !bytes.Contains([]byte(stderr), []byte("--cut")) {
		t.Errorf("repair without --cut: got code %d and %q, want 1 and a line about --cut", code, stderr)
	}
	code, planned, stderr := dump("repair", root, "--cut", "--dry-run")
	if code != 0 {
		t.Fatalf("dry run: got code %d and %q, want 0", code, stderr)
	}
	wantTree(t, before, tree(t, root))
	golden(t, rotten+".repair-dry-run.txt", planned)

	server, err := storage.OpenDirectory(uring.SystemFiles(), root, false, func([]byte) {}, 0, 1)
	must(t, err)
	if code, _, stderr := dump("repair", root, "--cut"); code != 1 || !bytes.Contains([]byte(stderr), []byte("in use by a server")) {
		t.Errorf("repair beside a server: got code %d and %q, want 1 and a line that says so", code, stderr)
	}
	must(t, server.Close())

	code, one, stderr := dump("repair", root, "--cut", "--partition", "orders/eu/1")
	if code != 0 || bytes.Count([]byte(one), []byte("partition ")) != 1 {
		t.Errorf("repair of one partition: got code %d, %q and %q, want that one", code, one, stderr)
	}
	code, rest, stderr := dump("repair", root, "--cut")
	if code != 0 {
		t.Fatalf("repair: got code %d and %q, want 0", code, stderr)
	}
	golden(t, rotten+".repair.txt", one+rest)
	if code, stdout, stderr := dump("tables", root); code != 0 || bytes.Contains([]byte(stdout), []byte("faulted")) {
		t.Errorf("tables afterwards: got code %d, %q and %q, want no damage", code, stdout, stderr)
	}
	if code, stdout, _ := dump("repair", root, "--cut"); code != 0 || !bytes.Contains([]byte(stdout), []byte("nothing is damaged")) {
		t.Errorf("repair again: got code %d and %q, want nothing to do", code, stdout)
	}
}

func TestRepairNeedsTheControlLog(t *testing.T) {
	lost := copied(t, v1)
	change(t, flip(100), lost, components.ControlDir, wire.ControlLogName(14))
	before := tree(t, lost)
	code, _, stderr := dump("repair", lost, "--cut")
	if code != 1 || !bytes.Contains([]byte(stderr), []byte(wire.ControlLogName(14))) {
		t.Errorf("got code %d and %q, want 1 and the file named", code, stderr)
	}
	wantTree(t, before, tree(t, lost))
}

func wantTree(t *testing.T, want, got map[string]string) {
	t.Helper()
	for name, content := range got {
		if want[name] != content {
			t.Errorf("got %s changed, want it as it was", name)
		}
	}
	if len(got) != len(want) {
		t.Errorf("got %d files, want %d", len(got), len(want))
	}
}

package storage

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"galgo/components"
	"galgo/ecs"
	"galgo/uring"
	"galgo/wire"
)

func offsetRecord(partition uint64, consumer uint32, value, order uint64) wire.OffsetRecord {
	return wire.OffsetRecord{Partition: partition, Consumer: consumer, Kind: wire.ConsumerSingle, Value: value, Order: order, Epoch: 1}
}

// writeOffsetsTest makes an offset log.
func writeOffsetsTest(t testing.TB, root string, run uint64, shard uint32, records ...wire.OffsetRecord) string {
	t.Helper()
	file, err := RewriteOffsets(uring.SystemFiles(), root, testSecret, run, shard, records)
	if err != nil {
		t.Fatal(err)
	}
	if want := uint64(wire.HeadSize + len(records)*wire.OffsetRecordSize); file.Position != want || file.Least != want {
		t.Errorf("got %+v, want it to go on at %d", file, want)
	}
	if err := uring.SystemFiles().Close(file.FD); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(root, components.OffsetsDir, wire.OffsetLogName(run, shard))
}

// epochOne says that partitions below 100 exist.
func epochOne(partition ecs.Entity) (uint64, bool) { return 1, partition < 100 }

func loadOffsetsTest(t testing.TB, root string, notes int, want ...wire.OffsetRecord) {
	t.Helper()
	start, err := LoadOffsets(uring.SystemFiles(), root, testSecret, epochOne)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(start.Records, want) {
		t.Errorf("got %+v, want %+v", start.Records, want)
	}
	if len(start.Notes) != notes {
		t.Errorf("got notes %q, want %d", start.Notes, notes)
	}
}

func TestOffsetsMerge(t *testing.T) {
	root := testDir(t)
	loadOffsetsTest(t, root, 0)
	deleted := offsetRecord(7, 3, 0, 2<<40|9)
	deleted.Deleted = true
	purged := offsetRecord(8, 1, 5, 2<<40|1)
	purged.Epoch = 0
	group := offsetRecord(7, 1, 50, 1<<40|4)
	group.Kind = wire.ConsumerGroup
	// Run 1 had one shard, run 2 had two, and the partitions moved.
	writeOffsetsTest(t, root, 1, 0, offsetRecord(7, 1, 10, 1<<40|1), offsetRecord(7, 1, 12, 1<<40|2), offsetRecord(7, 3, 30, 1<<40|3), group, offsetRecord(200, 1, 1, 1<<40|5))
	writeOffsetsTest(t, root, 2, 0, offsetRecord(6, 1, 20, 2<<40|2), purged)
	writeOffsetsTest(t, root, 2, 1, offsetRecord(7, 1, 11, 2<<40|1), deleted, offsetRecord(6, 1, 19, 2<<40|1))
	loadOffsetsTest(t, root, 0, offsetRecord(6, 1, 20, 2<<40|2), offsetRecord(7, 1, 11, 2<<40|1), group)
}

func TestOffsetsGarbage(t *testing.T) {
	root := testDir(t)
	a, b, c := offsetRecord(1, 1, 10, 1), offsetRecord(1, 2, 20, 2), offsetRecord(1, 3, 30, 3)
	name := writeOffsetsTest(t, root, 1, 0, a, b, c)
	whole, _ := os.ReadFile(name)
	for at := range whole {
		bad := slices.Clone(whole)
		bad[at] ^= 1
		writeTest(t, bad, name)
		switch {
		case at >= 8 && at < 12: // the version
			if _, err := LoadOffsets(uring.SystemFiles(), root, testSecret, epochOne); err == nil {
				t.Errorf("byte %d: got no error, want the version refused", at)
			}
		case at < wire.HeadSize:
			loadOffsetsTest(t, root, 1, a, b, c)
		default:
			want := []wire.OffsetRecord{a, b, c}
			i := (at - wire.HeadSize) / wire.OffsetRecordSize
			loadOffsetsTest(t, root, 1, slices.Delete(want, i, i+1)...)
		}
		if t.Failed() {
			t.Fatalf("byte %d", at)
		}
	}
	for keep := range whole {
		writeTest(t, whole[:keep], name)
		want := []wire.OffsetRecord{a, b, c}[:max(0, keep-wire.HeadSize)/wire.OffsetRecordSize]
		notes := 0
		if keep%wire.OffsetRecordSize != 0 || keep == 0 {
			notes = 1
		}
		loadOffsetsTest(t, root, notes, want...)
	}
}

func TestRemoveOldOffsets(t *testing.T) {
	// The deletion is in the newer file: wherever the removal stops, what it deletes does not come back.
	deleted := offsetRecord(1, 1, 0, 2<<40)
	deleted.Deleted = true
	for fail := 0; ; fail++ {
		root := testDir(t)
		writeOffsetsTest(t, root, 1, 0, offsetRecord(1, 1, 10, 1<<40))
		writeOffsetsTest(t, root, 2, 0, deleted)
		kept := offsetRecord(1, 2, 5, 1<<40|1)
		writeOffsetsTest(t, root, 3, 0, kept)
		writeTest(t, nil, root, components.OffsetsDir, "x"+freshSuffix)
		files := &failingFiles{Files: uring.SystemFiles(), left: fail}
		err := RemoveOldOffsets(files, root, 3)
		loadOffsetsTest(t, root, 0, kept)
		if !files.failed {
			if got := len(tree(t, root)); err != nil || got != 1 {
				t.Errorf("got %d files %v, want one", got, err)
			}
			return
		}
		if err == nil {
			t.Fatalf("change %d failed: got no error", fail)
		}
	}
}

// removals notes what is removed, and when the directory is synced.
type removals struct {
	uring.Files
	did []string
}

func (r *removals) Remove(name string) error {
	r.did = append(r.did, filepath.Base(name))
	return r.Files.Remove(name)
}

func (r *removals) SyncDir(name string) error {
	r.did = append(r.did, "sync")
	return r.Files.SyncDir(name)
}

// A loss of power keeps a later run's deletions as long as it keeps what they delete.
func TestOldOffsetsGoRunByRun(t *testing.T) {
	root := testDir(t)
	want := []string{}
	for run := uint64(1); run <= 3; run++ {
		for shard := range uint32(2) {
			want = append(want, filepath.Base(writeOffsetsTest(t, root, run, shard)))
		}
		want = append(want, "sync")
	}
	files := &removals{Files: uring.SystemFiles()}
	if err := RemoveOldOffsets(files, root, 3); err != nil || !slices.Equal(files.did, want[:6]) {
		t.Errorf("got %v, %v, want %v", files.did, err, want[:6])
	}
}

func TestLowerOffsets(t *testing.T) {
	records := []wire.OffsetRecord{offsetRecord(1, 1, 9, 1), offsetRecord(1, 2, 10, 2), offsetRecord(2, 1, 50, 3), offsetRecord(3, 1, 0, 4)}
	kept, notes := LowerOffsets(records, func(partition ecs.Entity) (uint64, bool) {
		return map[ecs.Entity]uint64{1: 10, 2: 10, 3: 0}[partition], partition == 2
	})
	want := []wire.OffsetRecord{offsetRecord(1, 1, 9, 1), offsetRecord(1, 2, 9, 2), offsetRecord(2, 1, 50, 3)}
	if !slices.Equal(kept, want) || len(notes) != 2 {
		t.Errorf("got %+v %q, want %+v and two notes", kept, notes, want)
	}
}

func TestCompactOffsets(t *testing.T) {
	root := testDir(t)
	deleted := offsetRecord(1, 2, 0, 4)
	deleted.Deleted = true
	name := writeOffsetsTest(t, root, 3, 1, offsetRecord(1, 1, 1, 1), offsetRecord(1, 2, 2, 2), offsetRecord(1, 1, 3, 3), deleted)
	var result components.OffsetRewrite
	if renamed, err := compactOffsets(uring.SystemFiles(), root, testSecret, 3, 1, wire.HeadSize+4*wire.OffsetRecordSize, &result); err != nil || !renamed {
		t.Fatal(err)
	}
	defer uring.SystemFiles().Close(result.FD)
	if content, err := os.ReadFile(name); err != nil || uint64(len(content)) != result.Position || result.Position != wire.HeadSize+wire.OffsetRecordSize {
		t.Errorf("got %d bytes and position %d %v, want one record", len(content), result.Position, err)
	}
	loadOffsetsTest(t, root, 0, offsetRecord(1, 1, 3, 3))
}

// Where logs begin is kept beside the stored offsets, through merges and rewrites, and holds for one purge epoch.
func TestOffsetsKeepWhereLogsBegin(t *testing.T) {
	catalog := components.NewCatalog()
	var entities wire.Entities
	for range 4 {
		entities = entities.AppendEntity(uint64(catalog.Partitions.Entities.Take()))
	}
	stream, topic := uint64(catalog.Streams.Entities.Take()), uint64(catalog.Topics.Entities.Take())
	for i, e := range []wire.Event{
		{Kind: wire.EventStreamCreated, Stream: stream, Name: []byte("s")},
		{Kind: wire.EventTopicCreated, Stream: stream, Topic: topic, Name: []byte("t"), Partitions: entities},
		{Kind: wire.EventPurged, Partition: entities.At(1), Epoch: 1},
		{Kind: wire.EventSegmentsRemoved, Partition: entities.At(2), Offset: 70},
		{Kind: wire.EventSegmentsRemoved, Partition: entities.At(3), Offset: 90},
	} {
		e.Seq = 1<<40 | uint64(i+1)
		catalog.Apply(&e)
	}
	begin := func(partition int, epoch, value, order uint64) wire.OffsetRecord {
		return wire.OffsetRecord{Partition: entities.At(partition), Kind: wire.OffsetOfLog, Epoch: epoch, Value: value, Order: order}
	}
	stored := wire.OffsetRecord{Partition: entities.At(0), Kind: wire.ConsumerSingle, Value: 55, Order: 3}
	root := testDir(t)
	writeOffsetsTest(t, root, 1, 0, begin(0, 0, 40, 1), begin(0, 0, 50, 2), stored, begin(1, 0, 60, 4), begin(2, 0, 80, 5))
	name := writeOffsetsTest(t, root, 2, 0, begin(3, 0, 80, 6))
	check := func() {
		t.Helper()
		start, err := LoadOffsets(uring.SystemFiles(), root, testSecret, EpochIn(catalog))
		if err != nil || !slices.Equal(start.Records, []wire.OffsetRecord{stored}) || len(start.Begins) != 3 {
			t.Fatalf("offsets: got %v, %+v, want the one that is stored and where three logs begin", err, start)
		}
		for i, want := range []uint64{50, 0, 80, 90} {
			if got := start.Begin(catalog, catalog.Partitions.MustRow(ecs.Entity(entities.At(i)))); got != want {
				t.Errorf("partition %d: got a log from %d, want %d", i, got, want)
			}
		}
	}
	check()
	size, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	var result components.OffsetRewrite
	if _, err := compactOffsets(uring.SystemFiles(), root, testSecret, 2, 0, uint64(size.Size()), &result); err != nil {
		t.Fatal(err)
	}
	if err := uring.SystemFiles().Close(result.FD); err != nil {
		t.Fatal(err)
	}
	check()
}

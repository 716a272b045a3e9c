package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"galgo/components"
	"galgo/ecs"
	"galgo/server"
	"galgo/server/config"
	"galgo/systems/storage"
	"galgo/uring"
	"galgo/wire"
	"galgo/wire/client"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

// healthy lists the data directories of all format versions there ever were. They must open in this one.
func healthy(t *testing.T) []string {
	t.Helper()
	dirs, err := filepath.Glob("../../testdata/dirs/v[0-9]*/" + components.MarkerFile)
	if err != nil || len(dirs) == 0 {
		t.Fatalf("directories: got %d, %v, want some", len(dirs), err)
	}
	for i := range dirs {
		dirs[i] = filepath.Dir(dirs[i])
	}
	return dirs
}

// golden compares what was printed with a file beside the directory.
func golden(t *testing.T, name, got string) {
	t.Helper()
	if *rewrite {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%swant\n%s", name, got, want)
	}
}

// A dump prints what is there, what is wrong with it, and changes nothing.
func TestGoldens(t *testing.T) {
	for _, dir := range append(healthy(t), crashed, rotten) {
		before := tree(t, dir)
		for _, command := range [][]string{{"tables"}, {"events"}, {"segments", "--records"}, {"offsets"}} {
			code, stdout, stderr := dump(append(command, dir)...)
			if sound := code == 0 && stderr == ""; !sound && dir != crashed && dir != rotten {
				t.Errorf("%s %s: got code %d and %q, want 0 and nothing", command[0], dir, code, stderr)
			} else if !sound {
				stdout += fmt.Sprintf("exit code %d\n%s", code, stderr)
			}
			root, err := filepath.Abs(dir)
			must(t, err)
			golden(t, dir+"."+command[0]+".txt", strings.ReplaceAll(stdout, root, "DIR"))
		}
		wantTree(t, before, tree(t, dir))
	}
}

// A start reads a directory as its dump says, finds nothing damaged or torn, and changes nothing that the dump shows.
func TestDirectoriesOpen(t *testing.T) {
	for _, dir := range healthy(t) {
		root, files := copied(t, dir), uring.SystemFiles()
		d, err := storage.OpenDirectory(files, root, false, func([]byte) { t.Error("got a new secret, want the old one") }, 0, 1)
		if err != nil {
			t.Fatal(err)
		}
		catalog, start, err := storage.LoadControl(files, root, d.Secret())
		if err != nil || len(start.Notes) > 0 {
			t.Fatalf("%s: control log: got %v, notes %q, want neither", dir, err, start.Notes)
		}
		list, err := storage.ListSegments(files, root)
		if err != nil || len(list.Strange) > 0 {
			t.Fatalf("%s: segments: got %v, strange files %q, want neither", dir, err, list.Strange)
		}
		for row := range catalog.Partitions.All {
			of := storage.PartitionFiles{CreatedSeq: catalog.Partitions.Created[row], PartitionID: catalog.Partitions.ID[row]}
			topic := catalog.Topics.MustRow(catalog.Partitions.Topic[row])
			level := components.LevelWritten
			if catalog.Topics.Options[topic].Persisted {
				level = components.LevelDurable
			}
			found, err := storage.RecoverPartition(files, storage.RecoverInput{Root: root, Secret: d.Secret(), Entity: catalog.Partitions.Entity(row),
				CreatedSeq: of.CreatedSeq, PartitionID: of.PartitionID, SegmentIDs: list.Logs[of], IndexIDs: list.Indexes[of], Level: level, Run: catalog.Run + 1,
				BelongsToBoot: func(uint64) bool { return false }})
			if err != nil || found.Faulted || found.CutBytes > 0 || len(found.Notes) > 0 {
				t.Errorf("%s: recovery of %s: got %v, %+v, want it whole", dir, components.PartitionName(catalog, catalog.Partitions.Entity(row)), err, found)
			}
		}
		offsets, err := storage.LoadOffsets(files, root, d.Secret(), func(partition ecs.Entity) (uint64, bool) {
			_, ok := catalog.Partitions.Row(partition)
			return 0, ok
		})
		if err != nil || len(offsets.Notes) > 0 || len(offsets.Records) == 0 {
			t.Errorf("%s: offsets: got %v, notes %q, %d records, want some", dir, err, offsets.Notes, len(offsets.Records))
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		_, stdout, _ := dump("tables", root)
		if !*rewrite {
			golden(t, dir+".tables.txt", stdout)
		}
	}
}

// A server starts on each directory, serves every message in it, and takes more.
func TestServerServesDirectories(t *testing.T) {
	if err := uring.Probe(); err != nil {
		t.Skip(err)
	}
	for _, dir := range append(healthy(t), crashed) {
		root := copied(t, dir)
		d, err := openDirectory(uring.SystemFiles(), root, components.LevelWritten)
		must(t, err)
		d.note = func(text string) {
			if dir != crashed {
				t.Error(text)
			}
		}
		held, err := d.load()
		must(t, err)
		cfg, err := config.Load(config.Sources{Environ: []string{"GALGO_LOGGING_LEVEL=off", "GALGO_LOGGING_FILE_ENABLED=false"},
			Flags: map[string]string{"data": root, "tcp-address": "127.0.0.1:0", "shards": "2", "memory": "160 MiB", "pin": "off"}})
		must(t, err)
		s, err := server.Start(cfg)
		must(t, err)
		c, err := client.Dial(context.Background(), s.Address, client.Options{Username: "iggy", Password: "iggy"})
		must(t, err)
		catalog := held.world.Catalog
		for entity := range held.inOrder {
			row := held.world.Partitions.MustRow(entity)
			topic := catalog.Topics.MustRow(held.world.Partitions.Topic[row])
			stream := catalog.Streams.MustRow(catalog.Topics.Stream[topic])
			streamID, topicID := wire.IdentOf(catalog.Streams.ID[stream]), wire.IdentOf(catalog.Topics.ID[topic])
			polled, err := c.Poll(wire.PollMessages{Consumer: wire.Consumer{Kind: wire.ConsumerSingle, Ident: wire.IdentOf(1)}, Stream: streamID, Topic: topicID,
				Partition: wire.OptionalPartition{Present: true, ID: held.world.Partitions.ID[row]}, Strategy: wire.Strategy{Kind: wire.PollFirst}, Count: 1000})
			must(t, err)
			count := uint64(0)
			for range polled.All() {
				count++
			}
			if want := held.world.Partitions.OffsetNext[row]; count != want {
				t.Errorf("%s: got %d messages of %s, want %d", dir, count, components.PartitionName(catalog, entity), want)
			}
			sent, err := c.Send(streamID, topicID, wire.Partitioning{Kind: wire.PartitionNumbered, ID: held.world.Partitions.ID[row]}, batch(1, 10))
			if err != nil || sent.BaseOffset != held.world.Partitions.OffsetNext[row] {
				t.Errorf("%s: send to %s: got offset %d, %v, want %d", dir, components.PartitionName(catalog, entity), sent.BaseOffset, err, held.world.Partitions.OffsetNext[row])
			}
		}
		must(t, c.Close())
		must(t, s.Stop())
	}
}

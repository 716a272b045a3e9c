package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"galgo/components"
	"galgo/server"
	"galgo/server/config"
	"galgo/systems/storage"
	"galgo/uring"
	"galgo/wire"
	"galgo/wire/client"
)

var makeDir = flag.String("make", "", "make the data directory for testdata/dirs here, with the server of this build")

// TestMakeDirectory makes a data directory of two lives, as it was made for testdata/dirs/v1: with -make only, once for each format version.
// Directories that are there are never made anew: that they open is the point.
func TestMakeDirectory(t *testing.T) {
	if *makeDir == "" {
		t.Skip("without -make")
	}
	life(t, "2", func(c *client.Client) {
		create(t, c, "orders", "eu", 3, nil)
		create(t, c, "orders", "safe", 1, []string{"durability", "persisted", "consumer_offset_durability", "persisted", "segment_size", "1048576", "message_expiry", "7d"})
		create(t, c, "gone", "old", 2, nil)
		create(t, c, "empty", "", 0, nil)
		for i := range 5 {
			send(t, c, "orders", "eu", 0, 1+i, 20*i)
		}
		send(t, c, "orders", "eu", 1, 2, 3000)
		send(t, c, "orders", "eu", 2, 1, 10)
		send(t, c, "orders", "safe", 0, 3, 100)
		send(t, c, "gone", "old", 0, 1, 10)
		store(t, c, "orders", "eu", 0, 7, 4)
		store(t, c, "orders", "eu", 0, 8, 9)
		must(t, c.DeleteOffset(offsetKey("orders", "eu", 0, 8)))
		store(t, c, "orders", "safe", 0, 7, 1)
		must(t, c.DeletePartitions(named("orders"), named("eu"), 1))
		must(t, c.DeleteStream(named("gone")))
	})
	life(t, "1", func(c *client.Client) {
		create(t, c, "orders", "late", 1, []string{"compression_algorithm", "gzip", "max_topic_size", "2 GB"})
		must(t, c.CreatePartitions(named("orders"), named("eu"), 1))
		send(t, c, "orders", "eu", 0, 2, 50)
		send(t, c, "orders", "safe", 0, 1, 100)
		send(t, c, "orders", "late", 0, 4, 0)
		store(t, c, "orders", "eu", 0, 7, 15)
	})
	trim(t)
	roll(t)
}

// life runs a server in *makeDir while clients work.
func life(t *testing.T, shards string, work func(*client.Client)) {
	t.Helper()
	cfg, err := config.Load(config.Sources{WithDefaultRootCredentials: true, Flags: map[string]string{
		"data": *makeDir, "tcp-address": "127.0.0.1:0", "shards": shards, "memory": "256 MiB", "pin": "off"}})
	must(t, err)
	s, err := server.Start(cfg)
	must(t, err)
	c, err := client.Dial(t.Context(), s.Address, client.Options{Username: "iggy", Password: "iggy"})
	must(t, err)
	work(c)
	must(t, c.Close())
	must(t, s.Stop())
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func named(name string) wire.Ident { return wire.IdentNamed([]byte(name)) }

// create creates a stream that is missing, and a topic unless that has no name. Options are keys and values in turn.
func create(t *testing.T, c *client.Client, stream, topic string, partitions uint32, options []string) {
	t.Helper()
	if _, found, err := c.Stream(named(stream)); err != nil {
		t.Fatal(err)
	} else if !found {
		_, err := c.CreateStream(stream)
		must(t, err)
	}
	if topic == "" {
		return
	}
	var block []byte
	for _, text := range options {
		block = wire.AppendTypedValue(block, wire.StringValue([]byte(text)))
	}
	_, err := c.CreateTopic(wire.CreateTopic{Stream: named(stream), PartitionsCount: partitions, Name: []byte(topic), Options: block})
	must(t, err)
}

func batch(count, size int) []byte {
	var b wire.BatchBuilder
	b.Reset(1)
	for i := range count {
		b.Add(wire.U128{Lo: uint64(i + 1)}, 0, bytes.Repeat([]byte{'m'}, size+1), nil)
	}
	return b.Bytes()
}

func send(t *testing.T, c *client.Client, stream, topic string, partition uint32, count, size int) {
	t.Helper()
	_, err := c.Send(named(stream), named(topic), wire.Partitioning{Kind: wire.PartitionNumbered, ID: partition}, batch(count, size))
	must(t, err)
}

func offsetKey(stream, topic string, partition, consumer uint32) wire.OffsetKey {
	return wire.OffsetKey{Consumer: wire.Consumer{Kind: wire.ConsumerSingle, Ident: wire.IdentOf(consumer)},
		Stream: named(stream), Topic: named(topic), Partition: wire.OptionalPartition{Present: true, ID: partition}}
}

func store(t *testing.T, c *client.Client, stream, topic string, partition, consumer uint32, offset uint64) {
	t.Helper()
	must(t, c.StoreOffset(offsetKey(stream, topic, partition, consumer), offset))
}

// trim takes off what is not of the format (the configuration of a run, its log), and the blocks behind the logs that hold nothing yet.
func trim(t *testing.T) {
	t.Helper()
	for _, dir := range []string{components.RuntimeDir, components.LogsDir} {
		must(t, os.RemoveAll(filepath.Join(*makeDir, dir)))
	}
	for _, found := range loaded(t).recovered {
		for _, s := range found.Segments {
			logs, err := filepath.Glob(filepath.Join(*makeDir, components.SegmentsDir, fmt.Sprintf("*-%016x.log", s.ID)))
			if err != nil || len(logs) != 1 {
				t.Fatalf("log of segment %x: got %v, %v, want one", s.ID, logs, err)
			}
			must(t, os.Truncate(logs[0], int64(components.AlignUp(s.End))))
		}
	}
}

func loaded(t *testing.T) *contents {
	t.Helper()
	d, err := openDirectory(uring.SystemFiles(), *makeDir, components.LevelWritten)
	must(t, err)
	d.note = func(text string) { t.Error(text) }
	c, err := d.load()
	must(t, err)
	return c
}

// roll gives orders/eu/0 a second segment, which a server would begin after a mebibyte only.
func roll(t *testing.T) {
	t.Helper()
	c := loaded(t)
	catalog := c.world.Catalog
	entity, err := findPartition(catalog, "orders/eu/0")
	must(t, err)
	d, err := openDirectory(uring.SystemFiles(), *makeDir, components.LevelWritten)
	must(t, err)
	row := catalog.Partitions.MustRow(entity)
	of := storage.PartitionFiles{CreatedSeq: catalog.Partitions.Created[row], PartitionID: catalog.Partitions.ID[row]}
	found := c.recovered[entity]
	id, base, micros := catalog.Run<<40|1000, found.OffsetNext, found.TimeLast+1_000_000
	log := make([]byte, wire.SegmentHeadSize)
	wire.PutSegmentHead(log, wire.SegmentHead{SegmentID: id, Partition: uint64(entity), CreatedSeq: of.CreatedSeq, PartitionID: of.PartitionID,
		BaseOffset: base, Run: catalog.Run, Created: micros}, d.secret)
	record := bytes.Clone(batch(3, 200))
	var hasher wire.BatchHasher
	hasher.StampBatch(record, uint64(of.PartitionID), base, micros)
	wire.PutSeal(record, wire.Seal{SegmentID: id, Run: catalog.Run, SafeBelow: base}, wire.SegmentHeadSize, d.secret)
	log = append(log, record...)
	index := make([]byte, 2*wire.IndexEntrySize)
	entry := wire.IndexEntry{Kind: wire.IndexRecord, SegmentID: id, Offset: base, Time: micros, Position: wire.SegmentHeadSize, Run: catalog.Run, BaseOffset: base}
	wire.PutIndexEntry(index, entry, d.secret)
	entry.Kind, entry.Offset, entry.Position, entry.Synced = wire.IndexVoucher, base+3, uint64(len(log)), true
	wire.PutIndexEntry(index[wire.IndexEntrySize:], entry, d.secret)
	for kind, content := range map[wire.SegmentKind][]byte{
		wire.SegmentLog:   append(log, make([]byte, components.AlignUp(uint64(len(log)))-uint64(len(log)))...),
		wire.SegmentIndex: index,
	} {
		name := filepath.Join(*makeDir, components.SegmentsDir, wire.SegmentName(of.CreatedSeq, of.PartitionID, id, kind))
		must(t, os.WriteFile(name, content, 0o600))
	}
}

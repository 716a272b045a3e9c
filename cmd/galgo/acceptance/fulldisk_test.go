package acceptance

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"galgo/wire"
	"galgo/wire/client"
)

// bigTopic is a topic of one partition that is filled with large batches of one message. The messages are numbered by their offsets.
type bigTopic struct {
	name  string
	count uint64 // acknowledged
}

// bigPayload is about a quarter of a mebibyte.
func bigPayload(topic string, number uint64) []byte {
	return bytes.Repeat(binary.LittleEndian.AppendUint64(nil, number<<8|uint64(topic[0])), 32<<10)
}

func (b *bigTopic) send(c *client.Client) error {
	var batch wire.BatchBuilder
	batch.Reset(1)
	batch.Add(wire.U128{Lo: b.count + 1}, 0, bigPayload(b.name, b.count), nil)
	confirmation, err := c.Send(named("full"), named(b.name), wire.Partitioning{Kind: wire.PartitionNumbered}, batch.Bytes())
	if err != nil {
		return err
	}
	if confirmation.BaseOffset != b.count {
		return fmt.Errorf("topic %s: got offset %d, want %d", b.name, confirmation.BaseOffset, b.count)
	}
	b.count++
	return nil
}

// check polls all that was acknowledged, and wants no more than that.
func (b *bigTopic) check(t *testing.T, c *client.Client) {
	t.Helper()
	next := uint64(0)
	for {
		polled, err := c.Poll(wire.PollMessages{
			Consumer: wire.Consumer{Kind: wire.ConsumerSingle, Ident: wire.IdentOf(1)}, Stream: named("full"), Topic: named(b.name),
			Partition: wire.OptionalPartition{Present: true}, Strategy: wire.Strategy{Kind: wire.PollOffset, Value: next}, Count: 20,
		})
		if err != nil {
			t.Fatalf("topic %s offset %d: %v", b.name, next, err)
		}
		for header, message := range polled.All() {
			if header.BaseOffset != next || !bytes.Equal(message.Payload, bigPayload(b.name, next)) {
				t.Fatalf("topic %s: got offset %d and %d bytes, want message %d as it was sent", b.name, header.BaseOffset, len(message.Payload), next)
			}
			next++
		}
		if polled.Count == 0 {
			break
		}
	}
	if next != b.count {
		t.Fatalf("topic %s: got %d messages, want %d", b.name, next, b.count)
	}
}

func (b *bigTopic) create(t *testing.T, c *client.Client, durability string) {
	t.Helper()
	*b = bigTopic{name: b.name}
	block := append(option("segment_size", "16 MiB"), option("durability", durability)...)
	if _, err := c.CreateTopic(wire.CreateTopic{Stream: named("full"), PartitionsCount: 1, Name: []byte(b.name), Options: block}); err != nil {
		t.Fatal(err)
	}
}

// fill sends until there is no room, which is said with 4010.
func (b *bigTopic) fill(t *testing.T, c *client.Client) {
	t.Helper()
	for {
		err := b.send(c)
		if isRefused(err, wire.StatusCannotAppendMessage) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if b.count > 4096 {
			t.Fatalf("got a gibibyte into topic %s, want the disk full", b.name)
		}
	}
}

// resume sends until there is room.
func (b *bigTopic) resume(t *testing.T, c *client.Client) {
	t.Helper()
	for begin := time.Now(); time.Since(begin) < time.Minute; {
		err := b.send(c)
		if err == nil {
			return
		}
		if !isRefused(err, wire.StatusCannotAppendMessage) {
			t.Fatal(err)
		}
	}
	t.Fatalf("topic %s: got refusals for a minute, want writing to go on", b.name)
}

func isRefused(err error, status wire.Status) bool {
	var refused client.StatusError
	return errors.As(err, &refused) && refused.Status == status
}

// A disk that is full takes no messages and loses none: what is there is served, topics are deleted, and then writing goes on by itself. A
// server that is killed or stopped on a full disk starts on it.
func TestFullDisk(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: it takes long")
	}
	needMounts(t)
	image := filepath.Join(t.TempDir(), "disk.img")
	makeImage(t, image, 256<<20, "mkfs.ext4", "-q", "-m", "0")
	dir := mountImage(t, image)
	o := options{dir: dir, shards: 2, env: []string{"GALGO_LOGGING_FILE_ENABLED=false", "GALGO_MEMORY=160 MiB"}}
	s := start(t, o)
	c := s.dial(t)
	if _, err := c.CreateStream("full"); err != nil {
		t.Fatal(err)
	}
	kept, filler, durable := bigTopic{name: "kept"}, bigTopic{name: "filler"}, bigTopic{name: "durable"}
	kept.create(t, c, "replicated")
	filler.create(t, c, "replicated")
	durable.create(t, c, "persisted")
	for range 100 {
		for _, topic := range []*bigTopic{&kept, &durable} {
			if err := topic.send(c); err != nil {
				t.Fatal(err)
			}
		}
	}
	all := []*bigTopic{&filler, &kept, &durable} // the first takes most of what is free
	full := func() {
		t.Helper()
		for _, topic := range all {
			topic.fill(t, c)
		}
		var disk syscall.Statfs_t
		if err := syscall.Statfs(dir, &disk); err != nil {
			t.Fatal(err)
		}
		if reserve := disk.Blocks / 20; disk.Bavail < reserve-reserve/4 { // offsets, metadata and indexes are written from it
			t.Errorf("a full disk: got %d blocks left, want most of the reserve of %d", disk.Bavail, reserve)
		}
		for _, topic := range all {
			topic.check(t, c)
		}
	}
	key := wire.OffsetKey{Consumer: wire.Consumer{Kind: wire.ConsumerSingle, Ident: wire.IdentOf(1)}, Stream: named("full"), Topic: named("kept"),
		Partition: wire.OptionalPartition{Present: true}}
	again := func(end func(testing.TB)) {
		t.Helper()
		end(t)
		s = start(t, o)
		c = s.dial(t)
		for _, topic := range all {
			topic.check(t, c)
		}
		if stored, found, err := c.Offset(key); err != nil || !found || stored.StoredOffset != 7 {
			t.Fatalf("stored offset: got %d, %v, %v, want 7", stored.StoredOffset, found, err)
		}
	}

	full()
	if err := c.StoreOffset(key, 7); err != nil {
		t.Fatalf("offsets are stored from the reserve: %v", err)
	}
	if err := c.DeleteTopic(named("full"), named("filler")); err != nil {
		t.Fatal(err)
	}
	kept.resume(t, c)
	filler.create(t, c, "replicated")
	full()
	again(s.kill)
	full()
	again(s.stop)
	if err := c.DeleteTopic(named("full"), named("filler")); err != nil {
		t.Fatal(err)
	}
	durable.resume(t, c)
	all = []*bigTopic{&kept, &durable}
	again(s.kill)
	s.stop(t)
}

// Who fills the disk beside the server takes its reserve, too. Metadata cannot be written then, and is read-only until the next start; what was
// acknowledged is served, and messages are taken again once there is room.
func TestFullDiskWithoutReserve(t *testing.T) {
	needMounts(t)
	image := filepath.Join(t.TempDir(), "disk.img")
	makeImage(t, image, 256<<20, "mkfs.ext4", "-q", "-m", "0")
	dir := mountImage(t, image)
	data := filepath.Join(dir, "data")
	o := options{dir: data, shards: 2, env: []string{"GALGO_LOGGING_FILE_ENABLED=false", "GALGO_MEMORY=160 MiB"}}
	s := start(t, o)
	c := s.dial(t)
	if _, err := c.CreateStream("full"); err != nil {
		t.Fatal(err)
	}
	kept := bigTopic{name: "kept"}
	kept.create(t, c, "replicated")
	for range 20 {
		if err := kept.send(c); err != nil {
			t.Fatal(err)
		}
	}
	stranger, err := os.Create(filepath.Join(dir, "stranger"))
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{1 << 20, 4 << 10} { // what is left where a mebibyte finds no room is taken by blocks
		for err = nil; err == nil; {
			_, err = stranger.Write(make([]byte, size))
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
	}
	if err := stranger.Sync(); err != nil {
		t.Fatal(err)
	}
	kept.fill(t, c)
	kept.check(t, c)
	created := 0
	for {
		// What is left of the last block of the control log is written yet.
		if _, err = c.CreateStream(fmt.Sprintf("stream %d", created)); err != nil || created > 10_000 {
			break
		}
		created++
	}
	if !isRefused(err, wire.StatusCannotWriteToFile) {
		t.Fatalf("create stream %d on a full disk: got %v, want status %d", created, err, wire.StatusCannotWriteToFile)
	}
	kept.check(t, c)
	if err := errors.Join(stranger.Close(), os.Remove(stranger.Name())); err != nil {
		t.Fatal(err)
	}
	kept.resume(t, c)
	if _, err := c.CreateStream("later"); !isRefused(err, wire.StatusCannotWriteToFile) {
		t.Errorf("create stream after a failed write: got %v, want status %d until the next start", err, wire.StatusCannotWriteToFile)
	}
	s.kill(t)
	s = start(t, o)
	c = s.dial(t)
	kept.check(t, c)
	streams, err := c.Streams()
	if err != nil || len(streams) != created+1 {
		t.Errorf("streams: got %d, %v, want %d", len(streams), err, created+1)
	}
	if _, err := c.CreateStream("later"); err != nil {
		t.Error(err)
	}
	kept.resume(t, c)
	s.stop(t)
}

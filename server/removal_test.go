package server_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"galgo/components"
	"galgo/wire"
	"galgo/wire/client"
)

// fill sends so many batches of 10 messages of 20 KB each, which is five to a segment of 1 MiB.
func fill(t *testing.T, c *client.Client, topic wire.Ident, partition uint32, from uint64, batches int) (next uint64) {
	t.Helper()
	var b wire.BatchBuilder
	for range batches {
		send(t, c, topic, partition, batch(&b, from, 10, 20_000), from)
		from += 10
	}
	return from
}

// partitionOf is what GET_TOPIC says of a partition.
func partitionOf(t *testing.T, c *client.Client, topic wire.Ident, partition uint32) wire.Partition {
	t.Helper()
	details, found, err := c.Topic(named("s"), topic)
	if err != nil || !found || int(partition) >= len(details.Partitions) {
		t.Fatalf("topic: got %v, found %v, %d partitions, want partition %d", err, found, len(details.Partitions), partition)
	}
	return details.Partitions[partition]
}

func key(topic wire.Ident, partition uint32) wire.OffsetKey {
	return wire.OffsetKey{Consumer: wire.Consumer{Kind: wire.ConsumerSingle, Ident: wire.IdentOf(1)}, Stream: named("s"), Topic: topic,
		Partition: wire.OptionalPartition{Present: true, ID: partition}}
}

// logs is how many logs a data directory holds: files with a head, which those that were made ahead have not yet, outside of the pool.
func logs(t *testing.T, dir string) (count int) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, components.SegmentsDir, "[0-9a-f]*.log"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		head := make([]byte, 8)
		file, err := os.Open(name)
		if err != nil {
			continue // it went just now
		}
		_, err = io.ReadFull(file, head)
		_ = file.Close()
		if err == nil && string(head) == "GALGOSEG" {
			count++
		}
	}
	return count
}

// wantLogs waits until so many log files are left: files go after the answer.
func wantLogs(t *testing.T, dir string, want int) {
	t.Helper()
	for range 500 {
		if logs(t, dir) == want {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("log files: got %d after 5 s, want %d", logs(t, dir), want)
}

// A purge leaves a partition as if nothing had ever been sent, at every level and across a restart.
func TestPurge(t *testing.T) {
	for _, level := range levels {
		for _, whole := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/stream=%v", level, whole), func(t *testing.T) {
				s := start(t, setup{level: level, shards: 2})
				c := s.dial()
				orders := topic(t, c, "orders", 3, option("segment_size", "1 MiB"))
				purge := func() {
					err := c.PurgeTopic(named("s"), orders)
					if whole {
						err = c.PurgeStream(named("s"))
					}
					noError(t, err)
				}
				group := wire.GroupRef{Stream: named("s"), Topic: orders, Group: named("g")}
				_, err := c.CreateGroup(named("s"), orders, "g")
				noError(t, err)
				noError(t, c.JoinGroup(group))
				for round := range 2 {
					for partition := range uint32(3) {
						fill(t, c, orders, partition, 0, 12)
						noError(t, c.StoreOffset(key(orders, partition), 5))
					}
					purge()
					for partition := range uint32(3) {
						if got := partitionOf(t, c, orders, partition); got.SegmentsCount != 1 || got.CurrentOffset != 0 || got.Size != 0 || got.MessagesCount != 0 {
							t.Fatalf("partition after purge %d: got %+v, want one empty segment", round, got)
						}
						if got := poll(t, c, orders, partition, wire.Strategy{Kind: wire.PollFirst}, 10, false); got.Count != 0 || got.CurrentOffset != 0 {
							t.Fatalf("poll after purge %d: got %d messages, current offset %d, want none", round, got.Count, got.CurrentOffset)
						}
						if _, found, err := c.Offset(key(orders, partition)); err != nil || found {
							t.Fatalf("stored offset after purge %d: got %v, %v, want none", round, found, err)
						}
						wantStatus(t, c.StoreOffset(key(orders, partition), 0), wire.StatusInvalidOffset)
					}
				}
				if got, _, err := c.Group(group); err != nil || len(got.Members) != 1 {
					t.Fatalf("group after a purge: got %v, %d members, want one", err, len(got.Members))
				}
				wantLogs(t, s.dir, 0)
				purge() // of nothing
				for partition := range uint32(2) {
					fill(t, c, orders, partition, 0, 7)
				}
				s.stop()
				s = start(t, setup{dir: s.dir, level: level, shards: 3})
				c = s.dial()
				for partition := range uint32(2) {
					readAll(t, c, orders, partition, 70, 100)
					fill(t, c, orders, partition, 70, 1)
				}
				if got := partitionOf(t, c, orders, 2); got.MessagesCount != 0 || got.CurrentOffset != 0 {
					t.Fatalf("partition that was purged last: got %+v after a restart, want it empty", got)
				}
				fill(t, c, orders, 2, 0, 1)
			})
		}
	}
}

// Segments go from the oldest, never the open one, and never past a stored offset; offsets go on, across a restart too.
func TestDeleteSegments(t *testing.T) {
	s := start(t, setup{shards: 3})
	c := s.dial()
	orders := topic(t, c, "orders", 2, option("segment_size", "1 MiB"))
	next := fill(t, c, orders, 1, 0, 42) // 8 closed segments, and two batches
	remove := func(count uint32) {
		t.Helper()
		noError(t, c.DeleteSegments(wire.DeleteSegments{Stream: named("s"), Topic: orders, PartitionID: 1, SegmentsCount: count}))
	}
	want := func(first uint64, segments uint32) {
		t.Helper()
		got := partitionOf(t, c, orders, 1)
		if got.SegmentsCount != segments || got.CurrentOffset != next-1 || got.MessagesCount != next-first || got.Size < (next-first)*20_000 || got.Size > (next-first)*20_100 {
			t.Fatalf("partition: got %+v, want %d segments from offset %d to %d", got, segments, first, next)
		}
		for _, strategy := range []wire.Strategy{{Kind: wire.PollFirst}, {Kind: wire.PollOffset}, {Kind: wire.PollTimestamp}} {
			expect(t, poll(t, c, orders, 1, strategy, 10, false), first, first+10)
		}
	}
	want(0, 9)
	remove(0)
	want(0, 9)
	remove(2)
	want(100, 7)
	noError(t, c.StoreOffset(key(orders, 1), 198))
	remove(100) // the segment [150,200) is not passed yet
	want(150, 6)
	noError(t, c.StoreOffset(key(orders, 1), 199))
	remove(100)
	want(200, 5)
	noError(t, c.DeleteOffset(key(orders, 1)))
	remove(1)
	want(250, 4)
	wantLogs(t, s.dir, 4)
	s.stop()
	s = start(t, setup{dir: s.dir, shards: 1})
	c = s.dial()
	want(250, 4)
	remove(100)
	want(400, 1)
	next = fill(t, c, orders, 1, next, 1)
	want(400, 1)
	noError(t, c.DeleteSegments(wire.DeleteSegments{Stream: named("s"), Topic: orders, PartitionID: 0, SegmentsCount: 5}))
	err := c.DeleteSegments(wire.DeleteSegments{Stream: named("s"), Topic: orders, PartitionID: 2, SegmentsCount: 5})
	wantStatus(t, err, wire.StatusPartitionNotFound)
}

// Readers and writers go on while segments are removed and the topic is purged: a poll gets messages in order, whose checksums the client
// compares, or none; never an error.
func TestPollsRaceRemovals(t *testing.T) {
	s := start(t, setup{shards: 2, memory: "160 MiB"})
	admin := s.dial()
	orders := topic(t, admin, "orders", 2, option("segment_size", "1 MiB"))
	stop := make(chan struct{})
	var group sync.WaitGroup
	for partition := range uint32(2) {
		writer, reader := s.dial(), s.dial()
		group.Go(func() {
			var b wire.BatchBuilder
			for at := uint64(0); ; {
				select {
				case <-stop:
					return
				default:
				}
				sent, err := writer.Send(named("s"), orders, wire.Partitioning{Kind: wire.PartitionNumbered, ID: partition}, batch(&b, at, 10, 20_000))
				if err != nil {
					t.Error(err)
					return
				}
				at = sent.BaseOffset + 10
			}
		})
		group.Go(func() {
			for at := uint64(0); ; at++ {
				select {
				case <-stop:
					return
				default:
				}
				strategy := []wire.Strategy{{Kind: wire.PollFirst}, {Kind: wire.PollOffset, Value: at % 700}, {Kind: wire.PollTimestamp}, {Kind: wire.PollLast}}[at%4]
				got, err := reader.Poll(wire.PollMessages{Consumer: wire.Consumer{Kind: wire.ConsumerSingle, Ident: wire.IdentOf(1)}, Stream: named("s"), Topic: orders,
					Partition: wire.OptionalPartition{Present: true, ID: partition}, Strategy: strategy, Count: 30})
				if err != nil {
					t.Error(err)
					return
				}
				next := uint64(0)
				for header, message := range got.All() {
					offset := header.BaseOffset + uint64(message.OffsetDelta)
					if next > 0 && offset != next {
						t.Errorf("message: got offset %d, want %d", offset, next)
					}
					next = offset + 1
				}
			}
		})
	}
	for round := range 12 {
		time.Sleep(60 * time.Millisecond)
		for partition := range uint32(2) {
			noError(t, admin.DeleteSegments(wire.DeleteSegments{Stream: named("s"), Topic: orders, PartitionID: partition, SegmentsCount: 3}))
		}
		if round%4 == 3 {
			noError(t, admin.PurgeTopic(named("s"), orders))
		}
	}
	close(stop)
	group.Wait()
}

// Old messages go when their time is over, without anybody asking; the open segment stays, and so does what a slow reader can expect:
// it goes on with the earliest message that is left.
func TestRetentionByAge(t *testing.T) {
	s := start(t, setup{shards: 2, env: []string{"GALGO_DATA_MAINTENANCE_MESSAGES_INTERVAL=20ms"}})
	c := s.dial()
	kept := topic(t, c, "kept", 2, option("segment_size", "1 MiB"))
	orders := topic(t, c, "orders", 2, option("segment_size", "1 MiB"), option("message_expiry", "100ms"))
	for partition := range uint32(2) {
		fill(t, c, kept, partition, 0, 12)
		fill(t, c, orders, partition, 0, 12)
		noError(t, c.StoreOffset(key(orders, partition), 7))
	}
	wait := func(first uint64) {
		t.Helper()
		for range 500 {
			one, other := partitionOf(t, c, orders, 0), partitionOf(t, c, orders, 1)
			if one.MessagesCount == 120-first && one.SegmentsCount == 1 && other.MessagesCount == one.MessagesCount && other.SegmentsCount == 1 {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Fatalf("after 5 s: got %+v and %+v, want one segment from offset %d", partitionOf(t, c, orders, 0), partitionOf(t, c, orders, 1), first)
	}
	wait(100)
	expect(t, poll(t, c, orders, 1, wire.Strategy{Kind: wire.PollNext}, 5, true), 100, 105)
	readAll(t, c, kept, 0, 120, 50)
	wantLogs(t, s.dir, 2*3+2)
	s.stop()
	s = start(t, setup{dir: s.dir, shards: 1, env: []string{"GALGO_DATA_MAINTENANCE_MESSAGES_CLEANER_ENABLED=false"}})
	c = s.dial()
	wait(100)
	expect(t, poll(t, c, orders, 1, wire.Strategy{Kind: wire.PollNext}, 50, true), 105, 120)
	fill(t, c, orders, 1, 120, 12)
	if got := partitionOf(t, c, orders, 1); got.SegmentsCount != 3 || got.MessagesCount != 140 {
		t.Fatalf("without the cleaner: got %+v, want all of 140 messages", got)
	}
}

// removalLog is what a partition should hold: message n of its log is number epoch<<32 + n.
type removalLog struct{ epoch, first, next, stored uint64 }

// Random sends, removals, purges, stored offsets and restarts, with another number of shards each time: what is there is what a slow model says, no more
// and no less.
func TestRemovalsAgainstAModel(t *testing.T) {
	for _, level := range []string{"written", "durable"} {
		t.Run(level, func(t *testing.T) {
			random := rand.New(rand.NewPCG(5, uint64(len(level))))
			s := start(t, setup{level: level})
			c := s.dial()
			orders := topic(t, c, "orders", 3, option("segment_size", "1 MiB"))
			var logs [3]removalLog
			var b wire.BatchBuilder
			for life := range 6 {
				for range 25 {
					id := uint32(random.IntN(3))
					log := &logs[id]
					switch random.IntN(12) {
					case 0:
						noError(t, c.PurgeTopic(named("s"), orders))
						for i := range logs {
							logs[i] = removalLog{epoch: logs[i].epoch + 1}
						}
					case 1, 2:
						count := 1 + random.IntN(3)
						noError(t, c.DeleteSegments(wire.DeleteSegments{Stream: named("s"), Topic: orders, PartitionID: id, SegmentsCount: uint32(count)}))
						for range count { // 50 messages to a segment; the last one is open
							if next := log.first + 50; next < log.next && (log.stored == 0 || next <= log.stored) {
								log.first = next
							}
						}
					case 3:
						if log.next > log.first {
							offset := log.first + uint64(random.IntN(int(log.next-log.first)))
							noError(t, c.StoreOffset(key(orders, id), offset))
							log.stored = offset + 1
						}
					default:
						for range 1 + random.IntN(6) {
							send(t, c, orders, id, batch(&b, log.epoch<<32+log.next, 10, 20_000), log.next)
							log.next += 10
						}
					}
				}
				for range 2 {
					for id := range logs {
						logs[id].check(t, c, orders, uint32(id))
					}
					s.stop()
					s = start(t, setup{dir: s.dir, level: level, shards: 1 + (life+random.IntN(2))%3})
					c = s.dial()
				}
			}
		})
	}
}

// check reads a whole partition.
func (l *removalLog) check(t *testing.T, c *client.Client, topic wire.Ident, id uint32) {
	t.Helper()
	if got := partitionOf(t, c, topic, id); got.MessagesCount != l.next-l.first || got.CurrentOffset != l.next-min(l.next, 1) {
		t.Fatalf("partition %d: got %+v, want messages [%d,%d)", id, got, l.first, l.next)
	}
	stored, found, err := c.Offset(key(topic, id))
	if err != nil || found != (l.stored > 0) || found && stored.StoredOffset != l.stored-1 {
		t.Fatalf("stored offset of partition %d: got %v, %v, %+v, want %d", id, err, found, stored, l.stored)
	}
	for at, from := l.first, uint64(0); at < l.next; from = at {
		got := poll(t, c, topic, id, wire.Strategy{Kind: wire.PollOffset, Value: from}, 100, false)
		if got.Count == 0 {
			t.Fatalf("poll of partition %d at %d: got nothing, want messages up to %d", id, at, l.next)
		}
		for header, message := range got.All() {
			offset := header.BaseOffset + uint64(message.OffsetDelta)
			if want := payload(l.epoch<<32+at, len(message.Payload)); offset != at || !bytes.Equal(message.Payload, want) {
				t.Fatalf("partition %d: got offset %d with number %x, want %d of epoch %d", id, offset, binary.LittleEndian.Uint64(message.Payload), at, l.epoch)
			}
			at++
		}
	}
}

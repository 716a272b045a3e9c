package acceptance

import (
	"bytes"
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"galgo/wire"
	"galgo/wire/client"
)

var (
	rotFlips = flag.Int("rot.flips", 12, "bits of a data directory that TestRot flips, one at a time")
	rotSeed  = flag.Uint64("rot.seed", 1, "which bits TestRot flips is drawn from this number")
)

// rotting is a topic of one partition that is spread over some segments, in a directory whose server has ended.
type rotting struct {
	dir  string
	sent uint64
}

const rottingBatch = 20 // messages

// newRotting fills a directory. Each message is larger than what a block of a file holds.
func newRotting(t *testing.T, end func(*server, testing.TB)) *rotting {
	t.Helper()
	s := start(t, options{shards: 1})
	c := s.dial(t)
	if _, err := c.CreateStream("here"); err != nil {
		t.Fatal(err)
	}
	create := wire.CreateTopic{Stream: ident(here), PartitionsCount: 1, Name: []byte("rotting"), Options: option("segment_size", "1 MiB")}
	if _, err := c.CreateTopic(create); err != nil {
		t.Fatal(err)
	}
	r := &rotting{dir: s.dir}
	var b wire.BatchBuilder
	for range 30 {
		b.Reset(1)
		for range rottingBatch {
			b.Add(wire.U128{Lo: r.sent + 1}, 0, r.message(r.sent), nil)
			r.sent++
		}
		if _, err := c.Send(ident(here), named("rotting"), wire.Partitioning{Kind: wire.PartitionNumbered}, b.Bytes()); err != nil {
			t.Fatal(err)
		}
	}
	end(s, t)
	return r
}

func (r *rotting) message(number uint64) []byte {
	return bytes.Repeat(payload(number), 5000/len(payload(number))+1)
}

// logs are the logs of the topic, the oldest first.
func (r *rotting) logs(t *testing.T) []string {
	t.Helper()
	var logs []string
	names, err := filepath.Glob(filepath.Join(r.dir, "segments", "*.log"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		index, err := os.Stat(strings.TrimSuffix(name, ".log") + ".index")
		if err == nil && index.Size() > 0 { // else it was made ahead
			logs = append(logs, name)
		}
	}
	slices.Sort(logs)
	if len(logs) < 3 {
		t.Fatalf("logs: got %d, want some", len(logs))
	}
	return logs
}

// read polls every message. What comes is what was sent; what does not come is refused with a status. It returns how many came before the first that did
// not, and how many in all.
func (r *rotting) read(t *testing.T, c *client.Client) (before, all uint64) {
	t.Helper()
	whole := true
	for at := uint64(0); at < r.sent; {
		polled, err := c.Poll(wire.PollMessages{Consumer: wire.Consumer{Kind: wire.ConsumerSingle, Ident: wire.IdentOf(1)}, Stream: ident(here), Topic: named("rotting"),
			Partition: wire.OptionalPartition{Present: true}, Strategy: wire.Strategy{Kind: wire.PollOffset, Value: at}, Count: rottingBatch})
		switch {
		case isRefused(err, wire.StatusCannotReadMessage):
			whole = false
			at += rottingBatch - at%rottingBatch
			continue
		case err != nil:
			t.Fatalf("poll at %d: %v", at, err)
		case polled.Count == 0:
			return before, all
		}
		for header, message := range polled.All() {
			if offset := header.BaseOffset + uint64(message.OffsetDelta); offset != at || !bytes.Equal(message.Payload, r.message(at)) {
				t.Fatalf("poll at %d: got offset %d and the bytes of another message, want those that were sent", at, offset)
			}
			at++
			all++
			if whole {
				before++
			}
		}
	}
	return before, all
}

// A bit that flips anywhere in the files of a partition changes no message that is served: it is served right, or refused, or the partition is said to be
// damaged. Everything else is served. After a kill what was written last may be cut.
func TestRot(t *testing.T) {
	random := rand.New(rand.NewPCG(*rotSeed, 1))
	for name, end := range map[string]func(*server, testing.TB){"after a stop": (*server).stop, "after a kill": (*server).kill} {
		t.Run(name, func(t *testing.T) {
			r := newRotting(t, end)
			source := r.dir
			for range (*rotFlips + 1) / 2 {
				r.dir = t.TempDir()
				if err := os.CopyFS(r.dir, os.DirFS(source)); err != nil {
					t.Fatal(err)
				}
				logs := r.logs(t)
				file := logs[random.IntN(len(logs))]
				if random.IntN(5) == 0 {
					file = strings.TrimSuffix(file, ".log") + ".index"
				}
				content, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				at, bit := random.IntN(len(content)), random.IntN(8)
				content[at] ^= 1 << bit
				if err := os.WriteFile(file, content, 0o600); err != nil {
					t.Fatal(err)
				}
				s := start(t, options{dir: r.dir})
				_, all := r.read(t, s.dial(t))
				s.stop(t) // its log is whole now
				segment := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
				told := slices.ContainsFunc(strings.Split(s.log.String(), "\n"), func(line string) bool {
					return strings.Contains(line, segment) && (strings.Contains(line, `"position":`) || strings.Contains(line, ": cut at byte "))
				})
				if all < r.sent && !told {
					t.Errorf("bit %d of byte %d of %s: got %d of %d messages, and the log names neither the file nor a place in it:\n%s",
						bit, at, filepath.Base(file), all, r.sent, s.log.String())
				}
				t.Logf("bit %d of byte %d of %s: %d of %d messages", bit, at, filepath.Base(file), all, r.sent)
			}
		})
	}
}

// A log that is gone, with messages before it, is told: they are served, and nothing is taken.
func TestMissingLog(t *testing.T) {
	for name, which := range map[string]func(n int) int{"in the middle": func(n int) int { return n/2 - 1 + n%2 }, "at the end": func(n int) int { return n - 1 }} {
		t.Run(name, func(t *testing.T) {
			r := newRotting(t, (*server).stop)
			logs := r.logs(t)
			gone := logs[which(len(logs))]
			if err := os.Remove(gone); err != nil {
				t.Fatal(err)
			}
			t.Logf("%d logs, %s is gone", len(logs), filepath.Base(gone))
			s := start(t, options{dir: r.dir})
			c := s.dial(t)
			before, all := r.read(t, c)
			if before == 0 || before == r.sent || all != before {
				t.Errorf("messages before the log that is gone: got %d, and %d in all, of %d", before, all, r.sent)
			}
			var b wire.BatchBuilder
			b.Reset(1)
			b.Add(wire.U128{Lo: 1}, 0, r.message(before), nil)
			_, err := c.Send(ident(here), named("rotting"), wire.Partitioning{Kind: wire.PartitionNumbered}, b.Bytes())
			if !isRefused(err, wire.StatusCannotSaveMessagesToSegment) {
				t.Errorf("send: got %v, want status %v", err, wire.StatusCannotSaveMessagesToSegment)
			}
			s.stop(t) // its log is whole now
			if !strings.Contains(s.log.String(), "partition is damaged") {
				t.Error("got no line about the damage, want one")
			}
		})
	}
}

// Bytes of an offset log that are no change are told and passed over: what they said is lost, and nothing else.
func TestDamagedOffsetLog(t *testing.T) {
	var s *server
	r := newRotting(t, func(running *server, _ testing.TB) { s = running })
	c := s.dial(t)
	key := func(consumer uint32) wire.OffsetKey {
		return wire.OffsetKey{Consumer: wire.Consumer{Kind: wire.ConsumerSingle, Ident: wire.IdentOf(consumer)}, Stream: ident(here), Topic: named("rotting"),
			Partition: wire.OptionalPartition{Present: true}}
	}
	const consumers, spoiled = 5, 3
	for consumer := range uint32(consumers) {
		if err := c.StoreOffset(key(consumer+1), 100+uint64(consumer)); err != nil {
			t.Fatal(err)
		}
	}
	s.kill(t)
	logs, err := filepath.Glob(filepath.Join(r.dir, "offsets", "offsets-*.log"))
	if err != nil || len(logs) != 1 {
		t.Fatalf("offset logs: got %v, %v, want one", logs, err)
	}
	content, err := os.ReadFile(logs[0])
	if err != nil {
		t.Fatal(err)
	}
	content[wire.HeadSize+(spoiled-1)*wire.OffsetRecordSize+20] ^= 4
	if err := os.WriteFile(logs[0], content, 0o600); err != nil {
		t.Fatal(err)
	}
	s = start(t, options{dir: r.dir})
	c = s.dial(t)
	for consumer := range uint32(consumers) {
		stored, found, err := c.Offset(key(consumer + 1))
		if want := consumer+1 != spoiled; err != nil || found != want || found && stored.StoredOffset != 100+uint64(consumer) {
			t.Errorf("consumer %d: got offset %d, %v, %v, want %d, %v", consumer+1, stored.StoredOffset, found, err, 100+consumer, want)
		}
	}
	if _, all := r.read(t, c); all != r.sent {
		t.Errorf("messages: got %d, want %d", all, r.sent)
	}
	s.stop(t) // its log is whole now
	if said := s.log.String(); !strings.Contains(said, filepath.Base(logs[0])) || !strings.Contains(said, "not offset changes") {
		t.Error("got no line about the offset log, want one that names it")
	}
}

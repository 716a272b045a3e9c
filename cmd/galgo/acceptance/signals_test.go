package acceptance

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"galgo/wire"
	"galgo/wire/client"
)

// writer sends batches to a partition of its own, and stores its offset in it, until its connection breaks. It knows what was
// acknowledged.
type writer struct {
	partition    uint32
	acknowledged []acknowledged // by offset
	stored       uint64         // offset whose store was acknowledged, plus 1
	storing      uint64         // offset whose store was not answered, plus 1; else 0
}

// acknowledged is a batch: count messages from an offset on. The payload of each is its number, counted over all batches sent.
type acknowledged struct{ offset, first, count uint64 }

// payload is what a message with that number holds: the number, and as many bytes as make batches of all sizes.
func payload(number uint64) []byte {
	return append(binary.LittleEndian.AppendUint64(nil, number), bytes.Repeat([]byte{byte(number)}, int(number*number%3000))...)
}

func (w *writer) identity() wire.OffsetKey {
	return wire.OffsetKey{
		Consumer: wire.Consumer{Kind: wire.ConsumerSingle, Ident: wire.IdentNamed([]byte("writer"))}, Stream: ident(here), Topic: ident(here),
		Partition: wire.OptionalPartition{Present: true, ID: w.partition},
	}
}

// load counts what all writers of a round have sent.
type load struct {
	batches atomic.Int64
	want    int64
	reached chan struct{} // closed once want is reached, or a writer ends before
	once    sync.Once
}

func (l *load) add() {
	if l.batches.Add(1) == l.want {
		l.end()
	}
}

func (l *load) end() { l.once.Do(func() { close(l.reached) }) }

// run writes until an error. Its messages are numbered from number.
func (w *writer) run(ctx context.Context, address string, number uint64, l *load) error {
	defer l.end()
	c, err := client.Dial(ctx, address, client.Options{Username: "iggy", Password: "iggy"})
	if err != nil {
		return err
	}
	defer c.Close()
	var batch wire.BatchBuilder
	w.storing = 0
	for {
		batch.Reset(number)
		first, count := number, 1+number%37
		for ; number < first+count; number++ {
			batch.Add(wire.U128{Lo: number + 1}, 0, payload(number), nil)
		}
		confirmation, err := c.Send(ident(here), ident(here), wire.Partitioning{Kind: wire.PartitionNumbered, ID: w.partition}, batch.Bytes())
		if err != nil {
			return err
		}
		w.acknowledged = append(w.acknowledged, acknowledged{confirmation.BaseOffset, first, count})
		if first%5 == 0 {
			w.storing = confirmation.BaseOffset + 1
			if err := c.StoreOffset(w.identity(), confirmation.BaseOffset); err != nil {
				return err
			}
			w.stored, w.storing = w.storing, 0
		}
		l.add()
	}
}

// check compares the partition with what was acknowledged. Between acknowledged batches there may be one whose send was never
// answered, for each of the rounds.
func (w *writer) check(c *client.Client, rounds int) error {
	next, unanswered := uint64(0), uint64(0)
	var numbers []uint64 // by offset
	for {
		polled, err := c.Poll(wire.PollMessages{
			Consumer: w.identity().Consumer, Stream: ident(here), Topic: ident(here), Partition: w.identity().Partition,
			Strategy: wire.Strategy{Kind: wire.PollOffset, Value: next}, Count: 1000,
		})
		if err != nil {
			return fmt.Errorf("partition %d offset %d: %w", w.partition, next, err)
		}
		if polled.Count == 0 {
			break
		}
		for header, message := range polled.All() {
			if got := header.BaseOffset + uint64(message.OffsetDelta); got != next {
				return fmt.Errorf("partition %d: got offset %d, want %d", w.partition, got, next)
			}
			if len(message.Payload) < 8 || !bytes.Equal(message.Payload, payload(binary.LittleEndian.Uint64(message.Payload))) {
				return fmt.Errorf("partition %d offset %d: got a payload of %d bytes that nobody sent", w.partition, next, len(message.Payload))
			}
			numbers = append(numbers, binary.LittleEndian.Uint64(message.Payload))
			next++
		}
	}
	covered := uint64(0)
	for _, a := range w.acknowledged {
		for i := range a.count {
			if a.offset+i >= next {
				return fmt.Errorf("partition %d: message %d was acknowledged at offset %d, and the partition ends at %d", w.partition, a.first+i, a.offset+i, next)
			}
			if got := numbers[a.offset+i]; got != a.first+i {
				return fmt.Errorf("partition %d offset %d: got message %d, want %d", w.partition, a.offset+i, got, a.first+i)
			}
		}
		covered += a.count
	}
	if unanswered = next - covered; unanswered > uint64(rounds)*37 {
		return fmt.Errorf("partition %d: got %d messages that were never acknowledged, want at most one batch a round", w.partition, unanswered)
	}
	seen := make(map[uint64]bool, next)
	for offset, number := range numbers {
		if seen[number] {
			return fmt.Errorf("partition %d offset %d: message %d is there twice", w.partition, offset, number)
		}
		seen[number] = true
	}
	return w.checkStored(c)
}

// checkStored compares the stored offset with the last one that was acknowledged, or the one behind it that was on its way.
func (w *writer) checkStored(c *client.Client) error {
	stored, found, err := c.Offset(w.identity())
	got := stored.StoredOffset + 1
	if !found {
		got = 0
	}
	if err != nil || got != w.stored && (w.storing == 0 || got != w.storing) {
		return fmt.Errorf("partition %d: stored offset plus 1: got %d, %v, want %d (or %d, unless 0)", w.partition, got, err, w.stored, w.storing)
	}
	w.stored, w.storing = got, 0
	return nil
}

// A server that is told to stop while others write to it keeps everything it acknowledged, at every level. One that is killed does at
// the levels that promise it. What was not acknowledged is there once or not at all.
func TestSignalsUnderLoad(t *testing.T) {
	rounds := 4
	if testing.Short() {
		rounds = 1
	}
	for _, test := range []struct {
		level string
		kill  bool
	}{{"memory", false}, {"written", false}, {"durable", false}, {"written", true}, {"durable", true}} {
		t.Run(fmt.Sprintf("%s, kill %v", test.level, test.kill), func(t *testing.T) {
			endUnderLoad(t, test.level, test.kill, rounds)
		})
	}
}

func endUnderLoad(t *testing.T, level string, kill bool, rounds int, env ...string) {
	const writersCount = 6
	s := start(t, options{level: level, shards: 2, env: env})
	c := s.dial(t)
	if _, err := c.CreateStream("here"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.CreateTopic(wire.CreateTopic{Stream: ident(here), PartitionsCount: writersCount, Name: []byte("here"), Options: option("segment_size", "1 MiB")}); err != nil {
		t.Fatal(err)
	}
	writers := make([]writer, writersCount)
	for round := range rounds {
		l := load{want: int64(200 * (round + 1)), reached: make(chan struct{})}
		var running sync.WaitGroup
		for i := range writers {
			writers[i].partition = uint32(i)
			running.Go(func() {
				err := writers[i].run(t.Context(), s.address, uint64(round+1)<<32, &l)
				var refused client.StatusError
				if errors.As(err, &refused) {
					t.Errorf("writer %d: %v", i, err)
				}
			})
		}
		<-l.reached
		if kill {
			s.kill(t)
		} else {
			s.stop(t)
		}
		running.Wait()
		if l.batches.Load() < l.want {
			t.Fatalf("round %d: got %d batches written, want %d before the end", round, l.batches.Load(), l.want)
		}
		s = start(t, options{dir: s.dir, level: level, shards: 1 + round%2, env: env})
		c = s.dial(t)
		for i := range writers {
			if err := writers[i].check(c, round+1); err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
		}
	}
	s.stop(t)
}

// The same holds where segments go through the page cache.
func TestBufferedUnderLoad(t *testing.T) {
	for _, level := range []string{"written", "durable"} {
		t.Run(level, func(t *testing.T) { endUnderLoad(t, level, true, 1, "GALGO_DIRECT=off") })
	}
}

// Streams and topics that a client was told of survive a kill at every level.
func TestTopicsSurvive(t *testing.T) {
	s := start(t, options{level: "memory"})
	c := s.dial(t)
	for i := range 50 {
		if _, err := c.CreateStream(fmt.Sprintf("stream %d", i)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.CreateTopic(wire.CreateTopic{Stream: wire.IdentOf(uint32(i)), PartitionsCount: uint32(i), Name: []byte("topic")}); err != nil {
			t.Fatal(err)
		}
		if i%3 == 0 {
			if err := c.DeleteTopic(wire.IdentOf(uint32(i)), wire.IdentOf(0)); err != nil {
				t.Fatal(err)
			}
		}
	}
	before := catalogOf(t, c)
	s.kill(t)
	s = start(t, options{dir: s.dir})
	if after := catalogOf(t, s.dial(t)); after != before {
		t.Errorf("after SIGKILL: got\n%s, want\n%s", after, before)
	}
	s.stop(t)
}

// catalogOf describes all streams and topics.
func catalogOf(t *testing.T, c *client.Client) string {
	t.Helper()
	streams, err := c.Streams()
	if err != nil {
		t.Fatal(err)
	}
	var text []byte
	for _, stream := range streams {
		text = fmt.Appendf(text, "%d %q %d\n", stream.ID, stream.Name, stream.CreatedAt)
		topics, err := c.Topics(wire.IdentOf(stream.ID))
		if err != nil {
			t.Fatal(err)
		}
		for _, topic := range topics {
			text = fmt.Appendf(text, "\t%d %q %d %d %x %x\n", topic.ID, topic.Name, topic.CreatedAt, topic.PartitionsCount, topic.ExplicitOptions, topic.DerivedOptions)
		}
	}
	return string(text)
}

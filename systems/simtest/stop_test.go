package simtest

import (
	"fmt"
	"slices"
	"testing"

	"galgo/components"
	"galgo/uring/sim"
	"galgo/wire"
)

// What a stop in good order leaves is durable at every level, the names of the files included: a loss of power after it takes no segment.
func TestStopIsDurable(t *testing.T) {
	for seed := range uint64(24) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			p := newPlay(sim.Options{Seed: seed, DiskBytes: 1 << 30})
			begin := func() *client {
				var err error
				if p.server, err = start(p.w, 1, 160<<20, components.LevelMemory); err != nil {
					t.Fatal(err)
				}
				return p.connect("somebody")
			}
			c := begin()
			must := func(op wire.Operation, code wire.Code, body []byte) []byte {
				t.Helper()
				got := c.call(op, code, body)
				if !got.ok() {
					t.Fatalf("%s: got %v, want ok", op, got)
				}
				return got.payload
			}
			stream, topic := wire.IdentNamed([]byte("s")), wire.IdentNamed(ownTopicName)
			must(wire.OpCreateStream, 0, wire.AppendCreateStream(nil, wire.CreateStream{Name: stream.Name}))
			must(wire.OpCreateTopic, 0, wire.AppendCreateTopic(nil, wire.CreateTopic{Stream: stream, Name: ownTopicName, PartitionsCount: 1, Options: options("segment_size", evenSegment)}))
			var sent []uint64
			for n := range uint64(3 * evenFull) {
				body := wire.AppendSendMessages(nil, wire.SendMessages{Stream: stream, Topic: topic, MessagesCount: 1, Partitioning: wire.Partitioning{Kind: wire.PartitionNumbered}})
				must(wire.OpSendMessages, 0, append(body, even.batch(n)...))
				sent = append(sent, n)
			}
			p.stop()
			p.w.PowerCut()
			c = begin()
			poll := wire.PollMessages{Consumer: single(1), Stream: stream, Topic: topic, Partition: wire.OptionalPartition{Present: true}, Count: 100}
			var got []uint64
			for len(got) < len(sent) {
				poll.Strategy = wire.Strategy{Kind: wire.PollOffset, Value: uint64(len(got))}
				_, batches, err := wire.DecodePollPrefix(must(wire.OpNonReplicated, wire.CodePollMessages, wire.AppendPollMessages(nil, poll)))
				numbers := numbersIn(batches)
				if err != nil || len(numbers) == 0 {
					break
				}
				got = append(got, numbers...)
			}
			if !slices.Equal(got, sent) {
				t.Errorf("after a stop and a loss of power: got messages %v, want %v", got, sent)
			}
		})
	}
}

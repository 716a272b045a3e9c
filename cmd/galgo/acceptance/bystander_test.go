package acceptance

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"galgo/wire"
	"galgo/wire/client"
)

// bystander is a client that sends and polls on a topic of its own while a test does bad things on other connections.
type bystander struct {
	client *client.Client
	count  uint64 // messages sent and polled
}

var bystanderName = wire.IdentNamed([]byte("bystander"))

// newBystander connects one as root, and makes its topic.
func newBystander(t *testing.T, s *server) *bystander {
	t.Helper()
	b := &bystander{client: s.dial(t)}
	if _, err := b.client.CreateStream("bystander"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.client.CreateTopic(wire.CreateTopic{Stream: bystanderName, PartitionsCount: 1, Name: []byte("bystander")}); err != nil {
		t.Fatal(err)
	}
	return b
}

// watch starts a bystander that is undisturbed if the test passes: each message it sends is acknowledged with the next offset and
// comes back. It ends with the test.
func watch(t *testing.T, s *server) {
	t.Helper()
	b := newBystander(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		for ctx.Err() == nil {
			if err := b.roundTrip(); err != nil {
				t.Errorf("another connection, after %d messages: %v", b.count, err)
				return
			}
		}
	})
	t.Cleanup(func() {
		cancel()
		running.Wait()
		if b.count == 0 {
			t.Error("another connection: got no message through")
		}
	})
}

// roundTrip sends one message and polls it.
func (b *bystander) roundTrip() error {
	payload := fmt.Sprintf("message %d", b.count)
	var batch wire.BatchBuilder
	batch.Reset(1)
	batch.Add(wire.U128{Lo: b.count + 1}, 0, []byte(payload), nil)
	confirmation, err := b.client.Send(bystanderName, bystanderName, wire.Partitioning{Kind: wire.PartitionNumbered}, batch.Bytes())
	if err != nil {
		return err
	}
	if confirmation.BaseOffset != b.count {
		return fmt.Errorf("offset: got %d, want %d", confirmation.BaseOffset, b.count)
	}
	polled, err := b.client.Poll(wire.PollMessages{
		Consumer: wire.Consumer{Kind: wire.ConsumerSingle, Ident: wire.IdentOf(1)}, Stream: bystanderName, Topic: bystanderName,
		Partition: wire.OptionalPartition{Present: true}, Strategy: wire.Strategy{Kind: wire.PollOffset, Value: b.count}, Count: 10,
	})
	if err != nil {
		return err
	}
	if polled.Count != 1 {
		return fmt.Errorf("poll at %d: got %d messages, want 1", b.count, polled.Count)
	}
	for _, message := range polled.All() {
		if string(message.Payload) != payload {
			return fmt.Errorf("poll at %d: got %q, want %q", b.count, message.Payload, payload)
		}
	}
	b.count++
	return nil
}

package client_test

import (
	"bytes"
	"errors"
	"testing"

	"galgo/wire"
	"galgo/wire/client/scripted"
)

var (
	single    = wire.Consumer{Kind: wire.ConsumerSingle, Ident: wire.IdentOf(1)}
	offsetKey = wire.OffsetKey{Consumer: single, Stream: wire.IdentOf(1), Topic: wire.IdentOf(1)}
	pollAll   = wire.PollMessages{
		Consumer: single, Stream: wire.IdentOf(1), Topic: wire.IdentOf(1),
		Partition: wire.OptionalPartition{Present: true, ID: 3}, Strategy: wire.Strategy{Kind: wire.PollOffset}, Count: 100,
	}
)

func batchOf(payloads ...string) []byte {
	var b wire.BatchBuilder
	b.Reset(1000)
	for i, payload := range payloads {
		b.Add(wire.U128{Lo: uint64(i) + 1}, uint32(i), []byte(payload), nil)
	}
	return bytes.Clone(b.Bytes())
}

// stamped is a batch as partition 3 stores it.
func stamped(baseOffset uint64, payloads ...string) []byte {
	var hasher wire.BatchHasher
	batch := batchOf(payloads...)
	hasher.StampBatch(batch, 3, baseOffset, 2000)
	return batch
}

func TestSend(t *testing.T) {
	want := wire.SendConfirmation{StreamID: 1, TopicID: 2, PartitionID: 3, BaseOffset: 4}
	batch := batchOf("a", "", "c")
	c := dial(t, func(h wire.RequestHeader, body []byte) ([]byte, bool) {
		send, status := wire.DecodeSendMessages(body)
		if status != wire.StatusOK || send.MessagesCount != 3 || !bytes.Equal(send.Batch, batch) ||
			string(send.Stream.Name) != "orders" || string(send.Partitioning.Key) != "k" {
			t.Errorf("got %+v, status %s", send, status)
		}
		var body24 [wire.SendReplySize]byte
		wire.PutSendReply(body24[:], want)
		return scripted.Reply(h, body24[:]), true
	})
	p := wire.Partitioning{Kind: wire.PartitionKeyed, Key: []byte("k")}
	for range 2 {
		got, err := c.Send(wire.IdentNamed([]byte("orders")), wire.IdentNamed([]byte("events")), p, batch)
		if err != nil || got != want {
			t.Fatalf("got %+v, %v, want %+v", got, err, want)
		}
	}
}

func TestSendAllocatesNothing(t *testing.T) {
	var frame []byte // the server's, reused: what it allocates would count as well
	c := dial(t, func(h wire.RequestHeader, _ []byte) ([]byte, bool) {
		if frame == nil {
			frame = scripted.Reply(h, wire.AppendSendReply(nil, wire.SendConfirmation{}))
		}
		reply := wire.ReplyTo(h)
		reply.Size = uint32(len(frame))
		wire.PutReplyHeader(frame, reply)
		return frame, true
	})
	batch, p := batchOf("a"), wire.Partitioning{Kind: wire.PartitionBalanced}
	got := testing.AllocsPerRun(100, func() {
		if _, err := c.Send(wire.IdentOf(1), wire.IdentOf(1), p, batch); err != nil {
			t.Fatal(err)
		}
	})
	if want := 1.0; got > want { // the body that the scripted server reads
		t.Errorf("got %v allocations, want at most %v", got, want)
	}
}

func TestPollWalksMessages(t *testing.T) {
	payload := wire.AppendPollPrefix(nil, wire.PollPrefix{PartitionID: 3, CurrentOffset: 12, Count: 3})
	payload = append(payload, stamped(10, "a", "b")...)
	payload = append(payload, stamped(12, "c")...)
	polled, err := dial(t, answering(payload)).Poll(pollAll)
	if err != nil {
		t.Fatal(err)
	}
	var offsets []uint64
	var payloads []byte
	for h, m := range polled.All() {
		offsets = append(offsets, h.BaseOffset+uint64(m.OffsetDelta))
		payloads = append(payloads, m.Payload...)
	}
	if len(offsets) != 3 || offsets[0] != 10 || offsets[2] != 12 || string(payloads) != "abc" {
		t.Errorf("got %v %q, want [10 11 12] %q", offsets, payloads, "abc")
	}
}

func TestPollRefusesWhatDoesNotVerify(t *testing.T) {
	prefix := func(count uint32) []byte {
		return wire.AppendPollPrefix(nil, wire.PollPrefix{PartitionID: 3, CurrentOffset: 12, Count: count})
	}
	good := stamped(10, "a", "b")
	flipped := bytes.Clone(good)
	flipped[len(flipped)-1] ^= 1
	cases := map[string][]byte{
		"wrong count":       append(prefix(3), good...),
		"wrong checksum":    append(prefix(2), flipped...),
		"short batch":       append(prefix(2), good[:len(good)-1]...),
		"trailing bytes":    append(append(prefix(2), good...), 0),
		"another partition": append(wire.AppendPollPrefix(nil, wire.PollPrefix{PartitionID: 4, Count: 2}), good...),
	}
	for name, payload := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := dial(t, answering(payload)).Poll(pollAll)
			if !errors.Is(err, wire.ErrMalformed) && !errors.Is(err, wire.ErrShort) {
				t.Errorf("got %v, want %v or %v", err, wire.ErrMalformed, wire.ErrShort)
			}
		})
	}
}

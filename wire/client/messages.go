package client

import (
	"fmt"
	"iter"

	"galgo/wire"
)

// Send sends one batch and returns where it is. The batch, as a wire.BatchBuilder makes it, is not copied and is the
// caller's again when Send returns. Only a StatusError or a SizeError says that the batch is not in the log; after any other
// error it may be.
func (c *Client) Send(stream, topic wire.Ident, p wire.Partitioning, batch []byte) (wire.SendConfirmation, error) {
	header, err := wire.DecodeBatchHeader(batch)
	if err != nil {
		panic(fmt.Sprintf("client: batch of %d bytes", len(batch)))
	}
	frame := wire.AppendSendMessages(c.frame(), wire.SendMessages{
		Stream: stream, Topic: topic, Partitioning: p, MessagesCount: header.MessageCount,
	})
	payload, err := c.exchange(wire.OpSendMessages, 0, frame, batch)
	if err != nil {
		return wire.SendConfirmation{}, err
	}
	confirmation, err := wire.DecodeSendReply(payload)
	return decoded(c, wire.CodeSendMessages, confirmation, err)
}

// Polled is what a poll returned. It was verified: the batches fill their place, their counts and partition are those of the
// prefix, and every checksum holds.
type Polled struct {
	wire.PollPrefix
	Batches []byte // back to back
}

// Poll reads messages. A reply that does not verify breaks the connection.
func (c *Client) Poll(p wire.PollMessages) (Polled, error) {
	payload, err := c.get(wire.CodePollMessages, wire.AppendPollMessages(c.frame(), p))
	if err != nil {
		return Polled{}, err
	}
	prefix, batches, err := wire.DecodePollPrefix(payload)
	if err == nil {
		err = c.verify(prefix, batches)
	}
	return decoded(c, wire.CodePollMessages, Polled{prefix, batches}, err)
}

func (c *Client) verify(prefix wire.PollPrefix, batches []byte) error {
	count := uint64(0)
	for len(batches) > 0 {
		batch, rest, err := wire.NextBatch(batches)
		if err != nil {
			return fmt.Errorf("batch of which %d bytes are left: %w", len(batches), err)
		}
		header, _ := wire.DecodeBatchHeader(batch)
		if header.PartitionID != uint64(prefix.PartitionID) {
			return fmt.Errorf("%w: batch of partition %d from partition %d", wire.ErrMalformed, header.PartitionID, prefix.PartitionID)
		}
		if status := wire.VerifyBatch(batch, header.MessageCount, &c.verifier); status != wire.StatusOK {
			return fmt.Errorf("%w: batch at offset %d: %s", wire.ErrMalformed, header.BaseOffset, status)
		}
		count += uint64(header.MessageCount)
		batches = rest
	}
	if count != uint64(prefix.Count) {
		return fmt.Errorf("%w: %d messages, and a count of %d", wire.ErrMalformed, count, prefix.Count)
	}
	return nil
}

// All walks the messages with the headers of their batches. A message's offset is its batch's BaseOffset plus its
// own OffsetDelta, its time BaseTimestamp, and its producer's time OriginTimestamp plus TimestampDelta.
func (p Polled) All() iter.Seq2[wire.BatchHeader, wire.Message] {
	return func(yield func(wire.BatchHeader, wire.Message) bool) {
		for batches := p.Batches; len(batches) > 0; {
			batch, rest, _ := wire.NextBatch(batches) // verified, as is what follows
			header, _ := wire.DecodeBatchHeader(batch)
			messages := wire.MessagesIn(batch)
			for message, ok := messages.Next(); ok; message, ok = messages.Next() {
				if !yield(header, message) {
					return
				}
			}
			batches = rest
		}
	}
}

package main

import (
	"bufio"
	"context"
	"fmt"
	"time"

	"galgo/wire"
	"galgo/wire/client"
)

const (
	pollCountMax = 5000                  // messages of a poll
	pauseMax     = 50 * time.Millisecond // between rounds that found nothing
	waitMax      = 10 * time.Second      // for messages that were there at the start
	outputSize   = 256 << 10             // bytes of output that are written at once
)

// cursor is where the consumer is in one partition.
type cursor struct {
	partition uint32
	at        wire.Strategy // of the next poll: an offset, or a time until the first message has come
	end       uint64        // offset to stop at; in a consumer that does not stop, without meaning
	done      bool
}

// consumer prints messages of some partitions, a poll of each in turn.
type consumer struct {
	client   *client.Client
	key      wire.OffsetKey // its Partition is set for each use
	store    bool           // store offsets under key, once the output has them
	bounded  bool           // stop at the cursors' ends
	countMax uint64         // stop after so many messages; 0 for no limit
	withMeta bool
	out      *bufio.Writer
	progress *progress

	cursors []cursor
	count   uint64 // messages printed
	text    []byte
}

// locate makes the cursors for partitions of the topic, each at its start.
func (c *consumer) locate(partitions []wire.Partition, from startpoint) error {
	for _, p := range partitions {
		cursor := cursor{partition: p.ID, at: wire.Strategy{Kind: wire.PollOffset}}
		if p.MessagesCount > 0 {
			cursor.end = p.CurrentOffset + 1
		}
		switch from.kind {
		case startFirst: // an offset below the earliest one retained means that one
		case startLast:
			cursor.at.Value = cursor.end - min(cursor.end, max(c.countMax, 1))
		case startOffset:
			cursor.at.Value = from.value
		case startTime:
			cursor.at = wire.Strategy{Kind: wire.PollTimestamp, Value: from.value}
		case startNext:
			stored, found, err := c.client.Offset(c.keyOf(p.ID))
			if err != nil {
				return fmt.Errorf("stored offset of partition %d: %w", p.ID, err)
			}
			if found {
				cursor.at.Value = stored.StoredOffset + 1
			}
		}
		cursor.done = c.bounded && (cursor.end == 0 || cursor.at.Kind == wire.PollOffset && cursor.at.Value >= cursor.end)
		c.cursors = append(c.cursors, cursor)
	}
	return nil
}

func (c *consumer) keyOf(partition uint32) wire.OffsetKey {
	key := c.key
	key.Partition = wire.OptionalPartition{Present: true, ID: partition}
	return key
}

// run prints messages until the end, which for a consumer without one is that of ctx.
func (c *consumer) run(ctx context.Context) error {
	pause, idleSince := time.Millisecond, time.Now()
	for ctx.Err() == nil {
		before, open := c.count, false
		for i := range c.cursors {
			cursor := &c.cursors[i]
			if cursor.done {
				continue
			}
			if err := c.poll(cursor); err != nil {
				return err
			}
			if c.countMax > 0 && c.count == c.countMax || ctx.Err() != nil {
				return nil
			}
			open = open || !cursor.done
		}
		if !open {
			return nil
		}
		if c.count > before {
			pause, idleSince = time.Millisecond, time.Now()
			continue
		}
		if c.bounded && time.Since(idleSince) > waitMax {
			return c.missing()
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
		pause = min(2*pause, pauseMax)
	}
	return nil
}

// missing is the error for messages that the topic counted at the start and that do not come.
func (c *consumer) missing() error {
	for _, cursor := range c.cursors {
		if !cursor.done {
			return fmt.Errorf("partition %d: offsets %d to %d were there at the start, and the server does not return them",
				cursor.partition, cursor.at.Value, cursor.end-1)
		}
	}
	panic("consume: missing messages with all cursors done")
}

// poll prints what one poll returns, moves the cursor behind it, and stores the offset.
func (c *consumer) poll(cursor *cursor) error {
	want := uint64(pollCountMax)
	if c.bounded && cursor.at.Kind == wire.PollOffset {
		want = min(want, cursor.end-cursor.at.Value)
	}
	if c.countMax > 0 {
		want = min(want, c.countMax-c.count)
	}
	polled, err := c.client.Poll(wire.PollMessages{
		Consumer: c.key.Consumer, Stream: c.key.Stream, Topic: c.key.Topic,
		Partition: wire.OptionalPartition{Present: true, ID: cursor.partition},
		Strategy:  cursor.at, Count: uint32(want),
	})
	if err != nil {
		return fmt.Errorf("partition %d at %s: %w", cursor.partition, describeStrategy(cursor.at), err)
	}
	if polled.Count == 0 {
		if c.bounded { // behind the last message by time, or the partition lost its end to a purge
			cursor.end = min(cursor.end, polled.CurrentOffset+1)
			cursor.done = cursor.at.Kind == wire.PollTimestamp || cursor.at.Value >= cursor.end
		}
		return nil
	}
	last, printed, err := c.print(cursor, polled)
	if err != nil {
		return err
	}
	if err := c.out.Flush(); err != nil {
		return outputError{err}
	}
	if !printed {
		return nil
	}
	cursor.at = wire.Strategy{Kind: wire.PollOffset, Value: last + 1}
	cursor.done = cursor.done || c.bounded && last+1 >= cursor.end
	if c.store {
		if err := c.client.StoreOffset(c.keyOf(cursor.partition), last); err != nil {
			return fmt.Errorf("store offset %d of partition %d: %w", last, cursor.partition, err)
		}
	}
	return nil
}

// print writes the messages before the cursor's end, and returns the offset of the last one if there is any. Where it meets
// the end the cursor is done.
func (c *consumer) print(cursor *cursor, polled client.Polled) (last uint64, printed bool, err error) {
	bytes, before := uint64(0), c.count
	for header, message := range polled.All() {
		offset := header.BaseOffset + uint64(message.OffsetDelta)
		if cursor.at.Kind == wire.PollOffset && offset < cursor.at.Value {
			return last, printed, fmt.Errorf("partition %d: %w: offset %d, asked for %d", cursor.partition, wire.ErrMalformed, offset, cursor.at.Value)
		}
		if c.bounded && offset >= cursor.end || c.countMax > 0 && c.count == c.countMax {
			cursor.done = true
			break
		}
		if c.withMeta {
			c.text = appendMessageJSON(c.text[:0], polled.PartitionID, header, message)
			_, err = c.out.Write(c.text)
		} else {
			_, _ = c.out.Write(message.Payload) // its error stays and is the next one's
			err = c.out.WriteByte('\n')
		}
		if err != nil {
			return last, printed, outputError{err}
		}
		last, printed = offset, true
		c.count++
		bytes += uint64(len(message.Payload))
	}
	c.progress.add(c.count-before, bytes)
	return last, printed, nil
}

// outputError is a failure to write what was consumed.
type outputError struct{ err error }

func (e outputError) Error() string { return "output: " + e.err.Error() }
func (e outputError) Unwrap() error { return e.err }

func describeStrategy(s wire.Strategy) string {
	if s.Kind == wire.PollTimestamp {
		return string(appendMicros(nil, s.Value))
	}
	return fmt.Sprintf("offset %d", s.Value)
}

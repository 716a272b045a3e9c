package acceptance

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"galgo/wire"
	"galgo/wire/client"
)

// audit compares one partition with the ledger and with the files: it polls every message from offset 0 to the end.
//
// At each offset there is a message. Where the ledger has a span there is exactly that line. Where it has none there is a line
// whose send was never answered, which must be the next one of its file in its pass: so it is there once.
type audit struct {
	ledger    *ledger
	partition uint32
	spans     []span // not yet met, save the first met lines of the first
	met       uint64
	files     sources

	runs       map[uint64]int            // pass by the part of the message ids that all messages of a run of produce share
	unanswered map[unansweredFile]uint64 // count of lines that were never answered
}

type unansweredFile struct {
	pass int
	path string
}

func (l *ledger) audit(partition uint32) *audit {
	return &audit{ledger: l, partition: partition, spans: l.spans[partition], files: sources{}, runs: map[uint64]int{}, unanswered: map[unansweredFile]uint64{}}
}

// run polls the partition to its end. It returns how many messages there are.
func (a *audit) run(ctx context.Context, address string) (messages uint64, err error) {
	c, err := client.Dial(ctx, address, client.Options{Username: "iggy", Password: "iggy"})
	if err != nil {
		return 0, err
	}
	defer c.Close()
	for next := uint64(0); ; {
		polled, err := c.Poll(wire.PollMessages{
			Consumer: wire.Consumer{Kind: wire.ConsumerSingle, Ident: wire.IdentOf(1)}, Stream: streamName, Topic: topicName,
			Partition: wire.OptionalPartition{Present: true, ID: a.partition},
			Strategy:  wire.Strategy{Kind: wire.PollOffset, Value: next}, Count: 5000,
		})
		if err != nil {
			return next, fmt.Errorf("partition %d offset %d (%s is next): %w", a.partition, next, a.expected(), err)
		}
		for header, message := range polled.All() {
			if offset := header.BaseOffset + uint64(message.OffsetDelta); offset != next {
				return next, fmt.Errorf("partition %d: got offset %d, want %d (%s)", a.partition, offset, next, a.expected())
			}
			if err := a.check(next, message); err != nil {
				return next, err
			}
			next++
		}
		if polled.Count > 0 {
			continue
		}
		if len(a.spans) > 0 {
			return next, fmt.Errorf("partition %d ends at offset %d: %s was acknowledged at %d and is not there", a.partition, next, a.expected(), a.spans[0].offset+a.met)
		}
		return next, nil
	}
}

// expected names the next line that the ledger has.
func (a *audit) expected() string {
	if len(a.spans) == 0 {
		return "no line"
	}
	return fmt.Sprintf("%s:%d of pass %d", a.spans[0].path, a.spans[0].first+a.met, a.spans[0].pass)
}

// check compares the message at offset.
func (a *audit) check(offset uint64, message wire.Message) error {
	path, line, err := sourceOf(message.UserHeaders)
	if err != nil {
		return fmt.Errorf("partition %d offset %d: %w", a.partition, offset, err)
	}
	content, ok, err := a.files.at(string(path), line)
	if err != nil {
		return fmt.Errorf("partition %d offset %d: %w", a.partition, offset, err)
	}
	if !ok || !bytes.Equal(message.Payload, content) {
		return fmt.Errorf("%s:%d: partition %d offset %d: got %q, want %q", path, line, a.partition, offset, message.Payload, content)
	}
	if len(a.spans) == 0 || offset < a.spans[0].offset {
		return a.checkUnanswered(offset, string(path), line, message.ID.Hi)
	}
	s := &a.spans[0]
	if s.path != string(path) || s.first+a.met != line {
		return fmt.Errorf("%s:%d: partition %d offset %d: got %s:%d", s.path, s.first+a.met, a.partition, offset, path, line)
	}
	if pass, known := a.runs[message.ID.Hi]; known && pass != s.pass {
		return fmt.Errorf("%s:%d: partition %d offset %d: got the message of pass %d, want that of pass %d", path, line, a.partition, offset, pass, s.pass)
	}
	a.runs[message.ID.Hi] = s.pass
	if a.met++; a.met == s.count {
		a.spans, a.met = a.spans[1:], 0
	}
	return nil
}

// checkUnanswered checks a message that nothing acknowledged.
func (a *audit) checkUnanswered(offset uint64, path string, line, run uint64) error {
	pass, known := a.runs[run]
	if !known {
		return fmt.Errorf("%s:%d: partition %d offset %d: a message of no pass", path, line, a.partition, offset)
	}
	of := unansweredFile{pass, path}
	if want := a.ledger.acked[pass][path] + a.unanswered[of] + 1; line != want {
		return fmt.Errorf("%s:%d: partition %d offset %d: not acknowledged, and in pass %d line %d was next", path, line, a.partition, offset, pass, want)
	}
	a.unanswered[of]++
	return nil
}

// sourceOf reads the headers that `produce --source` gives a message.
func sourceOf(headers []byte) (path []byte, line uint64, err error) {
	pairs := wire.PairsIn(headers)
	for key, value, ok := pairs.Next(); ok; key, value, ok = pairs.Next() {
		switch {
		case string(key.Data) == "file" && value.Kind == wire.ValueString:
			path = value.Data
		case string(key.Data) == "line" && value.Kind == wire.ValueUint64:
			line = binary.LittleEndian.Uint64(value.Data)
		}
	}
	if pairs.Malformed() || len(path) == 0 || line == 0 {
		return nil, 0, errors.New("no headers that name file and line")
	}
	return path, line, nil
}

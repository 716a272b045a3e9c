package main

import (
	"bytes"
	"slices"
	"strings"
	"sync"
	"testing"

	"galgo/wire"
	"galgo/wire/client/scripted"

	"github.com/spf13/cobra"
)

// scriptedLog is as much of a server as the commands need: one topic, orders/events, whose sends it keeps and polls return.
type scriptedLog struct {
	mu         sync.Mutex
	missing    bool // the topic does not exist, until it is created
	partitions [][][]byte
	next       []uint64
	sends      []wire.SendMessages
	stored     map[uint32]uint64
	created    []wire.CreateTopic
	hasher     wire.BatchHasher
	verifier   wire.BatchVerifier
	// before may answer a request in place of the log.
	before func(h wire.RequestHeader, body []byte) (answer []byte, stay, answered bool)
}

func newScriptedLog(partitions int) *scriptedLog {
	return &scriptedLog{partitions: make([][][]byte, partitions), next: make([]uint64, partitions), stored: map[uint32]uint64{}}
}

func (l *scriptedLog) answer(h wire.RequestHeader, body []byte) ([]byte, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.before != nil {
		if answer, stay, answered := l.before(h, body); answered {
			return answer, stay
		}
	}
	switch h.CommandCode() {
	case wire.CodeRegister:
		return scripted.Registered(h, 1), true
	case wire.CodeGetTopic, wire.CodeCreateTopic:
		if h.Operation == wire.OpCreateTopic {
			create, _ := wire.DecodeCreateTopic(bytes.Clone(body))
			l.created, l.missing = append(l.created, create), false
		}
		if l.missing {
			return scripted.Reply(h, nil), true
		}
		return scripted.Reply(h, wire.AppendTopicDetails(nil, l.details())), true
	case wire.CodeGetStream:
		return scripted.Reply(h, nil), true
	case wire.CodeCreateStream:
		return scripted.Reject(h, wire.StatusStreamNameAlreadyExists), true
	case wire.CodeSendMessages:
		return l.send(h, bytes.Clone(body)), true
	case wire.CodePollMessages:
		return l.poll(h, body), true
	case wire.CodeGetConsumerOffset:
		key, _ := wire.DecodeOffsetKey(body)
		stored, found := l.stored[key.Partition.ID]
		if !found {
			return scripted.Reply(h, nil), true
		}
		return scripted.Reply(h, wire.AppendStoredOffset(nil, wire.StoredOffset{PartitionID: key.Partition.ID, StoredOffset: stored})), true
	case wire.CodeStoreConsumerOffset:
		store, _ := wire.DecodeStoreConsumerOffset(body)
		l.stored[store.Partition.ID] = store.Offset
		return scripted.Reply(h, nil), true
	}
	return scripted.Refuse(h, wire.StatusInvalidCommand), true
}

func (l *scriptedLog) details() wire.TopicDetails {
	d := wire.TopicDetails{Topic: wire.Topic{ID: 1, Name: []byte("events")}}
	for id, next := range l.next {
		d.Partitions = append(d.Partitions, wire.Partition{ID: uint32(id), CurrentOffset: max(next, 1) - 1, MessagesCount: next})
	}
	return d
}

func (l *scriptedLog) send(h wire.RequestHeader, body []byte) []byte {
	send, status := wire.DecodeSendMessages(body)
	if status == wire.StatusOK {
		status = wire.VerifyBatch(send.Batch, send.MessagesCount, &l.verifier)
	}
	if status != wire.StatusOK {
		return scripted.Refuse(h, status)
	}
	partition := uint32(len(l.sends)) % uint32(len(l.partitions))
	switch send.Partitioning.Kind {
	case wire.PartitionNumbered:
		partition = send.Partitioning.ID
	case wire.PartitionKeyed:
		partition = wire.KeyPartition(send.Partitioning.Key, uint32(len(l.partitions)))
	}
	base := l.next[partition]
	l.hasher.StampBatch(send.Batch, uint64(partition), base, 1_767_225_600_000_000+base)
	l.sends = append(l.sends, send)
	l.partitions[partition] = append(l.partitions[partition], send.Batch)
	l.next[partition] += uint64(send.MessagesCount)
	return scripted.Reply(h, wire.AppendSendReply(nil, wire.SendConfirmation{StreamID: 1, TopicID: 1, PartitionID: partition, BaseOffset: base}))
}

// poll returns the rest of one batch.
func (l *scriptedLog) poll(h wire.RequestHeader, body []byte) []byte {
	poll, _ := wire.DecodePollMessages(body)
	id := poll.Partition.ID
	prefix := wire.PollPrefix{PartitionID: id, CurrentOffset: max(l.next[id], 1) - 1}
	for _, batch := range l.partitions[id] {
		header, _ := wire.DecodeBatchHeader(batch)
		from := uint64(0)
		if poll.Strategy.Kind == wire.PollTimestamp {
			if header.BaseTimestamp < poll.Strategy.Value {
				continue
			}
		} else if from = poll.Strategy.Value - min(poll.Strategy.Value, header.BaseOffset); from >= uint64(header.MessageCount) {
			continue
		}
		to := min(uint64(header.MessageCount), from+uint64(poll.Count))
		front := make([]byte, wire.BatchHeaderSize)
		begin, end, ok := l.hasher.SliceBatch(front, batch, uint32(from), uint32(to))
		if !ok {
			panic("a batch that was verified does not slice")
		}
		prefix.Count = uint32(to - from)
		return scripted.Reply(h, slices.Concat(wire.AppendPollPrefix(nil, prefix), front, batch[begin:end]))
	}
	return scripted.Reply(h, wire.AppendPollPrefix(nil, prefix))
}

// payloads are the messages of a partition, each ended by '\n'.
func (l *scriptedLog) payloads(partition int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var text strings.Builder
	for _, batch := range l.partitions[partition] {
		for it := wire.MessagesIn(batch); ; {
			message, ok := it.Next()
			if !ok {
				break
			}
			text.Write(message.Payload)
			text.WriteByte('\n')
		}
	}
	return text.String()
}

// runOn executes a client command against the log and returns what it printed and its error.
func (l *scriptedLog) runOn(t testing.TB, c *cobra.Command, stdin string, args ...string) (stdout string, err error) {
	t.Helper()
	var out strings.Builder
	c.SetIn(strings.NewReader(stdin))
	c.SetOut(&out)
	c.SetErr(&out)
	c.SilenceErrors, c.SilenceUsage = true, true
	c.SetArgs(append([]string{"--address", scripted.Serve(t, l.answer), "--stream=orders", "--topic=events"}, args...))
	err = c.ExecuteContext(t.Context())
	return out.String(), err
}

package simtest

import (
	"encoding/binary"
	"slices"
	"testing"

	"galgo/components"
	"galgo/uring/sim"
	"galgo/wire"
)

// scene is a server with one client, for tests that say what goes wrong and when: a stream with topics of one partition each, and what was
// acknowledged in them.
type scene struct {
	*play
	t      *testing.T
	c      *client
	level  components.Level
	memory uint64
	sent   map[string][]uint64 // by topic: the numbers that its messages carry
	next   uint64
}

var sceneStream = wire.IdentNamed([]byte("s"))

func newScene(t *testing.T, level components.Level, memory uint64) *scene {
	t.Helper()
	return newSceneOf(t, 1, level, memory)
}

// newSceneOf is a scene in which a seed decides what is left to chance.
func newSceneOf(t *testing.T, seed uint64, level components.Level, memory uint64) *scene {
	t.Helper()
	return newSceneOn(t, sim.Options{Seed: seed, DiskBytes: 4 << 30}, level, memory)
}

// newSceneOn is a scene on a machine as it is described.
func newSceneOn(t *testing.T, o sim.Options, level components.Level, memory uint64) *scene {
	t.Helper()
	s := &scene{play: newPlay(o), t: t, level: level, memory: memory, sent: map[string][]uint64{}}
	t.Cleanup(func() { s.w.Kill() })
	s.begin()
	s.must(wire.OpCreateStream, wire.AppendCreateStream(nil, wire.CreateStream{Name: sceneStream.Name}))
	return s
}

// begin starts the server on what is there.
func (s *scene) begin() {
	s.t.Helper()
	var err error
	if s.server, err = start(s.w, 1, s.memory, s.level); err != nil {
		s.t.Fatal(err)
	}
	s.c = s.connect("somebody")
}

// again kills the server and starts it.
func (s *scene) again() {
	s.t.Helper()
	s.setFaults(sim.Faults{})
	s.w.Kill()
	s.begin()
}

func (s *scene) must(op wire.Operation, body []byte) {
	s.t.Helper()
	if got := s.c.call(op, 0, body); !got.ok() {
		s.t.Fatalf("%s: got %v, want ok", op, got)
	}
}

// topic creates a topic.
func (s *scene) topic(name string, pairs ...string) {
	s.t.Helper()
	s.must(wire.OpCreateTopic, wire.AppendCreateTopic(nil, wire.CreateTopic{Stream: sceneStream, Name: []byte(name), PartitionsCount: 1, Options: options(pairs...)}))
}

// send sends a message of so many bytes to a topic, and wants a status.
func (s *scene) send(topic string, size int, want wire.Status) {
	s.t.Helper()
	body := s.message(topic, s.next, size)
	got := s.c.call(wire.OpSendMessages, 0, body)
	if got.gone() || got.status != want {
		s.t.Fatalf("send to %s: got %v, want status %v", topic, got, want)
	}
	if got.ok() {
		s.sent[topic] = append(s.sent[topic], s.next)
	}
	s.next++
}

// message is the body of a send of one message that carries a number.
func (s *scene) message(topic string, number uint64, size int) []byte {
	var batch wire.BatchBuilder
	batch.Reset(1)
	batch.Add(wire.U128{Lo: number + 1}, 0, append(binary.LittleEndian.AppendUint64(nil, number), make([]byte, size)...), nil)
	body := wire.AppendSendMessages(nil, wire.SendMessages{Stream: sceneStream, Topic: wire.IdentNamed([]byte(topic)), MessagesCount: 1,
		Partitioning: wire.Partitioning{Kind: wire.PartitionNumbered}})
	return append(body, batch.Bytes()...)
}

// poll asks for the messages of a topic from an offset on.
func (s *scene) poll(topic string, offset uint64) answer {
	return s.c.call(wire.OpNonReplicated, wire.CodePollMessages, wire.AppendPollMessages(nil, wire.PollMessages{Consumer: single(1), Stream: sceneStream,
		Topic: wire.IdentNamed([]byte(topic)), Partition: wire.OptionalPartition{Present: true}, Strategy: wire.Strategy{Kind: wire.PollOffset, Value: offset}, Count: 100}))
}

// check reads a topic: what was acknowledged is there, in order. Of those that were not, some may be there behind it.
func (s *scene) check(topic string, more int) {
	s.t.Helper()
	var got []uint64
	for {
		polled := s.poll(topic, uint64(len(got)))
		_, batches, err := wire.DecodePollPrefix(polled.payload)
		if !polled.ok() || err != nil {
			s.t.Fatalf("poll of %s at %d: got %v %v, want messages", topic, len(got), polled, err)
		}
		numbers := numbersIn(batches)
		if len(numbers) == 0 {
			break
		}
		got = append(got, numbers...)
	}
	if sent := s.sent[topic]; len(got) < len(sent) || len(got) > len(sent)+more || !slices.Equal(got[:len(sent)], sent) {
		s.t.Fatalf("%s: got messages %v, want %v and %d more at most", topic, got, sent, more)
	}
	s.sent[topic] = got
}

// wait lets time pass.
func (s *scene) wait(micros uint64) {
	s.t.Helper()
	over := false
	s.w.After(micros, func() { over = true })
	for !over && s.w.Step() {
	}
}

// faulted checks how many partitions are.
func (s *scene) faulted(want int64) {
	s.t.Helper()
	if got := s.server.Shards[0].State.Gauges.Faulted.Load(); got != want {
		s.t.Fatalf("faulted partitions: got %d, want %d", got, want)
	}
}

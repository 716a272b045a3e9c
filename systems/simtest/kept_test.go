package simtest

import (
	"testing"

	"galgo/components"
	"galgo/uring/sim"
	"galgo/wire"
)

// A large batch stays in the memory it was received in, which the connection must not free then, whatever its send is answered and whoever is there to
// hear it: the journal frees it, once.
func TestMemoryOfKeptBatches(t *testing.T) {
	const size = 300_000
	ref := wire.AppendTopicRef(nil, wire.TopicRef{Stream: sceneStream, Topic: wire.IdentNamed([]byte("t"))})
	for _, way := range []struct {
		name   string
		faults sim.Faults
		end    func(s *scene, other *client) // what happens while the batch is being written; it is not slow itself
		want   wire.Status
	}{
		{"written", sim.Faults{}, func(*scene, *client) {}, wire.StatusOK},
		{"not written", sim.Faults{WriteError: 1}, func(*scene, *client) {}, wire.StatusCannotSaveMessagesToSegment},
		{"not written in time", sim.Faults{Stuck: 1, StuckMicros: 30 * second}, func(*scene, *client) {}, wire.StatusCannotSaveMessagesToSegment},
		{"its topic is deleted", sim.Faults{Stuck: 1, StuckMicros: 5 * second}, func(s *scene, other *client) {
			other.ask(wire.OpDeleteTopic, 0, ref, func(answer) {})
		}, wire.StatusResourceNotFound},
		{"its topic is purged", sim.Faults{Stuck: 1, StuckMicros: 5 * second}, func(s *scene, other *client) {
			other.ask(wire.OpPurgeTopic, 0, ref, func(answer) {})
		}, wire.StatusOK},
		{"its client is gone", sim.Faults{Stuck: 1, StuckMicros: 5 * second}, func(s *scene, _ *client) { s.c.hangUp() }, wire.StatusOK},
	} {
		t.Run(way.name, func(t *testing.T) {
			s := newScene(t, components.LevelWritten, 32<<20)
			other := s.connect("somebody else")
			s.topic("t")
			s.send("t", size, wire.StatusOK) // from now on it is known where the next one belongs
			s.send("t", size, wire.StatusOK)
			shard := s.server.Shards[0]
			before := shard.State.Journal.Adopted
			s.setFaults(way.faults)
			var got answer
			answered := false
			s.c.ask(wire.OpSendMessages, 0, s.message("t", s.next, size), func(a answer) { got, answered = a, true })
			s.runUntil("the write of the batch", func() bool { return shard.State.Journal.Adopted > before && shard.Storage.Writes > 0 })
			way.faults.Stuck = 0
			s.setFaults(way.faults)
			way.end(s, other)
			s.runUntil("the answer", func() bool { return answered })
			if !got.gone() && got.status != way.want {
				t.Errorf("send: got %v, want status %v", got, way.want)
			}
			s.setFaults(sim.Faults{})
			s.wait(40 * second)
			if again := other.call(wire.OpDeleteTopic, 0, ref); !again.ok() && way.want != wire.StatusResourceNotFound {
				t.Errorf("deletion of the topic: got %v, want ok", again)
			}
			s.wait(5 * second)
			if got := shard.State.HotIn(shard.Storage.Arena); got != 0 {
				t.Errorf("memory of batches once their topic is gone: got %d bytes, want none", got)
			}
			s.c.hangUp()
			other.hangUp()
			server := s.server
			server.Stop()
			s.runUntil("the stop", func() bool { return server.ended == 1 })
			if err := server.Undone(); err != nil {
				t.Errorf("stop: got %v, want a clean end", err)
			} else if leaks := server.Leaks(); leaks != "" {
				t.Errorf("after the stop: %s", leaks)
			}
		})
	}
}

package simtest

import (
	"testing"

	"galgo/components"
	"galgo/wire"
)

// A client may take its time with a reply, but not all the time there is: the reply's memory is not for others meanwhile.
func TestSlowReader(t *testing.T) {
	const messages = 4
	for _, c := range []struct {
		name  string
		bytes int    // that it reads
		every uint64 // µs
		want  bool   // it gets the reply
	}{
		{"a byte now and then", 1, 29 * second, false},
		{"a little at a time", 16 << 10, second / 8, true},
		{"much at a time, and long pauses", 256 << 10, 6 * second, true},
		{"a little at a time, and long pauses", 16 << 10, 6 * second, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t, components.LevelWritten, 32<<20)
			s.topic("t")
			for range messages {
				s.send("t", 1<<20-2000, wire.StatusOK)
			}
			shard := s.server.Shards[0]
			others := shard.State.Conns.Len()
			slow := s.connect("somebody slow")
			slow.sips = true
			var got answer
			answered := false
			slow.ask(wire.OpNonReplicated, wire.CodePollMessages, wire.AppendPollMessages(nil, wire.PollMessages{Consumer: single(1), Stream: sceneStream,
				Topic: wire.IdentNamed([]byte("t")), Partition: wire.OptionalPartition{Present: true}, Strategy: wire.Strategy{Kind: wire.PollFirst}, Count: messages}),
				func(a answer) { got, answered = a, true })
			begin := now(s.w)
			for shard.State.Conns.Len() > others && !answered && now(s.w) < begin+600*second {
				s.wait(c.every)
				slow.read(min(c.bytes, slow.peer.Readable()))
				slow.changed()
			}
			switch {
			case c.want && (!got.ok() || len(got.payload) < (messages<<20)*9/10):
				t.Errorf("after %d s: got %v, want the messages", (now(s.w)-begin)/second, got)
			case !c.want && (answered || shard.State.Conns.Len() > others):
				t.Errorf("after %d s: got it connected, want the connection closed", (now(s.w)-begin)/second)
			}
			s.wait(second)
			if leaks := s.server.Unaccounted(); leaks != "" {
				t.Error(leaks)
			}
			for _, span := range shard.State.Blocks.Span {
				if span.Len > 0 {
					t.Errorf("memory of replies: got %d bytes, want none", span.Len)
				}
			}
		})
	}
}

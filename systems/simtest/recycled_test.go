package simtest

import (
	"fmt"
	"testing"

	"galgo/components"
	"galgo/systems/storage"
	"galgo/uring/sim"
	"galgo/wire"
)

// Files go into the pool and become logs again, also on a file system that cannot rename without replacing, as NFS: nothing is faulted, nothing is
// left behind, and what was acknowledged outlives losses of power.
func TestRecycledFiles(t *testing.T) {
	for _, plain := range []bool{false, true} {
		t.Run(fmt.Sprint("plain renames ", plain), func(t *testing.T) {
			s := newSceneOn(t, sim.Options{Seed: 1, DiskBytes: 4 << 30, PlainRenames: plain}, components.LevelDurable, 32<<20)
			fill := func(topic string) {
				s.topic(topic, "segment_size", "1 MiB")
				for range 24 {
					s.send(topic, 250_000, wire.StatusOK)
				}
			}
			for i := range 3 {
				fill(fmt.Sprint("t", i))
				s.must(wire.OpDeleteTopic, wire.AppendTopicRef(nil, wire.TopicRef{Stream: sceneStream, Topic: wire.IdentNamed(fmt.Append(nil, "t", i))}))
				s.wait(5 * second)
				st := s.server.Shards[0].Storage
				if left := s.logs(); left != 0 || len(st.Pool.Files) < 4 {
					t.Fatalf("after the deletion of topic %d: got %d logs and %d files in the pool, want none and 4 or more", i, left, len(st.Pool.Files))
				}
			}
			before := len(s.server.Shards[0].Storage.Pool.Files)
			fill("kept")
			if after := len(s.server.Shards[0].Storage.Pool.Files); after > before-4 {
				t.Errorf("a topic of 6 segments: the pool went from %d to %d files, want 4 or more taken", before, after)
			}
			s.check("kept", 0)
			for range 2 {
				s.w.PowerCut()
				s.again()
				s.check("kept", 0)
				s.send("kept", 250_000, wire.StatusOK)
			}
			if damage := s.server.damage; len(damage) > 0 {
				t.Errorf("got %v, want no damage", damage)
			}
		})
	}
}

// logs counts the logs of segments.
func (s *scene) logs() (n int) {
	s.t.Helper()
	list, err := storage.ListSegments(s.server.host.Files(), root)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, ids := range list.Logs {
		n += len(ids)
	}
	return n
}

package simtest

import (
	"fmt"
	"strings"
	"testing"

	"galgo/components"
	"galgo/uring/sim"
	"galgo/wire"
)

// A write that fails, or takes less than it was given, ends what its partition takes, and nothing else: what was acknowledged is served, other
// partitions and metadata go on, and it is not tried again. The next start cuts what nobody has an answer to, and takes messages.
func TestFailedWrite(t *testing.T) {
	for name, faults := range map[string]sim.Faults{"error": {WriteError: 1}, "short": {ShortWrite: 1}} {
		for _, level := range []components.Level{components.LevelWritten, components.LevelDurable} {
			t.Run(fmt.Sprint(name, " ", level), func(t *testing.T) {
				s := newScene(t, level, 32<<20)
				s.topic("bad")
				s.topic("good")
				for range 5 {
					s.send("bad", 3000, wire.StatusOK)
					s.send("good", 3000, wire.StatusOK)
				}
				s.setFaults(faults)
				s.send("bad", 30_000, wire.StatusCannotSaveMessagesToSegment)
				s.setFaults(sim.Faults{})
				s.faulted(1)
				s.wait(5_000_000)
				s.send("bad", 3000, wire.StatusCannotSaveMessagesToSegment)
				s.check("bad", 0)
				for range 5 {
					s.send("good", 3000, wire.StatusOK)
				}
				s.check("good", 0)
				s.topic("another")
				s.send("another", 10, wire.StatusOK)

				s.again()
				s.faulted(0)
				s.check("bad", 1)
				s.send("bad", 3000, wire.StatusOK)
				s.check("bad", 0)
				s.check("good", 0)
				s.check("another", 0)
			})
		}
	}
}

// A sync that fails has lost nobody knows what: the partition takes nothing more, although later syncs say yes, and no voucher speaks for what it had.
func TestFailedSync(t *testing.T) {
	s := newScene(t, components.LevelWritten, 32<<20)
	s.topic("t")
	s.topic("other")
	s.send("t", 3000, wire.StatusOK)
	s.wait(3_000_000) // idle: synced, with its name, and vouched for
	s.send("t", 3000, wire.StatusOK)
	s.setFaults(sim.Faults{SyncError: 1})
	s.wait(3_000_000)
	s.setFaults(sim.Faults{})
	s.faulted(1)
	s.send("t", 3000, wire.StatusCannotSaveMessagesToSegment)
	s.check("t", 0)
	s.wait(5_000_000)
	s.send("t", 3000, wire.StatusCannotSaveMessagesToSegment)
	s.send("other", 3000, wire.StatusOK)
	s.check("other", 0)
	s.again()
	s.check("t", 0)
	s.send("t", 3000, wire.StatusOK)
}

// Where the names of logs cannot be made durable, a durable partition cannot begin one, and the others go on without vouchers: nothing is promised that a
// loss of power could break. It is not tried again in this run.
func TestFailedSyncOfNames(t *testing.T) {
	s := newScene(t, components.LevelWritten, 32<<20)
	s.topic("written")
	s.topic("durable", "durability", "persisted")
	s.send("written", 3000, wire.StatusOK)
	s.setFaults(sim.Faults{SyncError: 1})
	s.wait(3_000_000)
	s.send("durable", 3000, wire.StatusCannotSaveMessagesToSegment)
	s.setFaults(sim.Faults{})
	s.faulted(1)
	if !s.server.Shards[0].Storage.Names.Failed() {
		t.Fatal("names of logs: got them synced, want a failure")
	}
	s.send("written", 3000, wire.StatusOK)
	s.send("durable", 3000, wire.StatusCannotSaveMessagesToSegment)
	s.wait(5_000_000)
	s.check("written", 0)
	if n := &s.server.Shards[0].Storage.Names; n.Synced == n.Made {
		t.Fatal("names of logs: got them synced after a failure, want no second attempt")
	}
	s.again()
	s.faulted(0)
	s.check("written", 0)
	s.check("durable", 1)
	s.send("durable", 3000, wire.StatusOK)
	s.check("durable", 0)
}

// A sync of the directory that fails while files of a deleted topic are retired says as much as any other: names made since the last one may be lost, and
// a later sync does not tell. What has its names goes on, at every level.
func TestFailedSyncOfRetirement(t *testing.T) {
	s := newScene(t, components.LevelWritten, 32<<20)
	for _, topic := range []string{"written", "gone"} {
		s.topic(topic)
		s.send(topic, 2<<20, wire.StatusOK)
	}
	s.topic("durable", "durability", "persisted")
	s.topic("later", "durability", "persisted")
	s.send("durable", 3000, wire.StatusOK)
	s.wait(10 * second) // all is vouched for
	s.must(wire.OpDeleteTopic, wire.AppendTopicRef(nil, wire.TopicRef{Stream: sceneStream, Topic: wire.IdentNamed([]byte("gone"))}))
	s.setFaults(sim.Faults{SyncError: 1})
	s.wait(second)
	s.setFaults(sim.Faults{})
	st := s.server.Shards[0].Storage
	if !st.Names.Failed() || s.w.FaultCounts()[sim.FaultSyncError] != 1 || len(st.Pool.Files) > 0 {
		t.Fatalf("after a failed sync: got %v, that noted: %v, %d files in the pool, want one sync failed, noted, and no file", s.w.FaultCounts(), st.Names.Failed(), len(st.Pool.Files))
	}
	s.send("later", 3000, wire.StatusCannotSaveMessagesToSegment)
	s.faulted(1)
	s.send("durable", 3000, wire.StatusOK)
	s.send("written", 3000, wire.StatusOK)
	s.wait(10 * second)
	if n := &st.Names; n.Synced == n.Made {
		t.Fatal("names of logs: got them synced after a failure, want no second attempt")
	}
	s.w.PowerCut()
	s.again()
	s.faulted(0)
	s.check("durable", 0)
	s.send("later", 3000, wire.StatusOK)
}

// A read that fails is told, never skipped, and harms nothing: the next one may succeed.
func TestFailedRead(t *testing.T) {
	s := newScene(t, components.LevelWritten, 32<<20)
	s.topic("t")
	for range 20 {
		s.send("t", 3000, wire.StatusOK)
	}
	s.again() // what was sent is on disk alone
	s.send("t", 3000, wire.StatusOK)
	s.setFaults(sim.Faults{ReadError: 1})
	if got := s.poll("t", 3); got.status != wire.StatusCannotReadMessage {
		t.Fatalf("poll of what cannot be read: got %v, want status %v", got, wire.StatusCannotReadMessage)
	}
	s.send("t", 3000, wire.StatusOK) // its last block is in memory
	s.setFaults(sim.Faults{})
	s.faulted(0)
	s.check("t", 0)
}

// A last block that cannot be read back before an append is not guessed: the partition takes no more messages.
func TestFailedReadOfLastBlock(t *testing.T) {
	s := newScene(t, components.LevelWritten, 32<<20)
	s.topic("t")
	s.send("t", 3000, wire.StatusOK)
	s.again()
	s.setFaults(sim.Faults{ReadError: 1})
	s.send("t", 3000, wire.StatusCannotSaveMessagesToSegment)
	s.setFaults(sim.Faults{})
	s.faulted(1)
	s.send("t", 3000, wire.StatusCannotSaveMessagesToSegment)
	s.check("t", 0)
}

// A control log that cannot be written leaves metadata as it is until the next start. Messages, offsets and sessions go on.
func TestFailedControlLog(t *testing.T) {
	s := newScene(t, components.LevelWritten, 32<<20)
	s.topic("t")
	s.send("t", 3000, wire.StatusOK)
	s.setFaults(sim.Faults{WriteError: 1})
	create := wire.AppendCreateStream(nil, wire.CreateStream{Name: []byte("never")})
	refused := func(when string) {
		t.Helper()
		if got := s.c.call(wire.OpCreateStream, 0, create); got.status != wire.StatusCannotWriteToFile {
			t.Fatalf("create stream %s: got %v, want status %v", when, got, wire.StatusCannotWriteToFile)
		}
	}
	refused("with a failing disk")
	s.setFaults(sim.Faults{})
	refused("afterwards")
	s.send("t", 3000, wire.StatusOK)
	s.c = s.connect("somebody else")
	s.send("t", 3000, wire.StatusOK)
	s.check("t", 0)
	s.again()
	s.check("t", 0)
	s.topic("another")
}

// A removal whose control record could not be written may show at the next start, and takes all that is in a log then. So what it is about takes no more
// messages: what was acknowledged after the failure would go too. Everything else goes on.
func TestFailedRemoval(t *testing.T) {
	topic := wire.AppendTopicRef(nil, wire.TopicRef{Stream: sceneStream, Topic: wire.IdentNamed([]byte("t"))})
	for name, c := range map[string]struct {
		op   wire.Operation
		body []byte
		all  bool // topics
	}{
		"purge":              {wire.OpPurgeTopic, topic, false},
		"purge of all":       {wire.OpPurgeStream, wire.AppendIdent(nil, sceneStream), true},
		"deletion":           {wire.OpDeleteTopic, topic, false},
		"deletion of all":    {wire.OpDeleteStream, wire.AppendIdent(nil, sceneStream), true},
		"partitions deleted": {wire.OpDeletePartitions, wire.AppendChangePartitions(nil, wire.ChangePartitions{Stream: sceneStream, Topic: wire.IdentNamed([]byte("t")), Count: 1}), false},
	} {
		t.Run(name, func(t *testing.T) {
			landed := false
			for seed := range uint64(8) { // chance decides how much of a write that fails is there
				s := newSceneOf(t, seed, components.LevelWritten, 32<<20)
				s.topic("t")
				s.topic("other")
				s.send("t", 3000, wire.StatusOK)
				s.setFaults(sim.Faults{WriteError: 1})
				if got := s.c.call(c.op, 0, c.body); got.status != wire.StatusCannotWriteToFile {
					t.Fatalf("%s with a failing disk: got %v, want status %v", c.op, got, wire.StatusCannotWriteToFile)
				}
				s.setFaults(sim.Faults{})
				s.check("t", 0)
				s.send("t", 3000, wire.StatusCannotSaveMessagesToSegment)
				if !c.all {
					s.send("other", 3000, wire.StatusOK)
				}
				s.again()
				if got := s.poll("t", 0); !got.ok() || len(numbersIn(got.payload[wire.PollPrefixSize:])) == 0 {
					landed = true
				} else {
					s.check("t", 0)
					s.send("t", 3000, wire.StatusOK)
				}
				if !c.all {
					s.check("other", 0)
				}
			}
			if !landed {
				t.Errorf("got no removal that showed at the next start, want one among 8")
			}
		})
	}
}

// Without descriptors nobody is let in, no closed file is read, and no file is made: each is said, and goes on by itself when there are some. Connections
// and files that are open are not disturbed.
func TestFewDescriptors(t *testing.T) {
	s := newScene(t, components.LevelWritten, 32<<20)
	s.topic("old")
	for range 20 {
		s.send("old", 3000, wire.StatusOK)
	}
	s.wait(3_000_000) // vouched for, so that the next start need not open it
	s.again()
	s.topic("open")
	s.topic("new")
	s.send("open", 3000, wire.StatusOK)

	s.setFaults(sim.Faults{Descriptors: 1})
	s.send("open", 3000, wire.StatusOK)
	s.send("new", 3000, wire.StatusCannotAppendMessage)
	if got := s.poll("old", 0); got.status != wire.StatusCannotReadMessage {
		t.Fatalf("poll of a closed file: got %v, want status %v", got, wire.StatusCannotReadMessage)
	}
	waits := s.dial("late")
	var in answer
	done := false
	waits.login(passwordOf(user, password), func(a answer) { in, done = a, true })
	before := s.w.FaultCounts()[sim.FaultDescriptors]
	s.wait(1_000_000)
	if tries := s.w.FaultCounts()[sim.FaultDescriptors] - before; tries < 2 || tries > 20 {
		t.Errorf("accepting without descriptors: got %d tries in a second, want one every 100 ms", tries)
	}
	if done {
		t.Fatalf("login without descriptors: got %v, want nothing yet", in)
	}
	s.check("open", 0)
	s.setFaults(sim.Faults{})
	s.faulted(0)
	s.runUntil("the late login", func() bool { return done })
	if !in.ok() {
		t.Fatalf("login once there are descriptors: got %v, want a session", in)
	}
	s.check("old", 0)
	s.send("new", 3000, wire.StatusOK)
	s.send("old", 3000, wire.StatusOK)
	s.check("new", 0)
	s.check("old", 0)
}

// A log that cannot be opened for want of descriptors is opened when there are some: nothing was written, and nothing is lost. What waits for that is
// stored, and at memory, where it was answered long ago, so it has to be.
func TestFewDescriptorsAtAWrite(t *testing.T) {
	for _, level := range []components.Level{components.LevelMemory, components.LevelWritten, components.LevelDurable} {
		s := newScene(t, level, 32<<20)
		s.topic("t")
		s.send("t", 2*components.UnitSize-wire.BatchHeaderSize-wire.MessageHeaderSize-8, wire.StatusOK) // nothing needs to be read back before the next
		s.wait(3_000_000)
		s.again()
		s.setFaults(sim.Faults{Descriptors: 1})
		var got answer
		done := false
		s.c.ask(wire.OpSendMessages, 0, s.message("t", s.next, 3000), func(a answer) { got, done = a, true })
		s.wait(2_000_000)
		if done != (level == components.LevelMemory) {
			t.Fatalf("at %s, without descriptors: got answered %v (%v), want it at memory alone", level, done, got)
		}
		s.setFaults(sim.Faults{})
		s.runUntil("the answer", func() bool { return done })
		if !got.ok() {
			t.Fatalf("at %s, once there are descriptors: got %v, want ok", level, got)
		}
		s.sent["t"] = append(s.sent["t"], s.next)
		s.next++
		s.wait(3_000_000)
		s.faulted(0)
		s.again()
		s.check("t", 0)
	}
}

// The file of the next segment that cannot be made in time is made when it can: until then appends that need it are refused, and nothing is lost.
func TestFewDescriptorsAtARoll(t *testing.T) {
	s := newScene(t, components.LevelWritten, 32<<20)
	s.topic("t", "segment_size", "1 MiB")
	for range 6 { // short of where the next file is asked for
		s.send("t", 100_000, wire.StatusOK)
	}
	s.setFaults(sim.Faults{Descriptors: 1})
	for range 4 {
		s.send("t", 100_000, wire.StatusOK)
	}
	s.send("t", 100_000, wire.StatusCannotAppendMessage)
	s.send("t", 100, wire.StatusOK) // that much fits
	s.setFaults(sim.Faults{})
	s.faulted(0)
	s.wait(1_000_000)
	for range 10 {
		s.send("t", 100_000, wire.StatusOK)
	}
	s.check("t", 0)
	s.again()
	s.check("t", 0)
}

// A slow disk pushes back: what producers send waits at them, and the server's memory stays within its budget. All of it is stored in the end, none of
// it twice.
func TestSlowDiskPushesBack(t *testing.T) {
	const producers, size, memory = 40, 2 << 20, 32 << 20
	s := newScene(t, components.LevelWritten, memory)
	var clients []*client
	for i := range producers {
		s.topic(fmt.Sprint("t", i))
		clients = append(clients, s.connect(fmt.Sprint("producer ", i)))
	}
	s.setFaults(sim.Faults{Slow: 1, SlowMicros: 400_000})
	answered, most := 0, uint64(0)
	for i, c := range clients {
		c.ask(wire.OpSendMessages, 0, s.message(fmt.Sprint("t", i), uint64(i), size), func(a answer) {
			if !a.ok() {
				t.Errorf("%s: got %v, want ok", c.name, a)
			}
			answered++
		})
	}
	budget, waiting := s.server.Shards[0].Storage.Budget, 0
	s.runUntil("every answer", func() bool {
		most = max(most, budget.Granted())
		n := 0
		for _, c := range clients {
			if len(c.out) > 0 {
				n++
			}
		}
		waiting = max(waiting, n)
		return answered == producers
	})
	if most > memory || waiting < producers/2 {
		t.Errorf("%d MiB sent at once: got %d MiB of memory used and %d producers kept waiting, want %d MiB at most and most of them",
			producers*size>>20, most>>20, waiting, memory>>20)
	}
	s.setFaults(sim.Faults{})
	for i := range producers {
		topic := fmt.Sprint("t", i)
		s.sent[topic] = []uint64{uint64(i)}
		s.check(topic, 0)
	}
}

// A stop says what it could not keep: at memory a message is acknowledged, and a stored offset too, before anybody knows that it cannot be written. What was
// refused is no loss.
func TestStopAfterFailedWrite(t *testing.T) {
	for name, at := range map[string]struct {
		level components.Level
		write func(s *scene)
		want  string
	}{
		"messages in memory": {components.LevelMemory, func(s *scene) { s.send("t", 3000, wire.StatusOK) }, "messages of a partition"},
		"messages":           {components.LevelWritten, func(s *scene) { s.send("t", 3000, wire.StatusCannotSaveMessagesToSegment) }, ""},
		"offset in memory": {components.LevelMemory, func(s *scene) {
			s.must(wire.OpStoreConsumerOffset, wire.AppendStoreConsumerOffset(nil, wire.StoreConsumerOffset{Ack: wire.AckQuorum,
				OffsetKey: wire.OffsetKey{Consumer: single(1), Stream: sceneStream, Topic: wire.IdentNamed([]byte("t")), Partition: wire.OptionalPartition{Present: true}}}))
		}, "offsets of consumers"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, at.level, 32<<20)
			s.topic("t")
			s.send("t", 3000, wire.StatusOK)
			s.wait(3_000_000) // written
			s.setFaults(sim.Faults{WriteError: 1})
			at.write(s)
			s.wait(3_000_000)
			s.setFaults(sim.Faults{})
			s.c.hangUp()
			server := s.server
			server.Stop()
			s.runUntil("the stop", func() bool { return server.ended == 1 })
			err := server.Undone()
			if at.want == "" && err != nil || at.want != "" && (err == nil || !strings.Contains(err.Error(), at.want)) {
				t.Errorf("stop: got %v, want %q", err, at.want)
			}
		})
	}
}

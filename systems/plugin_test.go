package systems

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"

	"galgo/components"
	"galgo/ecs"
	"galgo/systems/state"
	"galgo/wire"
)

// scriptedPlugin asks for one thing after the other, and keeps what it sees.
type scriptedPlugin struct {
	todo    []func(ask *Asks)
	answers []components.PluginAnswer
	seen    []components.Happened
	topics  int // of stream "p", as the view said last
}

func (p *scriptedPlugin) Observe(v components.StateView, events []components.Happened, ask *Asks) {
	p.seen = append(p.seen, events...)
	for _, e := range events {
		if e.Kind == wire.EventTopicCreated {
			if stream, ok := v.Catalog().Stream(e.Stream); ok && v.Catalog().StreamName(e.Stream) == "p" {
				p.topics = stream.Topics
			}
		}
	}
	if answer, ok := ask.Answer(); ok {
		p.answers = append(p.answers, answer)
	}
	if !ask.Busy() && len(p.todo) > 0 {
		next := p.todo[0]
		p.todo = p.todo[1:]
		next(ask)
	}
}

// run ticks, with a disk that keeps up, until the plugin has all answers.
func (p *scriptedPlugin) run(w *tickWorld, want int) {
	w.t.Helper()
	for range 200 {
		if len(p.answers) == want {
			return
		}
		for _, kind := range tickKinds {
			w.complete(kind, ecs.None, 0)
		}
		w.run()
	}
	w.t.Fatalf("answers: got %d in 200 ticks, want %d", len(p.answers), want)
}

// A plugin asks for what a client could send, and gets what a client would get; it sees every event, and never the State.
func TestPluginAsksLikeAClient(t *testing.T) {
	w := newTickWorld(t)
	stream, topic := wire.IdentNamed([]byte("p")), wire.IdentNamed([]byte("t"))
	var batch wire.BatchBuilder
	batch.Reset(1)
	for i := range uint64(3) {
		batch.Add(wire.U128{Lo: i + 1}, 0, bytes.Repeat([]byte{byte('a' + i)}, 20_000), nil) // large enough to be referred to
	}
	bad := bytes.Clone(batch.Bytes())
	bad[len(bad)-1] ^= 1
	send := func(b []byte) []byte {
		return wire.AppendSendMessages(nil, wire.SendMessages{Stream: stream, Topic: topic, Partitioning: wire.Partitioning{Kind: wire.PartitionNumbered},
			MessagesCount: 3, Batch: b})
	}
	key := wire.OffsetKey{Consumer: wire.Consumer{Kind: wire.ConsumerSingle, Ident: wire.IdentOf(7)}, Stream: stream, Topic: topic,
		Partition: wire.OptionalPartition{Present: true}}
	operation := func(op wire.Operation, body []byte) func(*Asks) { return func(ask *Asks) { ask.Request(op, 0, body) } }
	read := func(code wire.Code, body []byte) func(*Asks) {
		return func(ask *Asks) { ask.Request(wire.OpNonReplicated, code, body) }
	}
	group := wire.AppendGroupRef(nil, wire.GroupRef{Stream: stream, Topic: topic, Group: wire.IdentNamed([]byte("g"))})
	steps := []struct {
		ask  func(*Asks)
		want wire.Status
	}{
		{operation(wire.OpCreateStream, wire.AppendCreateStream(nil, wire.CreateStream{Name: []byte("p")})), wire.StatusOK},
		{operation(wire.OpCreateTopic, wire.AppendCreateTopic(nil, wire.CreateTopic{Stream: stream, Name: []byte("t"), PartitionsCount: 1})), wire.StatusOK},
		{operation(wire.OpSendMessages, send(batch.Bytes())), wire.StatusOK},
		{operation(wire.OpSendMessages, send(bad)), wire.StatusInvalidMessageChecksum},
		{read(wire.CodePollMessages, wire.AppendPollMessages(nil, wire.PollMessages{Consumer: key.Consumer, Stream: stream, Topic: topic, Partition: key.Partition,
			Strategy: wire.Strategy{Kind: wire.PollFirst}, Count: 10})), wire.StatusOK},
		{operation(wire.OpStoreConsumerOffset, wire.AppendStoreConsumerOffset(nil, wire.StoreConsumerOffset{OffsetKey: key, Offset: 2})), wire.StatusOK},
		{read(wire.CodeGetConsumerOffset, wire.AppendOffsetKey(nil, key)), wire.StatusOK},
		{operation(wire.OpPurgeTopic, wire.AppendTopicRef(nil, wire.TopicRef{Stream: stream, Topic: topic})), wire.StatusOK},
		{operation(wire.OpDeleteSegments, wire.AppendDeleteSegments(nil, wire.DeleteSegments{Stream: stream, Topic: topic, SegmentsCount: 1})), wire.StatusOK},
		{operation(wire.OpJoinConsumerGroup, group), wire.StatusFeatureUnavailable},
		{func(ask *Asks) { ask.Truncate(ecs.MakeEntity(99, 1), 5) }, wire.StatusPartitionNotFound},
		{operation(wire.OpDeleteStream, wire.AppendIdent(nil, stream)), wire.StatusOK},
	}
	p := &scriptedPlugin{}
	for _, step := range steps {
		p.todo = append(p.todo, step.ask)
	}
	w.tick.Welcome(p)
	p.run(w, len(steps))
	for i, step := range steps {
		if p.answers[i].Status != step.want {
			t.Errorf("answer %d: got status %v, want %v", i, p.answers[i].Status, step.want)
		}
	}
	if prefix, batches, err := wire.DecodePollPrefix(p.answers[4].Body); err != nil || prefix.Count != 3 || bytes.Count(batches, []byte("b")) < 20_000 {
		t.Errorf("poll: got %v, %+v with %d bytes, want the three messages", err, prefix, len(batches))
	}
	if got := p.answers[6].Body; len(got) != wire.StoredOffsetSize {
		t.Errorf("stored offset: got %d bytes, want %d", len(got), wire.StoredOffsetSize)
	}
	var kinds []string
	for _, e := range p.seen {
		kinds = append(kinds, e.Kind.String())
	}
	if got, want := strings.Join(kinds, " "), "StreamCreated TopicCreated Purged StreamDeleted"; !strings.HasPrefix(got, want) {
		t.Errorf("events: got %s, want %s", got, want)
	}
	if p.topics != 1 {
		t.Errorf("topics in the view: got %d, want 1", p.topics)
	}
	w.checkEnd()
	if n := w.state.Arena.InUse(); n != 0 {
		t.Errorf("memory at the end: got %d bytes, want none", n)
	}
}

// A plugin has one request under way, and may not speak of sessions.
func TestPluginMistakesPanic(t *testing.T) {
	for name, mistake := range map[string]func(*tickWorld, *Asks){
		"two at a time": func(_ *tickWorld, ask *Asks) { ask.Truncate(0, 1); ask.Truncate(0, 2) },
		"a login":       func(w *tickWorld, ask *Asks) { ask.Request(wire.OpRegister, 0, nil); w.run() },
		"a logout":      func(w *tickWorld, ask *Asks) { ask.Request(wire.OpLogout, 0, nil); w.run() },
		"no operation":  func(w *tickWorld, ask *Asks) { ask.Request(99, 0, nil); w.run() },
	} {
		t.Run(name, func(t *testing.T) {
			w := newTickWorld(t)
			p := &scriptedPlugin{todo: []func(*Asks){func(ask *Asks) { mistake(w, ask) }}}
			w.tick.Welcome(p)
			defer func() {
				if recover() == nil {
					t.Error("got no panic, want one")
				}
			}()
			w.run()
			w.run()
		})
	}
}

// A stop waits for what a plugin has asked for, and for nothing else of it.
func TestStopWithPlugins(t *testing.T) {
	for _, asks := range []bool{false, true} {
		w := newTickWorld(t)
		p := &scriptedPlugin{}
		if asks {
			p.todo = append(p.todo, func(ask *Asks) {
				ask.Request(wire.OpCreateStream, 0, wire.AppendCreateStream(nil, wire.CreateStream{Name: []byte("p")}))
			})
		}
		w.tick.Welcome(p)
		w.run()
		w.run() // asked
		state.Stop(w.state)
		for range 20 {
			w.run()
			w.complete("control", ecs.None, 0)
		}
		if got := state.Undone(w.state); got != "" {
			t.Errorf("asks %v: after the stop: got %q left to be done, want nothing", asks, got)
		}
	}
}

// retained is a partition, as Retention sees it, with segments of so many bytes and ages in seconds, oldest first.
func retained(t *testing.T, options components.TopicOptions, partitions uint32, segmentSize uint64, segments ...[2]uint64) (w *tickWorld, row int) {
	t.Helper()
	w = newTickWorld(t)
	s, c := w.state, w.state.Catalog
	seq := c.Applied
	apply := func(e wire.Event) {
		seq++
		e.Seq = seq
		c.Apply(&e)
	}
	stream, topic := c.Streams.Entities.Take(), c.Topics.Entities.Take()
	var entities wire.Entities
	for range partitions {
		entities = entities.AppendEntity(uint64(c.Partitions.Entities.Take()))
	}
	apply(wire.Event{Kind: wire.EventStreamCreated, Stream: uint64(stream), Name: []byte("s")})
	apply(wire.Event{Kind: wire.EventTopicCreated, Stream: uint64(stream), Topic: uint64(topic), Name: []byte("t"), SegmentSize: segmentSize,
		MessageExpiry: options.MessageExpiry, MaxTopicSize: options.MaxSize, Partitions: entities})
	row = state.OpenPartition(s, c.Partitions.MustRow(ecs.Entity(entities.At(0))))
	offset := uint64(0)
	for i, segment := range segments {
		at := s.Segments.Add(uint64(i+1), offset, wire.SegmentHeadSize+segment[0])
		offset += 10
		s.Segments.Next[at], s.Segments.TimeLast[at] = offset, s.Now.WallMicros-segment[1]*1_000_000
		s.Partitions.Segments[row].Append(at)
		s.Partitions.Size[row] += segment[0]
	}
	return w, row
}

// What is too old or too much goes, in whole closed segments and 16 of them at most; what a partition may hold in any case stays.
func TestRetentionLimits(t *testing.T) {
	const mib, never = 1 << 20, math.MaxUint64
	many := make([][2]uint64, 40)
	for i := range many {
		many[i] = [2]uint64{8 * mib, 100}
	}
	for _, test := range []struct {
		name       string
		options    components.TopicOptions
		partitions uint32
		segments   [][2]uint64 // size, age
		frame      uint32      // bytes of the largest frame; 0: what a server takes if it is not told
		below      uint64
	}{
		{"no limits", components.TopicOptions{MessageExpiry: never, MaxSize: never}, 1, many, 0, 0},
		{"nothing", components.TopicOptions{MessageExpiry: 1, MaxSize: mib}, 1, nil, 0, 0},
		{"the open one", components.TopicOptions{MessageExpiry: 1, MaxSize: mib}, 1, many[:1], 0, 0},
		{"one is old", components.TopicOptions{MessageExpiry: 50e6, MaxSize: never}, 1, [][2]uint64{{mib, 60}, {mib, 40}, {mib, 30}}, 0, 10},
		{"an old one behind a young one", components.TopicOptions{MessageExpiry: 50e6, MaxSize: never}, 1, [][2]uint64{{mib, 40}, {mib, 60}, {mib, 30}}, 0, 0},
		{"just as old as may be", components.TopicOptions{MessageExpiry: 60e6, MaxSize: never}, 1, [][2]uint64{{mib, 60}, {mib, 60}}, 0, 0},
		{"all are old", components.TopicOptions{MessageExpiry: 50e6, MaxSize: never}, 1, many, 0, 160},
		{"from the future", components.TopicOptions{MessageExpiry: 1, MaxSize: never}, 1, [][2]uint64{{mib, 0}, {mib, 0}}, 0, 0},
		// 40 segments of 8 MiB are 320 MiB.
		{"too much", components.TopicOptions{MessageExpiry: never, MaxSize: 300 * mib}, 1, many, 0, 30},
		{"shared among partitions", components.TopicOptions{MessageExpiry: never, MaxSize: 600 * mib}, 2, many, 0, 30},
		{"16 at a time", components.TopicOptions{MessageExpiry: never, MaxSize: 100 * mib}, 1, many, 0, 160},
		// At least a segment and the largest frame, here 72 MiB, which 9 segments are.
		{"what may stay in any case", components.TopicOptions{MessageExpiry: never, MaxSize: 8 * mib}, 1, many[:9], 0, 0},
		{"more than that", components.TopicOptions{MessageExpiry: never, MaxSize: 8 * mib}, 1, many[:11], 0, 20},
		{"what may stay where frames are small", components.TopicOptions{MessageExpiry: never, MaxSize: 8 * mib}, 1, many[:2], 8 * mib, 0},
		{"more than that where frames are small", components.TopicOptions{MessageExpiry: never, MaxSize: 8 * mib}, 1, many[:5], 8 * mib, 30},
		{"more than that where frames are large", components.TopicOptions{MessageExpiry: never, MaxSize: 8 * mib}, 1, many[:20], 128 * mib, 30},
		{"old or too much", components.TopicOptions{MessageExpiry: 50e6, MaxSize: 8 * mib}, 1, [][2]uint64{{mib, 60}, {60 * mib, 10}, {60 * mib, 10}, {mib, 5}}, 0, 20},
	} {
		w, row := retained(t, test.options, test.partitions, 8*mib, test.segments...)
		if test.frame > 0 {
			w.state.Config.FrameMax = test.frame
		}
		if got := excess(w.state.View(), row); got != test.below {
			t.Errorf("%s: got below %d, want %d", test.name, got, test.below)
		}
	}
}

// Whoever has stored an offset below the last message that goes loses messages, and that is said once for the partition.
func TestRetentionWarnsOfLostMessages(t *testing.T) {
	for _, test := range []struct {
		stored []uint64
		warns  bool
	}{
		{nil, false},
		{[]uint64{9}, false}, // the last message that goes
		{[]uint64{8}, true},
		{[]uint64{30, 8}, true},
		{[]uint64{30, 9}, false},
	} {
		w, row := retained(t, components.TopicOptions{MessageExpiry: 50e6, MaxSize: math.MaxUint64}, 1, 1<<20, [2]uint64{1 << 20, 60}, [2]uint64{1 << 20, 40})
		for i, value := range test.stored {
			w.state.Offsets.Set(w.state.Partitions.Entity(row), components.ConsumerKey{Kind: wire.ConsumerSingle, ID: uint32(i)}, value, uint64(i)+1)
		}
		r := NewRetention(60_000_000)
		w.tick.Welcome(r)
		v, ask := w.state.View(), &w.tick.guests[0].asks
		for range 2 {
			r.warn(v, row, excess(v, row), ask)
		}
		if got := r.warned.Len() == 1; got != test.warns {
			t.Errorf("offsets %v stored, messages below 10 go: got a warning %v, want %v", test.stored, got, test.warns)
		}
	}
}

// A pass looks at some partitions in a tick, and an idle one costs nothing.
func TestRetentionAllocatesNothing(t *testing.T) {
	w := newTickWorld(t)
	r := NewRetention(60_000_000)
	w.tick.Welcome(r)
	w.run()
	v, ask := w.state.View(), &w.tick.guests[0].asks
	if got := testing.AllocsPerRun(100, func() { r.next = 0; r.Observe(v, nil, ask) }); got != 0 {
		t.Errorf("allocations of a pass: got %v, want 0", got)
	}
	if r.row >= 0 {
		t.Error(fmt.Sprint("pass over no partitions: got one that goes on at ", r.row))
	}
}

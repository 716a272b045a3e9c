package state

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"galgo/components"
	"galgo/ecs"
	"galgo/wire"
)

// pollModel is a partition and every message that was ever sent to it.
type pollModel struct {
	e         *engine
	partition ecs.Entity
	sent      [][]byte // by offset
	bases     []uint64 // by batch: offset of its first message
	acks      []ecs.Entity
	stored    uint64 // offset stored for the consumer, plus one
}

// asked is a poll under way and what its answer may be.
type asked struct {
	conn    ecs.Entity
	start   uint64 // where it has to begin
	visible uint64 // messages below it have to be found
	count   uint32
	byTime  uint64 // µs, or 0
	commit  bool
}

func (m *pollModel) send(random *rand.Rand) {
	size := 300
	switch random.IntN(12) {
	case 0:
		size = 30_000
	case 1:
		size = 0
	case 2:
		size = 3000
	}
	batch, messages := batchOf(random, 1+random.IntN(20), size)
	m.acks = append(m.acks, m.e.send(m.partition, batch))
	m.bases = append(m.bases, uint64(len(m.sent)))
	m.sent = append(m.sent, messages...)
}

func (m *pollModel) ask(random *rand.Rand) asked {
	parts, row := &m.e.s.Partitions, m.e.row(m.partition)
	a := asked{visible: parts.Visible(row), count: uint32(random.IntN(60)), commit: random.IntN(3) == 0}
	if random.IntN(10) == 0 {
		a.count = 100_000
	}
	strategy := wire.Strategy{Kind: uint8(1 + random.IntN(5))}
	switch strategy.Kind {
	case wire.PollOffset:
		strategy.Value = uint64(random.IntN(len(m.sent) + 5))
		a.start = strategy.Value
	case wire.PollTimestamp:
		strategy.Value = 1_000_000 + uint64(random.IntN(int(m.e.s.Now.WallMicros-1_000_000+50)))
		if random.IntN(2) == 0 {
			strategy.Value = m.e.s.Now.WallMicros - uint64(random.IntN(300))
		}
		a.byTime = strategy.Value
	case wire.PollLast:
		a.start = a.visible - min(a.visible, uint64(a.count))
	case wire.PollNext:
		a.start, a.commit = m.stored, false // what is stored may move before the answer
	}
	a.conn = m.e.poll(m.partition, strategy, a.count, a.commit)
	return a
}

// check compares an answer with what was sent.
func (m *pollModel) check(a asked, r components.Reply, times []uint64) {
	e, t := m.e, m.e.t
	t.Helper()
	first, messages, _ := e.messages(e.body(r))
	if a.byTime > 0 { // the first batch appended at or after the time, if it was there to be found
		batch := 0
		for batch < len(times) && times[batch] < a.byTime {
			batch++
		}
		if batch < len(times) {
			a.start = m.bases[batch]
		} else {
			a.start = uint64(len(m.sent))
		}
	}
	if len(messages) == 0 {
		if a.count > 0 && a.start < a.visible {
			t.Fatalf("poll %+v: got nothing, want message %d", a, a.start)
		}
		return
	}
	if first != a.start || len(messages) > int(a.count) {
		t.Fatalf("poll %+v: got %d messages from %d", a, len(messages), first)
	}
	for i, message := range messages {
		if !bytes.Equal(message, m.sent[first+uint64(i)]) {
			t.Fatalf("poll %+v: message %d: got other bytes than were sent", a, first+uint64(i))
		}
	}
	if a.commit {
		m.stored = max(m.stored, first+uint64(len(messages)))
		at, ok := e.s.Offsets.Find(m.partition, components.ConsumerKey{Kind: wire.ConsumerSingle, ID: 1})
		if !ok || e.s.Offsets.Value[at]+1 < m.stored {
			t.Fatalf("poll %+v: got stored offset %v, want %d at least", a, ok, m.stored-1)
		}
	}
}

// Polls of every kind, from memory and from disk, while batches are appended, segments roll, writes take their time and memory is
// short: each answer is what a list of all messages says.
func TestPollModel(t *testing.T) {
	for seed := range uint64(24) {
		random := rand.New(rand.NewPCG(seed, 9))
		e := newEngine(t, 1<<20)
		m := &pollModel{e: e, partition: e.partition(components.Level(seed%3), 1<<18)}
		row := e.row(m.partition)
		var polls []asked
		for range 700 {
			switch random.IntN(6) {
			case 0, 1:
				if e.s.Sends.Total() == 0 {
					m.send(random)
				}
			case 2:
				if len(m.sent) > 0 && len(polls) < 5 {
					polls = append(polls, m.ask(random))
				}
			case 3:
				e.grow()
				e.readTails()
				e.writeOffsets()
			case 4:
				e.write()
			case 5:
				if random.IntN(2) == 0 {
					e.disk()
				}
				if random.IntN(10) == 0 {
					e.s.Now.MonoMicros += idleMicros
				}
			}
			e.noSpare = random.IntN(8) == 0
			e.tick()
			polls = m.take(polls)
		}
		for len(polls) > 0 {
			e.run(1)
			polls = m.take(polls)
		}
		e.run(20)
		if e.s.Partitions.Level[row] == components.LevelMemory {
			e.s.Now.MonoMicros += lazyMicros
			e.run(20)
		}
		for _, conn := range m.acks {
			e.want(conn, wire.StatusOK)
		}
		if got := e.s.Partitions.OffsetWritten[row]; got != uint64(len(m.sent)) {
			t.Fatalf("seed %d: written at the end: got %d, want %d", seed, got, len(m.sent))
		}
		DoomPartition(e.s, m.partition)
		e.run(10)
		e.empty()
	}
}

// take checks the polls that are answered and returns the others.
func (m *pollModel) take(polls []asked) (left []asked) {
	var times []uint64
	for _, a := range polls {
		r, ok := m.e.replies[a.conn]
		if !ok {
			left = append(left, a)
			continue
		}
		if times == nil {
			times = m.times()
		}
		delete(m.e.replies, a.conn)
		m.check(a, r, times)
	}
	return left
}

// times are the base timestamps of all batches that were appended, from files and memory.
func (m *pollModel) times() []uint64 {
	s, row := m.e.s, m.e.row(m.partition)
	times := make([]uint64, 0, len(m.bases))
	list := &s.Partitions.Segments[row]
	for i := range list.Len() {
		segment := list.At(i)
		file := m.e.files[s.Segments.ID[segment]]
		end := coldEnd(s, row, segment)
		for at := uint64(wire.SegmentHeadSize); at < end; {
			header, _ := wire.DecodeBatchHeader(file[at:])
			times = append(times, header.BaseTimestamp)
			at += header.Length
		}
	}
	if written := s.Partitions.OffsetWritten[row]; written < s.Partitions.OffsetNext[row] {
		walk := s.Walk(row, s.HotPlace(row, written))
		for header, ok := walk.Header(); ok; header, ok = walk.Header() {
			if header.BaseOffset >= written {
				times = append(times, header.BaseTimestamp)
			}
			walk.Skip(header.Length)
		}
	}
	return times
}

// A reply of very many small batches is cut, whether they are copied or referred to, and none of them is lost.
func TestPollOfManyBatches(t *testing.T) {
	for _, size := range []int{5000, 9000} {
		e := newEngine(t, 48<<20)
		partition := e.partition(components.LevelMemory, 1<<30)
		var b wire.BatchBuilder
		const batches = 2200
		for i := range uint64(batches) {
			b.Reset(1)
			b.Add(wire.U128{Lo: i + 1}, 0, bytes.Repeat([]byte{byte(i)}, size), nil)
			if r := e.settle(e.send(partition, b.Bytes())); r.Kind != components.ReplySent {
				t.Fatalf("send %d: got %+v", i, r)
			}
		}
		replies := 0
		for at := uint64(0); at < batches; replies++ {
			r := e.settle(e.poll(partition, wire.Strategy{Kind: wire.PollOffset, Value: at}, 1<<20, false))
			if r.Block.Vectors > components.VectorsMax || uint64(r.Block.Span.Len) > 2*copiedMax {
				t.Fatalf("reply: got %d vectors and %d bytes copied, want %d and %d at most", r.Block.Vectors, r.Block.Span.Len, components.VectorsMax, copiedMax)
			}
			first, messages, _ := e.messages(e.body(r))
			if first != at || len(messages) == 0 {
				t.Fatalf("poll at %d: got %d messages from %d", at, len(messages), first)
			}
			for i, message := range messages {
				if message[len(message)-1] != byte(at+uint64(i)) {
					t.Fatalf("message %d: got another one", at+uint64(i))
				}
			}
			at += uint64(len(messages))
		}
		if replies < 2 {
			t.Fatalf("replies: got %d, want several", replies)
		}
	}
}

// However many polls wait, a tick copies no more than its budget, and one poll beyond it; the others keep their places.
func TestPollsShareTicks(t *testing.T) {
	e := newEngine(t, 256<<20)
	partition := e.partition(components.LevelMemory, 1<<30)
	for range 1100 { // as large as what is copied may be
		e.send(partition, plain(1, 7600))
		e.run(1)
	}
	clear(e.replies)
	for range 14 {
		e.poll(partition, wire.Strategy{Kind: wire.PollFirst}, 2000, false)
	}
	for most := pollBudget.Bytes/(copiedMax-16<<10) + 1; e.s.Polling.Len() > 0 || e.s.Requests.Len() > 0; {
		e.tick()
		if got := len(e.replies); got == 0 || got > most {
			t.Fatalf("polls of 8 MiB each: got %d answered in one tick, want %d at most", got, most)
		}
		if e.s.Polling.Len() > 0 && e.s.Deadline != e.s.Now.MonoMicros {
			t.Errorf("polls wait for their turn: got a deadline of %d, want the next tick at once, %d", e.s.Deadline, e.s.Now.MonoMicros)
		}
		for conn, r := range e.replies {
			e.body(r)
			delete(e.replies, conn)
		}
	}
}

// A reply takes as many batches as fit a frame, and one at least.
func TestPollOfLargeBatches(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 100 MiB")
	}
	e := newEngine(t, 160<<20)
	partition := e.partition(components.LevelMemory, 1<<30)
	for range 3 {
		e.settle(e.send(partition, plain(1, 25<<20)))
	}
	for from, want := range []int{2, 2, 1} {
		conn := e.poll(partition, wire.Strategy{Kind: wire.PollOffset, Value: uint64(from)}, 10, false)
		e.tick() // without a disk
		if first, messages, _ := e.messages(e.body(e.settle(conn))); first != uint64(from) || len(messages) != want {
			t.Errorf("poll at %d: got %d messages from %d, want %d", from, len(messages), first, want)
		}
	}
}

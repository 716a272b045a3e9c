package state

import (
	"bytes"
	"math/rand/v2"
	"syscall"
	"testing"

	"galgo/components"
	"galgo/ecs"
	"galgo/wire"
)

// removalModel is what one partition should hold: the messages of every epoch, one list each.
type removalModel struct {
	e         *engine
	partition ecs.Entity
	random    *rand.Rand
	epochs    [][][]byte // sent, by epoch and offset
	waiting   [][]byte   // of the send that is not appended yet
	sends     []ecs.Entity
	polls     []removalPoll
	truncate  ecs.Entity // who asked for it, and was not answered
	proposal  ecs.Entity
	first     uint64
}

type removalPoll struct {
	conn    ecs.Entity
	epoch   int // when it was asked
	visible uint64
	start   uint64
	count   uint32
}

func (m *removalModel) row() int { return m.e.row(m.partition) }

func (m *removalModel) send() {
	if m.waiting != nil {
		return
	}
	batch, messages := batchOf(m.random, 1+m.random.IntN(4), 40_000)
	m.sends = append(m.sends, m.e.send(m.partition, batch))
	m.waiting = messages
}

func (m *removalModel) poll() {
	if len(m.polls) > 5 {
		return
	}
	sent := len(m.epochs[len(m.epochs)-1])
	p := removalPoll{epoch: len(m.epochs) - 1, visible: m.e.s.Partitions.Visible(m.row()), start: uint64(m.random.IntN(sent + 3)), count: 1 + uint32(m.random.IntN(20))}
	p.conn = m.e.poll(m.partition, wire.Strategy{Kind: wire.PollOffset, Value: p.start}, p.count, m.random.IntN(3) == 0)
	m.polls = append(m.polls, p)
}

// purge applies the event of a purge, as ApplyEvents does between two ticks' requests.
func (m *removalModel) purge() {
	m.epochs = append(m.epochs, nil)
	m.first = 0
	purge(m.e.s, &wire.Event{Kind: wire.EventPurged, Partition: uint64(m.partition), Epoch: uint64(len(m.epochs) - 1)})
	if _, stored := m.e.s.Offsets.Find(m.partition, components.ConsumerKey{Kind: wire.ConsumerSingle, ID: 1}); stored {
		m.e.t.Fatal("after a purge: got a stored offset, want none")
	}
}

// remove asks for a truncation, or for a proposal.
func (m *removalModel) remove() {
	at := uint64(m.random.IntN(len(m.epochs[len(m.epochs)-1]) + 1))
	if m.random.IntN(2) == 0 {
		if m.truncate == ecs.None {
			m.truncate = m.e.ask(components.Request{Kind: components.RequestTruncate, Partition: m.partition, Offset: at})
		}
	} else if m.proposal == ecs.None {
		m.proposal = m.e.ask(components.Request{Kind: components.RequestPropose, Partition: m.partition, Count: 1 + uint32(m.random.IntN(4))})
	}
}

// tick runs a tick and takes what came of it.
func (m *removalModel) tick() {
	e, t := m.e, m.e.t
	t.Helper()
	e.tick()
	row := m.row()
	if m.waiting != nil && e.s.Sends.Len(row) == 0 {
		last := len(m.epochs) - 1
		m.epochs[last], m.waiting = append(m.epochs[last], m.waiting...), nil
	}
	if r, ok := e.replies[m.truncate]; ok {
		delete(e.replies, m.truncate)
		if r.Status != wire.StatusOK {
			t.Fatalf("truncation: got %+v", r)
		}
		m.truncate = ecs.None
	}
	if r, ok := e.replies[m.proposal]; ok {
		delete(e.replies, m.proposal)
		m.proposal = ecs.None
		m.proposed(r)
	}
	m.polls = m.answered()
	m.check()
}

// proposed checks what the owner proposes, and lets it happen.
func (m *removalModel) proposed(r components.Reply) {
	e, t := m.e, m.e.t
	t.Helper()
	if r.Kind != components.ReplyProposed || r.Epoch != uint64(len(m.epochs)-1) && r.Offset > 0 {
		t.Fatalf("proposal: got %+v in epoch %d", r, len(m.epochs)-1)
	}
	if at, ok := e.s.Offsets.Find(m.partition, components.ConsumerKey{Kind: wire.ConsumerSingle, ID: 1}); ok && r.Offset > e.s.Offsets.Value[at]+1 {
		t.Fatalf("proposal: got %d, past the stored offset %d", r.Offset, e.s.Offsets.Value[at])
	}
	removeSegments(e.s, &wire.Event{Kind: wire.EventSegmentsRemoved, Partition: uint64(m.partition), Offset: r.Offset})
}

// answered compares the polls that are answered with the messages, and returns the others. A poll that meets a purge may show either epoch; none
// shows anything else, and what it shows is without a gap.
func (m *removalModel) answered() (left []removalPoll) {
	e, t := m.e, m.e.t
	t.Helper()
	for _, p := range m.polls {
		r, ok := e.replies[p.conn]
		if !ok {
			left = append(left, p)
			continue
		}
		delete(e.replies, p.conn)
		first, messages, _ := e.messages(e.body(r))
		if len(messages) == 0 {
			if p.epoch == len(m.epochs)-1 && p.start < p.visible {
				t.Fatalf("poll %+v: got nothing, want message %d or a later one", p, p.start)
			}
			continue
		}
		if uint32(len(messages)) > p.count || first < p.start {
			t.Fatalf("poll %+v: got %d messages from %d", p, len(messages), first)
		}
		matches := false
		for _, sent := range m.epochs[p.epoch:] {
			good := first+uint64(len(messages)) <= uint64(len(sent))
			for i := 0; good && i < len(messages); i++ {
				good = bytes.Equal(messages[i], sent[first+uint64(i)])
			}
			matches = matches || good
		}
		if !matches {
			t.Fatalf("poll %+v: got %d messages from %d that were never sent there", p, len(messages), first)
		}
	}
	return left
}

// check compares the partition's numbers with each other and with the model.
func (m *removalModel) check() {
	s, t, row := m.e.s, m.e.t, m.row()
	t.Helper()
	p := &s.Partitions
	if p.OffsetFirst[row] < m.first || p.OffsetFirst[row] > p.OffsetWritten[row] || p.OffsetNext[row] != uint64(len(m.epochs[len(m.epochs)-1])) {
		t.Fatalf("offsets: got [%d,%d) written %d after first %d, want %d messages", p.OffsetFirst[row], p.OffsetNext[row], p.OffsetWritten[row], m.first,
			len(m.epochs[len(m.epochs)-1]))
	}
	m.first = p.OffsetFirst[row]
	counts := s.Counters.Of(m.partition)
	if counts.First != p.OffsetFirst[row] {
		t.Fatalf("counters: got %+v of first %d", counts, p.OffsetFirst[row])
	}
	if p.Phase[row] == components.Purging {
		if want := (components.PartitionCounts{Segments: 1}); counts != want {
			t.Fatalf("counters while purging: got %+v, want %+v", counts, want)
		}
		return
	}
	size := uint64(0)
	for i := range p.Segments[row].Len() {
		segment := p.Segments[row].At(i)
		size += s.Segments.End[segment] - min(s.Segments.End[segment], wire.SegmentHeadSize)
		if i == 0 && s.Segments.Base[segment] != p.OffsetFirst[row] {
			t.Fatalf("first segment: got one from %d, want %d", s.Segments.Base[segment], p.OffsetFirst[row])
		}
	}
	if size != p.Size[row] {
		t.Fatalf("size: got %d, want %d of all segments", p.Size[row], size)
	}
}

// Sends, polls, truncations, removals of segments and purges in any order, with a disk that takes its time and memory that is short: what is
// read was sent, nothing is read from a file that is gone, and in the end no file, no memory and no request is left over.
func TestRemovalModel(t *testing.T) {
	seeds := uint64(20)
	if testing.Short() {
		seeds = 5
	}
	for seed := range seeds {
		random := rand.New(rand.NewPCG(seed, 77))
		e := newEngine(t, 1<<20)
		m := &removalModel{e: e, random: random, partition: e.partition(components.Level(seed%3), 1<<17), epochs: make([][][]byte, 1)}
		for range 600 {
			switch random.IntN(12) {
			case 0, 1, 2:
				m.send()
			case 3, 4:
				m.poll()
			case 5:
				m.remove()
			case 6:
				e.write()
			case 7:
				e.grow()
				e.readTails()
			case 8:
				e.writeOffsets()
			case 9:
				if random.IntN(8) == 0 {
					m.purge()
				}
			case 10:
				if random.IntN(6) == 0 {
					e.s.Now.MonoMicros += idleMicros
				}
				if random.IntN(6) == 0 {
					e.s.Evict(1 << 20)
				}
			default:
				e.disk()
			}
			m.tick()
		}
		for range 100 {
			e.disk()
			e.s.Now.MonoMicros += lazyMicros
			m.tick()
		}
		if len(m.polls) > 0 || m.waiting != nil || m.truncate != ecs.None || m.proposal != ecs.None {
			t.Fatalf("seed %d: at the end: got requests that are not answered: %d polls, send %v", seed, len(m.polls), m.waiting != nil)
		}
		for _, conn := range m.sends {
			e.want(conn, wire.StatusOK)
		}
		row := m.row()
		if p := &e.s.Partitions; p.Retired[row].Len() > 0 || len(e.files) != p.Segments[row].Len() || p.Phase[row] != components.Ready {
			t.Fatalf("seed %d: at the end: got %d retired segments, %d files of %d segments, phase %v", seed, p.Retired[row].Len(), len(e.files), p.Segments[row].Len(), p.Phase[row])
		}
		// All that is left can be read.
		for at := m.first; at < uint64(len(m.epochs[len(m.epochs)-1])); {
			p := removalPoll{epoch: len(m.epochs) - 1, start: at, count: 10}
			_, messages, _ := e.messages(e.body(e.settle(e.poll(m.partition, wire.Strategy{Kind: wire.PollOffset, Value: at}, p.count, false))))
			if len(messages) == 0 || !bytes.Equal(messages[0], m.epochs[p.epoch][at]) {
				t.Fatalf("seed %d: read at %d: got %d messages, want the one that was sent", seed, at, len(messages))
			}
			at += uint64(len(messages))
		}
		DoomPartition(e.s, m.partition)
		e.run(20)
		e.empty()
	}
}

// A partition that is faulted begins anew with a purge, for what was wrong with its files goes with them.
func TestPurgeOfAFaultedPartition(t *testing.T) {
	e := newEngine(t, 8<<20)
	partition := e.partition(components.LevelWritten, 1<<30)
	e.settle(e.send(partition, plain(5, 100)))
	e.failing = syscall.EIO
	lost := e.send(partition, plain(5, 100))
	e.tick()
	purge(e.s, &wire.Event{Kind: wire.EventPurged, Partition: uint64(partition), Epoch: 1}) // a write that fails now is of no account
	e.run(2)
	e.want(lost, wire.StatusOK)
	if got := e.s.Gauges.Faulted.Load(); got != 0 {
		t.Errorf("faulted partitions: got %d, want none", got)
	}
	second := e.send(partition, plain(5, 100))
	e.run(4)
	e.want(second, wire.StatusCannotSaveMessagesToSegment)
	if got := e.s.Gauges.Faulted.Load(); got != 1 {
		t.Errorf("faulted partitions: got %d, want 1", got)
	}
	e.failing = 0
	purge(e.s, &wire.Event{Kind: wire.EventPurged, Partition: uint64(partition), Epoch: 2})
	if r := e.settle(e.send(partition, plain(5, 100))); r.Kind != components.ReplySent || r.Offset != 0 || e.s.Gauges.Faulted.Load() != 0 {
		t.Errorf("send after the purge: got %+v with %d faulted, want offset 0", r, e.s.Gauges.Faulted.Load())
	}
	DoomPartition(e.s, partition)
	e.run(5)
	e.empty()
}

// A reply on its way holds up neither a purge nor a removal, and what it refers to stays as it was until it is sent.
func TestRepliesOutliveTheirLog(t *testing.T) {
	e := newEngine(t, 4<<20)
	partition := e.partition(components.LevelWritten, 1<<17)
	batch, sent := batchOf(rand.New(rand.NewPCG(1, 1)), 2, 50_000)
	for range 3 {
		e.settle(e.send(partition, batch))
	}
	hot := e.settle(e.poll(partition, wire.Strategy{Kind: wire.PollOffset}, 2, false))
	e.s.Evict(4 << 20)
	cold := e.settle(e.poll(partition, wire.Strategy{Kind: wire.PollOffset}, 2, false))
	if r := e.settle(e.ask(components.Request{Kind: components.RequestTruncate, Partition: partition, Offset: 4})); r.Status != wire.StatusOK {
		t.Fatalf("truncation: got %+v", r)
	}
	last := e.settle(e.poll(partition, wire.Strategy{Kind: wire.PollLast}, 2, false))
	purge(e.s, &wire.Event{Kind: wire.EventPurged, Partition: uint64(partition), Epoch: 1})
	other, _ := batchOf(rand.New(rand.NewPCG(2, 2)), 2, 50_000)
	for i := range uint64(8) {
		if r := e.settle(e.send(partition, other)); r.Offset != 2*i {
			t.Fatalf("send after the purge: got offset %d, want %d", r.Offset, 2*i)
		}
	}
	for i, r := range []components.Reply{hot, cold, last} {
		_, messages, _ := e.messages(e.body(r))
		if len(messages) != 2 || !bytes.Equal(messages[0], sent[0]) || !bytes.Equal(messages[1], sent[1]) {
			t.Errorf("reply %d: got other messages than were polled", i)
		}
	}
	DoomPartition(e.s, partition)
	e.run(5)
	e.empty()
}

// The segment that is the first after a truncation has its head in its file: else recovery could not tell where the log begins.
func TestTruncationKeepsTheLastHeadThatIsWritten(t *testing.T) {
	e := newEngine(t, 8<<20)
	partition := e.partition(components.LevelMemory, 1<<17)
	row := e.row(partition)
	for range 3 { // a segment each
		e.settle(e.send(partition, plain(1, 100_000)))
		e.s.Now.MonoMicros += lazyMicros
		e.run(3)
	}
	e.send(partition, plain(1, 100_000))
	e.run(2) // appended to a fourth segment, and not written yet
	if p := &e.s.Partitions; p.Segments[row].Len() != 4 || p.OffsetNext[row] != 4 || p.OffsetWritten[row] != 3 {
		t.Fatalf("before: got %d segments, %d messages, %d written, want 4, 4 and 3", p.Segments[row].Len(), p.OffsetNext[row], p.OffsetWritten[row])
	}
	truncate := func(want uint64) {
		t.Helper()
		if r := e.settle(e.ask(components.Request{Kind: components.RequestTruncate, Partition: partition, Offset: 100})); r.Status != wire.StatusOK {
			t.Errorf("truncation: got %+v", r)
		}
		if got := e.s.Partitions.OffsetFirst[row]; got != want {
			t.Errorf("first offset: got %d, want %d", got, want)
		}
	}
	truncate(2)
	e.s.Now.MonoMicros += lazyMicros
	e.run(5)
	truncate(3)
	truncate(3)
	DoomPartition(e.s, partition)
	e.run(20)
	e.empty()
}

// Where the log is to begin cannot be noted: nothing is removed.
func TestTruncationThatCannotBeNoted(t *testing.T) {
	e := newEngine(t, 8<<20)
	partition := e.partition(components.LevelWritten, 1<<17)
	for range 3 {
		e.settle(e.send(partition, plain(1, 100_000)))
	}
	ask := components.Request{Kind: components.RequestTruncate, Partition: partition, Offset: 2}
	for range 2 {
		conn := e.ask(ask)
		e.tick()
		if order := &e.s.Out.Offsets; len(order.Records) > 0 {
			if !order.Durable {
				t.Error("the note: got it written at the level of offsets, want it durable")
			}
			e.s.In.OffsetsDone.Push(components.OffsetsWritten{Order: order.Order, Err: syscall.EIO})
			*order = components.OffsetsOrder{}
		}
		e.tick()
		e.want(conn, wire.StatusCannotWriteToFile)
	}
	if got := e.s.Partitions.OffsetFirst[e.row(partition)]; got != 0 {
		t.Errorf("first offset: got %d, want 0", got)
	}
	if got := Undone(e.s); got == "removals" {
		t.Errorf("undone: got %q", got)
	}
}

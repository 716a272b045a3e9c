package components

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"galgo/ecs"
	"galgo/wire"
)

type noLog struct{}

func (noLog) Log(LogLevel, string, ...LogField) {}

// memoryWorld is a State of so many bytes of memory, without I/O, and an arena that frames come from.
func memoryWorld(budget uint64) (s *State, frames *Arena) {
	shared := NewShared(budget)
	shared.Memory.Add(make([]byte, 4*budget), 1<<40)
	slab := shared.Memory.Add(make([]byte, 16<<20), 2<<40)
	frames = NewArena(shared.Memory, slab, NewBudget(8<<20), nil)
	cfg := &Config{Shards: 1, ConnectionsMax: 16, Secret: 7, Run: 3}
	facts, orders := NewExchange(cfg)
	s = NewState(cfg, shared, NewArena(shared.Memory, 0, shared.Budget, nil), NewCatalog(), facts, orders)
	s.Log = noLog{}
	return s, frames
}

// modelRecord is a record of a modelLog.
type modelRecord struct {
	segment  uint32
	position uint64
	bytes    []byte // as the journal should have them, seal included
	base     uint64
	next     uint64
}

// modelLog is what a partition's journal should hold, and what its files do.
type modelLog struct {
	t       *testing.T
	s       *State
	frames  *Arena // nil: batches come from elsewhere
	fit     bool   // frames lie so that batches can be adopted
	row     int
	random  *rand.Rand
	adopted int
	records []modelRecord
	heads   map[uint32][]byte
	files   map[uint32][]byte
	late    bool   // what is sealed is not handed over yet: its file has to be opened, say
	whole   bool   // nothing was appended behind what was sealed when it was
	write   []Span // of the write in flight
	wrote   []byte // what it took
	held    []heldPiece
}

// heldPiece is memory that a reply refers to.
type heldPiece struct {
	run  uint32
	span Span
	copy []byte
}

func newModelLog(t *testing.T, s *State, frames *Arena, random *rand.Rand, entities *ecs.Entities) *modelLog {
	row := s.Partitions.Insert(entities.Take())
	return &modelLog{t: t, s: s, frames: frames, row: row, random: random, heads: map[uint32][]byte{}, files: map[uint32][]byte{}}
}

func (m *modelLog) newSegment() {
	p, s := &m.s.Partitions, m.s
	s.SegmentIDs++
	segment := s.Segments.Add(s.SegmentIDs, p.OffsetNext[m.row], 0)
	p.Segments[m.row].Append(segment)
	if p.Write[m.row] == NoRow {
		p.Write[m.row], p.Written[m.row], p.Sealed[m.row] = segment, 0, 0
	}
	p.TailCold[m.row] = false
}

// append appends a record, if there is memory.
func (m *modelLog) append(size int) {
	p, s, row := &m.s.Partitions, m.s, m.row
	if p.Segments[row].Len() == 0 || m.random.IntN(60) == 0 && s.Segments.End[p.AppendSegment(row)] > 0 {
		m.newSegment()
	}
	segment := p.AppendSegment(row)
	if p.TailCold[row] {
		file := m.files[segment]
		from := AlignDown(p.Written[row])
		block := file[from:p.Written[row]]
		if s.Hash(block) != p.TailHash[row] {
			m.t.Fatalf("hash of the last block: got %x, want %x", p.TailHash[row], s.Hash(block))
		}
		if !s.PlaceTail(row, block) {
			return
		}
	}
	count := uint32(1 + m.random.IntN(5))
	record := make([]byte, wire.BatchHeaderSize+size)
	for i := wire.BatchHeaderSize; i < len(record); i += 8 {
		binary.LittleEndian.AppendUint64(record[i:i], m.random.Uint64())
	}
	base := p.OffsetNext[row]
	wire.PutBatchHeader(record, wire.BatchHeader{BaseOffset: base, Length: uint64(len(record)), MessageCount: count, BaseTimestamp: base})
	frame, batch := m.frame(record)
	adopt := frame.Len > 0 && s.Adoptable(row, batch)
	if frame.Len > 0 && !adopt {
		m.frames.Free(frame)
	}
	if !adopt && !s.ReserveJournal(row, uint64(len(record))+wire.SegmentHeadSize) || p.TailCold[row] {
		return
	}
	if s.Segments.End[segment] == 0 {
		head := make([]byte, wire.SegmentHeadSize)
		for i := range head {
			head[i] = byte(m.random.Uint32())
		}
		m.heads[segment] = head
		s.AppendJournal(row, head, base, base, false)
	}
	position := s.Segments.End[segment]
	if adopt {
		m.adopted++
		s.AdoptJournal(row, frame, batch, base, base+uint64(count))
	} else {
		s.AppendJournal(row, record, base, base+uint64(count), true)
	}
	p.OffsetNext[row] = base + uint64(count)
	s.Segments.Next[segment] = p.OffsetNext[row]
	p.Vouched[row] = false
	m.records = append(m.records, modelRecord{segment, position, record, base, base + uint64(count)})
}

// frame is a frame with the record, where it can be adopted more often than not. There is none for a small one, or when there is no memory.
func (m *modelLog) frame(record []byte) (frame, batch Span) {
	if m.frames == nil || len(record) < adoptMin/2 {
		return frame, batch
	}
	before := uint32(1 + m.random.IntN(5000))
	lead := uint32(uint64(m.random.IntN(UnitSize)))
	if m.fit || m.random.IntN(4) > 0 {
		lead = uint32((m.s.Segments.End[m.s.Partitions.AppendSegment(m.row)] - uint64(before)) % UnitSize)
	}
	piece, ok := m.frames.Alloc(lead + before + uint32(len(record)))
	if !ok {
		return frame, batch
	}
	frame = piece.Slice(lead, piece.Len-lead)
	batch = frame.Slice(before, uint32(len(record)))
	for i := range m.s.Memory.Bytes(piece.Slice(0, lead+before)) {
		m.s.Memory.Bytes(piece)[i] = byte(i)
	}
	copy(m.s.Memory.Bytes(batch), record)
	return frame, batch
}

// seal hands over what waits, sometimes not all of it, as SealJournals does.
func (m *modelLog) seal() {
	p, s, row := &m.s.Partitions, m.s, m.row
	if p.Segments[row].Len() == 0 || p.Writing(row) {
		return
	}
	for p.Write[row] != p.AppendSegment(row) && p.Written[row] == s.Segments.End[p.Write[row]] && p.Written[row] > 0 {
		i := 0
		for p.Segments[row].At(i) != p.Write[row] {
			i++
		}
		next := p.Segments[row].At(i + 1)
		if s.Segments.End[next] == 0 {
			break
		}
		p.Write[row], p.Written[row], p.Sealed[row] = next, 0, 0
	}
	segment := p.Write[row]
	position, end := max(p.Written[row], wire.SegmentHeadSize), s.Segments.End[segment]
	if end == p.Written[row] {
		return
	}
	limit := position + uint64(m.random.IntN(300_000))
	for i := range m.records {
		record := &m.records[i]
		if record.segment != segment || record.position < position {
			continue
		}
		if record.position > limit {
			break
		}
		reader := s.Reader(row, segment, record.position)
		var header [wire.BatchHeaderSize]byte
		reader.Peek(header[:])
		if !bytes.Equal(header[:], record.bytes[:wire.BatchHeaderSize]) {
			m.t.Fatalf("header at %d: got other bytes than were appended", record.position)
		}
		wire.PutSeal(header[:], wire.Seal{SegmentID: s.Segments.ID[segment], Run: s.Run, SafeBelow: p.OffsetWritten[row]}, record.position, s.Secret)
		reader.Poke(header[:])
		copy(record.bytes, header[:])
		position = record.position + uint64(len(record.bytes))
		p.SealedNext[row] = record.next
	}
	p.Sealed[row] = position
	p.SealedExtent[row] = s.PadBlock(row, segment, position)
	if position == end && segment == p.AppendSegment(row) {
		p.Waiting[row] = 0
	}
	m.whole = position == end
	if m.late = m.random.IntN(2) == 0; !m.late {
		m.handOver()
	}
}

// handOver begins the write of what is sealed. That may have waited, and more was appended meanwhile.
func (m *modelLog) handOver() {
	p, s, row := &m.s.Partitions, m.s, m.row
	m.late = false
	m.write, m.wrote = m.write[:0], nil
	for span := range func(yield func(Span) bool) { s.View().SealedVectors(row, yield) } {
		if span.Off%UnitSize != 0 || span.Len%UnitSize != 0 {
			m.t.Fatalf("vector: got %+v, want whole blocks", span)
		}
		m.write = append(m.write, span)
		m.wrote = append(m.wrote, s.Memory.Bytes(span)...)
	}
	from, to, _ := s.View().Sealed(row)
	if uint64(len(m.wrote)) != to-from {
		m.t.Fatalf("vectors: got %d bytes, want [%d,%d)", len(m.wrote), from, to)
	}
	if m.whole {
		for i, b := range m.wrote[p.Sealed[row]-from:] {
			if b != 0 {
				m.t.Fatalf("byte %d behind the last record: got %d, want 0", i, b)
			}
		}
	}
}

// complete lets the write in flight return.
func (m *modelLog) complete() {
	p, s, row := &m.s.Partitions, m.s, m.row
	if p.Segments[row].Len() == 0 || !p.Writing(row) {
		return
	}
	if m.late {
		m.handOver()
	}
	var now []byte
	for _, span := range m.write {
		now = append(now, s.Memory.Bytes(span)...)
	}
	if !bytes.Equal(now, m.wrote) {
		m.t.Fatal("memory under a write: got it changed, want it frozen")
	}
	segment := p.Write[row]
	from, to, _ := s.View().Sealed(row)
	file := m.files[segment]
	if uint64(len(file)) < to {
		file = append(file, make([]byte, to-uint64(len(file)))...)
	}
	copy(file[from:to], m.wrote)
	m.files[segment] = file
	p.Written[row] = p.Sealed[row]
	p.OffsetWritten[row] = p.SealedNext[row]
	m.checkFile(segment)
}

// checkFile compares what is written with what was appended.
func (m *modelLog) checkFile(segment uint32) {
	file, written := m.files[segment], m.s.Partitions.Written[m.row]
	if !bytes.Equal(file[:wire.SegmentHeadSize], m.heads[segment]) {
		m.t.Fatal("head in the file: got other bytes than were appended")
	}
	for _, record := range m.records {
		if end := record.position + uint64(len(record.bytes)); record.segment == segment && end <= written && !bytes.Equal(file[record.position:end], record.bytes) {
			m.t.Fatalf("record at %d in the file: got other bytes than were appended", record.position)
		}
	}
}

// read walks the memory from some offset on.
func (m *modelLog) read() {
	s, row := m.s, m.row
	p := &s.Partitions
	hot, ok := s.HotFirst(row)
	if !ok {
		return
	}
	i := 0
	for i < len(m.records) && m.records[i].base < hot {
		i++
	}
	if i == len(m.records) || m.records[i].base != hot {
		m.t.Fatalf("first offset in memory: got %d, want that of a record", hot)
	}
	i += m.random.IntN(len(m.records) - i)
	offset := m.records[i].base + uint64(m.random.IntN(int(m.records[i].next-m.records[i].base)))
	walk := s.Walk(row, s.HotPlace(row, offset))
	steps := 0
	for {
		header, ok := walk.Header()
		if !ok {
			m.t.Fatalf("walk to offset %d: got the end, want a record", offset)
		}
		if header.BaseOffset+uint64(header.MessageCount) > offset {
			break
		}
		walk.Skip(header.Length)
		if steps++; steps > 2000 {
			m.t.Fatalf("walk to offset %d: got %d steps, want those of one run", offset, steps)
		}
	}
	for ; i < len(m.records); i++ {
		record := &m.records[i]
		header, ok := walk.Header()
		if !ok || header.BaseOffset != record.base || header.Length != uint64(len(record.bytes)) {
			m.t.Fatalf("record of offset %d: got %+v %v", record.base, header, ok)
		}
		reader := walk.Reader
		reader.Skip(wire.BatchHeaderSize)
		want := record.bytes[wire.BatchHeaderSize:]
		if pieces := reader.Pieces(uint64(len(want))); pieces == 0 || pieces > 8 {
			m.t.Fatalf("pieces of a record of %d bytes: got %d", len(want), pieces)
		}
		peeked := make([]byte, len(want))
		reader.Peek(peeked)
		if !bytes.Equal(peeked, want) {
			m.t.Fatalf("record of offset %d: got other bytes than were appended", record.base)
		}
		for len(want) > 0 {
			span, run := reader.Next(uint64(len(want)))
			if !bytes.Equal(s.Memory.Bytes(span), want[:span.Len]) {
				m.t.Fatalf("piece of the record of offset %d: got other bytes than were appended", record.base)
			}
			want = want[span.Len:]
			if m.random.IntN(20) == 0 {
				m.hold(run, span)
			}
		}
		walk.Skip(header.Length)
	}
	if header, ok := walk.Header(); ok {
		m.t.Fatalf("behind the last record: got %+v, want the end", header)
	}
	p.Touched[row] = m.random.IntN(2) == 0
}

// hold lets a reply refer to a piece of a run.
func (m *modelLog) hold(run uint32, span Span) {
	m.s.Journal.Runs.Refs[run]++
	m.held = append(m.held, heldPiece{run, span, bytes.Clone(m.s.Memory.Bytes(span))})
}

// release lets go of what replies refer to.
func (m *modelLog) release() {
	for _, piece := range m.held {
		if !bytes.Equal(m.s.Memory.Bytes(piece.span), piece.copy) {
			m.t.Fatal("memory under a send: got it changed")
		}
		m.s.releaseRun(piece.run)
	}
	m.held = m.held[:0]
}

func (m *modelLog) vouch() {
	p, row := &m.s.Partitions, m.row
	if p.Segments[row].Len() > 0 && !p.Writing(row) && p.Waiting[row] == 0 && p.OffsetWritten[row] == p.OffsetNext[row] {
		p.Vouched[row] = true
	}
}

// Journals of several partitions in little memory, in random order: every byte that is read, written or sent is the one appended.
func TestJournalModel(t *testing.T) {
	for seed := range uint64(12) {
		random := rand.New(rand.NewPCG(seed, 2))
		s, frames := memoryWorld(3 << 20)
		var entities ecs.Entities
		var logs []*modelLog
		for range 3 {
			logs = append(logs, newModelLog(t, s, frames, random, &entities))
		}
		for range 1200 {
			s.Now.MonoMicros++
			m := logs[random.IntN(len(logs))]
			switch random.IntN(9) {
			case 0, 1, 2:
				size := 48 + random.IntN(3000)
				switch random.IntN(10) {
				case 0:
					size = 48 + random.IntN(100_000)
				case 1:
					size = 48 + random.IntN(700_000)
				case 3:
					size = adoptMin + random.IntN(700_000)
				case 2:
					size = UnitSize*(1+random.IntN(4)) - wire.BatchHeaderSize
				}
				m.append(size)
			case 3:
				if m.seal(); m.late && random.IntN(2) == 0 {
					m.append(48 + random.IntN(3000))
					m.handOver()
				}
			case 4:
				m.complete()
			case 5:
				m.read()
			case 6:
				m.release()
			case 7:
				m.vouch()
			case 8:
				s.Evict(uint64(random.IntN(1 << 20)))
			}
		}
		for _, m := range logs {
			m.release()
			for range 200 {
				m.seal()
				m.complete()
			}
			p := &s.Partitions
			if p.OffsetWritten[m.row] != p.OffsetNext[m.row] {
				t.Fatalf("seed %d: written at the end: got %d, want %d", seed, p.OffsetWritten[m.row], p.OffsetNext[m.row])
			}
			m.read()
			m.release()
			if len(m.records) < 20 || m.adopted < 3 {
				t.Errorf("seed %d: got %d records, of which %d were adopted, want a test that says something", seed, len(m.records), m.adopted)
			}
			if !s.DropJournal(m.row) {
				t.Fatalf("seed %d: got a journal that is still in use", seed)
			}
		}
		if got := frames.InUse(); got != 0 {
			t.Fatalf("seed %d: memory of frames at the end: got %d bytes in use, want 0", seed, got)
		}
		if s.Arena.InUse() != 0 || s.Journal.Hot.Len() != 0 {
			t.Fatalf("seed %d: memory at the end: got %d bytes in use, want 0", seed, s.Arena.InUse())
		}
		if runs, extents := s.Journal.Runs.slots.Len(), s.Journal.Extents.slots.Len(); runs+extents > 0 {
			t.Fatalf("seed %d: rows at the end: got %d runs and %d extents, want none", seed, runs, extents)
		}
	}
}

// What is written gives way to what is to be appended, even where it is the partition's own and its log has no idle moment.
func TestOnePartitionMayUseAllMemory(t *testing.T) {
	s, _ := memoryWorld(2 << 20)
	var entities ecs.Entities
	m := newModelLog(t, s, nil, rand.New(rand.NewPCG(1, 1)), &entities)
	for i := range 40 {
		before := len(m.records)
		m.append(600_000)
		if len(m.records) == before {
			t.Fatalf("append %d: got no memory, want the oldest to give way", i)
		}
		for s.Partitions.OffsetWritten[m.row] < s.Partitions.OffsetNext[m.row] {
			m.seal()
			m.complete()
		}
		m.read()
		m.release()
	}
}

// A log that nobody polls makes do with half of the budget, since the rest would have to be got from the machine; where that is dear it makes do with
// a sixteenth, unless memory is all that its sends are answered from. One that is polled gets nearly all.
func TestLogsMakeRoom(t *testing.T) {
	const budget = 32 << 20
	for _, c := range []struct {
		name        string
		level       Level
		dear        bool
		polled      bool
		least, most uint64
	}{
		{"nobody polls", LevelWritten, false, false, budget / 2 * 7 / 8, budget / 2 * 5 / 4},
		{"polled", LevelWritten, false, true, budget * 7 / 8, budget},
		{"dear", LevelWritten, true, false, budget / 16, budget / 4},
		{"dear and durable", LevelDurable, true, false, budget / 16, budget / 4},
		{"dear and polled", LevelWritten, true, true, budget * 7 / 8, budget},
		{"dear and answered from memory", LevelMemory, true, false, budget / 2 * 7 / 8, budget / 2 * 5 / 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _ := memoryWorld(budget)
			s.Memory.Add(make([]byte, 4*budget), 3<<40)
			frames := NewArena(s.Memory, 2, s.Arena.budget, nil)
			if c.dear {
				s.Arena.budget.dear.Store(dearBytes)
			}
			var entities ecs.Entities
			m := newModelLog(t, s, frames, rand.New(rand.NewPCG(3, 1)), &entities)
			s.Partitions.Level[m.row] = c.level
			m.fit = true
			for range 80 {
				m.append(900_000)
				for s.Partitions.OffsetWritten[m.row] < s.Partitions.OffsetNext[m.row] {
					m.seal()
					m.complete()
				}
				s.Partitions.Touched[m.row] = c.polled
			}
			if m.adopted < 60 {
				t.Fatalf("records: got %d, of which %d were adopted, want most of 80", len(m.records), m.adopted)
			}
			if granted := s.Arena.budget.Granted(); granted < c.least || granted > c.most {
				t.Errorf("got %d bytes of %d granted, want %d to %d", granted, budget, c.least, c.most)
			}
		})
	}
}

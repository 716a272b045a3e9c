package storage

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"galgo/components"
	"galgo/uring"
	"galgo/wire"
)

// crashModel writes a partition as the engine does, and crashes: a killed process leaves every completed write and any sectors of the
// one in flight; a machine without power moreover forgets any sectors that were not synced.
type crashModel struct {
	*testPartition
	random    *rand.Rand
	bootFirst uint64
	segments  []*crashSegment
	acked     uint64 // every offset below it was answered
	vouched   uint64 // every offset below it was vouched for
	lastID    uint64 // of all segments there ever were

	retired []*crashSegment // removed or purged: a crash finds any of their files, or none
}

type crashSegment struct {
	id, base uint64
	log      []byte // as the page cache has it
	disk     []byte // as it was synced last
	end      uint64
	index    []byte
	synced   int  // bytes of index that a loss of power spares
	intact   bool // retired, and not unlinked yet
}

const sector = 512

func (m *crashModel) roll(next uint64) {
	id := max(m.in.Run<<40|1, m.lastID+1)
	m.lastID = id
	s := &crashSegment{id: id, base: next}
	if m.random.IntN(2) == 0 {
		s.log = m.recycled()
		s.disk = bytes.Clone(s.log)
	}
	m.segments = append(m.segments, s)
}

// recycled is a file of the pool as it becomes a log: records of another life behind a beginning that was made zero. Some are of a segment of
// this very partition, at the offsets and the positions that the next ones will have.
func (m *crashModel) recycled() []byte {
	old := make([]byte, wire.SegmentHeadSize)
	id, next := uint64(1<<40|77), m.acked
	if len(m.segments) > 0 && m.random.IntN(2) == 0 {
		id = m.segments[m.random.IntN(len(m.segments))].id
	}
	for range m.random.IntN(40) {
		old = appendTestRecord(old, id, next, m.in.Run, next, m.random.IntN(2) == 0, m.random.IntN(3000))
		next += 2
	}
	old = append(old, make([]byte, emptyHeadSize)...)
	clear(old[:emptyHeadSize])
	return old[:components.AlignUp(uint64(len(old)))-emptyHeadSize+components.UnitSize]
}

// write hands over one write of some records. Without complete a crash comes in the middle of it.
func (m *crashModel) write(complete bool) {
	if len(m.segments) == 0 || m.random.IntN(6) == 0 {
		m.roll(m.acked)
	}
	s := m.segments[len(m.segments)-1]
	before, after := bytes.Clone(s.log), bytes.Clone(s.log[:s.end])
	if s.end == 0 {
		after = make([]byte, wire.SegmentHeadSize)
		wire.PutSegmentHead(after, wire.SegmentHead{SegmentID: s.id, Partition: uint64(m.in.Entity), CreatedSeq: m.in.CreatedSeq,
			PurgeEpoch: m.in.Epoch, BaseOffset: s.base, Run: m.in.Run, PartitionID: m.in.PartitionID}, testSecret)
	}
	first, next := uint64(len(after)), m.acked
	for range 1 + m.random.IntN(4) {
		after = appendTestRecord(after, s.id, next, m.in.Run, m.acked, m.in.Level == components.LevelDurable, m.random.IntN(3000))
		next += 2
	}
	end := uint64(len(after))
	after = append(after, make([]byte, components.AlignUp(end)-end)...)
	if len(before) > len(after) {
		after = append(after, before[len(after):]...)
	}
	if !complete {
		s.log = m.mix(before, after)
		return
	}
	s.log = after
	if m.in.Level == components.LevelDurable {
		s.disk = bytes.Clone(after)
	}
	if first == wire.SegmentHeadSize || m.random.IntN(2) == 0 {
		m.entry(s, wire.IndexEntry{Kind: wire.IndexRecord, Offset: m.acked, Time: 1000 + m.acked, Position: first, Synced: m.in.Level == components.LevelDurable})
	}
	s.end, m.acked = end, next
	if m.random.IntN(5) == 0 {
		for _, s := range m.segments {
			s.disk, s.synced = bytes.Clone(s.log), len(s.index)
		}
		m.entry(s, wire.IndexEntry{Kind: wire.IndexVoucher, Offset: m.acked, Time: 1000 + m.acked - 2, Position: end, Synced: true})
		if m.random.IntN(2) == 0 { // it may be lost, since nobody syncs it
			s.synced, m.vouched = len(s.index), m.acked
		}
	}
}

func (m *crashModel) entry(s *crashSegment, e wire.IndexEntry) {
	e.SegmentID, e.Run, e.BaseOffset = s.id, m.in.Run, s.base
	at := len(s.index)
	s.index = append(s.index, make([]byte, wire.IndexEntrySize)...)
	wire.PutIndexEntry(s.index[at:], e, testSecret)
}

// truncate removes some closed segments from the beginning: what is the first then has its head in its file.
func (m *crashModel) truncate() {
	count := 0
	for count+1 < len(m.segments) && m.segments[count+1].end > 0 && m.random.IntN(3) > 0 {
		count++
	}
	if len(m.segments) == 0 || m.segments[count].base == m.segments[0].base {
		return
	}
	m.retired = append(m.retired, m.segments[:count]...)
	m.segments = m.segments[count:]
	m.in.Begin = m.segments[0].base
}

// purge begins the next epoch.
func (m *crashModel) purge() {
	m.retired = append(m.retired, m.segments...)
	m.segments = nil
	m.in.Epoch++
	m.in.Begin, m.acked, m.vouched = 0, 0, 0
}

// mix takes each sector from either; what one of them does not have is zero there.
func (m *crashModel) mix(a, b []byte) []byte {
	mixed := make([]byte, max(len(a), len(b)))
	for at := 0; at < len(mixed); at += sector {
		from := a
		if m.random.IntN(2) == 0 {
			from = b
		}
		copy(mixed[at:min(at+sector, len(mixed))], from[min(at, len(from)):])
	}
	return mixed
}

// losePower forgets what was not synced.
func (m *crashModel) losePower() {
	m.bootFirst = m.in.Run + 1
	for _, s := range slices.Concat(m.retired, m.segments) {
		s.log = m.mix(s.disk, s.log)
		lost := s.index[s.synced:]
		for at := 0; at+wire.IndexEntrySize <= len(lost); at += wire.IndexEntrySize {
			if m.random.IntN(2) == 0 {
				clear(lost[at : at+wire.IndexEntrySize])
			}
		}
		s.index = s.index[:s.synced+m.random.IntN(len(lost)+1)]
	}
}

// restart recovers in the next run and goes on from what recovery says.
func (m *crashModel) restart(least uint64) error {
	dir := filepath.Join(m.in.Root, components.SegmentsDir)
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	name := func(s *crashSegment, kind wire.SegmentKind) string {
		return filepath.Join(dir, wire.SegmentName(m.in.CreatedSeq, m.in.PartitionID, s.id, kind))
	}
	write := func(s *crashSegment, kind wire.SegmentKind, content []byte) {
		if len(content) > 0 || kind == wire.SegmentLog {
			writeTest(m.t, content, name(s, kind))
		}
	}
	for _, s := range m.segments {
		write(s, wire.SegmentLog, s.log)
		write(s, wire.SegmentIndex, s.index)
	}
	for _, s := range m.retired {
		if s.intact || m.random.IntN(2) == 0 {
			write(s, wire.SegmentLog, s.log)
		}
		if s.intact || m.random.IntN(2) == 0 {
			write(s, wire.SegmentIndex, s.index)
		}
	}
	m.in.Run++
	got, err := m.recover()
	if err != nil {
		return err
	}
	m.checkSound(got)
	if got.Faulted || got.OffsetNext < least || got.OffsetFirst != m.in.Begin || m.t.Failed() {
		return fmt.Errorf("got %+v, want all offsets from %d below %d", got, m.in.Begin, least)
	}
	list, err := ListSegments(uring.SystemFiles(), m.in.Root)
	if err != nil {
		return err
	}
	if logs := list.Logs[PartitionFiles{m.in.CreatedSeq, m.in.PartitionID}]; len(logs) != len(got.Segments) {
		return fmt.Errorf("got logs %x after recovery, want those of %d segments", logs, len(got.Segments))
	}
	m.retired = nil
	m.wantStable(got)
	m.segments = m.segments[:len(got.Segments)]
	for i, s := range m.segments {
		if s.log, err = os.ReadFile(name(s, wire.SegmentLog)); err != nil {
			return err
		}
		s.index, _ = os.ReadFile(name(s, wire.SegmentIndex))
		s.end = got.Segments[i].End
		if got.Vouched || m.in.Level == components.LevelDurable {
			s.disk, s.synced = bytes.Clone(s.log), len(s.index)
		}
	}
	m.acked, m.vouched = got.OffsetNext, min(m.vouched, got.OffsetNext)
	if got.Vouched {
		m.vouched = got.OffsetNext
	}
	return nil
}

// Whatever a crash leaves, what was promised is there, no damage is seen, and the next run goes on from it.
func TestRecoverCrashes(t *testing.T) {
	seeds := uint64(200)
	if testing.Short() {
		seeds = 40
	}
	for seed := range seeds {
		p := newPartition(t)
		m := &crashModel{testPartition: p, random: rand.New(rand.NewPCG(seed, 1)), bootFirst: 1}
		p.in.Run = 1
		p.in.BelongsToBoot = func(run uint64) bool { return run >= m.bootFirst }
		p.in.Level = []components.Level{components.LevelWritten, components.LevelDurable}[seed%2]
		for life := range 5 {
			for range m.random.IntN(8) {
				switch m.random.IntN(12) {
				case 0:
					m.purge()
				case 1:
					m.truncate()
				default:
					m.write(true)
				}
			}
			if m.random.IntN(4) > 0 {
				m.write(false)
				if m.random.IntN(6) == 0 { // purged while the write is in flight: until it has returned, nothing is unlinked
					for _, s := range m.segments {
						s.intact = true
					}
					m.purge()
				}
			}
			if m.random.IntN(3) == 0 {
				m.roll(m.acked) // the next log was made ahead, and never used
			}
			least, power := m.acked, m.random.IntN(2) == 0
			if power {
				m.losePower()
				if p.in.Level != components.LevelDurable {
					least = max(m.vouched, m.in.Begin)
				}
			}
			if err := m.restart(least); err != nil {
				t.Fatalf("seed %d, life %d, power lost %v, level %v: %v", seed, life, power, p.in.Level, err)
			}
		}
	}
}

package state

import (
	"math"

	"galgo/components"
	"galgo/ecs"
	"galgo/wire"
)

// sealBudget bounds what a tick seals: a row is a record, which costs up to a µs whatever its size. A slow disk may return from many writes at once, and
// gigabytes of small records wait behind them.
var sealBudget = ecs.Budget{Rows: 16384, Bytes: math.MaxInt}

const (
	// lazyBytes and lazyMicros bound how much, and how long, bytes of a partition at LevelMemory wait to be written: nobody waits for the
	// write, and a few large ones cost less than many small ones.
	lazyBytes  = 256 << 10
	lazyMicros = 20_000
	// roundMax is the most bytes of one write: what the kernel takes in one piece, and what a single vector table holds.
	roundMax = 16 << 20
)

// SealJournals closes what waits in each partition that has no write in flight: it stamps the seals and marks the bytes as
// handed over. Late in Decide, so that a write takes all that this tick brought. What a tick has no time for is sealed in the next, from there on.
// Reads Unsealed. Writes Partitions.Sealed, the seals in the journal, Out.Write.
func SealJournals(s *components.State) {
	budget := sealBudget
	for row := range s.Unsealed.Rotate(&s.SealNext) {
		if !budget.Left() {
			s.SealNext = row
			s.WakeAt(s.Now.MonoMicros)
			return
		}
		p := &s.Partitions
		if p.Phase[row] != components.Ready {
			s.Unsealed.Clear(row)
			continue
		}
		if p.Writing(row) {
			continue // its completion brings us back
		}
		moveOn(s, row)
		segment := p.Write[row]
		waits := s.Segments.End[segment] - p.Written[row]
		if waits == 0 {
			s.Unsealed.Clear(row)
			p.Waiting[row] = 0
			continue
		}
		last := segment == p.AppendSegment(row)
		if due := p.Waiting[row] + lazyMicros; last && p.Level[row] == components.LevelMemory && waits < lazyBytes &&
			s.Now.MonoMicros < due && !s.Stopping {
			s.WakeAt(due)
			continue
		}
		seal(s, row, &budget)
		if last && p.Sealed[row] == s.Segments.End[segment] {
			s.Unsealed.Clear(row)
			p.Waiting[row] = 0
		}
	}
}

// moveOn goes to the next segment when the one being written is complete.
func moveOn(s *components.State, row int) {
	p := &s.Partitions
	for p.Write[row] != p.AppendSegment(row) && p.Written[row] == s.Segments.End[p.Write[row]] && p.Written[row] > 0 {
		i := 0
		for p.Segments[row].At(i) != p.Write[row] {
			i++
		}
		next := p.Segments[row].At(i + 1)
		if s.Segments.End[next] == 0 {
			return // nothing is appended to it yet
		}
		p.Write[row], p.Written[row], p.Sealed[row] = next, 0, 0
		s.VouchAt = 0 // the one before wants a voucher now
	}
}

// seal stamps the records that wait in the segment being written, up to roundMax and as far as the budget goes, and hands them over.
func seal(s *components.State, row int, budget *ecs.Budget) {
	p := &s.Partitions
	segment := p.Write[row]
	position, end := p.Written[row], s.Segments.End[segment]
	stamp := wire.Seal{SegmentID: s.Segments.ID[segment], Run: s.Run, SafeBelow: p.OffsetWritten[row], Durably: p.Level[row] == components.LevelDurable}
	position = max(position, wire.SegmentHeadSize)
	reader := s.Reader(row, segment, position)
	var header [wire.BatchHeaderSize]byte
	for position < end && position-p.Written[row] < roundMax && budget.Spend(1, 0) {
		reader.Peek(header[:])
		batch, err := wire.DecodeBatchHeader(header[:])
		if err != nil {
			panic("state: a batch in the journal has no header")
		}
		wire.PutSeal(header[:], stamp, position, s.Secret)
		reader.Poke(header[:])
		reader.Skip(batch.Length)
		position += batch.Length
		p.SealedNext[row] = batch.BaseOffset + uint64(batch.MessageCount)
	}
	p.Sealed[row] = position
	p.SealedExtent[row] = s.PadBlock(row, segment, position)
	p.InFlight[row]++
	s.Out.Write.Set(row)
}

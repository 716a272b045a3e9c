package storage

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zeebo/xxh3"

	"galgo/components"
	"galgo/ecs"
	"galgo/uring"
	"galgo/wire"
)

const testSecret = 0x5EC2E7

// testDir is a data directory with its parts, and nothing in them.
func testDir(t testing.TB) string {
	t.Helper()
	root := t.TempDir()
	for _, dir := range []string{components.SegmentsDir, components.ControlDir, components.OffsetsDir} {
		if err := os.Mkdir(filepath.Join(root, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// writeTest writes a file of the directory.
func writeTest(t testing.TB, content []byte, parts ...string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(parts...), content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// tree is the content of all files below a directory, by path.
func tree(t testing.TB, root string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(root, func(name string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(name)
		found[name] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func wantTree(t *testing.T, root string, want map[string]string) {
	t.Helper()
	got := tree(t, root)
	for name, content := range got {
		if want[name] != content {
			t.Errorf("got %s changed, want it as it was", name)
		}
	}
	if len(got) != len(want) {
		t.Errorf("got %d files, want %d", len(got), len(want))
	}
}

// flipEach calls check with a copy of files in root for each byte in them, one of its bits being flipped.
func flipEach(t *testing.T, files map[string][]byte, root string, step int, check func(t *testing.T, name string, at int)) {
	t.Helper()
	for name, content := range files {
		for at := 0; at < len(content); at++ {
			if step > 1 && at%step != 0 && content[at] == 0 {
				continue // long stretches of zeros are alike
			}
			for other, whole := range files {
				writeTest(t, whole, root, other)
			}
			flipped := bytes.Clone(content)
			flipped[at] ^= 1 << (at % 8)
			writeTest(t, flipped, root, name)
			check(t, name, at)
			if t.Failed() {
				return
			}
		}
	}
}

// testPartition makes the files of a partition.
type testPartition struct {
	t    testing.TB
	in   RecoverInput
	segs []*testSegment
}

type testSegment struct {
	p         *testPartition
	id        uint64
	base      uint64
	log       []byte
	gone      bool // there is no log
	index     []byte
	next      uint64   // offset
	positions []uint64 // of the records, and of the end
}

// newPartition is of run 9, the boot of which began with run 3.
func newPartition(t testing.TB) *testPartition {
	return &testPartition{t: t, in: RecoverInput{Root: testDir(t), Secret: testSecret, Entity: ecs.MakeEntity(4, 2), CreatedSeq: 1<<40 | 7,
		PartitionID: 5, Level: components.LevelWritten, Run: 9, BelongsToBoot: func(run uint64) bool { return run >= 3 }}}
}

// segment begins a segment with its head.
func (p *testPartition) segment(id, base uint64) *testSegment {
	s := &testSegment{p: p, id: id, base: base, next: base, log: make([]byte, wire.SegmentHeadSize), positions: []uint64{wire.SegmentHeadSize}}
	wire.PutSegmentHead(s.log, wire.SegmentHead{SegmentID: id, Partition: uint64(p.in.Entity), CreatedSeq: p.in.CreatedSeq,
		PurgeEpoch: p.in.Epoch, BaseOffset: base, Run: id >> 40, PartitionID: p.in.PartitionID}, testSecret)
	p.segs = append(p.segs, s)
	return s
}

// end is where the segment's next record goes.
func (s *testSegment) end() uint64 { return uint64(len(s.log)) }

// record appends a record of two messages.
func (s *testSegment) record(run, safeBelow uint64, size int) *testSegment {
	s.log = appendTestRecord(s.log, s.id, s.next, run, safeBelow, s.p.in.Level == components.LevelDurable, size)
	s.next += 2
	s.positions = append(s.positions, s.end())
	return s
}

func appendTestRecord(log []byte, id, offset, run, safeBelow uint64, durably bool, size int) []byte {
	position := len(log)
	var batch wire.BatchBuilder
	batch.Reset(1)
	batch.Add(wire.U128{Lo: offset}, 0, bytes.Repeat([]byte{byte(offset + 1)}, size), nil)
	batch.Add(wire.U128{Lo: offset + 1}, 0, []byte("second"), nil)
	log = append(log, batch.Bytes()...)
	record := log[position:]
	var sum wire.BatchHasher
	sum.StampBatch(record, 5, offset, 1000+offset)
	wire.PutSeal(record, wire.Seal{SegmentID: id, Run: run, SafeBelow: safeBelow, Durably: durably}, uint64(position), testSecret)
	return log
}

// mark appends an index entry for record number i.
func (s *testSegment) mark(i int, run uint64, synced bool) *testSegment {
	offset := s.base + 2*uint64(i)
	return s.entry(wire.IndexEntry{Kind: wire.IndexRecord, Offset: offset, Time: 1000 + offset, Position: s.positions[i], Run: run, Synced: synced})
}

// voucher appends a voucher for the records below number i.
func (s *testSegment) voucher(i int, run uint64) *testSegment {
	offset := s.base + 2*uint64(i)
	return s.entry(wire.IndexEntry{Kind: wire.IndexVoucher, Offset: offset, Time: 1000 + offset - 2, Position: s.positions[i], Run: run, Synced: true})
}

func (s *testSegment) entry(e wire.IndexEntry) *testSegment {
	e.SegmentID, e.BaseOffset = s.id, s.base
	at := len(s.index)
	s.index = append(s.index, make([]byte, wire.IndexEntrySize)...)
	wire.PutIndexEntry(s.index[at:], e, testSecret)
	return s
}

func (s *testSegment) name(kind wire.SegmentKind) string {
	return wire.SegmentName(s.p.in.CreatedSeq, s.p.in.PartitionID, s.id, kind)
}

// files are what write writes: a log ends with a block.
func (p *testPartition) files() map[string][]byte {
	all := map[string][]byte{}
	for _, s := range p.segs {
		if !s.gone {
			size := uint64(len(s.log))
			all[filepath.Join(components.SegmentsDir, s.name(wire.SegmentLog))] = append(bytes.Clone(s.log), make([]byte, components.AlignUp(size)-size)...)
		}
		if len(s.index) > 0 {
			all[filepath.Join(components.SegmentsDir, s.name(wire.SegmentIndex))] = s.index
		}
	}
	return all
}

func (p *testPartition) write() *testPartition {
	p.t.Helper()
	for name, content := range p.files() {
		writeTest(p.t, content, p.in.Root, name)
	}
	return p
}

// recover lists the files and recovers the partition.
func (p *testPartition) recover() (*components.Recovered, error) {
	p.t.Helper()
	list, err := ListSegments(uring.SystemFiles(), p.in.Root)
	if err != nil {
		p.t.Fatal(err)
	}
	of := PartitionFiles{p.in.CreatedSeq, p.in.PartitionID}
	p.in.SegmentIDs, p.in.IndexIDs = list.Logs[of], list.Indexes[of]
	return RecoverPartition(uring.SystemFiles(), p.in)
}

func (p *testPartition) mustRecover() *components.Recovered {
	p.t.Helper()
	got, err := p.recover()
	if err != nil {
		p.t.Fatal(err)
	}
	p.checkSound(got)
	return got
}

// wantGood recovers and wants records up to those of each segment given by count, and nothing of the rest.
func (p *testPartition) wantGood(counts ...int) *components.Recovered {
	p.t.Helper()
	got := p.mustRecover()
	if got.Faulted {
		p.t.Fatalf("got faulted: %s at %d: %s, want good", got.DamagePath, got.DamageAt, got.Damage)
	}
	p.wantSegments(got, counts...)
	return got
}

// wantFaulted recovers, wants damage at a position of a segment, no change of any file, and the good records before it.
func (p *testPartition) wantFaulted(s *testSegment, position uint64, counts ...int) *components.Recovered {
	p.t.Helper()
	before := tree(p.t, p.in.Root)
	got := p.mustRecover()
	if !got.Faulted || !strings.HasSuffix(got.DamagePath, s.name(wire.SegmentLog)) || got.DamageAt != position {
		p.t.Fatalf("got faulted %v: %s at %d: %s, want it in %s at %d", got.Faulted, got.DamagePath, got.DamageAt, got.Damage, s.name(wire.SegmentLog), position)
	}
	if t, ok := p.t.(*testing.T); ok {
		wantTree(t, p.in.Root, before)
	}
	p.wantSegments(got, counts...)
	return got
}

func (p *testPartition) wantSegments(got *components.Recovered, counts ...int) {
	p.t.Helper()
	if len(got.Segments) != len(counts) {
		p.t.Fatalf("got %d segments %+v, want %d", len(got.Segments), got.Segments, len(counts))
	}
	for i, count := range counts {
		s, g := p.segs[i], got.Segments[i]
		if g.ID != s.id || g.Base != s.base || g.End != s.positions[count] || g.Next != s.base+2*uint64(count) {
			p.t.Fatalf("segment %d: got %+v, want %d records: end %d next %d", i, g, count, s.positions[count], s.base+2*uint64(count))
		}
	}
}

// checkSound checks what is true of any result: every byte below an end is a record, in order, unless there is damage.
func (p *testPartition) checkSound(got *components.Recovered) {
	p.t.Helper()
	if got.Faulted {
		return
	}
	size, last, next := uint64(0), uint64(0), p.in.Begin
	for i, s := range got.Segments {
		log, err := os.ReadFile(filepath.Join(p.in.Root, components.SegmentsDir, wire.SegmentName(p.in.CreatedSeq, p.in.PartitionID, s.ID, wire.SegmentLog)))
		if err != nil {
			p.t.Fatal(err)
		}
		if i > 0 && s.Base != next {
			p.t.Errorf("got segment %d from offset %d, want %d", i, s.Base, next)
		}
		offset, position := s.Base, uint64(wire.SegmentHeadSize)
		for position < s.End {
			info, err := wire.CheckRecord(log[position:], position, s.ID, testSecret)
			if err != nil || info.BaseOffset != offset {
				p.t.Fatalf("got %v offset %d at byte %d of segment %d, want offset %d", err, info.BaseOffset, position, i, offset)
			}
			position, offset, last = position+info.Length, info.OffsetNext(), info.Timestamp
		}
		if position != s.End || offset != s.Next || s.Allocated != components.AlignDown(uint64(len(log))) {
			p.t.Errorf("segment %d: got end %d next %d allocated %d, want %d %d %d", i, s.End, s.Next, s.Allocated, position, offset, len(log))
		}
		size, next = size+s.End-wire.SegmentHeadSize, s.Next
		if i == len(got.Segments)-1 {
			if s.Allocated < s.End { // growth that finds no room takes the file back to it
				p.t.Errorf("got %d bytes allocated of a log of %d, want the whole block in which it ends", s.Allocated, s.End)
			}
			if want := xxh3.HashSeed(log[components.AlignDown(s.End):s.End], testSecret); got.TailHash != want {
				p.t.Errorf("got tail hash %x, want %x", got.TailHash, want)
			}
		}
	}
	if got.Size != size || got.TimeLast != last || got.OffsetNext != next {
		p.t.Errorf("got size %d time %d next %d, want %d %d %d", got.Size, got.TimeLast, got.OffsetNext, size, last, next)
	}
}

// wantStable recovers again, in the next run, and wants the same without a change.
func (p *testPartition) wantStable(first *components.Recovered) {
	p.t.Helper()
	p.in.Run++
	before := tree(p.t, p.in.Root)
	again := p.mustRecover()
	if again.Faulted || again.OffsetNext != first.OffsetNext || again.CutBytes != 0 || len(again.Notes) > 0 {
		p.t.Fatalf("got %+v at the second time, want offset %d and nothing cut", again, first.OffsetNext)
	}
	if t, ok := p.t.(*testing.T); ok && p.in.Level != components.LevelDurable {
		wantTree(t, p.in.Root, before)
	}
}

// overwrite puts bytes over those at a position.
func (s *testSegment) overwrite(position uint64, b []byte) {
	for uint64(len(s.log)) < position+uint64(len(b)) {
		s.log = append(s.log, 0)
	}
	copy(s.log[position:], b)
}

// lastVoucher is the last entry of a segment's index file, which must be a voucher.
func (s *testSegment) lastVoucher() (e wire.IndexEntry) {
	s.p.t.Helper()
	index, err := os.ReadFile(filepath.Join(s.p.in.Root, components.SegmentsDir, s.name(wire.SegmentIndex)))
	if err == nil && len(index) >= wire.IndexEntrySize && len(index)%wire.IndexEntrySize == 0 {
		e, err = wire.DecodeIndexEntry(index[len(index)-wire.IndexEntrySize:], testSecret)
	}
	if err != nil || e.Kind != wire.IndexVoucher {
		s.p.t.Fatalf("got %+v %v of an index of %d bytes, want a voucher at its end", e, err, len(index))
	}
	return e
}

func testRandom(b []byte) {
	for i := range b {
		b[i] = byte(i + 1)
	}
}

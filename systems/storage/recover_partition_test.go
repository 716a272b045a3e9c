package storage

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"galgo/components"
	"galgo/uring"
	"galgo/wire"
)

const testID = 3<<40 | 12

func TestRecoverNothing(t *testing.T) {
	p := newPartition(t)
	got := p.wantGood()
	if got.OffsetNext != 0 || !got.Vouched {
		t.Errorf("got %+v, want an empty partition", got)
	}
}

// After a clean stop nothing is written, whatever lies behind the end.
func TestRecoverCleanStop(t *testing.T) {
	for _, behind := range []int{0, 100, 5000, 1 << 20} {
		p := newPartition(t)
		s := p.segment(testID, 100).record(3, 100, 50).record(3, 102, 9000).record(4, 104, 10).mark(0, 3, false).voucher(3, 4)
		s.log = append(s.log, make([]byte, behind)...)
		before := tree(t, p.write().in.Root)
		got := p.wantGood(3)
		wantTree(t, p.in.Root, before)
		if !got.Vouched || got.OffsetFirst != 100 || got.CutBytes != 0 || got.TimeLast != 1104 {
			t.Errorf("got %+v, want everything vouched for", got)
		}
	}
}

// SIGKILL before any index entry: everything is walked.
func TestRecoverWithoutIndex(t *testing.T) {
	for _, level := range []components.Level{components.LevelWritten, components.LevelDurable} {
		p := newPartition(t)
		p.in.Level = level
		s := p.segment(testID, 0)
		for i := range 40 {
			s.record(3, uint64(2*i), 1000*i)
		}
		s.log = append(s.log, make([]byte, 3<<20)...)
		before := tree(t, p.write().in.Root)
		got := p.wantGood(40)
		if level == components.LevelDurable {
			if e := s.lastVoucher(); !got.Vouched || e.Position != s.positions[40] || e.Run != 9 {
				t.Errorf("got %v %+v, want a voucher at %d", got.Vouched, e, s.positions[40])
			}
		} else {
			wantTree(t, p.in.Root, before)
		}
		p.wantStable(got)
	}
}

// A write that was torn anywhere is cut, the records before it stay, and a voucher of this run says so.
func TestRecoverTornTail(t *testing.T) {
	whole := newPartition(t).segment(testID, 0).record(3, 0, 50).record(3, 2, 10).mark(1, 3, false).record(3, 4, 60)
	from, to := int(whole.positions[2]), int(whole.positions[3])
	for keep := from; keep < to; keep++ {
		for zeros := range 2 {
			p := newPartition(t)
			s := *whole
			s.p, p.segs = p, []*testSegment{&s}
			s.log = slices.Concat(whole.log[:keep], make([]byte, zeros*5000))
			p.write()
			got := p.wantGood(2)
			if bad := keep > from; bad != (got.CutBytes > 0) {
				t.Fatalf("%d bytes of the record kept: got %d bytes cut", keep-from, got.CutBytes)
			} else if bad {
				if e := s.lastVoucher(); e.Run != 9 || e.Position != s.positions[2] || e.Offset != 4 || !got.Vouched {
					t.Fatalf("got voucher %+v, want one of run 9 at %d", e, s.positions[2])
				}
			}
			p.wantStable(got)
		}
	}
}

func TestRecoverGarbageTail(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		p := newPartition(t)
		s := p.segment(testID, 0).record(3, 0, 50).record(3, 2, 10).mark(1, 3, false)
		garbage := make([]byte, random.IntN(100_000))
		for i := range garbage {
			garbage[i] = byte(random.Uint32())
		}
		s.log = append(s.log, garbage...)
		s.index = append(s.index, garbage[:min(len(garbage), random.IntN(200))]...)
		p.write()
		p.wantStable(p.wantGood(2))
	}
}

// A write of several records of which the disk kept the last one: nobody had an answer, so it is cut.
func TestRecoverTornInTheMiddle(t *testing.T) {
	p := newPartition(t)
	s := p.segment(testID, 0).record(3, 0, 50).record(3, 2, 10).record(3, 2, 6000).record(3, 2, 10)
	s.overwrite(s.positions[2], make([]byte, 4096))
	p.write()
	got := p.wantGood(2)
	if got.CutBytes == 0 || !got.Vouched {
		t.Errorf("got %+v, want a cut", got)
	}
	p.wantStable(got)
}

// Segments that nothing vouches for are told to the owner, who syncs them before the last one, and their indexes can be appended to.
func TestRecoverVouchFrom(t *testing.T) {
	p := newPartition(t)
	p.segment(testID, 0).record(3, 0, 50).voucher(1, 3)
	second := p.segment(testID+1, 2).record(3, 2, 50).mark(0, 3, false)
	p.segment(testID+2, 4).record(3, 4, 50)
	second.index = append(second.index, 1, 2, 3)
	p.in.BelongsToBoot = func(uint64) bool { return false }
	p.write()
	got := p.wantGood(1, 1, 1)
	if got.Vouched || got.VouchFrom != testID {
		t.Errorf("got vouched %v, from segment %#x, want false, %#x", got.Vouched, got.VouchFrom, testID)
	}
	index, err := os.ReadFile(filepath.Join(p.in.Root, components.SegmentsDir, second.name(wire.SegmentIndex)))
	if err != nil || len(index) != wire.IndexEntrySize {
		t.Errorf("index of the second segment: got %d bytes, %v, want %d", len(index), err, wire.IndexEntrySize)
	}
}

// What is relied upon only because the machine has not been restarted is synced too.
func TestRecoverVouchFromDurable(t *testing.T) {
	p := newPartition(t)
	p.segment(testID, 0).record(3, 0, 50).voucher(1, 3)
	p.segment(testID+1, 2).record(3, 2, 50).mark(0, 3, false)
	p.segment(testID+2, 4).record(3, 4, 50).mark(0, 3, false)
	p.in.BelongsToBoot = func(uint64) bool { return true }
	p.write()
	if got := p.wantGood(1, 1, 1); got.Vouched || got.VouchFrom != testID {
		t.Errorf("got vouched %v, from segment %#x, want false, %#x", got.Vouched, got.VouchFrom, testID)
	}
}

// A segment may be vouched for by a later run than the one that began the next segment.
func TestRecoverLateVoucher(t *testing.T) {
	p := newPartition(t)
	p.segment(testID, 0).record(3, 0, 50).voucher(1, 6)
	p.segment(testID+1, 2).record(3, 2, 50).voucher(1, 6)
	p.segment(testID+2, 4).record(3, 4, 50)
	p.write().wantGood(1, 1, 1)
	p = newPartition(t)
	p.segment(testID, 0).record(3, 0, 50).voucher(1, 6)
	p.segment(testID+1, 2).record(3, 2, 50)
	p.segment(testID+2, 4).record(3, 4, 50).voucher(1, 6)
	p.write().wantGood(1, 1, 1)
}

// The same, but a later write says that the missing record was in the file.
func TestRecoverDamageBySafeBelow(t *testing.T) {
	for _, level := range []components.Level{components.LevelMemory, components.LevelWritten, components.LevelDurable} {
		for at := 0; at < 300; at += 7 {
			p := newPartition(t)
			p.in.Level = level
			s := p.segment(testID, 0).record(3, 0, 50).record(3, 2, 10).record(3, 4, 10).record(3, 6, 10)
			s.log[s.positions[1]+uint64(at)] ^= 16
			p.write().wantFaulted(s, s.positions[1], 1)
		}
	}
	// Also when the later record lies far off, and only its header arrived.
	p := newPartition(t)
	s := p.segment(testID, 0).record(3, 0, 50).record(3, 2, 10_000_000).record(3, 4, 10)
	s.overwrite(s.positions[1], make([]byte, 300))
	s.log = s.log[:s.positions[2]+wire.BatchHeaderSize]
	p.write().wantFaulted(s, s.positions[1], 1)
}

// A record that an entry vouches for, or that lies below such an entry, is not cut.
func TestRecoverDamageBelowEntry(t *testing.T) {
	p := newPartition(t)
	s := p.segment(testID, 0).record(3, 0, 50).record(3, 2, 10).record(3, 4, 10).mark(2, 3, false)
	s.log[s.positions[2]+100] ^= 1
	p.write().wantFaulted(s, s.positions[2], 2)

	p = newPartition(t)
	s = p.segment(testID, 0).record(3, 0, 50).record(3, 2, 10).record(3, 4, 10_000).voucher(3, 3)
	s.log = s.log[:components.AlignUp(s.positions[2]+10)]
	p.write().wantFaulted(s, s.end(), 2)

	// An entry of an earlier boot, not synced, vouches for nothing.
	p = newPartition(t)
	s = p.segment(testID, 0).record(2, 0, 50).record(2, 2, 10).record(2, 4, 10).mark(2, 2, false)
	s.log[s.positions[2]+100] ^= 1
	p.write()
	p.wantStable(p.wantGood(2))
	if e := s.lastVoucher(); e.Position != s.positions[2] {
		t.Errorf("got a voucher at %d, want %d", e.Position, s.positions[2])
	}
}

// After a restart of the machine the order in which blocks reached the disk is anyone's guess: below level durable the
// first bad record above the last voucher ends the log.
func TestRecoverOtherBoot(t *testing.T) {
	build := func(level components.Level) (*testPartition, *testSegment) {
		p := newPartition(t)
		p.in.Level = level
		s := p.segment(testID, 0).record(2, 0, 50).record(2, 2, 10).voucher(2, 2).record(2, 4, 10).record(2, 6, 10).record(2, 8, 10).mark(4, 2, false)
		return p, s
	}
	p, _ := build(components.LevelWritten)
	p.write().wantGood(5)

	p, s := build(components.LevelWritten)
	s.overwrite(s.positions[3], make([]byte, 100))
	p.write()
	got := p.wantGood(3)
	if len(got.Notes) < 2 || got.CutBytes == 0 {
		t.Errorf("got notes %q, want what was cut and what the index knew", got.Notes)
	}
	p.wantStable(got)

	p, s = build(components.LevelDurable)
	s.overwrite(s.positions[3], make([]byte, 100))
	p.write().wantFaulted(s, s.positions[3], 3)

	// The level was raised between the crash and the start: what was written before it does not become durable by that.
	p, s = build(components.LevelWritten)
	s.overwrite(s.positions[3], make([]byte, 100))
	p.in.Level = components.LevelDurable
	p.write()
	p.wantStable(p.wantGood(3))

	// Lowering it takes nothing back.
	p, s = build(components.LevelDurable)
	s.overwrite(s.positions[3], make([]byte, 100))
	p.in.Level = components.LevelWritten
	p.write().wantFaulted(s, s.positions[3], 3)

	// The index alone survived.
	p, s = build(components.LevelWritten)
	s.log = append(s.log[:s.positions[2]], make([]byte, 8192)...)
	p.write()
	got = p.wantGood(2)
	p.wantStable(got)
	if e := s.lastVoucher(); !got.Vouched || e.Run != 9 && e.Run != 2 {
		t.Errorf("got %+v, want a voucher", e)
	}
}

// What an earlier run left behind a cut is no part of the log, even where it would fit byte by byte.
func TestRecoverStaleRun(t *testing.T) {
	p := newPartition(t)
	old := p.segment(testID, 0).record(4, 0, 10).record(4, 2, 10).record(4, 4, 10).record(4, 6, 10)
	p.segs = nil
	s := p.segment(testID, 0).record(4, 0, 10).voucher(1, 5).record(5, 2, 10)
	if s.positions[2] != old.positions[2] {
		t.Fatalf("got records of different sizes, want the same")
	}
	s.log = append(s.log, old.log[old.positions[2]:]...)
	p.write()
	got := p.wantGood(2)
	if got.CutBytes != old.end()-old.positions[2] {
		t.Errorf("got %d bytes cut, want %d", got.CutBytes, old.end()-old.positions[2])
	}
	p.wantStable(got)

	// Nor does it count as proof of damage.
	p = newPartition(t)
	s = p.segment(testID, 0).record(4, 0, 10).voucher(1, 5).record(5, 2, 10)
	s.log = append(s.log, old.log[old.positions[2]:]...)
	s.log[s.positions[1]+90] ^= 1
	p.write()
	p.wantStable(p.wantGood(1))
}

func TestRecoverTwoSegments(t *testing.T) {
	build := func(run uint64) (*testPartition, *testSegment, *testSegment) {
		p := newPartition(t)
		a := p.segment(testID, 0).record(run, 0, 10).record(run, 2, 5000).record(run, 4, 10)
		b := p.segment(testID+1, 6).record(run, 6, 10).record(run, 8, 10)
		return p, a, b
	}
	p, _, _ := build(3)
	p.write()
	p.wantStable(p.wantGood(3, 2)) // walked

	p, a, b := build(3)
	a.voucher(3, 3)
	b.mark(0, 3, false)
	p.write()
	p.wantStable(p.wantGood(3, 2)) // relied upon

	p, a, b = build(3)
	a.mark(1, 3, false)
	b.mark(0, 3, false)
	a.log = append(a.log, make([]byte, 9000)...)
	p.write()
	p.wantStable(p.wantGood(3, 2)) // the end of the first is walked

	// The second one's records prove that the first was whole.
	p, a, _ = build(3)
	a.overwrite(a.positions[2], make([]byte, 200))
	p.write().wantFaulted(a, a.positions[2], 2)
	p, a, b = build(3)
	a.overwrite(a.positions[2], make([]byte, 200))
	b.mark(1, 3, false)
	p.write().wantFaulted(a, a.positions[2], 2)
	p, a, b = build(3)
	a.log = a.log[:a.positions[2]]
	b.voucher(2, 3)
	p.write().wantFaulted(a, a.positions[2], 2)

	// After a restart of the machine they do not, and the cut takes them along.
	p, a, b = build(2)
	a.overwrite(a.positions[2], make([]byte, 200))
	b.mark(0, 2, false)
	p.write()
	got := p.wantGood(2)
	if files := tree(t, p.in.Root); len(files) != 2 {
		t.Errorf("got %d files, want the first segment's log and index", len(files))
	}
	if got.CutBytes == 0 {
		t.Error("got nothing cut, want the second segment")
	}
	p.wantStable(got)

	// But not if they are vouched for.
	p, a, b = build(2)
	a.overwrite(a.positions[2], make([]byte, 200))
	b.voucher(1, 2)
	p.write().wantFaulted(a, a.positions[2], 2)

	// A segment in the middle is missing.
	p, a, b = build(3)
	a.voucher(3, 3)
	b.voucher(2, 3)
	p.segment(testID+2, 12).record(3, 12, 10).voucher(1, 3)
	p.write().wantFaulted(b, b.positions[2], 3, 2)
}

func TestRecoverHeadless(t *testing.T) {
	// A crash came while the second segment was made.
	for _, log := range [][]byte{nil, make([]byte, 100), make([]byte, 8192)} {
		p := newPartition(t)
		p.segment(testID, 0).record(3, 0, 10)
		b := p.segment(testID+1, 2)
		b.log = log
		p.write()
		p.segs = p.segs[:1]
		got := p.wantGood(1)
		if files := tree(t, p.in.Root); len(files) != 1 || len(got.Notes) != 1 {
			t.Errorf("got %d files, notes %q, want one and one", len(files), got.Notes)
		}
		p.wantStable(got)
	}
	// It could not be made for want of space, and its name, which was removed, came back with the machine's power: the next one took its place.
	for _, log := range [][]byte{nil, make([]byte, 8192)} {
		for _, before := range []bool{false, true} {
			p := newPartition(t)
			var counts []int
			next := uint64(0)
			if before {
				p.segment(testID, 0).record(3, 0, 10)
				counts, next = append(counts, 1), 2
			}
			p.segment(testID+1, next).log = log
			p.segment(testID+2, next).record(3, next, 10).voucher(1, 3)
			p.write()
			p.segs = slices.Delete(p.segs, len(counts), len(counts)+1)
			p.wantStable(p.wantGood(append(counts, 1)...))
		}
	}
	// But not if the next one begins behind messages that nobody has.
	for _, index := range []bool{false, true} {
		p := newPartition(t)
		a := p.segment(testID, 0).record(3, 0, 10)
		if index {
			a.mark(0, 3, false)
		}
		a.log = nil
		p.segment(testID+1, 2).record(3, 2, 10).voucher(1, 3)
		p.write().wantFaulted(a, 0)
	}

	// An empty one with a head stays.
	p := newPartition(t)
	p.segment(testID, 0).record(3, 0, 10)
	p.segment(testID+1, 2)
	p.write()
	p.wantStable(p.wantGood(1, 0))

	// The first write, which holds the head, was torn: nobody had an answer.
	p = newPartition(t)
	p.segment(testID, 0).record(3, 0, 10)
	b := p.segment(testID+1, 2).record(3, 2, 10).record(3, 2, 10)
	b.log[3000] ^= 1
	p.write()
	p.segs = p.segs[:1]
	p.wantStable(p.wantGood(1))
	p = newPartition(t)
	a := p.segment(testID, 0).record(3, 0, 10)
	clear(a.log[:wire.SegmentHeadSize])
	p.write()
	p.segs = nil
	p.wantStable(p.wantGood())

	// A bad head before records that were answered is damage.
	for _, c := range []func(b *testSegment){
		func(b *testSegment) { b.record(3, 2, 10).voucher(1, 3) },
		func(b *testSegment) { b.record(3, 2, 10).mark(0, 3, false) },
		func(b *testSegment) { b.record(3, 2, 10).record(3, 4, 10) },
	} {
		p = newPartition(t)
		p.segment(testID, 0).record(3, 0, 10)
		b = p.segment(testID+1, 2)
		c(b)
		b.log[3000] ^= 1
		p.write().wantFaulted(b, 0, 1)
	}
	p = newPartition(t)
	a = p.segment(testID, 0).record(3, 0, 10).record(3, 2, 10)
	a.log[3000] ^= 1
	p.write().wantFaulted(a, 0)

	// Another version is refused.
	p = newPartition(t)
	a = p.segment(testID, 0).record(3, 0, 10)
	a.log[8] = 2
	if _, err := p.write().recover(); !errors.Is(err, wire.ErrVersion) {
		t.Errorf("got %v, want %v", err, wire.ErrVersion)
	}
	// So is the file of another partition.
	p = newPartition(t)
	a = p.segment(testID, 0).record(3, 0, 10)
	p.write()
	p.in.Entity++
	p.wantFaulted(a, 0)
}

func TestRecoverPurged(t *testing.T) {
	p := newPartition(t)
	p.segment(testID, 0).record(3, 0, 10).voucher(1, 3)
	p.in.Epoch = 1
	p.segment(testID+1, 2).record(3, 2, 10)
	p.write()
	p.segs = p.segs[1:]
	p.wantStable(p.wantGood(1))
	if files := tree(t, p.in.Root); len(files) != 1 {
		t.Errorf("got %d files, want one", len(files))
	}
}

// A dump changes nothing.
func TestRecoverReadOnly(t *testing.T) {
	p := newPartition(t)
	p.in.ReadOnly = true
	s := p.segment(testID, 0).record(2, 0, 10).record(2, 2, 10)
	p.segment(testID+1, 10).record(2, 10, 10)
	s.log = append(s.log, 1, 2, 3)
	before := tree(t, p.write().in.Root)
	got := p.wantGood(2)
	wantTree(t, p.in.Root, before)
	if got.CutBytes == 0 || len(got.Notes) == 0 || got.Vouched {
		t.Errorf("got %+v, want what would be cut", got)
	}
}

// A cut may be interrupted by another crash after any of its steps. Whether there are later segments or not, the log has the whole block in which
// it ends in the end: growth that finds no room takes a file back to its last whole block.
func TestRecoverInterruptedCut(t *testing.T) {
	for _, later := range []uint64{0, 2} {
		t.Run(fmt.Sprint(later, " later segments"), func(t *testing.T) { interruptCut(t, later) })
	}
}

func interruptCut(t *testing.T, later uint64) {
	for fail := 0; ; fail++ {
		p := newPartition(t)
		s := p.segment(testID, 0).record(2, 0, 10).record(2, 2, 10).record(2, 4, 10).mark(0, 2, false).mark(2, 2, false)
		for i := range later {
			p.segment(testID+1+i, 6+2*i).record(2, 6+2*i, 10)
		}
		s.overwrite(s.positions[1], make([]byte, 100))
		p.write()
		list, _ := ListSegments(uring.SystemFiles(), p.in.Root)
		p.in.SegmentIDs = list.Logs[PartitionFiles{p.in.CreatedSeq, p.in.PartitionID}]
		files := &failingFiles{Files: uring.SystemFiles(), left: fail}
		got, err := RecoverPartition(files, p.in)
		if err != nil {
			t.Fatal(err)
		}
		if !files.failed {
			if got.Faulted {
				t.Fatalf("got %+v, want good", got)
			}
			break
		}
		if !got.Faulted || got.OffsetNext != 2 {
			t.Fatalf("change %d failed: got %+v, want faulted with what is good", fail, got)
		}
		p.in.Run++
		p.wantStable(p.wantGood(1))
	}
}

// failingFiles fail every change after the first left ones.
type failingFiles struct {
	uring.Files
	left   int
	failed bool
}

func (f *failingFiles) fails() error {
	if f.left == 0 {
		f.failed = true
		return os.NewSyscallError("test", syscall.EIO)
	}
	f.left--
	return nil
}

func (f *failingFiles) Truncate(fd int32, size uint64) error {
	if err := f.fails(); err != nil {
		return err
	}
	return f.Files.Truncate(fd, size)
}

func (f *failingFiles) Remove(name string) error {
	if err := f.fails(); err != nil {
		return err
	}
	return f.Files.Remove(name)
}

func (f *failingFiles) Rename(from, to string) error {
	if err := f.fails(); err != nil {
		return err
	}
	return f.Files.Rename(from, to)
}

func (f *failingFiles) WriteAt(fd int32, b []byte, position uint64) (int, error) {
	if err := f.fails(); err != nil {
		return 0, err
	}
	return f.Files.WriteAt(fd, b, position)
}

func (f *failingFiles) Sync(fd int32) error {
	if err := f.fails(); err != nil {
		return err
	}
	return f.Files.Sync(fd)
}

func (f *failingFiles) SyncDir(path string) error {
	if err := f.fails(); err != nil {
		return err
	}
	return f.Files.SyncDir(path)
}

// One bit is wrong anywhere: what was acknowledged is there, or the partition is faulted, or the start is refused. Where no voucher
// covers it, the last write may be taken for a torn one.
func TestRecoverBitFlips(t *testing.T) {
	for _, vouched := range []bool{true, false} {
		p := newPartition(t)
		a := p.segment(testID, 0).record(3, 0, 10).record(3, 2, 20).mark(1, 3, false).voucher(2, 3)
		b := p.segment(testID+1, 4).record(3, 4, 10).record(3, 6, 20).record(3, 8, 30).mark(1, 3, false)
		least := uint64(8)
		if vouched {
			b.voucher(3, 4)
			least = 10
		}
		a.log, b.log = append(a.log, make([]byte, 300)...), append(b.log, make([]byte, 300)...)
		good := 0
		flipEach(t, p.files(), p.in.Root, 64, func(t *testing.T, name string, at int) {
			got, err := p.recover()
			switch {
			case errors.Is(err, wire.ErrVersion):
			case err != nil:
				t.Errorf("byte %d of %s: got %v", at, name, err)
			case got.Faulted:
				if got.OffsetNext > 10 || got.Damage == "" {
					t.Errorf("byte %d of %s: got %+v", at, name, got)
				}
			case got.OffsetNext < least || got.OffsetNext > 10 || got.OffsetFirst != 0 || len(got.Segments) != 2:
				t.Errorf("byte %d of %s: got %+v, want offset %d", at, name, got, least)
			default:
				good++
			}
		})
		if good == 0 {
			t.Error("got no good result, want those of flips that do not matter")
		}
	}
}

func TestListSegments(t *testing.T) {
	p := newPartition(t)
	for i := range uint64(3) {
		p.segment(testID+2-i, 0).voucher(0, 3)
	}
	p.write()
	writeTest(t, nil, p.in.Root, components.SegmentsDir, "notes.txt")
	writeTest(t, nil, p.in.Root, components.SegmentsDir, wire.SegmentName(77, 1, 5, wire.SegmentLog))
	list, err := ListSegments(uring.SystemFiles(), p.in.Root)
	if err != nil {
		t.Fatal(err)
	}
	of := PartitionFiles{p.in.CreatedSeq, p.in.PartitionID}
	want := []uint64{testID, testID + 1, testID + 2}
	if !slices.Equal(list.Logs[of], want) || !slices.Equal(list.Indexes[of], want) || !slices.Equal(list.Strange, []string{"notes.txt"}) {
		t.Errorf("got %+v, want segments %v", list, want)
	}
	unnamed := list.Unnamed(func(f PartitionFiles) bool { return f == of })
	if !slices.Equal(unnamed, []string{wire.SegmentName(77, 1, 5, wire.SegmentLog), "notes.txt"}) {
		t.Errorf("got %q unnamed, want two", unnamed)
	}
	count, err := RemoveFiles(uring.SystemFiles(), p.in.Root, list, components.Removal{Created: of.CreatedSeq, ID: of.PartitionID})
	if err != nil || count != 6 {
		t.Errorf("got %d %v, want 6 files removed", count, err)
	}
	if left := tree(t, p.in.Root); len(left) != 2 {
		t.Errorf("got %d files left, want 2", len(left))
	}
}

// The walk reads across its buffer, and records larger than it.
func TestRecoverLargeRecords(t *testing.T) {
	p := newPartition(t)
	s := p.segment(testID, 0)
	for i, size := range []int{10, walkReadMin, 3 * walkReadMax, 1, walkReadMax, 5 * walkReadMax} {
		s.record(3, uint64(2*i), size)
	}
	s.log = append(s.log, bytes.Repeat([]byte{7}, 3*walkReadMax)...)
	p.write()
	p.wantStable(p.wantGood(6))
	if size, err := os.Stat(filepath.Join(p.in.Root, components.SegmentsDir, s.name(wire.SegmentLog))); err != nil || uint64(size.Size()) != components.AlignUp(s.positions[6]) {
		t.Errorf("got %d bytes, want the log cut to %d", size.Size(), components.AlignUp(s.positions[6]))
	}
}

// A segment whose head is that of another one, or whose index cannot be read, is damage behind the segments before it, which are served.
func TestRecoverForeignHead(t *testing.T) {
	build := func() (*testPartition, *testSegment) {
		p := newPartition(t)
		p.segment(testID, 0).record(3, 0, 10).record(3, 2, 10).record(3, 4, 10).mark(1, 3, false)
		return p, p.segment(testID+1, 6).record(3, 6, 10).voucher(1, 3)
	}
	p, b := build()
	wire.PutSegmentHead(b.log, wire.SegmentHead{SegmentID: b.id, Partition: uint64(p.in.Entity) + 1, CreatedSeq: p.in.CreatedSeq,
		BaseOffset: b.base, Run: b.id >> 40, PartitionID: p.in.PartitionID}, testSecret)
	p.write().wantFaulted(b, 0, 3)

	p, b = build()
	b.index = nil
	p.write()
	if err := os.Mkdir(filepath.Join(p.in.Root, components.SegmentsDir, b.name(wire.SegmentIndex)), 0o700); err != nil {
		t.Fatal(err)
	}
	if got, err := p.recover(); err != nil || !got.Faulted || got.OffsetNext != 6 || !strings.HasSuffix(got.DamagePath, b.name(wire.SegmentIndex)) {
		t.Errorf("an index that cannot be read: got %+v, %v, want faulted by it, and the first segment", got, err)
	}
}

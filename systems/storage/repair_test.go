package storage

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"galgo/components"
	"galgo/uring"
	"galgo/wire"
)

// damagedPartitions are partitions of three segments whose recovery finds damage, and what a repair leaves of them.
func damagedPartitions() map[string]func(*testPartition) (good []int) {
	return map[string]func(*testPartition) []int{
		"in the last segment": func(p *testPartition) []int {
			c := p.segs[2]
			c.index = nil
			c.overwrite(c.positions[1]+90, []byte{1})
			return []int{3, 2, 1}
		},
		"at the start of the last segment": func(p *testPartition) []int {
			c := p.segs[2]
			c.index = nil
			c.overwrite(c.positions[0]+90, []byte{1})
			return []int{3, 2, 0}
		},
		"in the middle": func(p *testPartition) []int {
			a := p.segs[0]
			a.index = nil
			a.overwrite(a.positions[1], make([]byte, 40))
			return []int{1}
		},
		"a log that is short": func(p *testPartition) []int {
			b := p.segs[1]
			b.index = nil
			b.log = b.log[:b.positions[1]-5]
			return []int{3, 0}
		},
		"a head that is none": func(p *testPartition) []int {
			b := p.segs[1]
			b.overwrite(0, make([]byte, 100))
			return []int{3}
		},
		"a head of another partition": func(p *testPartition) []int {
			b := p.segs[1]
			wire.PutSegmentHead(b.log, wire.SegmentHead{SegmentID: b.id, Partition: uint64(p.in.Entity) + 1, CreatedSeq: p.in.CreatedSeq,
				BaseOffset: b.base, Run: b.id >> 40, PartitionID: p.in.PartitionID}, testSecret)
			return []int{3}
		},
		"the last log": func(p *testPartition) []int {
			p.segs[2].gone = true
			return []int{3, 2}
		},
		"all logs": func(p *testPartition) []int {
			for _, s := range p.segs {
				s.gone = true
			}
			return nil
		},
		"the first head": func(p *testPartition) []int {
			a := p.segs[0]
			a.overwrite(0, make([]byte, 100))
			return nil
		},
	}
}

func newDamaged(t *testing.T, spoil func(*testPartition) []int) (p *testPartition, good []int) {
	p = newPartition(t)
	p.segment(testID, 0).record(3, 0, 10).record(3, 2, 5000).record(3, 4, 10).mark(1, 3, false).voucher(3, 3)
	p.segment(testID+1, 6).record(3, 6, 10).record(3, 8, 10).voucher(2, 3)
	p.segment(testID+2, 10).record(3, 10, 10).record(3, 12, 10).record(3, 14, 10).mark(1, 3, false).mark(2, 3, false)
	good = spoil(p)
	return p.write(), good
}

func (p *testPartition) repair(files uring.Files) (*Repair, error) {
	list, err := ListSegments(files, p.in.Root)
	if err != nil {
		p.t.Fatal(err)
	}
	of := PartitionFiles{p.in.CreatedSeq, p.in.PartitionID}
	p.in.SegmentIDs, p.in.IndexIDs = list.Logs[of], list.Indexes[of]
	return RepairPartition(files, p.in)
}

// A repair says what it will do without doing it, does just that, keeps what it removes, and leaves a partition that is good.
func TestRepairPartition(t *testing.T) {
	for name, spoil := range damagedPartitions() {
		t.Run(name, func(t *testing.T) {
			p, good := newDamaged(t, spoil)
			before := tree(t, p.in.Root)
			damage := p.mustRecover()
			if !damage.Faulted {
				t.Fatalf("got %+v, want damage", damage)
			}
			p.in.ReadOnly = true
			planned, err := p.repair(uring.SystemFiles())
			if err != nil || planned == nil {
				t.Fatalf("dry run: got %+v, %v", planned, err)
			}
			wantTree(t, p.in.Root, before)
			p.in.ReadOnly = false
			done, err := p.repair(uring.SystemFiles())
			if err != nil || done.OffsetNext != planned.OffsetNext || done.Bytes != planned.Bytes || done.Side != planned.Side || len(done.Moved) != len(planned.Moved) {
				t.Fatalf("got %+v, %v, want as planned %+v", done, err, planned)
			}
			p.wantStable(p.wantGood(good...))
			if again, err := p.repair(uring.SystemFiles()); again != nil || err != nil {
				t.Errorf("repair of a good partition: got %+v, %v, want nothing", again, err)
			}
			p.wantKept(before, done)
		})
	}
}

// wantKept wants all bytes of the files that were there to be there still, in the log or beside it, but for entries of indexes.
func (p *testPartition) wantKept(before map[string]string, done *Repair) {
	p.t.Helper()
	for name, content := range before {
		if !strings.HasSuffix(name, ".log") {
			continue
		}
		kept, err := os.ReadFile(name)
		if os.IsNotExist(err) {
			kept, err = os.ReadFile(filepath.Join(p.in.Root, RemovedDir, filepath.Base(name)))
		} else if name == done.Path && done.Side != "" {
			var side []byte
			side, err = os.ReadFile(done.Side)
			kept = append(kept[:done.Position:done.Position], side...)
		}
		if err != nil || !bytes.Equal(trimZeros(kept), trimZeros([]byte(content))) {
			p.t.Errorf("%s: got %d bytes kept, %v, want the %d that were there", filepath.Base(name), len(kept), err, len(content))
		}
	}
}

// A repair that fails at any of its changes can be done again, and so can the start of a server come in between.
func TestRepairInterrupted(t *testing.T) {
	for name, spoil := range damagedPartitions() {
		for fail := 0; ; fail++ {
			for _, startBetween := range []bool{false, true} {
				p, good := newDamaged(t, spoil)
				before := tree(t, p.in.Root)
				files := &failingFiles{Files: uring.SystemFiles(), left: fail}
				first, err := p.repair(files)
				if (err != nil) != files.failed {
					t.Fatalf("%s, change %d: got %v, want an error: %v", name, fail, err, files.failed)
				}
				if startBetween {
					p.in.Run++
					p.mustRecover()
				}
				if _, err := p.repair(uring.SystemFiles()); err != nil {
					t.Fatalf("%s, change %d: got %v at the second time", name, fail, err)
				}
				p.wantGood(good...)
				if !startBetween {
					p.wantKept(before, first)
				}
				if !files.failed && startBetween {
					goto next
				}
			}
		}
	next:
	}
}

// What is not damaged is left alone.
func TestRepairNothing(t *testing.T) {
	p, _ := newDamaged(t, func(*testPartition) []int { return nil })
	before := tree(t, p.in.Root)
	if got, err := p.repair(uring.SystemFiles()); got != nil || err != nil {
		t.Errorf("got %+v, %v, want nothing", got, err)
	}
	wantTree(t, p.in.Root, before)
	p.in.Level = components.LevelDurable
	if got, err := p.repair(uring.SystemFiles()); got != nil || err != nil {
		t.Errorf("got %+v, %v, want nothing", got, err)
	}
}

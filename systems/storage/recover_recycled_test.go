package storage

import (
	"bytes"
	"testing"

	"galgo/components"
	"galgo/wire"
)

// recycledTail is what an earlier life of a file left from a position on: records of another segment, at the places where new ones would go.
func recycledTail(position uint64, size int) []byte {
	old := make([]byte, position)
	for next := uint64(0); len(old) < int(position)+size; next += 2 {
		old = appendTestRecord(old, 1<<40|99, next, 3, next, true, 700)
	}
	return old[position:]
}

// A recycled file ends where its voucher says, and nothing of what lies behind is read, searched or counted as lost.
func TestRecoverRecycledCleanStop(t *testing.T) {
	p := newPartition(t)
	s := p.segment(testID, 100).record(3, 100, 50).record(3, 102, 900).mark(0, 3, false).voucher(2, 3)
	s.log = append(s.log, make([]byte, components.AlignUp(s.end())-s.end())...)
	s.log = append(s.log, recycledTail(s.end(), 3<<20)...)
	s.log = s.log[:components.AlignDown(s.end())]
	before := tree(t, p.write().in.Root)
	got := p.wantGood(2)
	wantTree(t, p.in.Root, before)
	if !got.Vouched || got.CutBytes != 0 || len(got.Notes) > 0 {
		t.Errorf("got %+v, want everything vouched for and nothing cut", got)
	}
	p.wantStable(got)
}

// The same after a kill, without a voucher: the file keeps its blocks, wherever in a block the log ends.
func TestRecoverRecycledKilled(t *testing.T) {
	for _, size := range []int{10, 900, 3000, 3350, 3400, 3430} {
		p := newPartition(t)
		s := p.segment(testID, 0).record(3, 0, 50).record(3, 2, size).mark(0, 3, false)
		s.log = append(s.log, make([]byte, components.AlignUp(s.end())-s.end())...)
		s.log = append(s.log, recycledTail(s.end(), 1<<20)...)
		s.log = s.log[:components.AlignDown(s.end())]
		p.write()
		got := p.wantGood(2)
		if got.CutBytes != 0 || got.Segments[0].Allocated != s.end() {
			t.Errorf("size %d: got %d bytes cut, %d allocated, want none and %d", size, got.CutBytes, got.Segments[0].Allocated, s.end())
		}
		p.wantStable(got)
	}
}

// A file that was made of one of the pool, and never used, goes.
func TestRecoverRecycledUnused(t *testing.T) {
	p := newPartition(t)
	p.segment(testID, 0).record(3, 0, 50)
	unused := p.segment(testID+1, 2)
	unused.log = append(make([]byte, emptyHeadSize), recycledTail(emptyHeadSize, 1<<20)...)
	p.write()
	got := p.wantGood(1)
	if len(got.Notes) != 1 || got.CutBytes != 0 {
		t.Errorf("got %+v, want a note that it went, and nothing cut", got)
	}
	p.wantStable(got)
}

// One wrong bit in the record behind a voucher is damage when a later record says that this one was there.
func TestRecoverDamageBehindVoucher(t *testing.T) {
	for at := range wire.BatchHeaderSize {
		p := newPartition(t)
		s := p.segment(testID, 0).record(3, 0, 50).voucher(1, 3).record(3, 2, 10).record(3, 4, 10)
		s.log[s.positions[1]+uint64(at)] ^= 16
		s.log = append(s.log, bytes.Repeat([]byte{0}, 5000)...)
		p.write().wantFaulted(s, s.positions[1], 1)
	}
}

// A file of which the index knows a record was used, whatever became of its beginning: messages behind it are not dropped along with it.
func TestRecoverBeginningGone(t *testing.T) {
	p := newPartition(t)
	p.segment(testID, 0).record(3, 0, 50)
	s := p.segment(testID+1, 2).record(3, 2, 9000).record(3, 4, 9000).record(3, 6, 9000).mark(0, 3, false)
	clear(s.log[:emptyHeadSize])
	p.write().wantFaulted(s, 0, 1)
}

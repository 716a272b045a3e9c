package storage

import (
	"testing"

	"galgo/components"
	"galgo/wire"
)

// wantFirst checks where a recovered log begins and ends.
func wantFirst(t testing.TB, got *components.Recovered, first, next uint64) {
	t.Helper()
	if got.OffsetFirst != first || got.OffsetNext != next {
		t.Fatalf("log: got [%d,%d), want [%d,%d)", got.OffsetFirst, got.OffsetNext, first, next)
	}
}

// wantNothingFrom checks that recovery leaves no file, and that offsets go on at next.
func (p *testPartition) wantNothingFrom(next uint64) {
	p.t.Helper()
	p.segs = nil
	got := p.wantGood()
	wantFirst(p.t, got, next, next)
	if files := tree(p.t, p.in.Root); len(files) != 0 {
		p.t.Errorf("got %d files, want none", len(files))
	}
	p.wantStable(got)
}

// four makes segments of two records each: offsets [0,4), [4,8), [8,12), [12,16).
func four(p *testPartition) (list []*testSegment) {
	for i := range uint64(4) {
		list = append(list, p.segment(testID+i, 4*i).record(3, 4*i, 10).record(3, 4*i, 20).voucher(2, 3))
	}
	return list
}

// A log whose oldest segments are gone begins with the first that is there, whether or not anything says where it should begin.
func TestRecoverRemovedHead(t *testing.T) {
	for _, begin := range []uint64{0, 4, 8} {
		p := newPartition(t)
		p.segs = four(p)[2:]
		p.in.Begin = begin
		got := p.write().wantGood(2, 2)
		wantFirst(t, got, 8, 16)
		p.wantStable(got)
	}
}

// Whatever files a removal has left when the crash came, none of what was removed comes back, and all the rest is there.
func TestRecoverHalfRemoved(t *testing.T) {
	for left := range 4 { // of the two segments that are removed, by bit
		p := newPartition(t)
		all := four(p)
		p.segs = nil
		for i, s := range all {
			if i >= 2 || left&(1<<i) != 0 {
				p.segs = append(p.segs, s)
			}
		}
		p.in.Begin = 8
		p.write()
		p.segs = all[2:]
		got := p.wantGood(2, 2)
		wantFirst(t, got, 8, 16)
		if files := tree(t, p.in.Root); len(files) != 4 {
			t.Errorf("left %b: got %d files, want 4", left, len(files))
		}
		p.wantStable(got)
	}
	// Without a removal the same gap is damage.
	p := newPartition(t)
	all := four(p)
	p.segs = []*testSegment{all[0], all[2], all[3]}
	p.write().wantFaulted(all[0], all[0].end(), 2)
}

// When all that is behind a removal was lost with the machine's power, offsets go on where the log is said to begin.
func TestRecoverNothingBehindARemoval(t *testing.T) {
	for _, left := range []int{0, 1, 2} { // segments below it of which files are left
		p := newPartition(t)
		p.segs = four(p)[2-left : 2]
		p.in.Begin = 8
		p.write()
		p.wantNothingFrom(8)
	}
	// The same with the first write of the next segment torn: what it holds proves that there was a log before it, which was removed.
	p := newPartition(t)
	s := p.segment(testID+4, 8).record(3, 8, 10)
	clear(s.log[:wire.SegmentHeadSize])
	p.in.Begin = 8
	p.write()
	p.segs = nil
	wantFirst(t, p.wantGood(), 8, 8)
	p.in.Begin = 6 // less was removed: then somebody had an answer to [6,8)
	p = newPartition(t)
	s = p.segment(testID+4, 8).record(3, 8, 10)
	clear(s.log[:wire.SegmentHeadSize])
	p.in.Begin = 6
	p.write().wantFaulted(s, 0)
}

// A loss of power may take the first segment of an epoch, keep the second, and tear the head of the last one that was purged before: nothing vouches for any
// of it, and what the index of that one knows is of the epoch before.
func TestRecoverPurgedBeforeALostBeginning(t *testing.T) {
	for _, durably := range []bool{false, true} {
		const id = 2<<40 | 7 // of an earlier boot
		p := newPartition(t)
		purged := p.segment(id, 16).record(2, 16, 10).mark(0, 2, false)
		clear(purged.log[:wire.SegmentHeadSize])
		p.in.Epoch = 1
		if durably {
			p.in.Level = components.LevelDurable
		}
		p.segment(id+1, 4).record(2, 4, 10)
		p.write()
		if durably { // then somebody had an answer to [0,4)
			p.wantFaulted(purged, 0)
			continue
		}
		p.wantNothingFrom(0)
	}
}

// A dump shows the log as it will be, and leaves the files.
func TestRecoverRemovedReadOnly(t *testing.T) {
	p := newPartition(t)
	all := four(p)
	p.in.Begin, p.in.ReadOnly = 8, true
	p.write()
	before := tree(t, p.in.Root)
	p.segs = all[2:]
	wantFirst(t, p.wantGood(2, 2), 8, 16)
	wantTree(t, p.in.Root, before)
}

// Files of earlier epochs go, those without a head too: one whose first write was torn when the purge came.
func TestRecoverPurgedLeftovers(t *testing.T) {
	old := func(p *testPartition) (headed, torn *testSegment) {
		headed = p.segment(testID, 0).record(3, 0, 10).record(3, 2, 10)
		torn = p.segment(testID+1, 4).record(3, 4, 10).record(3, 4, 10)
		clear(torn.log[:512])
		p.in.Epoch = 1
		return headed, torn
	}
	// Nothing was appended since, for that waits until the write has returned.
	p := newPartition(t)
	old(p)
	p.write()
	p.segs = nil
	wantFirst(t, p.wantGood(), 0, 0)
	if files := tree(t, p.in.Root); len(files) != 0 {
		t.Errorf("got %d files, want none", len(files))
	}
	// The machine lost its power later: the head of what had returned is gone, and so may be the file before it.
	for _, both := range []bool{true, false} {
		p = newPartition(t)
		headed, torn := old(p)
		present := p.segment(testID+2, 0).record(3, 0, 10).voucher(1, 3)
		p.segs = []*testSegment{headed, torn, present}
		if !both {
			p.segs = p.segs[1:]
		}
		p.write()
		p.segs = []*testSegment{present}
		got := p.wantGood(1)
		wantFirst(t, got, 0, 2)
		if files := tree(t, p.in.Root); len(files) != 2 {
			t.Errorf("got %d files, want log and index of the present epoch", len(files))
		}
		p.wantStable(got)
	}
	// In the present epoch a bad head before records that were answered is damage as ever.
	p = newPartition(t)
	headed, _ := old(p)
	p.segs = []*testSegment{headed}
	bad := p.segment(testID+2, 0).record(3, 0, 10).voucher(1, 3)
	clear(bad.log[:512])
	p.write()
	p.segs = []*testSegment{bad}
	p.wantFaulted(bad, 0)
}

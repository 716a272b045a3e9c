package storage

import (
	"testing"

	"galgo/wire"
)

// twoLost are two segments, of which the last has lost its log; spoil makes its index.
func twoLost(t *testing.T, index func(last *testSegment)) (*testPartition, *testSegment) {
	p := newPartition(t)
	p.segment(testID, 0).record(3, 0, 10).record(3, 2, 10).voucher(2, 3)
	last := p.segment(testID+1, 4).record(3, 4, 10).record(3, 6, 10)
	index(last)
	last.gone = true
	return p, last
}

// A segment of which the log is gone, and for which the index vouches, is damage: nothing that happens to a server leaves that.
func TestRecoverLostLog(t *testing.T) {
	for name, index := range map[string]func(*testSegment){
		"a record of this boot":   func(s *testSegment) { s.mark(0, 3, false) },
		"a durable record":        func(s *testSegment) { s.mark(0, 1, true) },
		"a voucher":               func(s *testSegment) { s.mark(0, 1, false).voucher(2, 1) },
		"a voucher and more":      func(s *testSegment) { s.voucher(1, 1).mark(1, 1, false) },
		"a voucher over all logs": func(s *testSegment) { s.voucher(2, 1); s.p.segs[0].gone = true },
	} {
		t.Run(name, func(t *testing.T) {
			p, last := twoLost(t, index)
			p.write()
			if p.segs[0].gone {
				p.wantFaulted(p.segs[0], 0)
			} else {
				p.wantFaulted(last, 0, 2)
			}
		})
	}
}

// What power may take, and what was removed or purged, is none.
func TestRecoverNoLostLog(t *testing.T) {
	record := func(s *testSegment) { s.mark(0, 1, false) }
	for name, change := range map[string]func(*testPartition){
		"an index that does not vouch": func(*testPartition) {},
		"a removed segment": func(p *testPartition) {
			p.segs[1].voucher(2, 1)
			p.segs, p.in.Begin = p.segs[1:], 8
		},
		"a purged log": func(p *testPartition) {
			p.segs[1].voucher(2, 1)
			p.segs, p.in.Epoch = p.segs[1:], 1
		},
		"a segment before the first one": func(p *testPartition) {
			p.segs[1].voucher(2, 1)
			p.segs[0].id = testID + 2
			wire.PutSegmentHead(p.segs[0].log, wire.SegmentHead{SegmentID: testID + 2, Partition: uint64(p.in.Entity), CreatedSeq: p.in.CreatedSeq,
				Run: testID >> 40, PartitionID: p.in.PartitionID}, testSecret)
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, _ := twoLost(t, record)
			change(p)
			p.write()
			if got := p.mustRecover(); got.Faulted {
				t.Errorf("got damage at %s: %s, want none", got.DamagePath, got.Damage)
			}
		})
	}
	p, last := twoLost(t, func(s *testSegment) { s.voucher(2, 3) }) // in the epoch that is present
	p.in.Epoch = 1
	wire.PutSegmentHead(p.segs[0].log, wire.SegmentHead{SegmentID: testID, Partition: uint64(p.in.Entity), CreatedSeq: p.in.CreatedSeq,
		PurgeEpoch: 1, Run: testID >> 40, PartitionID: p.in.PartitionID}, testSecret)
	p.write().wantFaulted(last, 0, 2)
}

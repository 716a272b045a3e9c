package storage

import (
	"testing"

	"galgo/uring"
	"galgo/wire"
)

// countingFiles count the bytes that are read.
type countingFiles struct {
	uring.Files
	read uint64
}

func (f *countingFiles) ReadAt(fd int32, b []byte, position uint64) (int, error) {
	n, err := f.Files.ReadAt(fd, b, position)
	f.read += uint64(n)
	return n, err
}

// Recovery reads what index and vouchers do not vouch for, whatever there is beside: neither the records below nor the space that is allocated
// ahead.
func TestRecoverReadsLittle(t *testing.T) {
	measure := func(records int, ahead uint64, vouched bool) uint64 {
		p := newPartition(t)
		for n := range 3 {
			s := p.segment(testID+uint64(n), uint64(2*n*records))
			for range records {
				s.record(3, s.next, 1000)
			}
			s.mark(records-1, 3, false)
			if n < 2 || vouched {
				s.voucher(records, 3)
			}
		}
		p.write()
		last := p.segs[2]
		fd, err := uring.SystemFiles().Open(p.in.Root+"/segments/"+last.name(wire.SegmentLog), uring.O_RDWR, 0)
		if err == nil {
			err = uring.SystemFiles().Sync(fd) // what is written later than it was allocated is not known to be apart
		}
		if err == nil {
			err = uring.SystemFiles().Allocate(fd, last.end(), ahead)
		}
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = uring.SystemFiles().Close(fd) }()
		list, err := ListSegments(uring.SystemFiles(), p.in.Root)
		if err != nil {
			t.Fatal(err)
		}
		p.in.SegmentIDs = list.Logs[PartitionFiles{p.in.CreatedSeq, p.in.PartitionID}]
		files := &countingFiles{Files: uring.SystemFiles()}
		got, err := RecoverPartition(files, p.in)
		if err != nil || got.Faulted || got.OffsetNext != uint64(6*records) {
			t.Fatalf("got %+v, %v, want all %d messages", got, err, 6*records)
		}
		return files.read
	}
	for _, vouched := range []bool{true, false} {
		if got := measure(3000, 64<<20, vouched); got > 1<<20 { // of 12 MiB of records and 64 MiB ahead of them
			t.Errorf("vouched %v: got %d bytes read, want 1 MiB at most", vouched, got)
		}
	}
}

package storage

import (
	"testing"

	"galgo/components"
	"galgo/uring"
	"galgo/wire"
)

// countingFiles count what is asked of files.
type countingFiles struct {
	uring.Files
	count fileCounts
}

type fileCounts struct {
	opens, sizes, searches int
	reads, bytes           int
}

func (f *countingFiles) Open(name string, flags int, mode uint32) (int32, error) {
	f.count.opens++
	return f.Files.Open(name, flags, mode)
}

func (f *countingFiles) Size(fd int32) (uint64, error) {
	f.count.sizes++
	return f.Files.Size(fd)
}

func (f *countingFiles) NextData(fd int32, position uint64) (from, to uint64, err error) {
	f.count.searches++
	return f.Files.NextData(fd, position)
}

func (f *countingFiles) ReadAt(fd int32, b []byte, position uint64) (int, error) {
	n, err := f.Files.ReadAt(fd, b, position)
	f.count.reads++
	f.count.bytes += n
	return n, err
}

// countRecovery recovers three segments of so many records each, with as many entries in each index but the last few, and space that is allocated
// ahead. The last segment's voucher may be missing: far is how many bytes lie behind the last entry then.
func countRecovery(t *testing.T, records, unmarked int, vouched bool) (count fileCounts, far int) {
	t.Helper()
	p := newPartition(t)
	for n := range 3 {
		s := p.segment(testID+uint64(n), uint64(2*n*records))
		for range records {
			s.record(3, s.next, 1000)
		}
		for i := range records - unmarked {
			s.mark(i, 3, false)
		}
		if n < 2 || vouched {
			s.voucher(records, 3)
		}
	}
	p.write()
	last := p.segs[2]
	files := &countingFiles{Files: uring.SystemFiles()}
	fd, err := files.Open(p.in.Root+"/segments/"+last.name(wire.SegmentLog), uring.O_RDWR, 0)
	if err == nil {
		err = files.Sync(fd) // what is written later than it was allocated is not known to be apart
	}
	if err == nil {
		err = files.Allocate(fd, components.AlignUp(last.end()), 64<<20)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = files.Close(fd) }()
	list, err := ListSegments(files, p.in.Root)
	if err != nil {
		t.Fatal(err)
	}
	p.in.SegmentIDs = list.Logs[PartitionFiles{p.in.CreatedSeq, p.in.PartitionID}]
	files.count = fileCounts{}
	got, err := RecoverPartition(files, p.in)
	if err != nil || got.Faulted || got.OffsetNext != uint64(6*records) {
		t.Fatalf("got %+v, %v, want all %d messages", got, err, 6*records)
	}
	return files.count, int(last.end() - last.positions[records-unmarked-1])
}

// Recovery reads what index and vouchers do not vouch for, whatever there is beside: neither the records below, nor the entries before the last one,
// nor the space that is allocated ahead. A segment is its head, and the block in which its index ends; then comes the block in which the log ends.
func TestRecoverReadsLittle(t *testing.T) {
	for _, records := range []int{30, 300, 3000} { // 40 KiB to 4 MiB in each segment
		got, _ := countRecovery(t, records, 20, true)
		bytes := got.bytes
		got.bytes = 0
		if want := (fileCounts{opens: 6, sizes: 6, reads: 7}); got != want {
			t.Errorf("%d records: got %+v, want %+v", records, got, want)
		}
		if bytesMax := 8 * components.UnitSize; bytes > bytesMax { // where a log ends, a record's header may reach into the next block
			t.Errorf("%d records: got %d bytes read, want %d at most", records, bytes, bytesMax)
		}
	}
}

// After a kill in the middle of writing, recovery moreover walks from the last entry of the index.
func TestRecoverReadsFromLastEntry(t *testing.T) {
	for _, records := range []int{300, 3000} {
		for _, unmarked := range []int{0, 1, 20, 200} { // the last is as far as entries are apart
			got, far := countRecovery(t, records, unmarked, false)
			bytesMax := 8*components.UnitSize + 8*far // each read may be four times the ones before, and what was read is searched too
			if got.bytes > bytesMax || got.opens != 6 || got.reads > 7+5 {
				t.Errorf("%d records, %d bytes behind the last entry: got %+v, want 6 opens, 12 reads and %d bytes at most", records, far, got, bytesMax)
			}
		}
	}
}

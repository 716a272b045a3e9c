package storage

import (
	"errors"
	"syscall"

	"galgo/components"
	"galgo/uring"
	"galgo/wire"
)

const (
	// indexingMax and vouchingMax are how many operations on indexes, and how many vouchers, a shard has under way: nobody waits for them, so
	// they leave slots and the kernel's workers to writes.
	indexingMax = 1024
	vouchingMax = 128
	// vouchingShare is the part of the descriptors that vouchers which are being prepared may take, each two: an eighth for logs, and as many for
	// indexes. Were it all of them, each voucher would close the files that another one has just opened.
	vouchingShare = 8
)

func asErrno(err error, errno *syscall.Errno) bool { return errors.As(err, errno) }

// indexTogether is how many entries are appended to an index at a time: what lies in the memory that one would take.
const indexTogether = components.UnitSize / wire.IndexEntrySize

// WriteIndexes appends entries to the indexes of segments whose log writes have completed: at once those that come one after the other for the same
// segment. An index is written through the page cache: what it loses costs time at recovery, nothing else.
// Reads In.Index. Writes Segments, Inflight. Drives the ring.
func WriteIndexes(v components.StateView, st *components.Storage, io *IO) {
	f := &st.Segments
	for left := st.In.Index.Len(); left > 0; {
		if st.Inflight.Free() < 4 || st.Indexing >= indexingMax {
			putBack(st, left)
			return
		}
		mark, n := st.In.Index.Front(), 1
		for n < min(left, indexTogether) && st.In.Index.At(n).SegmentID == mark.SegmentID {
			n++
		}
		left -= n
		partition, ok := v.Partition(mark.Partition)
		if !ok || v.SegmentGone(partition, mark.SegmentID) {
			dropMarks(st, n) // opening its index could make that anew
			continue
		}
		row := f.Row(v.SegmentFileOf(partition, mark.SegmentID))
		switch {
		case f.IndexDead[row]:
			dropMarks(st, n)
		case !indexReady(v, st, io, row):
			putBack(st, n)
		default:
			span, ok := st.Alloc(uint32(n * wire.IndexEntrySize))
			if !ok {
				putBack(st, n+left)
				return
			}
			for i := range n {
				mark := st.In.Index.Pop()
				wire.PutIndexEntry(st.Memory.Bytes(span)[i*wire.IndexEntrySize:], mark.Entry, v.Secret())
			}
			st.Indexing++
			appendIndex(st, io, row, OpWriteIndex, span)
		}
	}
}

// putBack lets the first n entries wait behind all others. Where a tick ends early that is all it has not looked at, behind those that were put back
// before: entries of an index ascend.
func putBack(st *components.Storage, n int) {
	if n == st.In.Index.Len() {
		return // there are no others
	}
	for range n {
		st.In.Index.Push(st.In.Index.Pop())
	}
}

// dropMarks gives up the first n entries that wait.
func dropMarks(st *components.Storage, n int) {
	for range n {
		st.In.Index.Pop()
	}
}

// indexReady says whether an entry can be appended to a segment's index now; if not because it is closed, it is opened.
func indexReady(v components.StateView, st *components.Storage, io *IO, row uint32) bool {
	f := &st.Segments
	f.Used[row] = v.Now().MonoMicros
	if f.IndexBusy[row] {
		return false
	}
	if f.IndexFD[row] != components.NoFD {
		return true
	}
	if st.Inflight.Free() < 4 || !roomForFile(st, io) {
		return false
	}
	path, ok := st.Alloc(components.UnitSize)
	if !ok {
		return false
	}
	putName(st, path, segmentName(f.File[row], wire.SegmentIndex))
	slot, token := take(st, OpOpenIndex, uint64(row))
	st.Inflight.Span[slot] = path
	f.Inflight[row]++
	st.Indexing++
	f.IndexBusy[row] = true
	st.Descriptors.Open++
	io.Ring.Push(uring.Openat(st.Directory.LogFD, addr(st, path), uring.O_RDWR|uring.O_CREAT|uring.O_APPEND|uring.O_CLOEXEC, fileMode, token))
	return false
}

// appendIndex appends the entries in span to an index: the descriptor appends wherever the file ends.
func appendIndex(st *components.Storage, io *IO, row uint32, kind components.OpKind, span components.Span) {
	f := &st.Segments
	slot, token := take(st, kind, uint64(row))
	st.Inflight.Span[slot] = span
	f.Inflight[row]++
	f.IndexBusy[row] = true
	io.Ring.Push(uring.Write(f.IndexFD[row], addr(st, span), span.Len, 0, 0, token))
}

func indexDone(v components.StateView, st *components.Storage, slot uint32, res int32) {
	f := &st.Segments
	kind, row := st.Inflight.Kind[slot], uint32(st.Inflight.Subject[slot])
	size := int32(st.Inflight.Span[slot].Len)
	st.Arena.Free(st.Inflight.Span[slot])
	st.Inflight.Put(slot)
	f.Inflight[row]--
	st.Indexing--
	f.IndexBusy[row] = false
	errno := errnoOf(res)
	if kind == OpOpenIndex {
		if errno == 0 {
			f.IndexFD[row] = res
			return
		}
		st.Descriptors.Open--
		dropIndexWork(st, row)
		return
	}
	if errno != 0 || res != size {
		indexFailed(st, row, errno)
	}
}

// indexFailed gives up an index of which an entry was not written, or in part: no other may stand behind it.
func indexFailed(st *components.Storage, row uint32, errno syscall.Errno) {
	st.Segments.IndexDead[row] = true
	dropIndexWork(st, row)
	st.Log.Log(components.LogWarn, "index entry not written: recovery will read more", components.Str("file", nameOf(st.Segments.File[row])),
		components.Num("errno", uint64(errno)))
}

// dropIndexWork gives up what waits for an index that cannot be opened or appended to: entries are a convenience, vouchers are told.
func dropIndexWork(st *components.Storage, row uint32) {
	id := st.Segments.File[row].SegmentID
	for range st.In.Index.Len() {
		if mark := st.In.Index.Pop(); mark.SegmentID != id {
			st.In.Index.Push(mark)
		}
	}
	for range st.In.Vouch.Len() {
		if order := st.In.Vouch.Pop(); order.File.SegmentID != id {
			st.In.Vouch.Push(order)
		} else {
			st.Out.Vouched.Push(vouchedOf(&order, syscall.EMFILE)) // again later
		}
	}
	for cold := range st.Colds.Live.All {
		if order := &st.Colds.Order[cold]; order.File.SegmentID == id && !st.Colds.Busy[cold] && order.Position == components.NoPosition {
			order.Position = wire.SegmentHeadSize // without an index the log is read from its start
		}
	}
}

// VouchLogs syncs logs and then writes their vouchers: one after the other, or the voucher would promise too much. Where an index cannot be
// appended to any more the log is synced all the same, for the vouchers of later segments speak of it too.
// Reads In.Vouch. Writes Segments, Inflight. Drives the ring.
func VouchLogs(v components.StateView, st *components.Storage, io *IO) {
	f := &st.Segments
	atHand, atHandMax := 0, max(st.Descriptors.Max/vouchingShare, 1)
	for range st.In.Vouch.Len() {
		if st.Inflight.Free() < 4 || len(st.Vouching)+st.VouchNext.Len() >= vouchingMax || st.Out.Vouched.Free() <= components.FactsMax() {
			break
		}
		order := st.In.Vouch.Pop()
		row := f.Row(order.File)
		if st.Names.Failed() {
			st.Out.Vouched.Push(vouchedOf(&order, syscall.ENOSPC))
			continue
		}
		if !namesSafe(st, &order) {
			st.In.Vouch.Push(order)
			syncNames(st, io)
			continue
		}
		if f.LogFD[row] == components.NoFD && !f.LogBusy[row] && atHand >= atHandMax {
			st.In.Vouch.Push(order)
			continue
		}
		atHand++
		if !logReady(v, st, io, row) || !f.IndexDead[row] && (!indexReady(v, st, io, row) || marksWait(st, order.File.SegmentID)) {
			st.In.Vouch.Push(order)
			continue
		}
		f.IndexBusy[row] = true // entries of the index ascend: none may come between
		slot, token := take(st, OpSyncLog, uint64(row))
		f.Inflight[row]++
		st.Vouching.Put(uint64(slot), order)
		io.Ring.Push(uring.Fsync(f.LogFD[row], true, token))
	}
	for st.VouchNext.Len() > 0 && st.Inflight.Free() > 1 {
		next := st.VouchNext.Front()
		row := f.Row(next.File)
		span, ok := st.Alloc(wire.IndexEntrySize)
		if !ok {
			return
		}
		wire.PutIndexEntry(st.Memory.Bytes(span), next.Entry, v.Secret())
		appendIndex(st, io, row, OpWriteVoucher, span)
		f.Inflight[row]-- // what VouchLogs held
		order := st.VouchNext.Pop()
		st.Vouching.Put(uint64(st.Inflight.Last()), order)
	}
}

// vouchedOf is what became of an order.
func vouchedOf(order *components.VouchOrder, errno syscall.Errno) components.Vouched {
	return components.Vouched{Partition: order.Partition, Segment: order.Segment, SegmentID: order.File.SegmentID, Position: order.Entry.Position, Err: errno}
}

func marksWait(st *components.Storage, segmentID uint64) bool {
	for i := range st.In.Index.Len() {
		if st.In.Index.At(i).SegmentID == segmentID {
			return true
		}
	}
	return false
}

func vouchDone(v components.StateView, st *components.Storage, slot uint32, res int32) {
	f := &st.Segments
	kind, row := st.Inflight.Kind[slot], uint32(st.Inflight.Subject[slot])
	order := st.Vouching.Take(uint64(slot))
	if span := st.Inflight.Span[slot]; span.Len > 0 {
		st.Arena.Free(span)
	}
	st.Inflight.Put(slot)
	errno := errnoOf(res)
	if kind == OpSyncLog && errno == 0 && !f.IndexDead[row] {
		st.VouchNext.Push(order) // the row stays held, and its index busy
		return
	}
	f.Inflight[row]--
	f.IndexBusy[row] = false
	if kind == OpWriteVoucher && (errno != 0 || res != wire.IndexEntrySize) {
		indexFailed(st, row, errno)
		errno = 0 // the log is synced
	}
	st.Out.Vouched.Push(vouchedOf(&order, errno))
}

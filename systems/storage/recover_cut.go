package storage

import (
	"errors"
	"fmt"

	"galgo/components"
	"galgo/uring"
	"galgo/wire"
)

// errNotCut marks a write of recovery that failed: the partition is Faulted, since it may not be appended to.
var errNotCut = errors.New("the log could not be made safe")

func notCut(err error) error {
	var failed *FileError
	if !errors.As(err, &failed) {
		return fileError("recover", "", 0, fmt.Errorf("%w: %w", errNotCut, err))
	}
	return fileError(failed.Op, failed.Path, failed.Position, fmt.Errorf("%w: %w", errNotCut, failed.Err))
}

// cut ends the log at a place in the last of logs, which are those that were walked. First the index loses what it knows beyond, so that no
// entry ever speaks of bytes that are gone; then the log its bytes, then go later segments, and last comes the voucher. A crash in between leaves a log
// that is cut again at the same place.
func (r *recovery) cut(logs []*segmentLog, p place) error {
	l := logs[len(logs)-1]
	if err := r.cutIndex(l, p); err != nil {
		return err
	}
	if err := r.cutLog(l, p.position); err != nil {
		return err
	}
	if err := r.removeDropped(); err != nil {
		return err
	}
	return r.vouch(logs, p)
}

// cutIndex leaves the entries of records below a place, and vouchers up to it.
func (r *recovery) cutIndex(l *segmentLog, p place) error {
	l.index.last, l.index.end = nil, 0
	err := l.entriesBackwards(func(e wire.IndexEntry, end uint64) bool {
		if e.Position < p.position || (e.Kind == wire.IndexVoucher && e.Position == p.position && e.Offset == p.offset) {
			l.index.last, l.index.end = &e, end
		}
		return l.index.last == nil
	})
	if err != nil {
		return err
	}
	return r.tidyIndex(l)
}

// tidyIndex removes what follows the last entry: the next one is to stand right behind it.
func (r *recovery) tidyIndex(l *segmentLog) error {
	if l.index.size == l.index.end {
		return nil
	}
	return r.change(l.index.path, uring.O_RDWR, func(fd int32) error {
		l.index.size = l.index.end
		return r.files.Truncate(fd, l.index.end)
	})
}

// cutLog ends the file with the block in which the log ends. The rest of the block is zero then.
func (r *recovery) cutLog(l *segmentLog, position uint64) error {
	l.close() // what was read is no more
	err := r.change(l.path, uring.O_RDWR, func(fd int32) error {
		if err := r.files.Truncate(fd, position); err != nil {
			return err
		}
		return r.files.Truncate(fd, components.AlignUp(position))
	})
	l.size = components.AlignUp(position)
	r.out.Segments[len(r.out.Segments)-1].Allocated = l.size
	return err
}

// vouch makes the walked logs durable, and then a voucher for them at a place in the last of them.
func (r *recovery) vouch(logs []*segmentLog, p place) error {
	for _, l := range logs {
		if err := r.change(l.path, uring.O_RDWR, func(int32) error { return nil }); err != nil {
			return err
		}
	}
	l := logs[len(logs)-1]
	if err := r.tidyIndex(l); err != nil {
		return err
	}
	err := r.change(l.index.path, uring.O_RDWR|uring.O_CREAT, func(fd int32) error {
		var entry [wire.IndexEntrySize]byte
		wire.PutIndexEntry(entry[:], wire.IndexEntry{Kind: wire.IndexVoucher, SegmentID: l.id, Offset: p.offset, Time: p.time,
			Position: p.position, Run: r.Run, BaseOffset: l.head.BaseOffset, Synced: true}, r.Secret)
		_, err := r.files.WriteAt(fd, entry[:], l.index.end)
		return err
	})
	if err == nil {
		err = syncSegments(r.files, r.Root) // both files may be so young that their entries are not durable
	}
	r.out.Vouched = err == nil
	return err
}

// change opens a file, changes it and makes that durable.
func (r *recovery) change(name string, flags int, change func(fd int32) error) error {
	fd, err := r.files.Open(name, flags, fileMode)
	if err != nil {
		return fileError("open", name, 0, err)
	}
	if err = change(fd); err == nil {
		err = r.files.Sync(fd)
	}
	if err = errors.Join(err, r.files.Close(fd)); err != nil {
		return fileError("write", name, 0, err)
	}
	return nil
}

// removeDropped removes the files of dropped segments, durably, the last one first: what remains after a crash is dropped again.
func (r *recovery) removeDropped() error {
	if len(r.dropped) == 0 {
		return nil
	}
	of := PartitionFiles{r.CreatedSeq, r.PartitionID}
	for _, l := range r.dropped {
		for _, kind := range []wire.SegmentKind{wire.SegmentLog, wire.SegmentIndex} {
			if err := removeSegmentFile(r.files, r.Root, of, l.id, kind); err != nil {
				return err
			}
		}
	}
	r.dropped = nil
	return syncSegments(r.files, r.Root)
}

package storage

import (
	"errors"
	"fmt"
	"path"
	"slices"

	"galgo/components"
	"galgo/uring"
	"galgo/wire"
)

// RemovedDir holds what repairs took out of logs, below the data directory. Nothing reads it.
const RemovedDir = "removed"

// Repair is what RepairPartition does to a damaged partition.
type Repair struct {
	Damage     *components.Recovered // what recovery said before
	Path       string                // log that is cut, "" when no record of the partition can be told
	Position   uint64                // where
	OffsetNext uint64                // the partition's next offset afterwards
	Bytes      uint64                // that are removed: of the log behind the cut, and of whole files
	Side       string                // file that keeps the removed bytes of the log that is cut, "" without any
	Moved      []string              // files that are moved to RemovedDir: those of later segments
}

// movedFile is a file that a repair moves away.
type movedFile struct{ from, to string }

// RepairPartition cuts a partition that recovery finds damaged where the damage begins, and keeps what it removes: in.ReadOnly only says what
// it would do. Afterwards the partition recovers, and its log ends with the last good record before the damage. It returns nil when there is no
// damage. Nobody else may use the directory.
//
// What is removed is safe in RemovedDir before it is removed. A repair that ends in the middle, for an error or a crash, leaves a log that can be
// repaired again, or that the next start takes for torn and cuts at the same place.
func RepairPartition(files uring.Files, in RecoverInput) (*Repair, error) {
	look := in
	look.ReadOnly = true
	found, err := RecoverPartition(files, look)
	if err != nil || !found.Faulted {
		return nil, err
	}
	r := &recovery{RecoverInput: in, files: files, out: &components.Recovered{Segments: found.Segments}}
	defer func() {
		for _, l := range r.logs {
			l.close()
		}
	}()
	repair := &Repair{Damage: found, OffsetNext: found.OffsetNext}
	later := union(in.SegmentIDs, in.IndexIDs)
	var p place
	for _, s := range found.Segments {
		l := newSegmentLog(files, &r.RecoverInput, s.ID)
		err := l.load(in.BelongsToBoot)
		l.close()
		if err != nil {
			return nil, err
		}
		r.logs = append(r.logs, l)
		later = later[slices.Index(later, s.ID)+1:]
		p = place{position: s.End, offset: s.Next, time: s.TimeLast}
		repair.Path, repair.Position = l.path, p.position
	}
	moved, err := r.later(repair, later)
	if err != nil {
		return nil, err
	}
	tail, err := r.tail(repair)
	if err != nil || in.ReadOnly {
		return repair, err
	}
	if err := r.keep(repair, tail, moved); err != nil {
		return repair, err
	}
	if len(r.logs) == 0 {
		return repair, nil
	}
	return repair, r.cut(r.logs, p)
}

// union merges two ascending lists.
func union(a, b []uint64) []uint64 {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// later lists the files of segments behind the cut.
func (r *recovery) later(repair *Repair, ids []uint64) (moved []movedFile, err error) {
	for _, id := range ids {
		for _, kind := range []wire.SegmentKind{wire.SegmentLog, wire.SegmentIndex} {
			name := wire.SegmentName(r.CreatedSeq, r.PartitionID, id, kind)
			file := movedFile{path.Join(r.Root, components.SegmentsDir, name), path.Join(r.Root, RemovedDir, name)}
			exists, err := r.files.Exists(file.from)
			if err != nil {
				return nil, fileError("open", file.from, 0, err)
			}
			if !exists {
				continue
			}
			size, err := sizeOf(r.files, file.from)
			if err != nil {
				return nil, err
			}
			repair.Bytes += size
			repair.Moved = append(repair.Moved, file.from)
			moved = append(moved, file)
		}
	}
	return moved, nil
}

func sizeOf(files uring.Files, name string) (uint64, error) {
	fd, err := files.Open(name, uring.O_RDONLY, 0)
	if err != nil {
		return 0, fileError("open", name, 0, err)
	}
	size, err := files.Size(fd)
	if err = errors.Join(err, files.Close(fd)); err != nil {
		return 0, fileError("read", name, 0, err)
	}
	return size, nil
}

// tail reads what the log that is cut has behind the cut, less the zeros at its end.
func (r *recovery) tail(repair *Repair) ([]byte, error) {
	if repair.Path == "" {
		return nil, nil
	}
	l := r.logs[len(r.logs)-1]
	tail, err := l.peek(repair.Position, int(l.size-min(l.size, repair.Position)))
	if err != nil {
		return nil, err
	}
	tail = trimZeros(tail)
	if len(tail) > 0 {
		repair.Bytes += uint64(len(tail))
		repair.Side = path.Join(r.Root, RemovedDir, fmt.Sprintf("%s-from-%d", path.Base(repair.Path), repair.Position))
	}
	return tail, nil
}

// keep makes what is to be removed safe, and moves the files of later segments, the last one first: so what is left is the beginning of a log
// whenever a crash comes.
func (r *recovery) keep(repair *Repair, tail []byte, moved []movedFile) error {
	dir := path.Join(r.Root, RemovedDir)
	if err := r.files.MakeDir(dir, dirMode); err != nil {
		return fileError("make", dir, 0, err)
	}
	if err := r.files.SyncDir(r.Root); err != nil {
		return fileError("sync", r.Root, 0, err)
	}
	if repair.Side != "" {
		fd, _, err := writeWhole(r.files, dir, path.Base(repair.Side), tail)
		if err != nil {
			return err
		}
		if err := r.files.Close(fd); err != nil {
			return fileError("write", repair.Side, 0, err)
		}
	}
	for i := len(moved) - 1; i >= 0; i-- {
		if err := r.files.Rename(moved[i].from, moved[i].to); err != nil {
			return fileError("rename", moved[i].from, 0, err)
		}
	}
	if err := r.files.SyncDir(dir); err != nil {
		return fileError("sync", dir, 0, err)
	}
	return syncSegments(r.files, r.Root)
}

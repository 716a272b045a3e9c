package storage

import (
	"path"
	"slices"

	"galgo/components"
	"galgo/uring"
	"galgo/wire"
)

// PartitionFiles names the files of one partition.
type PartitionFiles struct {
	CreatedSeq  uint64
	PartitionID uint32
}

// SegmentList is what the directory of segments holds.
type SegmentList struct {
	Logs    map[PartitionFiles][]uint64 // ids of segments that have a log, ascending
	Indexes map[PartitionFiles][]uint64 // ids of segments that have an index, ascending
	Pool    []uint64                    // numbers of the files in the pool, ascending
	Strange []string                    // names that are not ours
}

// ListSegments lists the directory of segments.
func ListSegments(files uring.Files, root string) (*SegmentList, error) {
	dir := path.Join(root, components.SegmentsDir)
	names, err := files.List(dir)
	if err != nil {
		return nil, fileError("list", dir, 0, err)
	}
	list := &SegmentList{Logs: map[PartitionFiles][]uint64{}, Indexes: map[PartitionFiles][]uint64{}}
	for _, name := range names {
		if number, ok := wire.ParsePoolName(name); ok {
			list.Pool = append(list.Pool, number)
			continue
		}
		file, ok := wire.ParseSegmentName(name)
		if !ok {
			list.Strange = append(list.Strange, name)
			continue
		}
		of := PartitionFiles{file.CreatedSeq, file.PartitionID}
		kind := list.Logs
		if file.Kind == wire.SegmentIndex {
			kind = list.Indexes
		}
		kind[of] = append(kind[of], file.SegmentID)
	}
	slices.Sort(list.Pool)
	for _, kind := range []map[PartitionFiles][]uint64{list.Logs, list.Indexes} {
		for _, ids := range kind {
			slices.Sort(ids)
		}
	}
	return list, nil
}

// HasRun says whether there are files that a run made, or a later one.
func (list *SegmentList) HasRun(run uint64) bool {
	last := uint64(0)
	if n := len(list.Pool); n > 0 {
		last = list.Pool[n-1]
	}
	for _, kind := range []map[PartitionFiles][]uint64{list.Logs, list.Indexes} {
		for _, ids := range kind {
			last = max(last, ids[len(ids)-1])
		}
	}
	return last>>wire.RunShift >= run
}

// Unnamed lists the files that nobody names: those of partitions for which known says false, and names that are not ours. They are
// kept; the log should say so.
func (list *SegmentList) Unnamed(known func(PartitionFiles) bool) []string {
	names := slices.Clone(list.Strange)
	add := func(kind wire.SegmentKind, all map[PartitionFiles][]uint64) {
		for of, ids := range all {
			if known(of) {
				continue
			}
			for _, id := range ids {
				names = append(names, wire.SegmentName(of.CreatedSeq, of.PartitionID, id, kind))
			}
		}
	}
	add(wire.SegmentLog, list.Logs)
	add(wire.SegmentIndex, list.Indexes)
	slices.Sort(names)
	return names
}

// RemoveFiles removes every file of a partition that is gone from the catalog, durably, and returns how many there were. Then its removal
// can be reported done.
func RemoveFiles(files uring.Files, root string, list *SegmentList, removal components.Removal) (int, error) {
	of := PartitionFiles{removal.Created, removal.ID}
	count := 0
	for _, id := range list.Logs[of] {
		if err := removeSegmentFile(files, root, of, id, wire.SegmentLog); err != nil {
			return count, err
		}
		count++
	}
	for _, id := range list.Indexes[of] {
		if err := removeSegmentFile(files, root, of, id, wire.SegmentIndex); err != nil {
			return count, err
		}
		count++
	}
	if count == 0 {
		return 0, nil
	}
	return count, syncSegments(files, root)
}

func removeSegmentFile(files uring.Files, root string, of PartitionFiles, id uint64, kind wire.SegmentKind) error {
	return remove(files, path.Join(root, components.SegmentsDir, wire.SegmentName(of.CreatedSeq, of.PartitionID, id, kind)))
}

func syncSegments(files uring.Files, root string) error {
	dir := path.Join(root, components.SegmentsDir)
	if err := files.SyncDir(dir); err != nil {
		return fileError("sync", dir, 0, err)
	}
	return nil
}

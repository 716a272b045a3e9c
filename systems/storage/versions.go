package storage

import (
	"errors"
	"path"
	"syscall"

	"golang.org/x/sync/errgroup"

	"galgo/components"
	"galgo/uring"
	"galgo/wire"
)

// checkVersions returns an error that wraps wire.ErrVersion if a file of the directory is of a version that this build does not know. It comes before
// anything is changed: what finds such a file later has begun a run by then, and cut the logs that it looked at first. Files that cannot be read are left
// to those. Readers is how many files are looked at at a time; 1: in the caller's goroutine.
func checkVersions(files uring.Files, root string, readers int) error {
	var group errgroup.Group
	group.SetLimit(readers)
	for _, dir := range []string{components.ControlDir, components.OffsetsDir, components.SegmentsDir} {
		names, err := files.List(path.Join(root, dir))
		if errors.Is(err, syscall.ENOENT) {
			continue // it was never made
		}
		if err != nil {
			return errors.Join(err, group.Wait())
		}
		for _, name := range names {
			if !hasHead(name) {
				continue
			}
			name := path.Join(root, dir, name)
			if readers > 1 {
				group.Go(func() error { return checkVersion(files, name) })
			} else if err := checkVersion(files, name); err != nil {
				return err
			}
		}
	}
	return group.Wait()
}

// hasHead says whether a file of that name is ours and tells its version. An index is of the version of its log; what is in a file of the pool means nothing.
func hasHead(name string) bool {
	if _, ok := wire.ParseControlLogName(name); ok || name == wire.SnapshotNameA || name == wire.SnapshotNameB {
		return true
	}
	if _, _, ok := wire.ParseOffsetLogName(name); ok {
		return true
	}
	segment, ok := wire.ParseSegmentName(name)
	return ok && segment.Kind == wire.SegmentLog
}

// checkVersion looks at one file. What cannot be read is of no version.
func checkVersion(files uring.Files, name string) error {
	fd, err := files.Open(name, uring.O_RDONLY, 0)
	if err != nil {
		return nil
	}
	var begins [wire.VersionedSize]byte
	n, _ := files.ReadAt(fd, begins[:], 0)
	_ = files.Close(fd) // nothing was written through it
	if err := wire.CheckVersion(begins[:n]); err != nil {
		return fileError("recover", name, 0, err)
	}
	return nil
}

package storage

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"syscall"

	"galgo/components"
	"galgo/uring"
	"galgo/wire"
)

// ErrForeignDirectory is wrapped by the error about a directory that holds something, but not our marker.
var ErrForeignDirectory = errors.New("not a data directory of galgo, and not empty")

// DataDir is a data directory that is open: ours, and locked against a second server.
type DataDir struct {
	Root    string
	Marker  wire.Marker
	Created bool // it was made, or made anew, just now

	files uring.Files
	locks []int32 // descriptors of the marker, and of the one that a fresh start replaced
}

// OpenDirectory opens the data directory root, which becomes one if it is missing or empty. Fresh deletes everything in it
// first, provided that it carries our marker. Random makes the secret of a new directory. Readers is how many files are looked at at a time; 1: in the
// caller's goroutine.
//
// Errors wrap ErrForeignDirectory, uring.ErrLocked (another server uses it), wire.ErrVersion (of any file), another error about the marker, or
// a syscall.Errno. A directory that is refused is left as it was.
func OpenDirectory(files uring.Files, root string, fresh bool, random func([]byte), nowMicros uint64, readers int) (*DataDir, error) {
	d := &DataDir{Root: root, files: files}
	if err := d.open(fresh, random, nowMicros, readers); err != nil {
		return nil, errors.Join(fmt.Errorf("data directory %s: %w", root, err), d.Close())
	}
	return d, nil
}

// Close gives up the lock.
func (d *DataDir) Close() error {
	var err error
	for _, fd := range d.locks {
		err = errors.Join(err, d.files.Close(fd))
	}
	d.locks = nil
	return err
}

// Secret seeds the checksums of the directory's files.
func (d *DataDir) Secret() uint64 { return d.Marker.Secret }

func (d *DataDir) open(fresh bool, random func([]byte), nowMicros uint64, readers int) error {
	if err := makeDirs(d.files, d.Root); err != nil {
		return err
	}
	names, err := d.contents()
	if err != nil {
		return err
	}
	switch {
	case slices.Contains(names, components.MarkerFile):
		err = d.readMarker()
		switch {
		case err == nil && fresh:
			err = d.startAnew(names, random, nowMicros)
		case err == nil:
			err = checkVersions(d.files, d.Root, readers)
		}
	case len(names) > 0:
		err = ErrForeignDirectory
	default:
		if err = syncAbove(d.files, d.Root); err == nil {
			err = d.writeMarker(random, nowMicros)
		}
	}
	if err != nil {
		return err
	}
	for _, dir := range []string{components.SegmentsDir, components.ControlDir, components.OffsetsDir, components.RuntimeDir, components.LogsDir} {
		if err := d.files.MakeDir(path.Join(d.Root, dir), dirMode); err != nil {
			return err
		}
	}
	return d.files.SyncDir(d.Root)
}

// contents lists the directory, less what does not make it somebody's: the marker that a crash left half made, and
// what a file system keeps at its root.
func (d *DataDir) contents() ([]string, error) {
	names, err := d.files.List(d.Root)
	return slices.DeleteFunc(names, func(name string) bool { return name == components.MarkerFile+freshSuffix || name == "lost+found" }), err
}

// readMarker locks the marker first, so that nobody reads a directory that somebody is making anew.
func (d *DataDir) readMarker() error {
	name := path.Join(d.Root, components.MarkerFile)
	if err := d.lock(name, uring.O_RDWR); err != nil {
		return err
	}
	var bytes [wire.MarkerSize]byte
	n, err := d.files.ReadAt(d.locks[0], bytes[:], 0)
	if err != nil {
		return err
	}
	d.Marker, err = wire.DecodeMarker(bytes[:n])
	if err != nil {
		return fmt.Errorf("%s: %w", components.MarkerFile, err)
	}
	return nil
}

func (d *DataDir) lock(name string, flags int) error {
	fd, err := d.files.Open(name, flags, fileMode)
	if err != nil {
		return err
	}
	d.locks = append(d.locks, fd)
	switch err := d.files.Lock(fd); {
	case errors.Is(err, uring.ErrLocked):
		return inUse()
	case err != nil:
		return fmt.Errorf("cannot be locked: %w", err)
	}
	return nil
}

func inUse() error { return fmt.Errorf("in use by another server: %w", uring.ErrLocked) }

// writeMarker makes the directory ours: the marker is locked before it gets its name.
func (d *DataDir) writeMarker(random func([]byte), nowMicros uint64) error {
	name := path.Join(d.Root, components.MarkerFile)
	if err := d.lock(name+freshSuffix, uring.O_RDWR|uring.O_CREAT); err != nil {
		return err
	}
	if len(d.locks) == 1 { // another server may have been faster between the listing and the lock
		exists, err := d.files.Exists(name)
		if err == nil && exists {
			err = inUse()
		}
		if err != nil {
			return err
		}
	}
	fd := d.locks[len(d.locks)-1]
	d.Marker = newMarker(random, nowMicros)
	err := d.files.Truncate(fd, 0)
	if err == nil {
		_, err = d.files.WriteAt(fd, wire.AppendMarker(nil, d.Marker), 0)
	}
	if err == nil {
		err = d.files.Sync(fd)
	}
	if err == nil {
		err = d.files.Rename(name+freshSuffix, name)
	}
	if err == nil {
		err = d.files.SyncDir(d.Root)
	}
	d.Created = true
	return err
}

func newMarker(random func([]byte), nowMicros uint64) wire.Marker {
	m := wire.Marker{Created: nowMicros}
	random(m.ID[:])
	var secret [8]byte
	random(secret[:])
	for _, b := range secret {
		m.Secret = m.Secret<<8 | uint64(b)
	}
	return m
}

// startAnew deletes everything but the marker, and replaces that in one step: a crash on the way leaves a directory that is
// ours. The new secret makes strangers of all that the old files left in the disk's blocks.
func (d *DataDir) startAnew(names []string, random func([]byte), nowMicros uint64) error {
	for _, name := range names {
		if name != components.MarkerFile {
			if err := removeAll(d.files, path.Join(d.Root, name)); err != nil {
				return err
			}
		}
	}
	if err := d.files.SyncDir(d.Root); err != nil {
		return err
	}
	return d.writeMarker(random, nowMicros)
}

// removeAll removes a file, or a directory with what is in it. It follows no links.
func removeAll(files uring.Files, name string) error {
	err := files.Remove(name)
	if !errors.Is(err, syscall.ENOTEMPTY) && !errors.Is(err, syscall.EEXIST) {
		return err
	}
	names, err := files.List(name)
	if err != nil {
		return err
	}
	for _, inner := range names {
		if err := removeAll(files, path.Join(name, inner)); err != nil {
			return err
		}
	}
	return files.Remove(name)
}

// makeDirs makes a directory and those above it that are missing; syncAbove makes them durable.
func makeDirs(files uring.Files, name string) error {
	exists, err := files.Exists(name)
	if err != nil || exists {
		return err
	}
	above := path.Dir(name)
	if above != name {
		if err := makeDirs(files, above); err != nil {
			return err
		}
	}
	return files.MakeDir(name, dirMode)
}

// syncAbove makes a directory's own name durable, and those above it: a start that made them may have ended before it could. Directories that
// we may not open, or of a file system that takes no writes, are none that we have made.
func syncAbove(files uring.Files, name string) error {
	for above := path.Dir(name); above != name; name, above = above, path.Dir(above) {
		err := files.SyncDir(above)
		if errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.EROFS) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

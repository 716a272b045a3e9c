package storage

import (
	"errors"
	"fmt"
	"io"
	"path"
	"syscall"

	"galgo/components"
	"galgo/uring"
	"galgo/wire"
)

// snapshotFile is a snapshot whose checksums hold.
type snapshotFile struct {
	path   string
	head   wire.SnapshotHead
	reader wire.SnapshotReader
}

var snapshotNames = [...]string{wire.SnapshotNameA, wire.SnapshotNameB}

// readSnapshots reads both copies. One that is missing, does not hold or cannot be read is nil and, save in the first case, noted; one of another
// version is an error.
func readSnapshots(files uring.Files, dir string, secret uint64) (copies [len(snapshotNames)]*snapshotFile, notes []string, err error) {
	for i, name := range snapshotNames {
		name = path.Join(dir, name)
		content, err := readWhole(files, name)
		switch {
		case errors.Is(err, syscall.ENOENT):
			continue
		case isUnreadable(err):
			notes = append(notes, fmt.Sprintf("%v: the other copy serves", err))
			continue
		case err != nil:
			return copies, notes, err
		}
		head, reader, err := wire.ReadSnapshot(content, secret)
		switch {
		case errors.Is(err, wire.ErrVersion):
			return copies, notes, fileError("recover", name, 0, err)
		case err != nil:
			notes = append(notes, fmt.Sprintf("%s: not valid (%v), the other copy serves", name, err))
		default:
			copies[i] = &snapshotFile{path: name, head: head, reader: reader}
		}
	}
	return copies, notes, nil
}

// newestSnapshot is the valid copy that holds more, or nil.
func newestSnapshot(files uring.Files, dir string, secret uint64) (*snapshotFile, []string, error) {
	copies, notes, err := readSnapshots(files, dir, secret)
	a, b := copies[0], copies[1]
	if a == nil || (b != nil && b.head.LastNumber > a.head.LastNumber) {
		a = b
	}
	return a, notes, err
}

// restore fills an empty catalog.
func (s *snapshotFile) restore(catalog *components.Catalog) error {
	for {
		event, err := s.reader.Next()
		if err == io.EOF {
			catalog.Finish(s.head.LastSeq)
			return nil
		}
		if err != nil {
			return fileError("recover", s.path, 0, damaged(err))
		}
		catalog.Restore(&event)
	}
}

// Snapshot writes a snapshot of all records below openFirst, the number with which the control log's open file begins, over the older
// of the two copies, and then removes the files that both copies cover, so that one bad copy never loses anything. It reads
// the snapshot before and the closed files, and no live table: call it at start after StartRun, and as Work when a file is closed, one call
// at a time. An error leaves things as they were, and the next call makes up for it.
func Snapshot(files uring.Files, root string, secret, openFirst, nowMicros uint64) error {
	dir := path.Join(root, components.ControlDir)
	copies, _, err := readSnapshots(files, dir, secret)
	if err != nil {
		return err
	}
	older := 0
	if copies[1] == nil || (copies[0] != nil && copies[0].head.LastNumber > copies[1].head.LastNumber) {
		older = 1
	}
	if copies[0] == nil {
		older = 0
	}
	newest := copies[1-older]
	if newest == nil || newest.head.LastNumber+1 < openFirst {
		if newest, err = writeSnapshot(files, dir, secret, openFirst, nowMicros, newest, snapshotNames[older]); err != nil {
			return err
		}
		copies[older] = newest
	}
	if copies[0] == nil || copies[1] == nil {
		return nil
	}
	return removeCovered(files, dir, min(copies[0].head.LastNumber, copies[1].head.LastNumber), openFirst)
}

// writeSnapshot brings a snapshot up to the record before openFirst and writes it under a name.
func writeSnapshot(files uring.Files, dir string, secret, openFirst, nowMicros uint64, from *snapshotFile, name string) (*snapshotFile, error) {
	catalog, start := components.NewCatalog(), ControlStart{Record: controlFirst}
	if from != nil {
		if err := from.restore(catalog); err != nil {
			return nil, err
		}
		start.Record, start.LastSeq = from.head.LastNumber+1, from.head.LastSeq
	}
	logs, err := listControl(files, dir)
	if err != nil {
		return nil, err
	}
	closed := 0
	for closed < len(logs) && logs[closed] < openFirst {
		closed++
	}
	if start.Record < openFirst {
		if err := start.replay(files, dir, secret, logs[:closed], catalog); err != nil {
			return nil, err
		}
	}
	if start.Record != openFirst {
		return nil, corrupt(dir, 0, "the closed control files end below record %d, want %d", start.Record, openFirst)
	}
	content := wire.AppendSnapshot(nil, openFirst-1, start.LastSeq, nowMicros, catalog.Events, secret)
	fd, _, err := writeWhole(files, dir, name, content)
	if err != nil {
		return nil, err
	}
	if err := files.Close(fd); err != nil {
		return nil, err
	}
	head, reader, err := wire.ReadSnapshot(content, secret)
	return &snapshotFile{path: path.Join(dir, name), head: head, reader: reader}, err
}

// removeCovered removes the closed files of which no record is above last.
func removeCovered(files uring.Files, dir string, last, openFirst uint64) error {
	logs, err := listControl(files, dir)
	if err != nil {
		return err
	}
	for i := 0; i+1 < len(logs) && logs[i+1] <= min(last+1, openFirst); i++ {
		if err := remove(files, path.Join(dir, wire.ControlLogName(logs[i]))); err != nil {
			return err
		}
	}
	return nil
}

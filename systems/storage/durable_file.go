package storage

import (
	"errors"
	"path"
	"strings"
	"syscall"

	"galgo/uring"
)

const (
	// freshSuffix ends the name of a file that is being written and gets its own name when it is whole.
	freshSuffix = ".new"
	// fileMode: the files hold messages and password hashes, and are nobody else's business.
	fileMode = 0o600
	dirMode  = 0o700
)

// readWhole reads a file.
func readWhole(files uring.Files, name string) ([]byte, error) {
	fd, err := files.Open(name, uring.O_RDONLY, 0)
	if err != nil {
		return nil, fileError("open", name, 0, err)
	}
	defer func() { _ = files.Close(fd) }()
	size, err := files.Size(fd)
	if err != nil {
		return nil, fileError("read", name, 0, err)
	}
	content := make([]byte, size)
	n, err := files.ReadAt(fd, content, 0)
	if err != nil {
		return nil, fileError("read", name, uint64(n), err)
	}
	return content[:n], nil
}

// writeWhole makes or replaces a file durably: after a crash the name stands for the old content or for all of the new one. It leaves
// the file open, and closed after an error. Renamed says that an error came so late that the name may stand for either.
func writeWhole(files uring.Files, dir, name string, content []byte) (fd int32, renamed bool, err error) {
	final := path.Join(dir, name)
	fresh := final + freshSuffix
	fd, err = files.Open(fresh, uring.O_RDWR|uring.O_CREAT|uring.O_TRUNC, fileMode)
	if err != nil {
		return -1, false, fileError("open", fresh, 0, err)
	}
	if _, err = files.WriteAt(fd, content, 0); err != nil {
		err = fileError("write", fresh, 0, err)
	} else if err = files.Sync(fd); err != nil {
		err = fileError("sync", fresh, 0, err)
	}
	if err != nil {
		return -1, false, errors.Join(err, files.Close(fd), files.Remove(fresh))
	}
	if err = files.Rename(fresh, final); err == nil {
		err = files.SyncDir(dir)
	}
	if err != nil {
		return -1, true, errors.Join(fileError("rename", final, 0, err), files.Close(fd))
	}
	return fd, true, nil
}

// removeFresh removes what a crash left half written in a directory.
func removeFresh(files uring.Files, dir string) error {
	names, err := files.List(dir)
	if err != nil {
		return fileError("list", dir, 0, err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, freshSuffix) {
			if err := remove(files, path.Join(dir, name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// remove removes a file; that it is gone already is no error.
func remove(files uring.Files, name string) error {
	if err := files.Remove(name); err != nil && !errors.Is(err, syscall.ENOENT) {
		return fileError("remove", name, 0, err)
	}
	return nil
}

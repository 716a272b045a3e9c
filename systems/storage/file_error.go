package storage

import (
	"errors"
	"fmt"
	"syscall"
)

// ErrCorrupt is wrapped by errors about bytes that are not the bytes we wrote.
var ErrCorrupt = errors.New("corrupt")

// FileError says what failed, in which file and where. Err is or wraps a syscall.Errno, ErrCorrupt, or one of wire's errors of formats.
type FileError struct {
	Op       string // "open", "read", "write", "sync", "remove", "recover"
	Path     string
	Position uint64 // bytes
	Err      error
}

// Error is one line.
func (e *FileError) Error() string {
	return fmt.Sprintf("%s %s at byte %d: %v", e.Op, e.Path, e.Position, e.Err)
}

// Unwrap makes errors.Is look at Err.
func (e *FileError) Unwrap() error { return e.Err }

func fileError(op, path string, position uint64, err error) error {
	return &FileError{Op: op, Path: path, Position: position, Err: err}
}

func corrupt(path string, position uint64, format string, args ...any) error {
	return fileError("recover", path, position, fmt.Errorf("%w: %s", ErrCorrupt, fmt.Sprintf(format, args...)))
}

// isUnreadable tells a disk or a file system that does not have what was written from one that is short of something, or that is not there.
func isUnreadable(err error) bool {
	for _, cause := range []error{syscall.EIO, syscall.EUCLEAN, syscall.EBADMSG, syscall.ENODATA} {
		if errors.Is(err, cause) {
			return true
		}
	}
	return false
}

// causeOf is the number of a failed call, as a fact or a job's result carries it.
func causeOf(err error) syscall.Errno {
	var errno syscall.Errno
	if errors.As(err, &errno) && errno != 0 {
		return errno
	}
	return syscall.EIO
}

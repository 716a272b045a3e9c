package uring

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// systemFiles are Files by ordinary system calls.
type systemFiles struct{}

// SystemFiles returns the Files of every host that stands on the operating system.
func SystemFiles() Files { return systemFiles{} }

// retry repeats a call that a signal interrupted, and names it in its error.
func retry(op, path string, call func() error) error {
	for {
		err := call()
		switch {
		case err == nil:
			return nil
		case err == unix.EINTR:
		case path == "":
			return os.NewSyscallError(op, err)
		default:
			return &os.PathError{Op: op, Path: path, Err: err}
		}
	}
}

func (systemFiles) Open(path string, flags int, mode uint32) (fd int32, err error) {
	err = retry("open", path, func() error {
		n, err := unix.Open(path, flags|unix.O_CLOEXEC, mode)
		fd = int32(n)
		return err
	})
	if err == nil && flags&(unix.O_WRONLY|unix.O_RDWR|unix.O_DIRECTORY) == 0 {
		// Callers read as much as they want: megabytes that the kernel reads ahead, into what is allocated and empty too, are in nobody's way but
		// theirs. It is advice, and no matter where it is not taken.
		_ = unix.Fadvise(int(fd), 0, 0, unix.FADV_RANDOM)
	}
	return fd, err
}

func (systemFiles) Close(fd int32) error { return closeFD(fd) }

// closeFD does not retry on EINTR: on Linux the descriptor is gone then.
func closeFD(fd int32) error {
	if err := unix.Close(int(fd)); err != nil && err != unix.EINTR {
		return os.NewSyscallError("close", err)
	}
	return nil
}

func (systemFiles) ReadAt(fd int32, b []byte, position uint64) (int, error) {
	total := 0
	for total < len(b) {
		n := 0
		err := retry("pread", "", func() (err error) {
			n, err = unix.Pread(int(fd), b[total:], int64(position)+int64(total))
			return err
		})
		if err != nil {
			return total, err
		}
		if n == 0 {
			break
		}
		total += n
	}
	return total, nil
}

func (systemFiles) WriteAt(fd int32, b []byte, position uint64) (int, error) {
	total := 0
	for total < len(b) {
		n := 0
		err := retry("pwrite", "", func() (err error) {
			n, err = unix.Pwrite(int(fd), b[total:], int64(position)+int64(total))
			return err
		})
		if err == nil && n == 0 {
			err = os.NewSyscallError("pwrite", unix.EIO) // no progress and no reason: give up rather than spin
		}
		if err != nil {
			return total, err
		}
		total += n
	}
	return total, nil
}

func (systemFiles) Sync(fd int32) error {
	return retry("fsync", "", func() error { return unix.Fsync(int(fd)) })
}

func (systemFiles) Truncate(fd int32, size uint64) error {
	return retry("ftruncate", "", func() error { return unix.Ftruncate(int(fd), int64(size)) })
}

func (systemFiles) Allocate(fd int32, position, size uint64) error {
	return retry("fallocate", "", func() error { return unix.Fallocate(int(fd), 0, int64(position), int64(size)) })
}

func (systemFiles) Size(fd int32) (uint64, error) {
	var stat unix.Stat_t
	err := retry("fstat", "", func() error { return unix.Fstat(int(fd), &stat) })
	return uint64(stat.Size), err
}

// NextData asks for the next extent that was written. Source: lseek(2), SEEK_DATA and SEEK_HOLE.
func (f systemFiles) NextData(fd int32, position uint64) (from, to uint64, err error) {
	size, err := f.Size(fd)
	if err != nil || position >= size {
		return size, size, err
	}
	begin, err := seek(fd, position, unix.SEEK_DATA)
	switch {
	case errors.Is(err, unix.ENXIO):
		return size, size, nil
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.EOPNOTSUPP):
		return position, size, nil
	case err != nil:
		return 0, 0, err
	}
	end, err := seek(fd, begin, unix.SEEK_HOLE)
	return begin, end, err
}

func seek(fd int32, position uint64, whence int) (found uint64, err error) {
	err = retry("lseek", "", func() error {
		at, err := unix.Seek(int(fd), int64(position), whence)
		found = uint64(at)
		return err
	})
	return found, err
}

func (systemFiles) Rename(from, to string) error {
	return retry("rename", from, func() error { return unix.Rename(from, to) })
}

func (systemFiles) RenameNew(from, to string) error {
	return retry("renameat2", from, func() error { return unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE) })
}

func (systemFiles) Remove(path string) error {
	err := retry("unlink", path, func() error { return unix.Unlink(path) })
	if errors.Is(err, unix.EISDIR) {
		err = retry("rmdir", path, func() error { return unix.Rmdir(path) })
	}
	return err
}

func (systemFiles) MakeDir(path string, mode uint32) error {
	err := retry("mkdir", path, func() error { return unix.Mkdir(path, mode) })
	if errors.Is(err, unix.EEXIST) {
		var stat unix.Stat_t
		if unix.Stat(path, &stat) == nil && stat.Mode&unix.S_IFMT == unix.S_IFDIR {
			return nil
		}
	}
	return err
}

func (systemFiles) List(path string) ([]string, error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = entry.Name()
	}
	return names, nil
}

func (f systemFiles) SyncDir(path string) error {
	fd, err := f.Open(path, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	return errors.Join(retry("fsync", path, func() error { return unix.Fsync(int(fd)) }), f.Close(fd))
}

func (systemFiles) StatFS(path string) (total, free uint64, err error) {
	var stat unix.Statfs_t
	err = retry("statfs", path, func() error { return unix.Statfs(path, &stat) })
	return stat.Blocks * uint64(stat.Frsize), stat.Bavail * uint64(stat.Frsize), err
}

func (systemFiles) Lock(fd int32) error {
	err := retry("flock", "", func() error { return unix.Flock(int(fd), unix.LOCK_EX|unix.LOCK_NB) })
	if errors.Is(err, unix.EWOULDBLOCK) {
		return ErrLocked // the number would say no more
	}
	return err
}

func (systemFiles) Exists(path string) (bool, error) {
	var stat unix.Stat_t
	err := retry("stat", path, func() error { return unix.Lstat(path, &stat) })
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) {
		return false, nil
	}
	return err == nil, err
}

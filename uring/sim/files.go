package sim

import (
	"maps"
	"slices"
	"syscall"

	"galgo/uring"
)

// files are the blocking calls of a process.
type files struct{ k *Kernel }

// call counts one call, and ends the process in it if CrashAfter wants so.
func (f *files) call() {
	if f.k.dead {
		panic("sim: a blocking file call of a process that has ended")
	}
	w := f.k.world
	w.note(traceFile)
	if w.crashIn > 0 {
		if w.crashIn--; w.crashIn == 0 {
			panic(Crashed{})
		}
	}
}

func (f *files) other() syscall.Errno {
	if w := f.k.world; w.fault(FaultOtherError, w.o.Faults.OtherError) {
		return syscall.EIO
	}
	return 0
}

func (f *files) Open(path string, flags int, mode uint32) (int32, error) {
	f.call()
	if errno := f.other(); errno != 0 {
		return -1, pathError("open", path, errno)
	}
	opened, errno := f.k.world.disk.open(f.k.world.disk.root, path, flags, mode)
	if errno != 0 {
		return -1, pathError("open", path, errno)
	}
	fd, errno := f.k.open(opened)
	return fd, pathError("open", path, errno)
}

func (f *files) Close(fd int32) error {
	f.call()
	return callError("close", f.k.closeFD(fd))
}

// file finds an open file that is no directory.
func (f *files) file(fd int32) (*file, syscall.Errno) {
	opened := f.k.file(fd)
	switch {
	case opened == nil:
		return nil, syscall.EBADF
	case opened.node == nil:
		return nil, syscall.EINVAL
	}
	return opened, 0
}

func (f *files) ReadAt(fd int32, b []byte, position uint64) (int, error) {
	f.call()
	opened, errno := f.file(fd)
	switch {
	case errno != 0:
	case opened.node.isDir():
		errno = syscall.EISDIR
	case !opened.readable():
		errno = syscall.EBADF
	case opened.direct() && (position|uint64(len(b)))%sectorSize != 0:
		errno = syscall.EINVAL
	}
	total := 0
	for errno == 0 && total < len(b) {
		n := 0
		n, errno = f.k.world.disk.read(opened, position+uint64(total), [][]byte{b[total:]})
		if n == 0 {
			break
		}
		total += n
	}
	return total, callError("pread", errno)
}

func (f *files) WriteAt(fd int32, b []byte, position uint64) (int, error) {
	f.call()
	opened, errno := f.file(fd)
	switch {
	case errno != 0:
	case !opened.writable():
		errno = syscall.EBADF
	case opened.direct() && (position|uint64(len(b)))%sectorSize != 0:
		errno = syscall.EINVAL
	}
	total := 0
	for errno == 0 && total < len(b) {
		n := 0
		n, errno = f.k.world.disk.write(opened, position+uint64(total), [][]byte{b[total:]}, opened.flags&uring.O_DSYNC != 0)
		total += n
	}
	return total, callError("pwrite", errno)
}

func (f *files) Sync(fd int32) error {
	f.call()
	opened, errno := f.file(fd)
	if errno == 0 {
		errno = f.k.world.disk.fsync(opened.node)
	}
	return callError("fsync", errno)
}

func (f *files) Truncate(fd int32, size uint64) error {
	f.call()
	opened, errno := f.file(fd)
	if errno == 0 {
		errno = f.other()
	}
	if errno == 0 {
		errno = f.k.world.disk.truncate(opened, int64(size))
	}
	return callError("ftruncate", errno)
}

func (f *files) Allocate(fd int32, position, size uint64) error {
	f.call()
	opened, errno := f.file(fd)
	if errno == 0 {
		errno = f.other()
	}
	if errno == 0 {
		errno = f.k.world.disk.fallocate(opened, 0, int64(position), int64(size))
	}
	return callError("fallocate", errno)
}

func (f *files) Size(fd int32) (uint64, error) {
	f.call()
	opened, errno := f.file(fd)
	if errno != 0 {
		return 0, callError("fstat", errno)
	}
	return opened.node.now.size, nil
}

func (f *files) NextData(fd int32, position uint64) (from, to uint64, err error) {
	f.call()
	opened, errno := f.file(fd)
	if errno != 0 {
		return 0, 0, callError("lseek", errno)
	}
	from, to = opened.node.now.nextData(position)
	return from, to, nil
}

func (f *files) Rename(from, to string) error { return f.rename("rename", from, to, false) }

func (f *files) RenameNew(from, to string) error { return f.rename("renameat2", from, to, true) }

func (f *files) rename(op, from, to string, noReplace bool) error {
	f.call()
	errno := f.other()
	if errno == 0 {
		root := f.k.world.disk.root
		errno = f.k.world.disk.rename(root, from, root, to, noReplace)
	}
	return pathError(op, from, errno)
}

func (f *files) Remove(path string) error {
	f.call()
	d := f.k.world.disk
	errno := f.other()
	if errno == 0 {
		errno = d.unlink(d.root, path, false)
	}
	if errno == syscall.EISDIR {
		errno = d.unlink(d.root, path, true)
	}
	return pathError("unlink", path, errno)
}

func (f *files) MakeDir(path string, mode uint32) error {
	f.call()
	d := f.k.world.disk
	errno := f.other()
	if errno == 0 {
		errno = d.mkdir(d.root, path, mode)
	}
	if errno == syscall.EEXIST {
		if n, missing := d.walk(d.root, path); missing == 0 && n.isDir() {
			return nil
		}
	}
	return pathError("mkdir", path, errno)
}

func (f *files) directory(path string) (*node, syscall.Errno) {
	d := f.k.world.disk
	n, errno := d.walk(d.root, path)
	if errno == 0 && !n.isDir() {
		errno = syscall.ENOTDIR
	}
	return n, errno
}

func (f *files) List(path string) ([]string, error) {
	f.call()
	n, errno := f.directory(path)
	if errno != 0 {
		return nil, pathError("open", path, errno)
	}
	return slices.Sorted(maps.Keys(n.entries)), nil
}

func (f *files) SyncDir(path string) error {
	f.call()
	n, errno := f.directory(path)
	if errno == 0 {
		errno = f.k.world.disk.fsync(n)
	}
	return pathError("fsync", path, errno)
}

func (f *files) StatFS(path string) (total, free uint64, err error) {
	f.call()
	d := f.k.world.disk
	if _, errno := d.walk(d.root, path); errno != 0 {
		return 0, 0, pathError("statfs", path, errno)
	}
	return f.k.world.o.DiskBytes, d.pagesFree() * pageSize, nil
}

func (f *files) Lock(fd int32) error {
	f.call()
	opened, errno := f.file(fd)
	if errno != 0 {
		return callError("flock", errno)
	}
	if holder := opened.node.lock; holder != nil && holder != opened {
		return uring.ErrLocked
	}
	opened.node.lock = opened
	return nil
}

func (f *files) Exists(path string) (bool, error) {
	f.call()
	d := f.k.world.disk
	_, errno := d.walk(d.root, path)
	if errno == syscall.ENOENT || errno == syscall.ENOTDIR {
		return false, nil
	}
	return errno == 0, pathError("stat", path, errno)
}

// release lets go of everything that a killed process had open, by descriptor or in operations that hold what was closed.
func (f *files) release() {
	for fd, open := range f.k.fds {
		f.k.fds[fd] = nil
		f.letGo(open)
	}
	for _, s := range f.k.shards {
		if s == nil {
			continue
		}
		for o := range s.ops.all {
			f.letGo(o.held)
		}
	}
}

func (f *files) letGo(open *file) {
	if open == nil || open.node == nil {
		return
	}
	if open.node.lock == open {
		open.node.lock = nil
	}
	open.node.opens = 0
	f.k.world.disk.release(open.node)
}

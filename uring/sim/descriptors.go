package sim

import (
	"os"
	"syscall"

	"galgo/uring"
)

// file is what a descriptor stands for: an open file or directory, or a socket.
type file struct {
	node     *node   // nil for a socket
	socket   *socket // nil for a file
	flags    int     // O_*
	position uint64  // of reads and writes at PositionCurrent
	uses     int     // the descriptor and operations that hold it
}

func (f *file) direct() bool { return f.flags&uring.O_DIRECT != 0 }

func (f *file) readable() bool { return f.flags&syscall.O_ACCMODE != uring.O_WRONLY }

func (f *file) writable() bool { return f.flags&syscall.O_ACCMODE != uring.O_RDONLY }

// file returns what a descriptor stands for, nil when it is not open.
func (k *Kernel) file(fd int32) *file {
	if fd < 0 || int(fd) >= len(k.fds) {
		return nil
	}
	return k.fds[fd]
}

// open gives a file the lowest free descriptor, as the system does.
func (k *Kernel) open(f *file) (int32, syscall.Errno) {
	if k.world.fault(FaultDescriptors, k.world.o.Faults.Descriptors) {
		return -1, syscall.EMFILE
	}
	fd := fdFirst
	for k.file(int32(fd)) != nil {
		fd++
	}
	if fd >= k.descriptorsMax {
		return -1, syscall.EMFILE
	}
	if fd == len(k.fds) {
		k.fds = append(k.fds, nil)
	}
	k.fds[fd] = f
	f.uses = 1
	if f.node != nil {
		f.node.opens++
	}
	return int32(fd), 0
}

// closeFD takes a descriptor away. What it stood for ends with the last operation that holds it.
func (k *Kernel) closeFD(fd int32) syscall.Errno {
	f := k.file(fd)
	if f == nil {
		return syscall.EBADF
	}
	k.fds[fd] = nil
	k.drop(f)
	return 0
}

func (k *Kernel) drop(f *file) {
	if f.uses--; f.uses > 0 {
		return
	}
	if f.socket != nil {
		f.socket.close()
		return
	}
	if f.node.lock == f {
		f.node.lock = nil
	}
	f.node.opens--
	k.world.disk.release(f.node)
}

// directory is where relative paths begin: the directory of a descriptor, or the root.
func (k *Kernel) directory(fd int32, path string) (*node, syscall.Errno) {
	if fd == uring.AtCWD || path != "" && path[0] == '/' {
		return k.world.disk.root, 0
	}
	f := k.file(fd)
	switch {
	case f == nil:
		return nil, syscall.EBADF
	case f.node == nil || !f.node.isDir():
		return nil, syscall.ENOTDIR
	}
	return f.node, 0
}

func callError(call string, errno syscall.Errno) error {
	if errno == 0 {
		return nil
	}
	return os.NewSyscallError(call, errno)
}

func pathError(call, path string, errno syscall.Errno) error {
	if errno == 0 {
		return nil
	}
	return &os.PathError{Op: call, Path: path, Err: errno}
}

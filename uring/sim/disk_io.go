package sim

import (
	"syscall"

	"galgo/uring"
)

// open finds or makes a file.
func (d *disk) open(from *node, path string, flags int, mode uint32) (*file, syscall.Errno) {
	dir, name, errno := d.parent(from, path)
	if errno != 0 {
		return nil, errno
	}
	n := dir
	if name != "" {
		n = dir.entries[name]
	}
	create := flags&uring.O_CREAT != 0
	writes := flags&syscall.O_ACCMODE != uring.O_RDONLY
	switch {
	case n == nil && !create:
		return nil, syscall.ENOENT
	case n == nil && flags&uring.O_DIRECTORY != 0:
		return nil, syscall.EINVAL
	case n == nil && path[len(path)-1] == '/':
		return nil, syscall.EISDIR
	case n == nil:
		n = d.make(dir, name, false, mode)
		return &file{node: n, flags: flags}, 0
	case create && flags&uring.O_EXCL != 0:
		return nil, syscall.EEXIST
	case n.isDir() && (writes || create):
		return nil, syscall.EISDIR
	case !n.isDir() && (flags&uring.O_DIRECTORY != 0 || path[len(path)-1] == '/'):
		return nil, syscall.ENOTDIR
	}
	if flags&uring.O_TRUNC != 0 && n.now.size > 0 {
		d.change(n, change{kind: changeTruncate})
	}
	return &file{node: n, flags: flags}, 0
}

// read fills buffers, in order, with what is at position, as far as the file goes.
func (d *disk) read(f *file, position uint64, buffers [][]byte) (int, syscall.Errno) {
	w, n := d.world, f.node
	faults := &w.o.Faults
	if w.fault(FaultReadError, faults.ReadError) {
		return 0, syscall.EIO
	}
	left := uint64(0)
	if position < n.now.size {
		left = n.now.size - position
	}
	if total := length(buffers); left > total {
		left = total
	}
	if left > sectorSize && w.fault(FaultShortRead, faults.ShortRead) {
		left = (1 + w.below(left/sectorSize)) * sectorSize
		left = min(left, length(buffers))
	}
	if left > 0 && w.fault(FaultBitRot, faults.BitRot) {
		n.rot(position+w.below(left), 1<<w.below(8))
	}
	from := position
	if left > 0 && w.fault(FaultReadAstray, faults.ReadAstray) {
		from = w.below(n.now.size) / sectorSize * sectorSize
	}
	done := uint64(0)
	for _, b := range buffers {
		part := b[:min(uint64(len(b)), left-done)]
		n.now.read(from+done, part)
		done += uint64(len(part))
	}
	return int(left), 0
}

// write puts buffers, in order, at position.
func (d *disk) write(f *file, position uint64, buffers [][]byte, durable bool) (int, syscall.Errno) {
	w, n := d.world, f.node
	faults := &w.o.Faults
	data := make([]byte, 0, length(buffers))
	for _, b := range buffers {
		data = append(data, b...)
	}
	if len(data) == 0 {
		return 0, 0
	}
	if limit := w.kernel.fileMax; limit > 0 {
		if position >= limit {
			return 0, syscall.EFBIG
		}
		data = data[:min(uint64(len(data)), limit-position)]
	}
	bad := syscall.Errno(0)
	cut := func() { // some sectors, or none, or all
		sectors := (uint64(len(data)) + sectorSize - 1) / sectorSize
		data = data[:min(w.below(sectors+1)*sectorSize, uint64(len(data)))]
	}
	switch {
	case w.dying && w.rng.Uint32()&1 == 0: // the process ends in the middle of it
		cut()
		durable = false
	case w.dying:
		durable = false
	case w.fault(FaultWriteError, faults.WriteError):
		cut()
		bad, durable = syscall.EIO, false
	case len(data) > sectorSize && w.fault(FaultShortWrite, faults.ShortWrite):
		data = data[:(1+w.below(uint64(len(data)/sectorSize)-1+bit(len(data)%sectorSize > 0)))*sectorSize]
	}
	if durable && w.fault(FaultSyncLie, faults.SyncLie) {
		durable = false
	}
	if faults.WriteAstray > 0 {
		astray := w.below(max(n.now.size, position)+1) / sectorSize * sectorSize
		if d.room(n, astray, uint64(len(data))) == uint64(len(data)) && w.fault(FaultWriteAstray, faults.WriteAstray) {
			d.change(n, change{kind: changeWrite, position: astray, size: uint64(len(data)), data: data, must: durable})
			return len(data), bad
		}
	}
	if room := d.room(n, position, uint64(len(data))); room < uint64(len(data)) {
		if data = data[:room]; room == 0 {
			return 0, syscall.ENOSPC
		}
	}
	if len(data) > 0 {
		d.change(n, change{kind: changeWrite, position: position, size: uint64(len(data)), data: data, must: durable})
	}
	return len(data), bad
}

// room returns how many of the size bytes at position have or may get their pages.
func (d *disk) room(n *node, position, size uint64) uint64 {
	free := d.pagesFree()
	if n.now.missing(position, position+size) <= free {
		return size
	}
	end := position
	for end < position+size {
		if n.now.missing(end, end+1) == 1 {
			if free == 0 {
				break
			}
			free--
		}
		end = min((end/pageSize+1)*pageSize, position+size)
	}
	return end - position
}

func (d *disk) fsync(n *node) syscall.Errno {
	w := d.world
	if w.fault(FaultSyncError, w.o.Faults.SyncError) {
		if !n.isDir() {
			n.forget()
		}
		return syscall.EIO
	}
	switch {
	case w.fault(FaultSyncLie, w.o.Faults.SyncLie):
	case n.isDir():
		d.syncDir(n)
	default:
		n.sync()
	}
	return 0
}

func (d *disk) fallocate(f *file, mode uint32, position, size int64) syscall.Errno {
	const keep, hole, zero = uring.FALLOC_FL_KEEP_SIZE, uring.FALLOC_FL_PUNCH_HOLE, uring.FALLOC_FL_ZERO_RANGE
	n := f.node
	switch {
	case position < 0 || size <= 0:
		return syscall.EINVAL
	case mode&^(keep|hole|zero) != 0 || mode&hole != 0 && mode&keep == 0:
		return syscall.EOPNOTSUPP
	case mode&hole != 0 && mode&zero != 0:
		return syscall.EINVAL
	case n == nil:
		return syscall.ENODEV
	case !f.writable():
		return syscall.EBADF
	case n.isDir():
		return syscall.EISDIR
	}
	c := change{kind: changeAllocate, position: uint64(position), size: uint64(size), keepSize: mode&keep != 0}
	if mode&hole != 0 {
		c.kind = changeHole
	} else {
		if mode&zero != 0 {
			c.kind = changeZero
		}
		// A file system takes what there is before it says no.
		free := d.pagesFree()
		if d.world.fault(FaultNoSpace, d.world.o.Faults.NoSpace) {
			free = 0
		}
		if n.now.missing(c.position, c.position+c.size) > free {
			room := min(d.room(n, c.position, c.size), free*pageSize)
			if room > 0 {
				d.change(n, change{kind: changeAllocate, position: c.position, size: room, keepSize: true})
			}
			return syscall.ENOSPC
		}
	}
	d.change(n, c)
	return 0
}

func (d *disk) truncate(f *file, size int64) syscall.Errno {
	switch {
	case size < 0, f.node == nil, f.node.isDir(), !f.writable():
		return syscall.EINVAL
	}
	d.change(f.node, change{kind: changeTruncate, size: uint64(size)})
	return 0
}

func length(buffers [][]byte) uint64 {
	n := uint64(0)
	for _, b := range buffers {
		n += uint64(len(b))
	}
	return n
}

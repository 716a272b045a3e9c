package sim

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"galgo/uring"
)

// later lets a file operation have its effect and complete after a delay.
func (o *op) later(d Delay, effect func() result) {
	k, w := o.s.k, o.s.k.world
	micros := w.delay(d)
	f := &w.o.Faults
	if w.fault(FaultSlow, f.Slow) {
		micros += w.below(f.SlowMicros)
	}
	if w.fault(FaultStuck, f.Stuck) {
		micros += f.StuckMicros
	}
	o.effect = effect
	k.after(micros, func() {
		r := effect()
		w.note(traceFile, uint64(o.e.Opcode), uint64(uint32(r.res)))
		o.finish(r)
	})
}

// quick is later for what touches names and sizes.
func (o *op) quick(effect func() syscall.Errno) {
	o.later(o.s.k.world.o.File, func() result {
		if w := o.s.k.world; w.fault(FaultOtherError, w.o.Faults.OtherError) {
			return failed(syscall.EIO)
		}
		return failed(effect()) // 0 is success
	})
}

// moving checks what reads and writes have in common. It returns false when the operation has ended.
func (o *op) moving(writing bool) bool {
	f := o.held
	errno := syscall.Errno(0)
	switch {
	case f.node == nil:
		errno = syscall.EINVAL // sockets are read with Recv here
	case writing && !f.writable() || !writing && !f.readable():
		errno = syscall.EBADF
	case f.node.isDir() && (writing || o.want > 0):
		errno = syscall.EISDIR
	case o.e.Len > uring.IovMax && (o.e.Opcode == uring.OpReadv || o.e.Opcode == uring.OpWritev):
		errno = syscall.EINVAL
	case int64(o.e.Off) < 0 && o.e.Off != uring.PositionCurrent:
		errno = syscall.EINVAL
	case f.direct() && !o.aligned():
		errno = syscall.EINVAL
	}
	if errno != 0 {
		o.finish(failed(errno))
	}
	return errno == 0
}

// aligned checks the rules of direct I/O.
func (o *op) aligned() bool {
	if o.e.Off != uring.PositionCurrent && o.e.Off%sectorSize != 0 {
		return false
	}
	for _, b := range o.buffers {
		if len(b)%sectorSize != 0 || len(b) > 0 && uintptr(unsafe.Pointer(&b[0]))%sectorSize != 0 {
			return false
		}
	}
	return true
}

// place returns where a read or write goes.
func (o *op) place() uint64 {
	if o.e.Off == uring.PositionCurrent {
		return o.held.position
	}
	return o.e.Off
}

func (o *op) moved(position uint64, n int) {
	if o.e.Off == uring.PositionCurrent {
		o.held.position = position + uint64(n)
	}
}

func (o *op) startRead() {
	if !o.moving(false) {
		return
	}
	o.poison()
	o.later(o.s.k.world.o.File, func() result {
		position := o.place()
		n, errno := o.s.k.world.disk.read(o.held, position, o.buffers)
		if errno != 0 {
			return failed(errno)
		}
		o.moved(position, n)
		return result{res: int32(n)}
	})
}

func (o *op) startWrite() {
	if !o.moving(true) {
		return
	}
	o.seal()
	durable := o.e.OpFlags&(uring.RWF_DSYNC|uring.RWF_SYNC) != 0 || o.held.flags&uring.O_DSYNC != 0
	d := o.s.k.world.o.File
	if durable {
		d = o.s.k.world.o.Sync
	}
	o.later(d, func() result {
		o.verify()
		position := o.place()
		if o.held.flags&uring.O_APPEND != 0 {
			position = o.held.node.now.size
		}
		n, errno := o.s.k.world.disk.write(o.held, position, o.buffers, durable)
		if errno != 0 {
			return failed(errno)
		}
		o.moved(position, n)
		return result{res: int32(n)}
	})
}

func (o *op) startFsync() {
	f := o.held
	if f.node == nil {
		o.finish(failed(syscall.EINVAL))
		return
	}
	o.later(o.s.k.world.o.Sync, func() result { return failed(o.s.k.world.disk.fsync(f.node)) })
}

func (o *op) startFallocate() {
	f := o.held
	o.quick(func() syscall.Errno {
		return o.s.k.world.disk.fallocate(f, o.e.Len, int64(o.e.Off), int64(o.e.Addr))
	})
}

func (o *op) startFtruncate() {
	f := o.held
	o.quick(func() syscall.Errno { return o.s.k.world.disk.truncate(f, int64(o.e.Off)) })
}

func (o *op) startOpen() {
	k := o.s.k
	dir, errno := k.directory(o.e.FD, o.path)
	if errno != 0 {
		o.finish(failed(errno))
		return
	}
	o.later(k.world.o.File, func() result {
		if k.world.fault(FaultOtherError, k.world.o.Faults.OtherError) {
			return failed(syscall.EIO)
		}
		f, errno := k.world.disk.open(dir, o.path, int(o.e.OpFlags), o.e.Len)
		if errno != 0 {
			return failed(errno)
		}
		fd, errno := k.open(f)
		if errno != 0 {
			return failed(errno)
		}
		return result{res: fd}
	})
}

// startClose frees the number at once or with the completion: both happen.
func (o *op) startClose() {
	k := o.s.k
	if k.world.rng.Uint32()&1 == 0 {
		r := failed(k.closeFD(o.e.FD))
		o.later(k.world.o.File, func() result { return r })
		return
	}
	if k.file(o.e.FD) == nil {
		o.finish(failed(syscall.EBADF))
		return
	}
	o.later(k.world.o.File, func() result { return failed(k.closeFD(o.e.FD)) })
}

func (o *op) startStatx() {
	k := o.s.k
	slab := k.slab(uring.Addr(o.e.Off), 256)
	into := slab.StatxResult(o.e.Off - uint64(slab.Base()))
	var dir *node
	errno := syscall.Errno(0)
	if o.path == "" && o.e.OpFlags&unix.AT_EMPTY_PATH != 0 {
		if f := k.file(o.e.FD); f == nil {
			errno = syscall.EBADF
		} else if dir = f.node; dir == nil {
			errno = syscall.EINVAL // of sockets there is nothing to tell
		}
	} else {
		dir, errno = k.directory(o.e.FD, o.path)
	}
	if errno != 0 {
		o.finish(failed(errno))
		return
	}
	o.quick(func() syscall.Errno {
		n, errno := dir, syscall.Errno(0)
		if o.path != "" || o.e.OpFlags&unix.AT_EMPTY_PATH == 0 {
			n, errno = k.world.disk.walk(dir, o.path)
		}
		if errno == 0 {
			*into = n.stat()
		}
		return errno
	})
}

func (n *node) stat() uring.StatxResult {
	r := uring.StatxResult{
		Mask: uring.STATX_BASIC_STATS | uring.STATX_DIOALIGN, BlockSize: pageSize, Links: uint32(n.names), Mode: n.mode, Inode: n.id,
		Size: n.now.size, Blocks: uint64(len(n.now.pages)) * (pageSize / 512), DioMemAlign: sectorSize, DioOffsetAlign: sectorSize,
	}
	if n.isDir() {
		r.Links, r.Size = 2, pageSize
	}
	return r
}

func (o *op) startRename() {
	k := o.s.k
	from, errno := k.directory(o.e.FD, o.path)
	to, errno2 := k.directory(int32(o.e.Len), o.other)
	if errno != 0 || errno2 != 0 {
		o.finish(failed(max(errno, errno2)))
		return
	}
	o.quick(func() syscall.Errno {
		return k.world.disk.rename(from, o.path, to, o.other, o.e.OpFlags&uring.RENAME_NOREPLACE != 0)
	})
}

func (o *op) startUnlink() {
	k := o.s.k
	dir, errno := k.directory(o.e.FD, o.path)
	if errno != 0 {
		o.finish(failed(errno))
		return
	}
	o.quick(func() syscall.Errno { return k.world.disk.unlink(dir, o.path, o.e.OpFlags&uring.AT_REMOVEDIR != 0) })
}

func (o *op) startMkdir() {
	k := o.s.k
	dir, errno := k.directory(o.e.FD, o.path)
	if errno != 0 {
		o.finish(failed(errno))
		return
	}
	o.quick(func() syscall.Errno { return k.world.disk.mkdir(dir, o.path, o.e.Len) })
}

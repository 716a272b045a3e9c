//go:build !race

package portable

import (
	"testing"

	"galgo/uring"
)

func TestSocketsAndFilesAllocateNothing(t *testing.T) {
	f := newFixture(t)
	defer f.close()
	const size = 512
	buffers, err := uring.NewBufRing(f.ring, 0, f.slab, 0, 4, size)
	if err != nil {
		t.Fatal(err)
	}
	listener, address := f.listener()
	server, client := f.accept(listener, address)
	off := uint64(1 << 20)
	path := f.slab.PutPath(off, t.TempDir()+"/file")
	f.push(uring.Openat(uring.AtCWD, path, uring.O_RDWR|uring.O_CREAT|uring.O_CLOEXEC, 0o600, 1))
	file := f.wait(1).Res
	text, b := f.slab.Addr(off), make([]byte, 2*size)
	iov := f.slab.Iovecs(off+8192, 2)
	iov[0], iov[1] = uring.Iovec{Base: text, Len: size / 2}, uring.Iovec{Base: text, Len: size / 2}
	*f.slab.Msghdr(off + 16384) = uring.Msghdr{Iov: f.slab.Addr(off + 8192), IovCount: 2}
	*f.slab.Timespec(off + 20480) = uring.TimespecMicros(3600e6)
	long := f.slab.Addr(off + 20480)

	step := func() {
		f.push(uring.RecvSelect(server, 0, 0, 0, 1))
		f.push(uring.Timeout(long, 0, 2))
		f.wantWaiting(1)
		if _, err := client.Write(b[:size]); err != nil {
			t.Fatal(err)
		}
		c := f.wait(1)
		id, ok := uring.BufferID(c.Flags)
		if c.Res != size || !ok {
			t.Fatalf("got result %d, flags %#x, want %d bytes in a buffer", c.Res, c.Flags, size)
		}
		buffers.Recycle(id)
		f.push(uring.Recv(server, text, size, uring.MSG_WAITALL, 3).Link())
		f.push(uring.LinkTimeout(long, 0, 4))
		f.push(uring.Send(server, text, size, uring.MSG_WAITALL, 5))
		f.push(uring.Sendmsg(server, f.slab.Addr(off+16384), uring.MSG_WAITALL, 6))
		f.wantWaiting(3)
		if _, err := client.Write(b[:size]); err != nil {
			t.Fatal(err)
		}
		f.want(3, size)
		f.wait(4)
		f.want(5, size)
		f.want(6, size)
		if _, err := client.Read(b); err != nil {
			t.Fatal(err)
		}
		f.push(uring.Write(file, text, size, 0, uring.RWF_DSYNC, 7).Link())
		f.push(uring.Writev(file, f.slab.Addr(off+8192), 2, size, 0, 8))
		f.want(7, size)
		f.want(8, size)
		f.push(uring.Cancel(2, 9))
		f.want(9, 0)
		f.wait(2)
	}
	if got := testing.AllocsPerRun(200, step); got != 0 {
		t.Errorf("got %v allocations, want 0", got)
	}
	if err := buffers.Close(); err != nil {
		t.Fatal(err)
	}
	for i, fd := range []int32{server, listener, file} {
		f.push(uring.Close(fd, uring.Token(i)))
		f.want(uring.Token(i), 0)
	}
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
}

package portable

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"galgo/uring"
)

// pipe stands for a slow disk: reading it holds a goroutine of the pool until something is written.
func pipe(t *testing.T) (from, to int32) {
	t.Helper()
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	return int32(ends[0]), int32(ends[1])
}

func (f *fixture) release(to int32, n int) {
	f.Helper()
	if _, err := unix.Write(int(to), make([]byte, n)); err != nil {
		f.Fatal(err)
	}
}

func TestSlowFilesDoNotStopSockets(t *testing.T) {
	f := newFixture(t)
	defer f.close()
	from, to := pipe(t)
	for i := range uring.Token(poolMax) {
		f.push(uring.Read(from, f.slab.Addr(0), 1, uring.PositionCurrent, 0, 100+i))
	}
	listener, address := f.listener()
	server, client := f.accept(listener, address)
	f.receiveOne(server, client.Write)
	f.release(to, poolMax)
	for i := range uring.Token(poolMax) {
		f.want(100+i, 1)
	}
	for i, fd := range []int32{server, listener, from, to} {
		f.push(uring.Close(fd, uring.Token(i)))
		f.want(uring.Token(i), 0)
	}
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
}

// What has not begun can be cancelled, what has begun cannot, and a close comes after both: a job never finds its number's next owner.
func TestCloseWaitsForJobs(t *testing.T) {
	f := newFixture(t)
	defer f.close()
	from, to := pipe(t)
	for i := range uring.Token(poolMax + 2) {
		f.push(uring.Read(from, f.slab.Addr(0), 1, uring.PositionCurrent, 0, 100+i))
	}
	f.wantWaiting(100)
	for queued := 0; queued != 2; runtime.Gosched() { // the pool's goroutines take the oldest first
		f.kernel.pool.mu.Lock()
		queued = f.kernel.pool.queued
		f.kernel.pool.mu.Unlock()
	}
	// When one byte has come back, all have begun but the last two or one of them.
	f.release(to, 1)
	for len(f.got) == 0 {
		f.enter(true)
	}
	if len(f.got) != 1 || f.got[0].Res != 1 {
		t.Fatalf("got %v, want one byte read", f.got)
	}
	f.push(uring.Close(from, 1))
	f.wantWaiting(1)
	f.push(uring.Read(from, f.slab.Addr(0), 1, uring.PositionCurrent, 0, 2))
	f.want(2, -int32(unix.EBADF))
	f.release(to, 1)
	for before := len(f.got); len(f.got) == before; {
		f.enter(true)
	}
	missing := f.slab.PutPath(uring.PageSize, t.TempDir()+"/missing")
	for range 3 { // what was in the pool's queue before it has been run when this has
		f.push(uring.Openat(uring.AtCWD, missing, uring.O_RDONLY, 0, 3))
		f.want(3, -int32(unix.ENOENT))
	}
	f.wantWaiting(1) // one more read has come back, and others have not
	f.release(to, poolMax+1)
	f.want(1, 0)
	read, cancelled := 0, 0
	for _, c := range f.got {
		switch c.Res {
		case 1:
			read++
		case -int32(unix.ECANCELED):
			cancelled++
		default:
			t.Errorf("got %v, want a byte or ECANCELED", c)
		}
	}
	if read+cancelled != poolMax+2 || cancelled == 0 {
		t.Errorf("got %d read and %d cancelled of %d, want all and some cancelled", read, cancelled, poolMax+2)
	}
	if err := f.kernel.CloseFD(to); err != nil {
		t.Fatal(err)
	}
}

// What reaches the host although no ring would push it panics, with its name.
func TestWhatCannotRunPanics(t *testing.T) {
	for want, e := range map[string]uring.Entry{
		"opcode 200, token 0x7":           {Opcode: 200, UserData: 7},
		"nop, token 0x7, with flags 0x12": {Opcode: uring.OpNop, Flags: 0x12, UserData: 7}, // IOSQE_IO_DRAIN, IOSQE_ASYNC
	} {
		f := newFixture(t)
		s := f.kernel.shards[0].Load()
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, want) {
					t.Errorf("got %q, want a panic with %q", got, want)
				}
			}()
			s.run(s.ops.take(&e))
		}()
		f.close()
	}
}

// A close that waits for the pool is not cancelled, as it is not where closing takes no time: the descriptor would stay open for good.
func TestCloseInThePoolIsNotCancelled(t *testing.T) {
	f := newFixture(t)
	defer f.close()
	from, to := pipe(t)
	for i := range uring.Token(poolMax) { // hold all of the pool
		f.push(uring.Read(from, f.slab.Addr(0), 1, uring.PositionCurrent, 0, 100+i))
	}
	path := t.TempDir() + "/file"
	fd, err := f.kernel.Files().Open(path, uring.O_RDWR|uring.O_CREAT, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	f.push(uring.Close(fd, 1))
	f.push(uring.Cancel(1, 2))
	f.push(uring.CancelFD(fd, 3))
	f.want(2, -int32(unix.ENOENT))
	f.want(3, 0)
	f.release(to, poolMax)
	f.want(1, 0)
	if _, err := f.kernel.Files().Size(fd); !errors.Is(err, unix.EBADF) {
		t.Errorf("got %v, want EBADF: it is closed", err)
	}
	for _, fd := range []int32{from, to} {
		f.push(uring.Close(fd, uring.Token(fd)))
		f.want(uring.Token(fd), 0)
	}
}

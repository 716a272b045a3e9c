package portable

import (
	"math/rand/v2"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"galgo/uring"
)

// receiveOne checks that a descriptor's events reach the shard: bytes sent while a receive waits.
func (f *fixture) receiveOne(fd int32, write func([]byte) (int, error)) {
	f.Helper()
	f.push(uring.Recv(fd, f.slab.Addr(0), 100, 0, 50))
	f.wantWaiting(50)
	if _, err := write([]byte("bytes")); err != nil {
		f.Fatal(err)
	}
	f.want(50, 5)
}

// A number that the ring closed and the system gave out again has nothing of its predecessor: neither operations nor a registration.
func TestCloseEndsWhatWaits(t *testing.T) {
	f := newFixture(t)
	defer f.close()
	listener, address := f.listener()
	last, reused := int32(-1), 0
	for range 20 {
		server, client := f.accept(listener, address)
		if server == last {
			reused++
		}
		last = server
		f.receiveOne(server, client.Write)
		f.push(uring.Recv(server, f.slab.Addr(0), 100, 0, 1))
		f.push(uring.PollAdd(server, uring.POLLIN, true, 2))
		f.push(uring.Recv(server, f.slab.Addr(0), 100, 0, 3).HardLink())
		f.push(uring.Nop(4))
		f.wantWaiting(1)
		f.push(uring.Close(server, 5))
		for _, token := range []uring.Token{1, 2, 3} {
			f.want(token, -int32(unix.ECANCELED))
		}
		f.want(4, 0)
		f.want(5, 0)
		if err := client.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if reused == 0 {
		t.Error("got no number twice, want some: nothing was tried")
	}
	f.push(uring.Close(listener, 6))
	f.want(6, 0)
}

// The same for a number that is closed behind the ring's back, by another goroutine, while the shard may be asleep.
func TestCloseFDEndsWhatWaits(t *testing.T) {
	f := newFixture(t)
	defer f.close()
	listener, address := f.listener()
	for range 20 {
		server, client := f.accept(listener, address)
		f.receiveOne(server, client.Write)
		f.push(uring.Recv(server, f.slab.Addr(0), 100, 0, 1))
		f.wantWaiting(1)
		done := make(chan error, 1)
		go func() { done <- f.kernel.CloseFD(server) }()
		f.want(1, -int32(unix.ECANCELED))
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if err := client.Close(); err != nil {
			t.Fatal(err)
		}
	}
	f.push(uring.Close(listener, 6))
	f.want(6, 0)
}

// A descriptor that one shard watches and another closes, as when connections change hands.
func TestCloseByAnotherShardEndsWhatWaits(t *testing.T) {
	f := newFixture(t)
	defer f.close()
	listener, address := f.listener()
	other, err := uring.NewRing(f.kernel, 1, uring.Params{})
	if err != nil {
		t.Fatal(err)
	}
	server, client := f.accept(listener, address)
	f.push(uring.Recv(server, f.slab.Addr(0), 100, 0, 1))
	f.wantWaiting(1)
	other.Push(uring.Close(server, 1))
	if err := other.Enter(false, 0); err != nil {
		t.Fatal(err)
	}
	f.want(1, -int32(unix.ECANCELED))
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	f.push(uring.Close(listener, 6))
	f.want(6, 0)
}

// Bytes and the end of a stream come at any moment: between a try and its registration, with the event of other bytes, after a receive
// that took all there was. A lost edge is a hang.
func TestNoEventIsLost(t *testing.T) {
	f := newFixture(t)
	defer f.close()
	buffers, err := uring.NewBufRing(f.ring, 0, f.slab, 0, 8, 512)
	if err != nil {
		t.Fatal(err)
	}
	listener, address := f.listener()
	rounds := 300
	if testing.Short() {
		rounds = 30
	}
	random := rand.New(rand.NewPCG(1, 2))
	for round := range rounds {
		server, client := f.accept(listener, address)
		total, writes := 0, random.IntN(20)
		sizes := make([]int, writes)
		for i := range sizes {
			sizes[i] = 1 + random.IntN(1500)
			total += sizes[i]
		}
		var sender sync.WaitGroup
		sender.Go(func() {
			for _, size := range sizes {
				if _, err := client.Write(make([]byte, size)); err != nil {
					t.Error(err)
				}
			}
			if err := client.CloseWrite(); err != nil {
				t.Error(err)
			}
		})
		received := 0
		for ended := false; !ended; {
			switch round % 3 {
			case 0:
				f.push(uring.RecvSelect(server, 0, 0, 0, 1))
			case 1:
				f.push(uring.RecvMultishot(server, 0, 1))
			case 2:
				f.push(uring.Recv(server, f.slab.Addr(1<<20), 700, uring.MSG_WAITALL, 1))
			}
			for more := true; more; {
				c := f.wait(1)
				more = c.More()
				if id, ok := uring.BufferID(c.Flags); ok {
					buffers.Recycle(id)
				}
				if c.Res < 0 && c.Errno() != unix.ENOBUFS {
					t.Fatalf("receive: got %v, want bytes", c.Errno())
				}
				received += int(max(c.Res, 0))
				ended = ended || c.Res == 0
			}
		}
		if received != total {
			t.Fatalf("round %d: got %d bytes, want %d", round, received, total)
		}
		sender.Wait()
		f.push(uring.Close(server, 2))
		f.want(2, 0)
		if err := client.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := buffers.Close(); err != nil {
		t.Fatal(err)
	}
	f.push(uring.Close(listener, 6))
	f.want(6, 0)
}

package portable

import (
	"fmt"
	"os"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"galgo/uring"
)

// Kernel is the Host of this package.
type Kernel struct {
	uring.System
	workers *uring.Workers // of Work
	pool    *pool          // of file operations
	slabs   slabs
	table   table
	setups  atomic.Uint32 // makes peer descriptors differ

	coarse atomic.Bool // epoll_pwait2 is missing: sleeps end on whole milliseconds
	shards [uring.ShardsMax]atomic.Pointer[shard]
}

// New returns a Host for all shards of a process.
func New() *Kernel {
	return &Kernel{
		System:  uring.NewSystem(),
		workers: uring.NewWorkers(uring.WorkQueueMax, uring.WorkersMax()),
		pool:    newPool(),
	}
}

var _ uring.Host = (*Kernel)(nil)

// Name returns "portable".
func (k *Kernel) Name() string { return "portable" }

// Slab makes a slab; see Host.
func (k *Kernel) Slab(size uint64) (*uring.Slab, error) {
	slab, err := k.System.Slab(size)
	if err == nil {
		k.slabs.add(slab)
	}
	return slab, err
}

// Supports reports whether an operation is one of uring's constructors.
func (k *Kernel) Supports(op uint8) bool { return kinds[op] != kindNone }

// PeerFD returns the number that names a shard's ring to MsgRing; it is no descriptor of the system.
func (k *Kernel) PeerFD(shard int) int32 {
	if s := k.shards[shard].Load(); s != nil {
		return s.peer.Load()
	}
	return -1
}

// Parked reports whether a shard sits in a blocking Enter.
func (k *Kernel) Parked(shard int) bool {
	s := k.shards[shard].Load()
	return s != nil && s.parking.Parked()
}

// Wake ends a blocking Enter: one write to the shard's eventfd, by the first of those who wake it.
func (k *Kernel) Wake(shard int) {
	if s := k.shards[shard].Load(); s != nil {
		s.wake()
	}
}

// Work runs a job for a shard; see Host.
func (k *Kernel) Work(shard int, token uring.Token, job func() int32) bool {
	s := k.shards[shard].Load()
	if s == nil {
		panic(fmt.Sprintf("portable: work for shard %d, which is not set up", shard))
	}
	return k.workers.Run(token, job, &s.finished, s.wake)
}

// RegisterBuffers announces a provided-buffer ring; see Host.
func (k *Kernel) RegisterBuffers(shard int, group uint16, entries uint16, ring uring.Addr) error {
	return os.NewSyscallError("register buffers", k.shards[shard].Load().addGroup(group, entries, ring))
}

// UnregisterBuffers undoes RegisterBuffers.
func (k *Kernel) UnregisterBuffers(shard int, group uint16) error {
	return os.NewSyscallError("unregister buffers", k.shards[shard].Load().removeGroup(group))
}

// CloseFD closes a descriptor without a ring. What a shard has waiting on it completes with ECANCELED.
func (k *Kernel) CloseFD(fd int32) error {
	k.closing(fd, nil)
	return k.System.CloseFD(fd)
}

// closing makes a descriptor's number strange to every shard and tells the one that watches it, unless that is by itself.
func (k *Kernel) closing(fd int32, by *shard) {
	watcher := k.table.closed(fd)
	if watcher < 0 {
		return
	}
	if s := k.shards[watcher].Load(); s != nil && s != by {
		s.arrivals.addClosed(fd)
		s.arrived()
	}
}

// Close ends workers and pool and closes the eventfds; see Host.
func (k *Kernel) Close() error {
	k.workers.Close()
	k.pool.close()
	for i := range k.shards {
		if s := k.shards[i].Swap(nil); s != nil {
			if s.peer.Load() >= 0 {
				panic(fmt.Sprintf("portable: close of the host: shard %d is not torn down", i))
			}
			if err := unix.Close(s.eventFD); err != nil {
				return fmt.Errorf("portable: shard %d: %w", i, os.NewSyscallError("close", err))
			}
		}
	}
	return nil
}

//go:build linux

package uring

import (
	"fmt"
	"os"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Kernel is the Host behind which stands the kernel's io_uring: Linux 6.1 or later.
type Kernel struct {
	System
	workers *Workers
	shards  [ShardsMax]atomic.Pointer[kernelShard] // set by Setup, kept until Close so that a late Wake finds its descriptor open
}

// NewKernel returns the kernel's Host. Probe tells beforehand, and Setup at the latest, whether this kernel will do.
func NewKernel() *Kernel {
	return &Kernel{
		System:  NewSystem(),
		workers: NewWorkers(WorkQueueMax, WorkersMax()),
	}
}

var _ Host = (*Kernel)(nil)

// KernelName is the name of the kernel's Host, and WorkerThreads begins the names of the threads that the kernel makes for operations that would
// block.
const (
	KernelName    = "io_uring"
	WorkerThreads = "iou-"
)

// Name returns KernelName.
func (k *Kernel) Name() string { return KernelName }

// Supports reports whether this kernel knows the operation.
func (k *Kernel) Supports(op uint8) bool {
	p := probed()
	return p.err == nil && p.works[op]
}

// PeerFD returns the descriptor of a shard's ring.
func (k *Kernel) PeerFD(shard int) int32 {
	if s := k.shards[shard].Load(); s != nil {
		return s.fd.Load()
	}
	return -1
}

// Parked reports whether a shard sits in a blocking Enter.
func (k *Kernel) Parked(shard int) bool {
	s := k.shards[shard].Load()
	return s != nil && s.parking.Parked()
}

// Wake ends a blocking Enter.
func (k *Kernel) Wake(shard int) {
	if s := k.shards[shard].Load(); s != nil {
		s.parking.Wake(s.eventFD)
	}
}

// Work runs a job for a shard; see Host.
func (k *Kernel) Work(shard int, token Token, job func() int32) bool {
	s := k.shards[shard].Load()
	if s == nil {
		panic(fmt.Sprintf("uring: work for shard %d, which is not set up", shard))
	}
	return k.workers.Run(token, job, &s.finished, func() { k.Wake(shard) })
}

// RegisterBuffers registers a provided-buffer ring; see Host.
func (k *Kernel) RegisterBuffers(shard int, group uint16, entries uint16, ring Addr) error {
	return k.shards[shard].Load().registerBuffers(registerPbufRing, pbufReg{ringAddr: uint64(ring), entries: uint32(entries), group: group})
}

// UnregisterBuffers undoes RegisterBuffers.
func (k *Kernel) UnregisterBuffers(shard int, group uint16) error {
	return k.shards[shard].Load().registerBuffers(unregisterPbufRing, pbufReg{group: group})
}

// Close ends the workers and closes the eventfds; see Host.
func (k *Kernel) Close() error {
	k.workers.Close()
	for i := range k.shards {
		if s := k.shards[i].Swap(nil); s != nil {
			if fd := s.fd.Load(); fd >= 0 {
				panic(fmt.Sprintf("uring: close of the host: shard %d is not torn down", i))
			}
			if err := unix.Close(s.eventFD); err != nil {
				return fmt.Errorf("uring: shard %d: %w", i, os.NewSyscallError("close", err))
			}
		}
	}
	return nil
}

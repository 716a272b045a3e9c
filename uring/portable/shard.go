package portable

import (
	"errors"
	"fmt"
	"math/bits"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	"galgo/uring"
)

// shard is one shard's queues and everything that waits behind them. All but the last group of fields belongs to the shard's thread.
type shard struct {
	kernel     *Kernel
	number     int
	q          uring.Queues
	words      *queueWords
	ready      func() bool
	spinMicros uint64

	epollFD int
	eventFD int // written by Wake; in the epoll set, edge-triggered, so nothing reads its counter
	events  [eventsMax]unix.EpollEvent

	ops         ops
	descriptors []*[descriptorChunk]descriptor // by number; chunks made when first needed
	timers      timers
	groups      []group
	vectors     *vectors // free
	jobs        *job     // free
	waiting     int      // operations in lines
	round       uint32   // of looking at polls
	skipped     int      // enters in a row that did not look at the epoll set

	cqTail  uint32             // written; published at the end of Enter
	backlog []uring.Completion // those that found no room in the completion queue
	taken   arrivalLists       // what was just taken from arrivals

	// Arguments of system calls. The kernel reads them during the call only, and they do not move: a shard is on the heap.
	event  unix.EpollEvent
	poll   unix.PollFd
	zero   unix.Timespec
	time   unix.Timespec
	header uring.Msghdr
	stat   unix.Stat_t
	peek   bufferSlot // stands in for a buffer that is missing: peeked
	peeked byte

	finished uring.Finished

	_        [64]byte     // others write here; keep it off the lines the shard works on
	peer     atomic.Int32 // what names the shard to MsgRing; -1 after Teardown
	parking  uring.Parking
	arrivals arrivals
	_        [64]byte
}

const eventsMax = 256 // taken from the epoll set at a time

// queueWords are the words of uring.Queues, each side's on a line of its own.
type queueWords struct {
	sqTail, cqHead          atomic.Uint32
	_                       [64]byte
	sqHead, sqFlags, cqTail atomic.Uint32
	_                       [64]byte
}

const (
	entriesMax = 1 << 15
	shardBits  = 10 // of a peer number: the shard; above them the set-up it belongs to
)

// Setup makes a shard's queues, in ordinary memory; see Host. Errors wrap a syscall.Errno.
func (k *Kernel) Setup(number int, p uring.Params) (*uring.Queues, error) {
	old := k.shards[number].Load()
	if old != nil && old.peer.Load() >= 0 {
		panic(fmt.Sprintf("portable: shard %d is set up already", number))
	}
	s := &shard{kernel: k, number: number, ready: p.Ready, spinMicros: p.SpinMicros, words: &queueWords{}}
	s.peek = bufferSlot{addr: uring.Addr(uintptr(unsafe.Pointer(&s.peeked))), length: 1}
	s.ops.slots = make([]op, 1, 64) // slot 0 stays empty: 0 is none
	entries, completions := powerOfTwo(p.Entries), powerOfTwo(p.CQEntries)
	w := s.words
	s.q = uring.Queues{
		SQHead: &w.sqHead, SQTail: &w.sqTail, SQFlags: &w.sqFlags, SQMask: entries - 1, SQEntries: make([]uring.Entry, entries),
		CQHead: &w.cqHead, CQTail: &w.cqTail, CQMask: completions - 1, CQEntries: make([]uring.Completion, completions),
		Finished: &s.finished,
	}
	var err error
	if s.epollFD, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	if old != nil {
		s.eventFD = old.eventFD // a late Wake may be using it
	} else if s.eventFD, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return nil, errors.Join(os.NewSyscallError("eventfd", err), unix.Close(s.epollFD))
	}
	s.event = unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: int32(s.eventFD)}
	if err := unix.EpollCtl(s.epollFD, unix.EPOLL_CTL_ADD, s.eventFD, &s.event); err != nil {
		err = errors.Join(os.NewSyscallError("epoll_ctl", err), unix.Close(s.epollFD))
		if old == nil {
			err = errors.Join(err, unix.Close(s.eventFD))
		}
		return nil, err
	}
	s.peer.Store(int32(number) | int32(k.setups.Add(1)%(1<<(31-shardBits)))<<shardBits)
	k.shards[number].Store(s)
	return &s.q, nil
}

func powerOfTwo(n uint32) uint32 {
	n = min(max(n, 1), entriesMax)
	return 1 << bits.Len32(n-1)
}

// Teardown ends the shard; see Host. Jobs that still run find nobody to tell.
func (k *Kernel) Teardown(number int) error {
	s := k.shards[number].Load()
	s.peer.Store(-1)
	s.arrivals.leave()
	s.parking.Leave()
	return os.NewSyscallError("close", unix.Close(s.epollFD))
}

// wake ends a blocking Enter. Anyone may call it.
func (s *shard) wake() { s.parking.Wake(s.eventFD) }

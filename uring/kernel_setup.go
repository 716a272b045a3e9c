//go:build linux

package uring

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// kernelShard is one shard's ring as the kernel sees it. All but fd, parking and finished belongs to the shard's thread.
type kernelShard struct {
	q          Queues
	ready      func() bool
	spinMicros uint64

	ringFD     int     // the descriptor itself: for register calls and MsgRing
	enterFD    uintptr // the registered index that saves a look-up in each enter, or the descriptor
	enterFlags uintptr // enterRegisteredRing, or 0
	eventFD    int     // written by Wake; polled by the ring
	rings      []byte  // both queues' words and the completions, mapped
	entries    []byte  // the submission entries, mapped

	// The argument of a waiting enter. The kernel reads it during the call only, and it does not move: it is on the heap.
	arg  geteventsArg
	time Timespec

	finished Finished

	_       [64]byte     // parking is written by others; keep it off the lines the shard works on
	fd      atomic.Int32 // ringFD for others; -1 after Teardown
	parking Parking
	_       [64]byte
}

// The features without which a shard cannot run as designed; together they mean Linux 6.1.
const (
	setupFlags   = setupSubmitAll | setupCoopTaskrun | setupTaskrunFlag | setupSingleIssuer | setupDeferTaskrun | setupCQSize | setupClamp
	setupFeature = featSingleMmap | featNoDrop | featExtArg
)

const entriesMin = 64 // of the submission queue, below which a shortage of lockable memory is not worked around

// Setup creates the ring on the calling thread; see Host.
func (k *Kernel) Setup(shard int, p Params) (*Queues, error) {
	if err := Probe(); err != nil {
		return nil, err
	}
	old := k.shards[shard].Load()
	if old != nil && old.fd.Load() >= 0 {
		panic(fmt.Sprintf("uring: shard %d is set up already", shard))
	}
	s := &kernelShard{ready: p.Ready, spinMicros: p.SpinMicros}
	if old != nil {
		s.eventFD = old.eventFD // a late Wake may be using it
	} else {
		fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
		if err != nil {
			return nil, os.NewSyscallError("eventfd", err)
		}
		s.eventFD = fd
	}
	if err := s.open(p); err != nil {
		if old == nil {
			_ = unix.Close(s.eventFD)
		}
		return nil, err
	}
	// Edge-triggered, so each write completes it once and nothing needs to read the counter.
	s.q.Arm = PollAdd(int32(s.eventFD), POLLIN, true, tokenWakeArm)
	s.q.Finished = &s.finished
	s.fd.Store(int32(s.ringFD))
	k.shards[shard].Store(s)
	return &s.q, nil
}

// Teardown closes the ring; see Host.
func (k *Kernel) Teardown(shard int) error {
	s := k.shards[shard].Load()
	s.fd.Store(-1)
	s.parking.Leave()
	return s.close()
}

// open creates the ring, maps its queues and registers its descriptor. Where the limit of locked memory (which since Linux 6.14 counts
// rings) is too small, it settles for smaller queues.
func (s *kernelShard) open(p Params) error {
	var params setupParams
	for {
		fd, err := s.create(p, &params)
		if err == nil {
			s.ringFD = fd
			break
		}
		if err != unix.ENOMEM || p.Entries <= entriesMin {
			return setupError(err)
		}
		p.Entries, p.CQEntries = p.Entries/2, p.CQEntries/2
	}
	if missing := setupFeature &^ params.features; missing != 0 {
		_ = unix.Close(s.ringFD)
		return fmt.Errorf("%w: features %#x are missing; Linux 6.1 has them", ErrUnsupported, missing)
	}
	if err := s.mapQueues(&params); err != nil {
		_ = unix.Close(s.ringFD)
		return err
	}
	s.enterFD, s.enterFlags = uintptr(s.ringFD), 0
	update := &rsrcUpdate{offset: ^uint32(0), data: uint64(s.ringFD)}
	if err := register(s.ringFD, registerRingFDs, unsafe.Pointer(update), 1); err == nil {
		s.enterFD, s.enterFlags = uintptr(update.offset), enterRegisteredRing
	}
	return nil
}

func (s *kernelShard) create(p Params, params *setupParams) (int, error) {
	*params = setupParams{flags: setupFlags | setupNoSQArray, cqEntries: p.CQEntries}
	fd, err := setup(p.Entries, params)
	if err == unix.EINVAL {
		*params = setupParams{flags: setupFlags, cqEntries: p.CQEntries}
		fd, err = setup(p.Entries, params)
	}
	return fd, err
}

func setupError(err error) error {
	switch {
	case errors.Is(err, unix.ENOSYS):
		return fmt.Errorf("%w: the kernel is built without it: %w", ErrUnsupported, err)
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return fmt.Errorf("%w: it is forbidden (kernel.io_uring_disabled, or a container's seccomp filter): %w", ErrUnsupported, err)
	case errors.Is(err, unix.ENOMEM):
		return fmt.Errorf("%w: too little lockable memory (RLIMIT_MEMLOCK): %w", ErrUnsupported, err)
	case errors.Is(err, unix.EINVAL):
		return fmt.Errorf("%w: the kernel refuses DEFER_TASKRUN and SINGLE_ISSUER; Linux 6.1 has them: %w", ErrUnsupported, err)
	}
	return os.NewSyscallError("io_uring_setup", err)
}

func (s *kernelShard) mapQueues(p *setupParams) (err error) {
	size := max(p.cq.cqes+p.cqEntries*uint32(unsafe.Sizeof(Completion{})), p.sq.array+p.sqEntries*4)
	if s.rings, err = s.mapRing(offSQRing, int(size)); err != nil {
		return err
	}
	if s.entries, err = s.mapRing(offSQEs, int(p.sqEntries)*int(unsafe.Sizeof(Entry{}))); err != nil {
		_ = unix.Munmap(s.rings)
		return err
	}
	s.q = Queues{
		SQHead:    s.word(p.sq.head),
		SQTail:    s.word(p.sq.tail),
		SQFlags:   s.word(p.sq.flags),
		SQMask:    p.sqEntries - 1,
		SQEntries: unsafe.Slice((*Entry)(unsafe.Pointer(&s.entries[0])), p.sqEntries),
		CQHead:    s.word(p.cq.head),
		CQTail:    s.word(p.cq.tail),
		CQMask:    p.cqEntries - 1,
		CQEntries: unsafe.Slice((*Completion)(unsafe.Pointer(&s.rings[p.cq.cqes])), p.cqEntries),
	}
	if p.flags&setupNoSQArray == 0 {
		// The extra indirection of older kernels: slot i names entry i, for good.
		array := unsafe.Slice((*uint32)(unsafe.Pointer(&s.rings[p.sq.array])), p.sqEntries)
		for i := range array {
			array[i] = uint32(i)
		}
	}
	return nil
}

func (s *kernelShard) mapRing(offset int64, size int) ([]byte, error) {
	b, err := unix.Mmap(s.ringFD, offset, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE)
	return b, os.NewSyscallError("mmap", err)
}

func (s *kernelShard) word(offset uint32) *atomic.Uint32 {
	return (*atomic.Uint32)(unsafe.Pointer(&s.rings[offset]))
}

func (s *kernelShard) close() error {
	if s.enterFlags != 0 {
		update := &rsrcUpdate{offset: uint32(s.enterFD)}
		// Else the thread keeps the ring alive after its descriptor is closed.
		_ = register(s.ringFD, unregisterRingFDs, unsafe.Pointer(update), 1)
	}
	return errors.Join(
		os.NewSyscallError("munmap", unix.Munmap(s.entries)),
		os.NewSyscallError("munmap", unix.Munmap(s.rings)),
		os.NewSyscallError("close", unix.Close(s.ringFD)),
	)
}

func (s *kernelShard) registerBuffers(opcode uint32, arg pbufReg) error {
	return os.NewSyscallError("io_uring_register", register(s.ringFD, opcode, unsafe.Pointer(&arg), 1))
}

package uring

import (
	"errors"
	"sync/atomic"
)

// ShardsMax is how many shards a host may have.
const ShardsMax = 1024

// ErrUnsupported is wrapped by the errors of Probe and Host.Setup when the system lacks something the host cannot do without; the text
// names it. Another host may do.
var ErrUnsupported = errors.New("io_uring is not supported here")

// ErrLocked is the error of Files.Lock when someone else holds the lock.
var ErrLocked = errors.New("locked by another process")

// Host is what stands behind the rings of a process: the kernel's io_uring, ordinary system calls, or a simulation. One Host serves all
// shards.
//
// Setup, Teardown, Enter, RegisterBuffers and UnregisterBuffers are called by the shard itself, on its locked thread; the rest may be called
// from anywhere. A shard number is below ShardsMax. Errors wrap a syscall.Errno unless said otherwise.
type Host interface {
	// Name is "io_uring", or what the host calls itself in the log.
	Name() string

	// Slab makes a slab that entries of any shard may name.
	Slab(size uint64) (*Slab, error)

	// Setup makes the queues of a shard. An error that wraps ErrUnsupported means that another host should be tried.
	Setup(shard int, p Params) (*Queues, error)
	// Teardown takes the queues of a shard away. What is in flight is dropped; Ring.Close sees to it that nothing is.
	Teardown(shard int) error

	// Enter hands the first submit entries of the submission queue over and moves its head past those that were taken: all, save when the
	// machine is short of memory. It runs what completes operations, and with block it waits until a completion is there, Params.Ready
	// reports true, Wake is called, or Clock's monotonic time reaches untilMicros (0: no limit). It may return earlier. No time left,
	// an interrupting signal and a shortage of memory are not errors.
	Enter(shard int, submit uint32, block bool, untilMicros uint64) error

	// RegisterBuffers announces the provided-buffer ring of entries slots at ring as the shard's group; see BufRing.
	RegisterBuffers(shard int, group uint16, entries uint16, ring Addr) error
	UnregisterBuffers(shard int, group uint16) error

	// PeerFD is the descriptor that names a shard's ring to MsgRing, and -1 before Setup and after Teardown.
	PeerFD(shard int) int32
	// Parked reports whether the shard sits in a blocking Enter, or is about to and will look at Params.Ready first.
	Parked(shard int) bool
	// Wake ends a blocking Enter of the shard. What Params.Ready looks at must be stored (atomically) before. It is cheap when the shard is
	// not parked, and harmless before Setup and after Teardown.
	Wake(shard int)

	// Clock reads both times: since the Unix epoch, and CLOCK_MONOTONIC.
	Clock() (wallMicros, monoMicros uint64)
	// Random fills b with bytes fit for secrets.
	Random(b []byte)

	// Work runs job on one of a few ordinary goroutines; what it returns becomes a completion {token, result} of the shard's ring. It returns
	// false when the bounded queue is full, and then job does not run. Jobs outlive the ring that asked; Close waits for them.
	Work(shard int, token Token, job func() int32) bool

	// Supports reports whether an opcode (OpRead, …) works here.
	Supports(op uint8) bool

	// Files are blocking file calls.
	Files() Files

	// Listen makes a TCP listener: SO_REUSEADDR, so that a restart needs no waiting, but not SO_REUSEPORT, so that a second server fails.
	// TCP_NODELAY and SO_KEEPALIVE are set and pass to accepted sockets. Address is host:port; an empty host is every address, IPv4 and
	// IPv6; port 0 is any. EADDRINUSE is retried for two seconds. Bound is the address in numbers.
	Listen(address string) (fd int32, bound string, err error)
	// SockNames returns both ends of a socket as ip:port; peer is empty while it is not connected.
	SockNames(fd int32) (local, peer string, err error)
	// CloseFD closes a descriptor without a ring.
	CloseFD(fd int32) error

	// Close ends the host after the last Teardown: it waits for running jobs and drops the queued ones. Slabs stay until freed.
	Close() error
}

// Files are blocking file calls for start-up, jobs and tools, never for a running shard's tick. Paths are ordinary paths. Errors name the
// call and the path where there is one, and wrap a syscall.Errno.
type Files interface {
	// Open opens with O_CLOEXEC added to flags.
	Open(path string, flags int, mode uint32) (fd int32, err error)
	Close(fd int32) error
	// ReadAt reads until b is full or the file ends: n < len(b) with a nil error is the end.
	ReadAt(fd int32, b []byte, position uint64) (int, error)
	// WriteAt writes all of b; n < len(b) comes with an error.
	WriteAt(fd int32, b []byte, position uint64) (int, error)
	Sync(fd int32) error
	Truncate(fd int32, size uint64) error
	// Allocate gives [position, position+size) its blocks and grows the file when that ends beyond it.
	Allocate(fd int32, position, size uint64) error
	Size(fd int32) (uint64, error)
	// NextData returns the next range at or after position that may hold other bytes than zero; it is empty where only zeros follow, and lies
	// at the end of the file then. A host that cannot tell returns all that follows.
	NextData(fd int32, position uint64) (from, to uint64, err error)
	Rename(from, to string) error
	// RenameNew is Rename where nothing has the name yet: EEXIST if something has. EINVAL means that the file system cannot see to it.
	RenameNew(from, to string) error
	// Remove removes a file or an empty directory.
	Remove(path string) error
	// MakeDir makes one directory; that it exists is not an error.
	MakeDir(path string, mode uint32) error
	// List returns the names in a directory, sorted, without "." and "..".
	List(path string) ([]string, error)
	// SyncDir makes the entries of a directory durable.
	SyncDir(path string) error
	// StatFS returns the bytes of the file system and those that we may still take.
	StatFS(path string) (total, free uint64, err error)
	// Lock takes the file's exclusive lock, until the descriptor is closed, without waiting. ErrLocked when someone else holds it.
	Lock(fd int32) error
	Exists(path string) (bool, error)
}

// Params are what a shard wants of its ring.
type Params struct {
	Entries   uint32 // of the submission queue: rounded up to a power of two, 256 when 0
	CQEntries uint32 // of the completion queue: rounded up likewise, no less than Entries, twice that when 0

	// Ready reports whether work waits outside the ring (mailboxes). A blocking Enter announces that the shard parks, asks Ready, and only
	// then blocks, while a sender stores its work, and only then looks whether the shard is parked; so a Wake between the two is never
	// lost. Both sides need sequentially consistent atomics, which Go's are. Nil means never.
	Ready func() bool

	// SpinMicros is how long a blocking Enter looks for work before it parks. Only for a shard that is alone on its core.
	SpinMicros uint64
}

// Queues are the two queues of a ring as the io_uring ABI lays them out. The ring writes SQTail and CQHead, the host the other words. Heads
// and tails count without end; & the mask gives the index.
type Queues struct {
	SQHead    *atomic.Uint32 // entries the host has taken
	SQTail    *atomic.Uint32 // entries the ring has published
	SQFlags   *atomic.Uint32 // SQTaskRun, SQOverflow
	SQMask    uint32
	SQEntries []Entry // mask+1

	CQHead    *atomic.Uint32 // completions the ring has reaped
	CQTail    *atomic.Uint32 // completions the host has published; those that find no room it keeps, with SQOverflow set
	CQMask    uint32
	CQEntries []Completion // mask+1

	// Arm is the entry that lets Host.Wake end a blocking Enter, and is pushed by the ring at first and whenever it has completed for good.
	// Its zero value (a Nop) means that the host needs none.
	Arm Entry

	// Finished holds results of Host.Work until the ring reaps them.
	Finished *Finished
}

// Flags of Queues.SQFlags.
const (
	SQOverflow = 1 << 1 // completions wait for room in the queue; an Enter moves them
	SQTaskRun  = 1 << 2 // operations wait for an Enter to complete
)

package sim

import (
	"fmt"
	"syscall"

	"galgo/uring"
)

// Kernel is the Host of one process in a World.
type Kernel struct {
	world  *World
	shards [uring.ShardsMax]*shard
	slabs  []*uring.Slab // by address
	fds    []*file       // by descriptor
	files  *files
	setups int32 // makes peer descriptors differ
	jobs   int   // of Work, not done
	dead   bool  // killed: nothing of it happens any more

	fileMax        uint64 // where files end: bytes; 0: nowhere
	descriptorsMax int
}

const (
	jobsMax   = 1024
	fdFirst   = 3
	peerFirst = 1 << 20 // peer descriptors: above those of files
)

func newKernel(w *World) *Kernel {
	k := &Kernel{world: w, fds: make([]*file, fdFirst), descriptorsMax: w.o.DescriptorsMax}
	k.files = &files{k}
	return k
}

// after is World.after for what ends with the process.
func (k *Kernel) after(micros uint64, run func()) *event {
	return k.world.after(micros, func() {
		if !k.dead {
			run()
		}
	})
}

// Name returns "sim".
func (k *Kernel) Name() string { return "sim" }

// World returns the world that the process runs in.
func (k *Kernel) World() *World { return k.world }

// Slab makes a slab; see Host.
func (k *Kernel) Slab(size uint64) (*uring.Slab, error) {
	slab, err := uring.NewSlab(size)
	if err == nil {
		k.addSlab(slab)
	}
	return slab, err
}

// PeerFD returns the number that names a shard's ring to MsgRing.
func (k *Kernel) PeerFD(shard int) int32 {
	if s := k.shards[shard]; s != nil {
		return s.peer
	}
	return -1
}

// Parked reports whether a shard sits in a blocking Enter.
func (k *Kernel) Parked(shard int) bool {
	s := k.shards[shard]
	return s != nil && s.asleep && !s.woken
}

// Wake ends a blocking Enter.
func (k *Kernel) Wake(shard int) {
	if s := k.shards[shard]; s != nil && s.asleep {
		s.woken = true
	}
}

// Clock returns the virtual times.
func (k *Kernel) Clock() (wallMicros, monoMicros uint64) { return k.world.Clock() }

// Random fills b from the seed.
func (k *Kernel) Random(b []byte) { k.world.random(b) }

// Work runs a job at some time of the seed's choice, in the World's goroutine.
func (k *Kernel) Work(shard int, token uring.Token, job func() int32) bool {
	s := k.shards[shard]
	if s == nil {
		panic(fmt.Sprintf("sim: work for shard %d, which is not set up", shard))
	}
	if k.jobs == jobsMax {
		return false
	}
	k.jobs++
	k.after(k.world.delay(k.world.o.Job), func() {
		k.jobs--
		res := job()
		k.world.note(traceFinish, uint64(token), uint64(uint32(res)))
		s.finished.Add(uring.Completion{UserData: uint64(token), Res: res})
		k.Wake(shard)
	})
	return true
}

// Supports reports whether an operation is one of uring's constructors.
func (k *Kernel) Supports(op uint8) bool { return starters[op] != nil }

// Files are blocking file calls; they take no time.
func (k *Kernel) Files() uring.Files { return k.files }

// RegisterBuffers announces a provided-buffer ring; see Host.
func (k *Kernel) RegisterBuffers(shard int, number uint16, entries uint16, ring uring.Addr) error {
	s := k.shards[shard]
	if s.groups[number] != nil {
		return callError("register buffers", syscall.EEXIST)
	}
	s.groups[number] = &group{slots: k.bytes(ring, uint64(entries)*slotSize), count: entries}
	s.orderGroups()
	return nil
}

// UnregisterBuffers undoes RegisterBuffers.
func (k *Kernel) UnregisterBuffers(shard int, number uint16) error {
	s := k.shards[shard]
	if s.groups[number] == nil {
		return callError("unregister buffers", syscall.ENOENT)
	}
	delete(s.groups, number)
	s.orderGroups()
	return nil
}

// CloseFD closes a descriptor without a ring.
func (k *Kernel) CloseFD(fd int32) error {
	if errno := k.closeFD(fd); errno != 0 {
		return callError("close", errno)
	}
	return nil
}

// LimitFileSize makes the process's files end at so many bytes, as RLIMIT_FSIZE does; 0 lifts the limit.
func (k *Kernel) LimitFileSize(bytes uint64) { k.fileMax = bytes }

// LimitDescriptors lets the process make so many more descriptors; below 0 as many as Options say.
func (k *Kernel) LimitDescriptors(more int) {
	k.descriptorsMax = k.world.o.DescriptorsMax
	if more < 0 {
		return
	}
	k.descriptorsMax = fdFirst
	for ; more > 0; k.descriptorsMax++ {
		if k.file(int32(k.descriptorsMax)) == nil {
			more--
		}
	}
}

// Close ends the process in good order: the World may boot the next one.
func (k *Kernel) Close() error {
	for i, s := range k.shards {
		if s != nil && s.peer >= 0 {
			panic(fmt.Sprintf("sim: close of the host: shard %d is not torn down", i))
		}
	}
	if k.dead {
		return nil
	}
	for fd := range k.fds {
		_ = k.closeFD(int32(fd)) // those that are open
	}
	k.dead = true
	k.world.runners = nil
	k.world.kernel = nil
	return nil
}

// free gives the memory of a killed process back.
func (k *Kernel) free() {
	for _, slab := range k.slabs {
		_ = slab.Free() // of no use to anybody, whatever it says
	}
	k.slabs = nil
}

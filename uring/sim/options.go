package sim

// Options are what a World is made of. The zero value is a calm machine in blocking mode: no faults, nothing split, small delays.
type Options struct {
	Seed     uint64
	Stepping bool // blocking enters return at once; World.Step runs the shards

	DiskBytes      uint64 // size of the disk; 0: 64 GiB
	DescriptorsMax int    // of a process; 0: 65,536
	PlainRenames   bool   // the file system refuses RENAME_NOREPLACE with EINVAL, as NFS does

	File   Delay // of reads, opens and the like; 0: [20, 200] µs
	Sync   Delay // of syncs and durable writes; 0: [50, 500] µs
	Job    Delay // of Host.Work; 0: [10, 1000] µs
	Wire   Delay // of a segment on the network; 0: [5, 50] µs
	Window int   // bytes that one direction of a connection holds; 0: 256 KiB

	Faults Faults
}

// Delay is a range of virtual time, both ends included: µs.
type Delay struct{ Least, Most uint64 }

// Faults are probabilities between 0 and 1, each asked once for every operation it could hit. World.SetFaults changes them at any time.
type Faults struct {
	// Disk.
	ReadError   float64 // a read fails with EIO
	WriteError  float64 // a write fails with EIO, part of it done
	SyncError   float64 // a sync fails with EIO and the bytes it should have made durable never will be, though readers see them
	OtherError  float64 // open, rename, unlink, mkdir, fallocate, truncate fail with EIO
	ShortRead   float64 // a read brings fewer bytes
	ShortWrite  float64 // a write takes fewer bytes
	BitRot      float64 // a bit of what is read has flipped on the disk, for good
	WriteAstray float64 // a write lands somewhere else in the file
	ReadAstray  float64 // a read brings the bytes of another place in the file
	Slow        float64 // an operation takes up to SlowMicros longer
	SlowMicros  uint64  // 0: 50,000
	Stuck       float64 // an operation takes StuckMicros longer
	StuckMicros uint64  // 0: 60,000,000
	NoSpace     float64 // fallocate fails with ENOSPC though there is space
	Descriptors float64 // open, socket and accept fail with EMFILE
	SyncLie     float64 // a sync or durable write says yes and keeps nothing: no correct program survives it; for tests of a checker

	// Network.
	Split       float64 // a segment arrives in two pieces, cut at any byte
	ShortSend   float64 // a send takes fewer bytes than there is room for
	Late        float64 // a socket operation that could go on at once is held up for a moment
	Stall       float64 // a direction rests for up to StallMicros
	StallMicros uint64  // 0: 200,000
	SlowRead    float64 // the sender hears up to StallMicros late that bytes were read
	Reset       float64 // a connection is reset, asked for every segment
	Vanish      float64 // a peer is gone without a word, asked for everything that it writes
	Repeat      float64 // what a peer writes arrives twice: no network does this to a stream; for tests of a checker

	// Scheduling.
	Pause       float64 // a shard does not run for up to PauseMicros, asked for every tick
	PauseMicros uint64  // 0: 5,000
	Spurious    float64 // a sleeping shard wakes for nothing, asked for every step; it hides lost wakes
	FewTaken    float64 // an Enter leaves entries in the queue, as when memory is short
	WallStep    float64 // the wall clock steps by up to two seconds either way, asked for every step
}

// Rough returns faults that damage nothing: a correct program gives the same answers under them, only later.
func Rough() Faults {
	return Faults{
		Slow: 0.02, SlowMicros: 20_000, Split: 0.2, ShortSend: 0.1, Late: 0.1, Stall: 0.01, StallMicros: 20_000,
		Pause: 0.01, Spurious: 0.01, FewTaken: 0.02, WallStep: 0.0005,
	}
}

func (o *Options) setDefaults() {
	set := func(d *Delay, least, most uint64) {
		if *d == (Delay{}) {
			*d = Delay{least, most}
		}
	}
	set(&o.File, 20, 200)
	set(&o.Sync, 50, 500)
	set(&o.Job, 10, 1000)
	set(&o.Wire, 5, 50)
	orDefault(&o.DiskBytes, 64<<30)
	orDefault(&o.DescriptorsMax, 1<<16)
	orDefault(&o.Window, 256<<10)
	o.Faults.setDefaults()
}

func (f *Faults) setDefaults() {
	orDefault(&f.SlowMicros, 50_000)
	orDefault(&f.StuckMicros, 60_000_000)
	orDefault(&f.StallMicros, 200_000)
	orDefault(&f.PauseMicros, 5_000)
}

func orDefault[T int | uint64](v *T, standard T) {
	if *v == 0 {
		*v = standard
	}
}

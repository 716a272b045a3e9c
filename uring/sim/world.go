package sim

import (
	"fmt"
	"io"
	"math/rand/v2"

	"galgo/uring"
)

// World is a machine, its disk and the network around it.
type World struct {
	Trace io.Writer // where every noted step is written, for looking at two runs side by side; nil: nowhere

	o       Options
	rng     *rand.Rand
	secrets *rand.Rand // behind Host.Random, so that asking for it changes nothing else
	events  eventHeap
	seq     uint64
	mono    uint64 // µs
	wall    uint64 // µs since the epoch when mono was 0; it steps
	highest uint64 // µs that the wall clock showed before it stepped back
	trace   trace
	faults  FaultCounts

	disk    *disk
	net     network
	kernel  *Kernel // of the running process; nil when there is none
	dying   bool    // the process is ending: what was in flight is decided
	runners []*runner
	crashIn int // blocking file calls until CrashAfter's power cut; 0: none
}

const (
	startMono = 1_000_000_000         // the machine has been up for a while
	startWall = 1_790_000_000_000_000 // 2026
)

// New makes a World with an empty disk.
func New(o Options) *World {
	o.setDefaults()
	w := &World{o: o, rng: rand.New(rand.NewPCG(o.Seed, 1)), secrets: rand.New(rand.NewPCG(o.Seed, 2)), mono: startMono, wall: startWall}
	w.disk = newDisk(w)
	w.net.world = w
	w.net.port = 32768
	w.writeBootID()
	return w
}

// SetFaults changes what goes wrong from now on.
func (w *World) SetFaults(f Faults) {
	f.setDefaults()
	w.o.Faults = f
}

// Clock returns both times in µs, as the Host's Clock.
func (w *World) Clock() (wallMicros, monoMicros uint64) { return w.wall + w.mono, w.mono }

// StepWall moves the wall clock.
func (w *World) StepWall(micros int64) {
	w.highest = w.WallHighest()
	w.wall += uint64(micros)
}

// WallHighest returns the latest time in µs that the wall clock has shown: what is not that old is not old for anybody.
func (w *World) WallHighest() uint64 { return max(w.highest, w.wall+w.mono) }

// After lets run happen so many virtual microseconds from now, whatever becomes of the process: for workloads.
func (w *World) After(micros uint64, run func()) { w.after(micros, run) }

// Rand is the World's source of decisions; a workload that draws from it is decided by the seed too.
func (w *World) Rand() *rand.Rand { return w.rng }

// Boot starts a process: it returns the Host that the process sees. The one before must have ended.
func (w *World) Boot() *Kernel {
	if w.kernel != nil {
		panic("sim: boot: the process before has not ended")
	}
	w.kernel = newKernel(w)
	return w.kernel
}

// Crashed is what blocking file calls panic with when CrashAfter strikes in the middle of them.
type Crashed struct{}

// CrashAfter lets the n-th blocking file call from now panic with Crashed, before it does anything: whoever started the process recovers the
// panic and goes on with Kill or PowerCut. 0 calls it off. Such calls are the steps of start-up and of jobs.
func (w *World) CrashAfter(n int) { w.crashIn = n }

// Kill ends the process as SIGKILL does: what completed stays, what was in flight may or may not have happened. Sockets are closed, locks
// freed; the port stays taken a moment longer. The memory of its slabs is gone.
func (w *World) Kill() { w.end(false) }

// PowerCut ends the machine: what was not durable is kept, lost or torn, as the seed says. Peers hear nothing; they find out when they send.
func (w *World) PowerCut() { w.end(true) }

// Forgotten lists the files, by path, of which power cuts took what a sync that failed had dropped: until then it was read as if it were there, and
// later syncs said yes.
func (w *World) Forgotten() []string { return w.disk.forgotten }

func (w *World) end(power bool) {
	k := w.kernel
	w.crashIn = 0
	w.runners = nil
	w.note(traceCrash, bit(power))
	if k != nil {
		k.settleInFlight()
		k.dead = true
		w.net.processEnds(k, power)
		k.files.release()
		k.free()
	}
	w.kernel = nil
	if power {
		w.disk.powerCut()
		w.writeBootID()
	}
}

// writeBootID makes /proc/sys/kernel/random/boot_id, the file that tells one boot of the machine from another.
func (w *World) writeBootID() {
	d := w.disk
	dir := d.root
	for _, name := range []string{"proc", "sys", "kernel", "random"} {
		next := dir.entries[name]
		if next == nil {
			next = d.newNode(true, 0o755)
			dir.entries[name], dir.durable[name] = next, next
		}
		dir = next
	}
	id := d.newNode(false, 0o444)
	a, b := w.rng.Uint64(), w.rng.Uint64()
	text := fmt.Sprintf("%08x-%04x-%04x-%04x-%012x\n", a>>32, a>>16&0xFFFF, a&0xFFFF, b>>48, b&0xFFFFFFFFFFFF)
	d.change(id, change{kind: changeWrite, data: []byte(text), size: uint64(len(text)), must: true})
	dir.entries["boot_id"], dir.durable["boot_id"] = id, id
}

func (w *World) chance(p float64) bool { return p > 0 && w.rng.Float64() < p }

func (w *World) delay(d Delay) uint64 { return d.Least + w.below(d.Most-d.Least+1) }

// below returns a number in [0, n); 0 when n is 0.
func (w *World) below(n uint64) uint64 {
	if n == 0 {
		return 0
	}
	return w.rng.Uint64N(n)
}

// random fills b from the seed.
func (w *World) random(b []byte) {
	for i := range b {
		b[i] = byte(w.secrets.Uint32())
	}
	w.note(traceRandom, uint64(len(b)))
}

func bit(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

var _ uring.Host = (*Kernel)(nil)

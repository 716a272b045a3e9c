package simtest

import "galgo/uring/sim"

// weather is what goes wrong during a life, and so which refusals a client has to put up with.
type weather struct {
	name   string
	faults sim.Faults
	disk   bool // writes or syncs may fail: partitions become Faulted, metadata read-only
	reads  bool // reads may fail
	space  bool // sends may find no room
	quick  bool // an answer takes quickMicros at most
	slow   bool // an answer may take 20 s, and be a refusal for it
}

// rough damages nothing: everything is served, only later.
var rough = weather{name: "rough", faults: sim.Rough()}

// rot flips bits on the disk, and sends reads and writes to the wrong place.
var rot = weather{name: "rot", disk: true, reads: true, faults: with(func(f *sim.Faults) { f.BitRot, f.ReadAstray, f.WriteAstray = 0.05, 0.01, 0.002 })}

// calm is no weather at all. Answers come at once: nothing but a lost wake-up can hold one up, and a spurious one would hide that.
var calm = weather{name: "calm", quick: true}

// weathers are those a life is drawn from.
var weathers = []weather{
	calm,
	calm,
	rough,
	{name: "network", faults: with(func(f *sim.Faults) {
		f.Reset, f.Split, f.Stall, f.StallMicros, f.ShortSend, f.Late = 0.002, 0.5, 0.05, 400_000, 0.3, 0.3
	})},
	{name: "failing disk", disk: true, reads: true, space: true, faults: with(func(f *sim.Faults) {
		f.ReadError, f.WriteError, f.SyncError, f.OtherError, f.ShortWrite, f.ShortRead = 0.002, 0.001, 0.002, 0.001, 0.001, 0.05
	})},
	{name: "slow disk", slow: true, disk: true, faults: with(func(f *sim.Faults) { f.Slow, f.SlowMicros, f.Stuck, f.StuckMicros = 0.3, 200_000, 0.0005, 40_000_000 })},
	{name: "full disk", space: true, slow: true, faults: with(func(f *sim.Faults) { f.NoSpace = 0.7 })},
	{name: "few descriptors", space: true, slow: true, reads: true, disk: true, faults: with(func(f *sim.Faults) { f.Descriptors = 0.05 })},
	{name: "wandering clock", faults: with(func(f *sim.Faults) { f.WallStep = 0.02 })},
	{name: "pauses", faults: with(func(f *sim.Faults) { f.Pause, f.PauseMicros, f.Spurious = 0.01, 300_000, 0.05 })},
	{name: "lull", faults: with(func(f *sim.Faults) { f.Spurious = 0.1 })},
}

// with is rough weather with something more.
func with(more func(*sim.Faults)) sim.Faults {
	f := sim.Rough()
	more(&f)
	return f
}

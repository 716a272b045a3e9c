package sim

import (
	"fmt"
	"strings"
)

// Fault is a way of going wrong. Each has its probability in Faults, is counted, and is told to the trace.
type Fault uint8

const (
	FaultReadError Fault = iota
	FaultWriteError
	FaultSyncError
	FaultOtherError
	FaultShortRead
	FaultShortWrite
	FaultBitRot
	FaultWriteAstray
	FaultReadAstray
	FaultSlow
	FaultStuck
	FaultNoSpace
	FaultDescriptors
	FaultSyncLie
	FaultSplit
	FaultShortSend
	FaultLate
	FaultStall
	FaultSlowRead
	FaultReset
	FaultVanish
	FaultRepeat
	FaultPause
	FaultSpurious
	FaultFewTaken
	FaultWallStep
	faultKinds
)

var faultNames = [faultKinds]string{
	"read error", "write error", "sync error", "other error", "short read", "short write", "bit rot", "write astray", "read astray", "slow", "stuck",
	"no space", "no descriptors", "lying sync", "split", "short send", "late", "stall", "slow read", "reset", "vanished peer", "repeated segment",
	"pause", "spurious wake", "few entries taken", "wall clock step",
}

// String returns the fault's name.
func (f Fault) String() string { return faultNames[f] }

// FaultCounts is how often each Fault has struck.
type FaultCounts [faultKinds]uint64

// Total returns how many faults there were.
func (c FaultCounts) Total() (n uint64) {
	for _, count := range c {
		n += count
	}
	return n
}

// String lists those that there were.
func (c FaultCounts) String() string {
	var parts []string
	for f, count := range c {
		if count > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", Fault(f), count))
		}
	}
	return strings.Join(parts, ", ")
}

// FaultCounts returns what has gone wrong in this World so far.
func (w *World) FaultCounts() FaultCounts { return w.faults }

// fault decides whether something goes wrong now.
func (w *World) fault(f Fault, p float64) bool {
	if !w.chance(p) {
		return false
	}
	w.faults[f]++
	w.note(traceFault, uint64(f))
	return true
}

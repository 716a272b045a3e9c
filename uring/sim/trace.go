package sim

import (
	"fmt"
	"math/bits"

	"github.com/zeebo/xxh3"
)

// trace sums up everything that happened. No address is in it: they differ between runs.
type trace struct{ sum uint64 }

func (t *trace) add(values ...uint64) {
	for _, v := range values {
		t.sum = bits.RotateLeft64(t.sum, 27)*0x9E3779B97F4A7C15 ^ v*0xC2B2AE3D27D4EB4F
	}
}

// What the first value of an addition stands for.
const (
	traceStart = iota + 1
	traceFinish
	traceFile
	traceArrive
	traceStep
	tracePeer
	traceCrash
	traceNote
	traceRandom
	traceFault
)

var traceNames = [...]string{
	traceStart: "start", traceFinish: "finish", traceFile: "file", traceArrive: "arrive", traceStep: "step", tracePeer: "peer", traceCrash: "crash",
	traceNote: "note", traceRandom: "random", traceFault: "fault",
}

// note adds what happened, and tells it to the World's listener if there is one.
func (w *World) note(kind uint64, values ...uint64) {
	w.trace.add(kind, w.mono)
	w.trace.add(values...)
	switch {
	case w.Trace == nil:
	case kind == traceFault:
		fmt.Fprintf(w.Trace, "%d fault %s\n", w.mono, Fault(values[0]))
	default:
		fmt.Fprintf(w.Trace, "%d %s %d\n", w.mono, traceNames[kind], values)
	}
}

// Note adds bytes of the caller's to the hash: what a workload saw belongs to what happened.
func (w *World) Note(b []byte) { w.note(traceNote, xxh3.Hash(b)) }

// Hash sums up everything that has happened so far. Equal programs with equal seeds have equal hashes, at every moment.
func (w *World) Hash() uint64 { return w.trace.sum }

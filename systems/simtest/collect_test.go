package simtest

import (
	"bytes"
	"fmt"

	"galgo/wire"
)

var _ = register(family{name: "snapshot", weight: 2, act: askForSnapshot})

// collected is what a process collects for a system snapshot: what was asked for, so that an answer shows whose it is.
func collected(want wire.GetSnapshot, sizeMax int) ([]byte, error) {
	return fmt.Appendf(nil, "snapshot %d %v of %d bytes at most", want.Compression, want.Types, sizeMax), nil
}

// askForSnapshot asks for a system snapshot, which a worker collects: the answer is to this request and no other.
func askForSnapshot(a *actor) {
	want := wire.GetSnapshot{Compression: wire.SnapshotCompression(1 + a.rng.IntN(6)), Types: []byte{byte(1 + a.rng.IntN(6)), byte(wire.SnapshotAll)}}
	a.ask(wire.OpNonReplicated, wire.CodeGetSnapshot, wire.AppendGetSnapshot(nil, want), func(got answer) {
		file, _ := collected(want, frameMax-wire.FrameHeaderSize)
		if !got.gone() && (!got.ok() || !bytes.Equal(got.payload, file)) {
			a.p.fail("system snapshot: got %v, %q, want %q", got, got.payload, file)
		}
	}, "collect a snapshot")
}

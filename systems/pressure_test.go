package systems

import (
	"testing"

	"galgo/components"
	"galgo/systems/storage"
)

// What a shard does not use goes back to the machine when somebody is short of memory: some in each tick, which must not become long, and all in the end.
func TestMemoryIsGivenBackInPieces(t *testing.T) {
	const chunks = 3*giveBackMax + 10
	w := newTickWorld(t)
	released := 0
	w.tick.release, w.tick.IO = func(uint64, uint64) { released++ }, &storage.IO{}
	arena := w.state.Arena
	before := arena.Held()
	span, ok := arena.Alloc(chunks * components.ChunkSize)
	if !ok {
		t.Fatal("memory: got a refusal, want some")
	}
	arena.Free(span)
	w.run()
	if released > 0 {
		t.Fatalf("nobody is short: got %d chunks given back, want none", released)
	}
	arena.Refuse(2 * slabSize)
	for tick := range 4 {
		w.run()
		if want := min((tick+1)*giveBackMax, chunks); released != want {
			t.Fatalf("after %d ticks: got %d chunks given back, want %d", tick+1, released, want)
		}
		if again := w.state.Deadline == w.state.Now.MonoMicros; again != (released < chunks) {
			t.Fatalf("after %d of %d chunks: got the next tick at once %v", released, chunks, again)
		}
	}
	if got := arena.Held(); got != before {
		t.Errorf("held in the end: got %d bytes, want %d", got, before)
	}
}

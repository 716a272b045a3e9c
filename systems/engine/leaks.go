package engine

import (
	"fmt"

	"galgo/components"
	"galgo/systems/storage"
	"galgo/uring"
)

// Leaks says what shards that have ended in good order have not let go of; "" is nothing. Only what every shard holds for life is left of its
// memory, beside that of operations nobody waits for and the journals', and no promise of the budget. It is for tests, and spends the budget.
func (e *Engine) Leaks() string {
	buffers := components.Span{Len: uint32(uring.BytesNeeded(storage.RecvBuffers, storage.RecvBufferSize))}
	forLife := uint64(buffers.Whole().Len) + storage.ZerosMax + components.UnitSize
	for _, sh := range e.Shards {
		st := sh.Storage
		want := forLife
		for _, other := range e.Shards {
			want += other.State.HotIn(st.Arena)
		}
		for slot, kind := range st.Inflight.Kind {
			switch kind {
			case 0:
			case storage.OpWriteIndex, storage.OpOpenIndex, storage.OpCloseFile, storage.OpFreeSpace, storage.OpRefuse, storage.OpAccept,
				storage.OpAllocate, storage.OpTruncate, storage.OpWriteHead, storage.OpRename, storage.OpSyncDir: // these five make logs ahead
				want += components.AlignUp(uint64(st.Inflight.Span[slot].Len))
			default:
				return fmt.Sprintf("shard %d: got an operation of kind %d in flight", sh.id, kind)
			}
		}
		if got := st.Arena.InUse(); got != want {
			return fmt.Sprintf("shard %d: got %d bytes in use, want %d", sh.id, got, want)
		}
		if s := sh.State; s.Conns.Len()+s.Polls.Live+s.Acks.Total()+s.Sends.Total() != 0 {
			return fmt.Sprintf("shard %d: got %d connections, %d polls, %d acks, %d sends, want none", sh.id, s.Conns.Len(), s.Polls.Live, s.Acks.Total(), s.Sends.Total())
		}
	}
	if budget := e.Shards[0].Storage.Budget; !budget.Promise(2 * budget.Limit()) { // granted only if nothing else is promised
		return "got promises that nobody redeemed, want none"
	}
	return ""
}

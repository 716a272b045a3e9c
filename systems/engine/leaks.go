package engine

import (
	"fmt"

	"galgo/components"
	"galgo/ecs"
	"galgo/systems/storage"
	"galgo/uring"
)

// Leaks says what shards that have ended in good order have not let go of; "" is nothing. Only what every shard holds for life is left of its
// memory, beside that of operations nobody waits for and the journals', and no promise of the budget. It is for tests, and spends the budget.
func (e *Engine) Leaks() string {
	for _, sh := range e.Shards {
		st := sh.Storage
		want := forLife(st)
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

// forLife is how many bytes of its arena a shard has from SetUp on until it ends.
func forLife(st *components.Storage) (bytes uint64) {
	buffers := components.Span{Len: uint32(uring.BytesNeeded(storage.RecvBuffers, storage.RecvBufferSize))}
	for _, span := range []components.Span{buffers, st.One, st.Zeros} {
		bytes += uint64(span.Whole().Len)
	}
	return bytes
}

// Unaccounted says, between two turns of any shards, whose arena has handed out other memory than somebody owns, what is promised to nobody, or whose
// receive buffers no connection has; "" is nothing. It is for tests.
func (e *Engine) Unaccounted() string {
	promised := uint64(0)
	for _, sh := range e.Shards {
		st := sh.Storage
		owned, open := e.owned(sh)
		if got := st.Arena.InUse(); got < owned || got > owned+open {
			return fmt.Sprintf("shard %d: got %d bytes in use, want %d, or up to %d more for frames that the journal may have by now", sh.id, got, owned, open)
		}
		for row, own := range st.Conns.FrameOwn {
			if own {
				promised += storage.Promised(st.Conns.Frame[row])
			}
		}
		buffers := 0
		for row, conn := range st.Conns.Conn {
			if conn != ecs.None && st.Conns.Buffer[row] != 0 {
				buffers++
			}
		}
		if got := sh.tick.IO.BuffersOut(); got != buffers {
			return fmt.Sprintf("shard %d: got %d receive buffers in use, want %d", sh.id, got, buffers)
		}
	}
	if got := e.Shards[0].Storage.Budget.Promised(); got != promised {
		return fmt.Sprintf("got %d bytes promised, want %d", got, promised)
	}
	return ""
}

// owned adds up who has memory of a shard's arena. Open are the frames that their connections and a journal may both have: the journal has taken them,
// and the answer that says so is on its way.
func (e *Engine) owned(sh *Shard) (bytes, open uint64) {
	st := sh.Storage
	bytes = forLife(st)
	add := func(span components.Span) {
		if span.Len > 0 {
			bytes += uint64(span.Whole().Len)
		}
	}
	for _, other := range e.Shards {
		bytes += other.State.HotIn(st.Arena)
	}
	for row, frame := range st.Conns.Frame {
		switch {
		case !st.Conns.FrameOwn[row]:
		case st.Conns.State[row] == components.HandedOver:
			open += uint64(frame.Whole().Len)
		default:
			add(frame)
		}
		if st.Conns.HeaderOwn[row] {
			add(st.Conns.Header[row])
		}
	}
	for _, span := range st.Inflight.Span {
		add(span)
	}
	for i := range st.Pool.Retiring.Files {
		add(st.Pool.Retiring.Files[i].Memory)
	}
	ownedByState(sh.State, add)
	return bytes, open
}

// ownedByState adds what state systems have: replies, requests of plugins, and what was read from disk.
func ownedByState(s *components.State, add func(components.Span)) {
	for row, span := range s.Blocks.Span {
		add(span)
		for _, cold := range s.Blocks.Cold[row] {
			add(cold)
		}
	}
	for row := range s.Conns.All {
		if s.Conns.Plugin[row] != 0 {
			add(s.Conns.Frame[row])
		}
	}
	for row := range s.Polls.Request {
		if s.Polls.Request[row].Partition == ecs.None { // a free row
			continue
		}
		add(s.Polls.Read[row].Memory)
		for _, part := range s.Polls.Parts[row] {
			add(part.Memory)
		}
	}
	for i := range s.In.ColdReads.Len() {
		add(s.In.ColdReads.At(i).Memory)
	}
	for i := range s.In.Tails.Len() {
		add(s.In.Tails.At(i).Span)
	}
	for i := range s.Out.FreeCold.Len() {
		add(*s.Out.FreeCold.At(i))
	}
}

package systems

import (
	"galgo/components"
	"galgo/ecs"
	"galgo/systems/state"
	"galgo/systems/storage"
	"galgo/wire"
)

// The stages of a tick, in their order.
const (
	Ingest  ecs.Stage = iota // reap completions, take mailboxes: all facts of this tick are in queues
	Apply                    // what happened, in order: control events, completions, bytes that became requests
	Decide                   // wishes on settled State: route, append, plan polls, control decisions; seal what is to be written
	Answer                   // only what is true now
	Drive                    // every storage system: the only stage that pushes to the ring
	Observe                  // what is due by the clock; plugins look at a finished tick, and ask for the next
	Egress                   // publish mailboxes; then the shard enters the kernel once
)

// Tick is a shard's world and what its systems use again and again.
type Tick struct {
	State   *components.State
	Storage *components.Storage
	IO      *storage.IO
	Mail    *Mail

	hasher   wire.BatchHasher
	verifier state.Verifier
	poller   state.Poller
	refused  uint64               // Budget.Refused when this shard last gave way
	giving   bool                 // memory of the arena that nobody uses is being given back
	short    uint64               // Space.Short when the others were last woken for it
	release  func(off, n uint64)  // gives pages of the shard's slab back to the machine
	view     components.StateView // of State
	guests   []guest
}

// NewTick puts a shard's world together. Release gives pages of its slab back to the machine.
func NewTick(s *components.State, st *components.Storage, io *storage.IO, mail *Mail, release func(off, n uint64)) *Tick {
	return &Tick{State: s, Storage: st, IO: io, Mail: mail, release: release, view: s.View()}
}

// NewSchedule lists every system in the order it runs. Reading it top to bottom is reading the engine.
func NewSchedule() *ecs.Schedule[Tick] {
	s := ecs.NewSchedule[Tick]("ingest", "apply", "decide", "answer", "drive", "observe", "egress")

	s.Add(Ingest, "reap", func(t *Tick) { storage.Reap(t.view, t.Storage, t.IO) })
	s.Add(Ingest, "take_mail", func(t *Tick) { t.Mail.Take(t.State) })

	s.Add(Apply, "take_control_written", func(t *Tick) { state.TakeControlWritten(t.State) })
	s.Add(Apply, "publish_events", func(t *Tick) { state.PublishEvents(t.State) })
	s.Add(Apply, "apply_events", func(t *Tick) { state.ApplyEvents(t.State) })
	s.Add(Apply, "drain_groups", func(t *Tick) { state.DrainGroups(t.State) })
	s.Add(Apply, "take_reports", func(t *Tick) { state.TakeReports(t.State) })
	s.Add(Apply, "take_writes", func(t *Tick) { state.TakeWrites(t.State) })
	s.Add(Apply, "take_grown", func(t *Tick) { state.TakeGrown(t.State) })
	s.Add(Apply, "take_tails", func(t *Tick) { state.TakeTails(t.State) })
	s.Add(Apply, "take_vouched", func(t *Tick) { state.TakeVouched(t.State) })
	s.Add(Apply, "take_offsets_written", func(t *Tick) { state.TakeOffsetsWritten(t.State) })
	s.Add(Apply, "take_removed", func(t *Tick) { state.TakeRemoved(t.State) })
	s.Add(Apply, "deal_conns", func(t *Tick) { state.DealConns(t.State) })
	s.Add(Apply, "adopt_conns", func(t *Tick) { state.AdoptConns(t.State) })
	s.Add(Apply, "take_sent", func(t *Tick) { state.TakeSent(t.State) })
	s.Add(Apply, "take_broken", func(t *Tick) { state.TakeBroken(t.State) })
	s.Add(Apply, "take_closed", func(t *Tick) { state.TakeClosed(t.State) })
	s.Add(Apply, "take_frames", func(t *Tick) { state.TakeFrames(t.State) })
	s.Add(Apply, "take_plugins", func(t *Tick) { state.TakePlugins(t.State) })
	s.Add(Apply, "expire_silent", func(t *Tick) { state.ExpireSilent(t.State) })
	s.Add(Apply, "finish_logins", func(t *Tick) { state.FinishLogins(t.State) })
	s.Add(Apply, "finish_hashes", func(t *Tick) { state.FinishHashes(t.State) })
	s.Add(Apply, "finish_snapshots", func(t *Tick) { state.FinishSnapshots(t.State) })
	s.Add(Apply, "finish_stats", func(t *Tick) { state.FinishStats(t.State) })

	s.Add(Decide, "verify_frames", func(t *Tick) { state.VerifyFrames(t.State, &t.verifier) })
	s.Add(Decide, "route_requests", func(t *Tick) { state.RouteRequests(t.State) })
	s.Add(Decide, "decide_control", func(t *Tick) { state.DecideControl(t.State) })
	s.Add(Decide, "take_requests", func(t *Tick) { state.TakeRequests(t.State) })
	s.Add(Decide, "finish_purges", func(t *Tick) { state.FinishPurges(t.State) })
	s.Add(Decide, "append_batches", func(t *Tick) { state.AppendBatches(t.State, &t.hasher) })
	s.Add(Decide, "finish_polls", func(t *Tick) { state.FinishPolls(t.State, &t.poller) })
	s.Add(Decide, "answer_polls", func(t *Tick) { state.AnswerPolls(t.State, &t.poller) })
	s.Add(Decide, "retire_segments", func(t *Tick) { state.RetireSegments(t.State) })
	s.Add(Decide, "reap_partitions", func(t *Tick) { state.ReapPartitions(t.State) })
	s.Add(Decide, "seal_offsets", func(t *Tick) { state.SealOffsets(t.State) })
	s.Add(Decide, "seal_control", func(t *Tick) { state.SealControl(t.State) })
	s.Add(Decide, "seal_journals", func(t *Tick) { state.SealJournals(t.State) })
	s.Add(Decide, "order_vouchers", func(t *Tick) { state.OrderVouchers(t.State) })

	s.Add(Answer, "ack_sends", func(t *Tick) { state.AckSends(t.State) })
	s.Add(Answer, "answer_control", func(t *Tick) { state.AnswerControl(t.State) })
	s.Add(Answer, "answer_replies", func(t *Tick) { state.AnswerReplies(t.State) })

	s.Add(Drive, "free_reads", func(t *Tick) { storage.FreeReads(t.Storage) })
	s.Add(Drive, "make_files", func(t *Tick) { storage.MakeFiles(t.view, t.Storage, t.IO) })
	s.Add(Drive, "finish_growth", func(t *Tick) { storage.FinishGrowth(t.view, t.Storage, t.IO) })
	s.Add(Drive, "grow_files", func(t *Tick) { storage.GrowFiles(t.view, t.Storage, t.IO) })
	s.Add(Drive, "write_control", func(t *Tick) { storage.WriteControl(t.view, t.Storage, t.IO.Ring) })
	s.Add(Drive, "write_journals", func(t *Tick) { storage.WriteJournals(t.view, t.Storage, t.IO) })
	s.Add(Drive, "write_offsets", func(t *Tick) { storage.WriteOffsets(t.view, t.Storage, t.IO.Ring) })
	s.Add(Drive, "write_indexes", func(t *Tick) { storage.WriteIndexes(t.view, t.Storage, t.IO) })
	s.Add(Drive, "vouch_logs", func(t *Tick) { storage.VouchLogs(t.view, t.Storage, t.IO) })
	s.Add(Drive, "read_tails", func(t *Tick) { storage.ReadTails(t.view, t.Storage, t.IO) })
	s.Add(Drive, "read_cold", func(t *Tick) { storage.ReadCold(t.view, t.Storage, t.IO) })
	s.Add(Drive, "retire_files", func(t *Tick) { storage.RetireFiles(t.view, t.Storage, t.IO) })
	s.Add(Drive, "shrink_pool", func(t *Tick) { storage.ShrinkPool(t.Storage, t.IO) })
	s.Add(Drive, "fill_pool", func(t *Tick) { storage.FillPool(t.view, t.Storage, t.IO) })
	s.Add(Drive, "start_jobs", func(t *Tick) { storage.StartJobs(t.view, t.Storage, t.IO) })
	s.Add(Drive, "accept_conns", func(t *Tick) { storage.AcceptConns(t.view, t.Storage, t.IO) })
	s.Add(Drive, "refuse_conns", func(t *Tick) { storage.RefuseConns(t.Storage, t.IO) })
	s.Add(Drive, "adopt_sockets", func(t *Tick) { storage.AdoptConns(t.view, t.Storage, t.IO) })
	s.Add(Drive, "send_replies", func(t *Tick) { storage.SendReplies(t.view, t.Storage, t.IO) })
	s.Add(Drive, "read_conns", func(t *Tick) { storage.ReadConns(t.view, t.Storage, t.IO) })
	s.Add(Drive, "close_conns", func(t *Tick) { storage.CloseConns(t.view, t.Storage, t.IO) })

	s.Add(Observe, "watch", func(t *Tick) { t.watch() })
	s.Add(Observe, "observe_plugins", func(t *Tick) { t.observePlugins() })

	s.Add(Egress, "publish_mail", func(t *Tick) { t.Mail.Publish(t.State, t.IO.Ring) })
	return s
}

// retryMicros is when storage systems look again for memory, slots or descriptors that were short.
const retryMicros = 2_000

// giveBackMax is how many chunks a tick gives back to the machine, each by a system call: as much as a shard lets go of at a time.
const giveBackMax = 32

// watch does what is due by the clock, and says when the shard wants to be awake again.
func (t *Tick) watch() {
	s, st := t.State, t.Storage
	state.Upkeep(s)
	if refused := t.Mail.Budget.Refused(); refused != t.refused {
		t.refused = refused
		if state.GiveWay(s) {
			t.giving = true
			t.Mail.WakeAll(t.IO.Ring) // those that sleep have memory too
		}
	}
	if t.giving {
		if t.giving = s.Arena.GiveBack(giveBackMax, t.release); t.giving {
			s.WakeAt(s.Now.MonoMicros)
		}
	}
	if short := st.Space.Short(); short != t.short {
		t.short = short
		t.Mail.WakeAll(t.IO.Ring) // those that sleep have pools too
	}
	if next := storage.NextFill(st); next > 0 && !s.Stopping {
		s.WakeAt(max(next, s.Now.MonoMicros+retryMicros))
	}
	if next := storage.NextAccept(st); next > 0 {
		s.WakeAt(next)
	}
	if next := storage.WatchConns(t.view, st, s.HandshakeMicros); next > 0 {
		s.WakeAt(next)
	}
	if st.Out.Any() {
		s.WakeAt(s.Now.MonoMicros)
	}
	if storage.Wants(st) {
		s.WakeAt(s.Now.MonoMicros + retryMicros)
	}
}

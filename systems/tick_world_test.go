package systems

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"galgo/components"
	"galgo/ecs"
	"galgo/systems/state"
	"galgo/wire"
)

const (
	tickRun    = 1
	tickSecret = 0x5EC2E7
	// The addresses of the two slabs: State's, and what plays Storage.
	stateBase   = 1 << 32
	storageBase = 1 << 33
	slabSize    = 32 << 20
)

// tickWorld is a server of one shard in which the script plays clients and disk.
type tickWorld struct {
	t        *testing.T
	out      strings.Builder
	print    *components.Printer
	state    *components.State
	tick     *Tick
	schedule *ecs.Schedule[Tick]
	buffers  *components.Arena // what the storage systems would receive and read into
	disk     tickDisk
	conns    []*tickConn
	works    bool                  // jobs are done at once; without it a script may have none
	next     map[ecs.Entity]uint64 // OffsetNext of each partition, as last printed
}

func newTickWorld(t *testing.T) *tickWorld {
	t.Helper()
	return newTickWorldOf(t, slabSize)
}

// newTickWorldOf is a world of two slabs of so many bytes.
func newTickWorldOf(t *testing.T, slabSize uint64) *tickWorld {
	t.Helper()
	w := &tickWorld{t: t, disk: tickDisk{files: map[uint64]*tickFile{}}, next: map[ecs.Entity]uint64{}}
	w.print = components.NewPrinter(&w.out)
	shared := components.NewShared(2 * slabSize)
	stateSlab := shared.Memory.Add(make([]byte, slabSize), stateBase)
	storageSlab := shared.Memory.Add(make([]byte, slabSize), storageBase)
	w.buffers = components.NewArena(shared.Memory, storageSlab, shared.Budget, nil)
	cfg := &components.Config{Shards: 1, Secret: tickSecret, Run: tickRun, DefaultLevel: components.LevelWritten, FrameMax: wire.FrameSizeMax,
		LoginMax: 8 << 10, PartitionsMax: 1000, ClientsMax: 16, ConnectionsMax: 16, OffsetsMax: 2, ServerVersion: "0.9.0",
		TCPAddress: netip.MustParseAddrPort("127.0.0.1:8090")}
	facts, orders := components.NewExchange(cfg)
	catalog := components.NewCatalog()
	s := components.NewState(cfg, shared, components.NewArena(shared.Memory, stateSlab, shared.Budget, nil), catalog, facts, orders)
	w.state, s.Log = s, tickLog{w}
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	s.Now = ecs.Time{WallMicros: uint64(start), MonoMicros: 1_000_000}
	for i, e := range []*wire.Event{
		{Kind: wire.EventRunStarted, Run: tickRun, Shards: 1},
		{Kind: wire.EventUserCreated, User: uint64(catalog.Users.Entities.Take()), UserID: components.RootID, UserStatus: uint8(wire.UserActive), Name: []byte("root")},
	} {
		e.Seq, e.Time = tickRun<<40|uint64(i+1), uint64(start)
		catalog.Apply(e)
	}
	s.Control.Resume(catalog, tickRun, 3)
	st := components.NewStorage(shared, w.buffers, facts, orders, 16)
	st.Log = s.Log
	w.tick = &Tick{State: s, Storage: st, Mail: NewPost(cfg).Of(0, shared.Budget), view: s.View()}
	w.schedule = w.newSchedule()
	return w
}

// newSchedule is the engine's, in its order, with the script in place of the storage systems.
func (w *tickWorld) newSchedule() *ecs.Schedule[Tick] {
	run := map[string]func(*Tick){
		"take_mail":            func(t *Tick) { t.Mail.Take(t.State) },
		"take_control_written": func(t *Tick) { state.TakeControlWritten(t.State) },
		"publish_events":       func(t *Tick) { state.PublishEvents(t.State) },
		"apply_events":         func(t *Tick) { state.ApplyEvents(t.State) },
		"drain_groups":         func(t *Tick) { state.DrainGroups(t.State) },
		"expire_silent":        func(t *Tick) { state.ExpireSilent(t.State) },
		"take_reports":         func(t *Tick) { state.TakeReports(t.State) },
		"take_writes":          func(t *Tick) { state.TakeWrites(t.State) },
		"take_grown":           func(t *Tick) { state.TakeGrown(t.State) },
		"take_tails":           func(t *Tick) { state.TakeTails(t.State) },
		"take_vouched":         func(t *Tick) { state.TakeVouched(t.State) },
		"take_offsets_written": func(t *Tick) { state.TakeOffsetsWritten(t.State) },
		"take_removed":         func(t *Tick) { state.TakeRemoved(t.State) },
		"deal_conns":           func(t *Tick) { state.DealConns(t.State) },
		"adopt_conns":          func(t *Tick) { state.AdoptConns(t.State) },
		"take_sent":            func(t *Tick) { state.TakeSent(t.State) },
		"take_broken":          func(t *Tick) { state.TakeBroken(t.State) },
		"take_closed":          func(t *Tick) { state.TakeClosed(t.State) },
		"take_frames":          func(t *Tick) { state.TakeFrames(t.State) },
		"take_plugins":         func(t *Tick) { state.TakePlugins(t.State) },
		"observe_plugins":      func(t *Tick) { t.observePlugins() },
		"finish_logins":        func(t *Tick) { state.FinishLogins(t.State) },
		"finish_snapshots":     func(t *Tick) { state.FinishSnapshots(t.State) },
		"finish_stats":         func(t *Tick) { state.FinishStats(t.State) },
		"finish_hashes":        func(t *Tick) { state.FinishHashes(t.State) },
		"verify_frames":        func(t *Tick) { state.VerifyFrames(t.State, &t.verifier) },
		"route_requests":       func(t *Tick) { state.RouteRequests(t.State) },
		"decide_control":       func(t *Tick) { state.DecideControl(t.State) },
		"take_requests":        func(t *Tick) { state.TakeRequests(t.State) },
		"append_batches":       func(t *Tick) { state.AppendBatches(t.State, &t.hasher) },
		"finish_polls":         func(t *Tick) { state.FinishPolls(t.State, &t.poller) },
		"answer_polls":         func(t *Tick) { state.AnswerPolls(t.State, &t.poller) },
		"order_vouchers":       func(t *Tick) { state.OrderVouchers(t.State) },
		"finish_purges":        func(t *Tick) { state.FinishPurges(t.State) },
		"retire_segments":      func(t *Tick) { state.RetireSegments(t.State) },
		"reap_partitions":      func(t *Tick) { state.ReapPartitions(t.State) },
		"seal_offsets":         func(t *Tick) { state.SealOffsets(t.State) },
		"seal_control":         func(t *Tick) { state.SealControl(t.State) },
		"seal_journals":        func(t *Tick) { state.SealJournals(t.State) },
		"ack_sends":            func(t *Tick) { state.AckSends(t.State) },
		"answer_control":       func(t *Tick) { state.AnswerControl(t.State) },
		"answer_replies":       func(t *Tick) { state.AnswerReplies(t.State) },
		"watch":                func(t *Tick) { t.watch() },
		"publish_mail":         func(t *Tick) { t.Mail.Publish(t.State, nil) },
	}
	stages := map[string]ecs.Stage{"ingest": Ingest, "apply": Apply, "decide": Decide, "answer": Answer, "observe": Observe, "egress": Egress}
	s := ecs.NewSchedule[Tick]("ingest", "apply", "decide", "answer", "drive", "observe", "egress")
	driven := false
	for system := range NewSchedule().All {
		switch {
		case system.Name == "reap":
		case system.Stage != "drive":
			if run[system.Name] == nil {
				w.t.Fatalf("schedule: got system %q, which scripts do not run", system.Name)
			}
			s.Add(stages[system.Stage], system.Name, run[system.Name])
		case !driven:
			driven = true
			s.Add(Drive, "orders", func(*Tick) { w.takeOrders() })
		}
	}
	return s
}

// run is one tick.
func (w *tickWorld) run() {
	w.state.Deadline = 0
	w.schedule.Run(w.tick)
}

// settle ticks, with control writes that succeed, until a connection is answered.
func (w *tickWorld) settle(c *tickConn) {
	w.t.Helper()
	for range 10 {
		w.run()
		if c.idle {
			return
		}
		w.complete("control", ecs.None, 0)
	}
	w.t.Fatal("the control plane has not answered in 10 ticks")
}

// name is what a partition is called.
func (w *tickWorld) name(partition ecs.Entity) string {
	return components.PartitionName(w.state.Catalog, partition)
}

// printAppended prints what the tick appended to each partition.
func (w *tickWorld) printAppended() {
	p := &w.state.Partitions
	rows := slices.Collect(p.All)
	slices.SortFunc(rows, func(a, b int) int {
		return cmp.Or(cmp.Compare(p.Created[a], p.Created[b]), cmp.Compare(p.ID[a], p.ID[b]))
	})
	for _, row := range rows {
		partition := p.Entity(row)
		before := w.next[partition]
		if p.OffsetNext[row] < before { // it was purged
			before, w.next[partition] = 0, 0
		}
		if p.OffsetNext[row] != before {
			w.print.Line(0, "journal %s [%d,%d)", w.name(partition), before, p.OffsetNext[row])
			w.next[partition] = p.OffsetNext[row]
		}
	}
	maps.DeleteFunc(w.next, func(partition ecs.Entity, _ uint64) bool { _, ok := p.Row(partition); return !ok })
}

// checkEnd lets everything in flight return and wants nothing to be lost: no memory of a reply, no frame.
func (w *tickWorld) checkEnd() {
	w.t.Helper()
	for range 20 {
		w.state.Now.MonoMicros += 100_000
		for _, kind := range tickKinds {
			w.complete(kind, ecs.None, 0)
		}
		w.run()
	}
	for i, c := range w.conns {
		if !c.idle {
			w.t.Errorf("connection %d: got no answer by the end of the script, want one", i+1)
		}
	}
	if leaks := w.leaks(); leaks != "" {
		w.t.Errorf("at the end: got %s, want none", leaks)
	}
}

// leaks says what is held although nothing is under way; "" is nothing.
func (w *tickWorld) leaks() string {
	blocks := 0
	for _, span := range w.state.Blocks.Span {
		if span.Len > 0 {
			blocks++
		}
	}
	if blocks > 0 || w.buffers.InUse() > 0 || w.state.Polls.Live > 0 {
		return fmt.Sprintf("%d reply blocks, %d bytes of buffers, %d cold polls", blocks, w.buffers.InUse(), w.state.Polls.Live)
	}
	for row := range w.state.Partitions.All {
		if n := w.state.Partitions.InFlight[row]; n > 0 {
			return fmt.Sprintf("partition %s with %d operations in flight", w.name(w.state.Partitions.Entity(row)), n)
		}
	}
	return ""
}

// tickLog prints what is logged.
type tickLog struct{ w *tickWorld }

func (l tickLog) Log(level components.LogLevel, message string, fields ...components.LogField) {
	text := fmt.Sprintf("log %s: %s", [...]string{"debug", "info", "warn", "error"}[level], message)
	for _, f := range fields {
		if f.IsText {
			text += fmt.Sprintf(" %s=%q", f.Key, f.Text)
		} else {
			text += fmt.Sprintf(" %s=%d", f.Key, f.Number)
		}
	}
	l.w.print.Line(0, "%s", text)
}

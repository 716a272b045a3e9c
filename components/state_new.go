package components

import (
	"sync/atomic"

	"galgo/ecs"
	"galgo/wire"
)

// Shared is what all shards of a process have in common.
type Shared struct {
	Memory   *Memory
	Budget   *Budget
	Counters *Counters
	Gauges   *Gauges
	Presence *Presence
	Space    *Space

	Passwords *Passwords

	namesFailed atomic.Bool // see Names
}

// NewShared is the common part for a process with budget bytes of data memory.
func NewShared(budget uint64) *Shared {
	passwords := NewPasswords(budget)
	return &Shared{Memory: &Memory{}, Budget: NewBudget(budget - passwords.Reserved()), Counters: NewCounters(), Gauges: &Gauges{},
		Presence: &Presence{}, Space: &Space{}, Passwords: passwords}
}

const (
	// eventsMax is how many events may be published that a shard has not applied.
	eventsMax = 4096
	// factsMax is how many completions a tick takes from the ring, and so the room of a queue of facts.
	factsMax = 4096
	// marksMax is how many index entries of a shard may wait for their write.
	marksMax = 16384
)

// EventsMax is how many events may be published that a shard has not applied: the room of its event ring.
func EventsMax() int { return eventsMax }

// FactsMax is how many completions one tick may take from the ring.
func FactsMax() int { return factsMax }

// NewState is the empty State of a shard that applies events to catalog and takes memory from arena.
func NewState(cfg *Config, shared *Shared, arena *Arena, catalog *Catalog, facts *Facts, orders *Orders) *State {
	conns, all := cfg.askersMax(), cfg.ConnectionsMax+cfg.Shards*(1+PluginsMax)
	s := &State{
		Config: cfg, Memory: shared.Memory, Arena: arena, Counters: shared.Counters, Gauges: shared.Gauges, Presence: shared.Presence, Passwords: shared.Passwords,
		Catalog: catalog, Offsets: NewOffsets(), GroupReads: NewGroupReads(),
		Events:   ecs.NewQueue[*wire.Event](eventsMax),
		Requests: ecs.NewQueue[Request](all),
		Asks:     ecs.NewQueue[Request](2 * all),
		Fenced:   ecs.NewQueue[Request](all),
		Polling:  ecs.NewQueue[Request](all),
		Reports:  ecs.NewQueue[Report](factsMax),
		Replies:  ecs.NewQueue[Reply](2*conns + all),
		Verify:   ecs.NewQueue[ecs.Entity](conns),
		Routable: ecs.NewQueue[ecs.Entity](conns),
		Sends:    ecs.NewLines[Request](0, all),
		Acks:     ecs.NewLines[Ack](0, all),
		Marks:    ecs.NewLines[IndexMark](0, marksMax),
		Stored:   ecs.NewQueue[StoredAck](all),
		Cuts:     ecs.NewQueue[Truncation](all),
		Dealt:    ecs.NewQueue[Dealt](conns),
		In:       facts, Out: orders,
	}
	s.Partitions.Rows = ecs.NewRows(partitionsMax)
	s.Conns.Rows = ecs.NewRows(conns)
	if cfg.Shard == 0 {
		s.Control = NewControl(cfg)
	}
	return s
}

// NewExchange makes the queues between the two sides of a shard.
func NewExchange(cfg *Config) (*Facts, *Orders) {
	conns, all := cfg.askersMax(), cfg.ConnectionsMax+cfg.Shards*(1+PluginsMax)
	facts := &Facts{
		Accepted: ecs.NewQueue[Accept](factsMax), Frames: ecs.NewQueue[FrameIn](conns), Broken: ecs.NewQueue[ecs.Entity](conns),
		Sent: ecs.NewQueue[Sent](2 * conns), Closed: ecs.NewQueue[ecs.Entity](conns),
		Wrote: ecs.NewQueue[Wrote](factsMax), Grown: ecs.NewQueue[Grown](2 * factsMax), Vouched: ecs.NewQueue[Vouched](2 * factsMax),
		Tails: ecs.NewQueue[TailRead](2 * factsMax), ColdReads: ecs.NewQueue[ColdRead](2*factsMax + all),
		Removed: ecs.NewQueue[ecs.Entity](2 * factsMax), Control: ecs.NewQueue[ControlWritten](4),
		OffsetsDone: ecs.NewQueue[OffsetsWritten](4), Jobs: ecs.NewQueue[JobDone](factsMax + conns),
	}
	orders := &Orders{
		Adopt: ecs.NewQueue[Adopt](conns), Read: ecs.NewQueue[ecs.Entity](2 * conns), Send: ecs.NewQueue[Send](2 * conns),
		Close: ecs.NewQueue[ecs.Entity](2 * conns), Refuse: ecs.NewQueue[int32](factsMax), Unlink: ecs.NewQueue[Unlink](1 << 16), Cold: ecs.NewQueue[ColdOrder](all),
		FreeCold: ecs.NewQueue[Span](ColdPartsMax * (2*factsMax + all)), Index: ecs.NewQueue[IndexMark](marksMax),
		Vouch: ecs.NewQueue[VouchOrder](2 * factsMax),
		Jobs:  ecs.NewQueue[Job](conns + 16), Events: ecs.NewQueue[*wire.Event](eventsMax),
		Requests: make([]ecs.Queue[Request], cfg.Shards), Replies: make([]ecs.Queue[Reply], cfg.Shards), Deal: make([]ecs.Queue[Dealt], cfg.Shards),
	}
	orders.Reports.Removed = ecs.NewQueue[ecs.Entity](2 * factsMax)
	orders.Reports.Drained = ecs.NewQueue[Report](factsMax)
	for shard := range cfg.Shards {
		orders.Deal[shard] = ecs.NewQueue[Dealt](conns)
		if shard != cfg.Shard {
			orders.Requests[shard] = ecs.NewQueue[Request](2*conns + 1)
			orders.Replies[shard] = ecs.NewQueue[Reply](2*conns + all)
		}
	}
	return facts, orders
}

// NewStorage is the empty Storage of a shard.
func NewStorage(shared *Shared, arena *Arena, facts *Facts, orders *Orders, slots int) *Storage {
	st := &Storage{Memory: shared.Memory, Budget: shared.Budget, Arena: arena, Out: facts, In: orders, Inflight: NewInflight(slots)}
	st.Segments.ByID = map[uint64]uint32{}
	st.Listener.FD = -1
	st.Control.FD, st.Offsets.FD, st.Directory.LogFD = -1, -1, -1
	st.Hungry = ecs.NewQueue[ecs.Entity](facts.Frames.Free())
	st.Disk.Found = new(atomic.Uint64)
	st.GrowDone, st.VouchNext, st.Vouching = ecs.NewQueue[GrowStep](slots), ecs.NewQueue[VouchOrder](slots), Vouching{}
	st.Gauges, st.Space, st.Names.failed = shared.Gauges, shared.Space, &shared.namesFailed
	st.Pool.Filling.FD = NoFD
	return st
}

package components

import (
	"net/netip"

	"github.com/zeebo/xxh3"

	"galgo/ecs"
	"galgo/wire"
)

// Config is what the engine is told at start and never changes.
type Config struct {
	Shard  int
	Shards int
	Secret uint64 // of the data directory: seeds its checksums
	Run    uint64 // run number of this life

	DefaultLevel      Level // of topics that say replicated or nothing
	FrameMax          uint32
	LoginMax          uint32 // bytes of a frame before login
	PartitionsMax     int
	ClientsMax        int // sessions
	ConnectionsMax    int // of the whole process
	OffsetsMax        int // stored offsets per partition and kind
	HandshakeMicros   uint64
	ServerVersion     string
	AdvertisedAddress string
	TCPAddress        netip.AddrPort // bound
	QUICPort          uint16         // bound; 0 is not listening, here and below
	HTTPPort          uint16
	WebSocketPort     uint16
	TokensMax         int    // personal access tokens of one user
	HeartbeatMicros   uint64 // how often a group member should be heard; 0 is no matter
	RebalancingMicros uint64 // how long a partition waits for its old member's commits
	TokenCleanMicros  uint64 // how often expired tokens are removed; 0 is never
	AdoptMin          uint32 // bytes of a batch that is left where it was received; 0 is what is recommended, less is for tests
	MarkBytes         uint32 // bytes of a log between two entries of its index; 0 is what is recommended, less is for tests
	BulkMax           uint32 // bytes of bulk writes in flight from which on the next one waits; 0 is what is recommended, less is for tests
	HashMemory        uint32 // KiB that a new password hash takes; 0 is what is recommended, less is for tests
}

// Number is a number that nobody else gives, in this run or another: the counter is the shard's own.
func (c *Config) Number(counter uint64) uint64 {
	return c.Run<<wire.RunShift | (counter*uint64(c.Shards) + uint64(c.Shard))
}

// ShardConnectionsMax is how many connections one shard may have.
func (c *Config) ShardConnectionsMax() int { return (c.ConnectionsMax + c.Shards - 1) / c.Shards }

// askersMax is how many connections and plugins one shard may have: each has one request under way.
func (c *Config) askersMax() int { return c.ShardConnectionsMax() + PluginsMax }

// State is all State components of one shard: the world that state systems change, within one tick and in memory only.
type State struct {
	*Config
	Now ecs.Time

	Memory   *Memory
	Arena    *Arena
	Counters *Counters
	Gauges   *Gauges
	Presence *Presence

	Passwords *Passwords

	Catalog    *Catalog
	Partitions Partitions
	Segments   Segments
	Journal    Journal
	Blocks     Blocks
	Offsets    Offsets
	GroupReads GroupReads
	Conns      Conns
	Plugins    Plugins
	Polls      Polls
	Cursors    Cursors

	Unsealed  ecs.Bits // partition rows with appended bytes that are not sealed
	Unvouched ecs.Bits // partition rows with written bytes that no voucher covers
	Doomed    ecs.Bits // partition rows in phase Deleting
	Purged    ecs.Bits // partition rows in phase Purging
	Retiring  ecs.Bits // partition rows with retired segments
	Acked     ecs.Bits // partition rows whose written watermark moved in this tick

	Events   ecs.Queue[*wire.Event] // to be applied, in sequence
	Happened []Happened             // events that this tick has applied
	Requests ecs.Queue[Request]     // of this tick, to this shard as a partition's owner
	Asks     ecs.Queue[Request]     // to shard 0 as the control plane
	Reports  ecs.Queue[Report]      // to shard 0
	Fenced   ecs.Queue[Request]     // requests that are ahead of the events applied
	Replies  ecs.Queue[Reply]       // of this tick, to connections of this shard
	Dealt    ecs.Queue[Dealt]       // connections given to this shard
	Verify   ecs.Queue[ecs.Entity]  // connections whose frame is being checked, in turn
	Routable ecs.Queue[ecs.Entity]  // connections whose request is to be routed
	Sends    ecs.Lines[Request]     // by partition row: sends that wait for room
	Acks     ecs.Lines[Ack]         // by partition row: sends that wait for their level
	Marks    ecs.Lines[IndexMark]   // by partition row: index entries that wait for their write
	Polling  ecs.Queue[Request]     // polls that wait for memory
	Stored   ecs.Queue[StoredAck]   // offset changes that wait for their level
	Cuts     ecs.Queue[Truncation]  // removals at the beginning of logs that wait until they are noted

	SegmentIDs     uint64 // counter of segment ids made in this run
	OffsetsPending []byte // records for the next offset log write
	OffsetsSpare   []byte // the other buffer, while Storage has one
	OffsetsBusy    bool
	OffsetsFailed  bool
	OffsetsDurable bool   // a pending record wants durability
	OffsetsWanted  bool   // somebody waits for a pending record
	OffsetsSince   uint64 // mono µs of the oldest pending record

	Scratch  []byte            // the body of the read at hand
	SilentAt uint64            // mono µs at which silent connections are looked for next
	SealNext int               // partition row at which sealing goes on
	VouchAt  uint64            // mono µs before which no partition has to be vouched for
	ExpireAt uint64            // mono µs at which late acks are looked for next
	Random   func([]byte)      // fills bytes that nobody can guess: salts and tokens
	Machine  func(*wire.Stats) // reads what the machine says of itself; run by a worker
	Collect  Collect           // makes a system snapshot; run by a worker

	Control *Control // shard 0 only

	In         *Facts
	Out        *Orders
	Deadline   uint64       // mono µs at which the shard wants to be awake; 0 is whenever something happens
	Stopping   bool         // no new requests; finish what is under way
	Stopped    []ecs.Entity // connections that Stop closes
	Closed     uint64       // connections closed since the start
	FullLogged uint64       // mono µs of the last line about a full disk
	Bodies     [][]byte     // by connection row: the body of an answer that waits for memory
	Log        Logger
}

// Collect makes a system snapshot of at most sizeMax bytes. One runs at a time; the error says why there is none. Run by a worker.
type Collect func(want wire.GetSnapshot, sizeMax int) (file []byte, err error)

// WakeAt makes sure that a tick runs at the given mono time, at the latest.
func (s *State) WakeAt(monoMicros uint64) {
	if s.Deadline == 0 || monoMicros < s.Deadline {
		s.Deadline = monoMicros
	}
}

// Waited is how long ago a mono time was, in µs. Shards sample the clock at different moments, so what another shard stamped may lie a
// little ahead: that is no wait at all.
func (s *State) Waited(since uint64) uint64 { return s.Now.MonoMicros - min(since, s.Now.MonoMicros) }

// AllocHot takes memory from the arena; hot tails give way for it. Once they have in vain they are left alone until the next tick: nothing comes back
// before that, and each of many who are short would look through all of them.
func (s *State) AllocHot(n uint32) (Span, bool) {
	if span, ok := s.Arena.Alloc(n); ok {
		return span, true
	}
	if now := s.Now.MonoMicros + 1; s.Journal.bare != now {
		s.Evict(max(uint64(n), 1<<20))
		if span, ok := s.Arena.Alloc(n); ok {
			return span, true
		}
		s.Journal.bare = now
	}
	s.Arena.Refuse(n)
	return Span{}, false
}

// makeRoom lets hot tails give way to what a partition's journal has taken of an arena: so that a sixteenth of the budget is left for frames, and of a
// log that nobody polls already when half of it is in use. New memory must be got from the machine page by page, at the cost of a copy. Where it is dear
// a sixteenth is enough for logs that nobody polls and whose sends are answered from their files anyway.
func (s *State) makeRoom(row int, taken Span) {
	budget := s.Arena.budget
	left := budget.Left() + s.Memory.Spare(taken.Slab)
	switch {
	case left < budget.limit/16:
		s.evictIn(taken.Slab, uint64(taken.Len))
	case s.Partitions.Touched[row]:
	case left < budget.limit/2,
		left < budget.limit-budget.limit/16 && s.Partitions.Level[row] != LevelMemory && budget.Dear(uint64(taken.Len)):
		s.evictOldest(row)
	}
}

// Hash is the checksum of bytes of this data directory.
func (s *State) Hash(b []byte) uint64 { return xxh3.HashSeed(b, s.Secret) }

// Ask sends a request to a shard, this one included.
func (s *State) Ask(shard int, r Request) {
	if shard == s.Shard {
		s.Take(r)
		return
	}
	s.Out.Requests[shard].Push(r)
}

// Take puts a request that has arrived in the queue of whoever decides it.
func (s *State) Take(r Request) {
	if r.Kind >= RequestMetadata {
		s.Asks.Push(r)
		return
	}
	s.Requests.Push(r)
}

// Answer sends a reply to a connection's home shard, this one included.
func (s *State) Answer(shard uint8, r Reply) {
	if int(shard) == s.Shard {
		s.Replies.Push(r)
		return
	}
	s.Out.Replies[shard].Push(r)
}

// Refuse answers a request with a status.
func (s *State) Refuse(r *Request, status wire.Status) {
	s.Answer(r.Home, Reply{Kind: ReplyStatus, Conn: r.Conn, Status: status})
}

// Publish stores a partition's counters for all readers.
func (s *State) Publish(row int) {
	p := &s.Partitions
	segments := max(1, p.Segments[row].Len())
	if p.Phase[row] == Purging {
		segments = 1
	}
	s.Counters.Set(p.Entity(row), PartitionCounts{Segments: uint32(segments),
		First: p.OffsetFirst[row], Next: p.Visible(row), Size: p.Size[row]})
}

// LevelOf is the level that a durability option asks for.
func (s *State) LevelOf(persisted bool) Level {
	if persisted {
		return LevelDurable
	}
	return s.DefaultLevel
}

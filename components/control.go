package components

import (
	"math"
	"slices"

	"galgo/ecs"
	"galgo/wire"
)

// Control is the State component of shard 0 alone: what it has decided, how far it is durable, and who waits for it.
//
// A decision goes through in order: decided (applied to Decided, in Pending), written (its record is durable, or it is not logged),
// published (given to every shard), applied here, applied by all (Reported), answered.
//
// Invariants: Decided.Applied is the seq of the newest decision; State.Catalog lags behind it by Pending;
// Applied <= Published <= Written <= Pending.Len(), and Writing is 0 unless a write is in flight.
type Control struct {
	Decided *Catalog
	Counter uint64 // of the last seq given: run << 40 | Counter
	Record  uint64 // number of the next control log record

	Pending   ecs.Queue[Decision] // decided, oldest first: not yet answered
	Written   int                 // how many of Pending, from the oldest, are written or need not be
	Published int                 // how many of Pending, from the oldest, are published
	Applied   int                 // how many of Pending, from the oldest, this shard has applied
	Writing   int                 // how many of Pending, from Written on, are in the write in flight
	Buffer    []byte              // encoded records of the write in flight, or of the next
	ReadOnly  bool                // the control log failed: only what is not logged is decided

	Reported []uint64     // by shard: seq applied
	Removed  []ecs.Entity // partitions reported to be without files, for which RemovalDone is to be decided
	Clients  *Clients
	Dealt    []uint64 // connections given to each shard since the start
	Closed   []uint64 // connections that each shard has reported closed
	NextID   uint32   // client id of the last connection

	Hashings  []*Hashing   // operations that wait for a worker, oldest first
	Ticket    uint64       // of the last one
	Unsettled []ecs.Entity // groups whose members or partitions may have changed, to be planned anew as there is room
	Handing   []Handing    // groups with hand-overs
	Drained   []Report     // hand-overs that are done, as their owners say

	Series    []*Series   // operations of many events, decided bit by bit and in turn
	Steps     int         // how many more of their events this tick may decide; a large one counts for several
	Proposals []*Proposal // removals of segments, the oldest first: the first one's owner is asked
	Proposed  *Reply      // what it says; nil is nothing yet

	Orphans []*Client // sessions of deleted users, to be ended as there is room
	CleanAt uint64    // mono µs at which expired tokens are looked for next
}

// Decision is an event on its way, and who waits for it.
type Decision struct {
	Seq   uint64      // of Event, or of the newest event that the answer depends on
	Event *wire.Event // immutable; nil is an answer that only waits for what was decided before it
	Asker *Asker      // nil is nobody
}

// Asker is a request to shard 0 that is answered once every shard has applied a decision.
type Asker struct {
	Home   uint8
	Since  uint64             // mono µs when it was routed
	Header wire.RequestHeader // zero where the answer has no frame
	Answer Reply              // Kind and Conn from the beginning; its Frame once shard 0 has applied the event
	Status wire.Status        // of the answer; anything but StatusOK leaves Body out
	Body   []byte             // of the answer, unless Build makes it
	Build  BuildKind
	Client *Client // whose reply it is, to be kept; nil is not kept
	Secret bool    // Body is shown once: a replay is told that the object is there already
	Kept   []byte  // with Secret, once it is built: the frame that a replay gets
	Told   bool    // it was refused meanwhile: nobody waits any more, but the reply is kept
}

// Series is an operation that takes many events: they are decided as there is room, and a few in a tick, so that nothing else waits for them.
// Whoever asked is answered when the last of them is applied.
type Series struct {
	Asker      *Asker
	Partitions []ecs.Entity // to be purged
	Stream     ecs.Entity   // to be deleted, piece by piece; or None
	Topic      ecs.Entity   // the same
}

// Proposal is a removal of segments of which only the partition's owner knows how far it may go.
type Proposal struct {
	Asker     *Asker
	Partition ecs.Entity
	Count     uint32 // of segments, at most
	Asked     bool
}

// ControlConn stands for the control plane where a request or a reply names a connection.
var ControlConn = ecs.MakeEntity(math.MaxUint32, 1)

// Handing is a group that has hand-overs.
type Handing struct {
	Group ecs.Entity
	Seq   uint64 // of its plan
	Due   uint64 // mono µs: of the first hand-over
}

// BuildKind says which object a reply carries that is made from the catalog when shard 0 applies the event: later it may be gone.
type BuildKind uint8

const (
	BuildNothing BuildKind = iota
	BuildStream            // StreamDetails of Event.Stream
	BuildTopic             // TopicDetails of Event.Topic
	BuildUser              // UserDetails of Event.User
	BuildGroup             // GroupDetails of Event.Group
)

// NewControl is the control plane of a server without metadata. Resume follows before the first tick.
func NewControl(cfg *Config) *Control {
	return &Control{
		Decided:  NewCatalog(),
		Pending:  ecs.NewQueue[Decision](eventsMax),
		Reported: make([]uint64, cfg.Shards),
		Clients:  NewClients(cfg.ClientsMax),
		Dealt:    make([]uint64, cfg.Shards),
		Closed:   make([]uint64, cfg.Shards),
	}
}

// Resume makes the control plane go on from a recovered catalog, in which run has been started, with record as the number of the next
// record of the control log. Every shard begins with a catalog equal to it; this one is copied.
func (c *Control) Resume(catalog *Catalog, run, record uint64) {
	c.Decided, c.Record, c.Counter = catalog.Clone(), record, 0
	if catalog.Applied>>wire.RunShift == run {
		c.Counter = catalog.Applied & (1<<wire.RunShift - 1)
	}
	for shard := range c.Reported {
		c.Reported[shard] = catalog.Applied
	}
}

// Seq is the next sequence number.
func (c *Control) Seq(run uint64) uint64 {
	c.Counter++
	return run<<wire.RunShift | c.Counter
}

// AppliedByAll is the seq up to which every shard has applied all events.
func (c *Control) AppliedByAll() uint64 { return slices.Min(c.Reported) }

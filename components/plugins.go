package components

import (
	"galgo/ecs"
	"galgo/wire"
)

// PluginsMax is how many plugins a shard may have.
const PluginsMax = 4

// Plugins is the State component of a shard's plugins: one row each. A plugin asks as a connection does, and as root: its row in Conns
// has no socket. It has one request under way at most.
type Plugins struct {
	Conn   []ecs.Entity
	Busy   []bool          // a request is wanted or under way
	Wanted []PluginRequest // with Begun false
	Begun  []bool
	Answer []*PluginAnswer // to the request before, until the plugin has seen it
}

// PluginRequest is what a plugin asks for: what a client could send, or, with Truncate, the removal of closed segments of a partition of which
// no message is at Below or above.
type PluginRequest struct {
	Operation wire.Operation
	Code      wire.Code // of OpNonReplicated
	Body      []byte

	Truncate  bool
	Partition ecs.Entity
	Below     uint64
}

// PluginAnswer is the reply to it. Body is the plugin's own.
type PluginAnswer struct {
	Status wire.Status
	Body   []byte // the result section included, where the reply is framed
}

// Add enters a plugin that asks through a row of Conns, and returns its number.
func (p *Plugins) Add(conn ecs.Entity) int {
	p.Conn = append(p.Conn, conn)
	p.Busy, p.Begun = append(p.Busy, false), append(p.Begun, false)
	p.Wanted, p.Answer = append(p.Wanted, PluginRequest{}), append(p.Answer, nil)
	return len(p.Conn) - 1
}

// Happened is an event as plugins see it: plain values. Names and option blocks are in the catalog.
type Happened struct {
	Seq  uint64
	Time uint64 // µs
	Kind wire.EventKind

	Stream, Topic, Partition, Group, User ecs.Entity // those that the kind is about

	Offset uint64 // SegmentsRemoved: what lies below is gone
	Epoch  uint64 // Purged
}

// HappenedOf is what plugins see of an event.
func HappenedOf(e *wire.Event) Happened {
	return Happened{Seq: e.Seq, Time: e.Time, Kind: e.Kind, Stream: ecs.Entity(e.Stream), Topic: ecs.Entity(e.Topic), Partition: ecs.Entity(e.Partition),
		Group: ecs.Entity(e.Group), User: ecs.Entity(e.User), Offset: e.Offset, Epoch: e.Epoch}
}

package components

import (
	"net/netip"

	"galgo/ecs"
	"galgo/wire"
)

// Step is how far a connection's request is.
type Step uint8

const (
	Idle      Step = iota // no request at hand: the socket is read
	Verifying             // the frame is complete and its checksums are being checked
	Routing               // checked; waits for its turn, or for memory, to be answered here or sent on
	Away                  // with another system: a partition's owner, shard 0, or a worker
	Answering             // the answer is being sent
)

// HangupStep is how far shard 0 is with ending what a lost connection held.
type HangupStep uint8

const (
	HangupNone HangupStep = iota
	HangupAsked
	HangupDone
)

// Conns is the State component of the connections whose home is this shard. The socket is in ConnFiles, in the same row.
//
// Invariant: Step is Idle exactly while storage systems may read the socket; Frame is zero exactly then.
type Conns struct {
	ecs.Rows
	Entities ecs.Entities
	ClientID []uint32 // the connection's number, from 1
	Peer     []netip.AddrPort
	Local    []netip.AddrPort
	Step     []Step
	Gone     []bool // the socket is closed, or being closed: no answer can be sent
	Ending   []bool // close once the present answer is sent
	Hangup   []HangupStep
	Shut     []bool   // the descriptor is closed and the last operation has returned
	Heard    []uint64 // mono µs of the last frame
	Plugin   []uint32 // number of the plugin that asks through the row, plus one; 0 is a client
	Stale    []uint64 // session that shard 0 was asked to end because nothing was heard

	Client  []wire.U128  // bound client id; zero is none
	Session []uint64     // bound session; 0 is not logged in
	User    []ecs.Entity // bound user

	AttachedClient  []wire.U128 // client id whose group memberships count on this connection; zero is none
	AttachedSession []uint64    // of that client

	Header []wire.RequestHeader // of the request at hand
	Frame  []Span               // of the request at hand: in the receive memory of Storage
	Own    []bool               // Frame has memory of its own, not a receive buffer
	Kept   []bool               // the journal has the frame's memory from now on
	Lead   []uint16             // bytes to leave before the next frame, so that its batch lies as the log's next blocks would
	Since  []uint64             // mono µs when the request was complete
	Batch  []Span               // of a send: the batch in Frame
	Count  []uint32             // of a send: how many messages the request says
	Check  []wire.Status        // what the checksums said
	Login  []*Login             // of a login that is being verified
	Stats  []*wire.Stats        // of a GET_STATS that a worker has
	Parcel []*Parcel            // of a GET_SNAPSHOT that a worker has
}

// Parcel is a system snapshot in the making. A worker has it until its job is done.
type Parcel struct {
	File []byte // the ZIP file
	Err  error  // why there is none
}

// Login is a login on its way through the worker queue: what is compared is copied out of frame and catalog.
type Login struct {
	User     ecs.Entity
	Password []byte
	Hash     []byte
}

// Insert adds a row for a new connection.
func (c *Conns) Insert(clientID uint32, peer, local netip.AddrPort) (ecs.Entity, int) {
	entity := c.Entities.Take()
	row := c.Rows.Insert(entity)
	n := c.Cap()
	c.ClientID = ecs.Grow(c.ClientID, n)
	c.Peer = ecs.Grow(c.Peer, n)
	c.Local = ecs.Grow(c.Local, n)
	c.Step = ecs.Grow(c.Step, n)
	c.Gone = ecs.Grow(c.Gone, n)
	c.Ending = ecs.Grow(c.Ending, n)
	c.Hangup = ecs.Grow(c.Hangup, n)
	c.Shut = ecs.Grow(c.Shut, n)
	c.Batch = ecs.Grow(c.Batch, n)
	c.Count = ecs.Grow(c.Count, n)
	c.Check = ecs.Grow(c.Check, n)
	c.Heard = ecs.Grow(c.Heard, n)
	c.Plugin = ecs.Grow(c.Plugin, n)
	c.Stale = ecs.Grow(c.Stale, n)
	c.Client = ecs.Grow(c.Client, n)
	c.Session = ecs.Grow(c.Session, n)
	c.User = ecs.Grow(c.User, n)
	c.AttachedClient = ecs.Grow(c.AttachedClient, n)
	c.AttachedSession = ecs.Grow(c.AttachedSession, n)
	c.Header = ecs.Grow(c.Header, n)
	c.Frame = ecs.Grow(c.Frame, n)
	c.Own = ecs.Grow(c.Own, n)
	c.Kept = ecs.Grow(c.Kept, n)
	c.Lead = ecs.Grow(c.Lead, n)
	c.Since = ecs.Grow(c.Since, n)
	c.Login = ecs.Grow(c.Login, n)
	c.Stats = ecs.Grow(c.Stats, n)
	c.Parcel = ecs.Grow(c.Parcel, n)

	c.ClientID[row], c.Peer[row], c.Local[row] = clientID, peer, local
	c.Step[row], c.Gone[row], c.Ending[row], c.Hangup[row], c.Shut[row], c.Heard[row] = Idle, false, false, HangupNone, false, 0
	c.Plugin[row], c.Stale[row] = 0, 0
	c.Unbind(row)
	c.Header[row], c.Frame[row], c.Since[row], c.Login[row] = wire.RequestHeader{}, Span{}, 0, nil
	c.Own[row], c.Kept[row], c.Lead[row] = false, false, 0
	c.Batch[row], c.Count[row], c.Check[row] = Span{}, 0, wire.StatusOK
	return entity, row
}

// Unbind takes the session from a connection, and what is attached to it.
func (c *Conns) Unbind(row int) {
	c.AttachedClient[row], c.AttachedSession[row] = wire.U128{}, 0
	c.Client[row], c.Session[row], c.User[row] = wire.U128{}, 0, ecs.None
}

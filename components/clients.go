package components

import (
	"galgo/ecs"
	"galgo/wire"
)

// repliesMax is how many replies of a client are kept to be sent again. Source: protocol.md, 5.2.
const repliesMax = 5

// ReplySizeMax is the size in bytes above which a reply is not kept.
const ReplySizeMax = 4096

// Clients is the client table of shard 0: one entry for each session. Sessions are events in sequence, but not logged: they end
// with the process.
type Clients struct {
	entries map[wire.U128]*Client
	max     int
}

// Client is a session and what its client has asked of it.
type Client struct {
	ID        wire.U128
	Session   uint64
	User      ecs.Entity
	Home      uint8      // where its connection lives
	Conn      ecs.Entity // at Home
	Watermark uint64     // highest request number accepted
	Commit    uint64     // seq of the last operation: the client with the oldest gives way when the table is full

	replies [repliesMax]keptReply
	next    int // where the next reply goes
}

// keptReply is the answer to a request number; request 0 is none.
type keptReply struct {
	request  uint64
	checksum wire.U128
	frame    []byte // nil while the request is being applied
}

// NewClients is an empty table of at most max entries.
func NewClients(max int) *Clients { return &Clients{entries: map[wire.U128]*Client{}, max: max} }

// Len is how many sessions there are.
func (c *Clients) Len() int { return len(c.entries) }

// Find is a client's entry, or nil.
func (c *Clients) Find(id wire.U128) *Client { return c.entries[id] }

// Add enters a client that has no entry; the one with the oldest commit gives way to it and is returned if the table is full.
func (c *Clients) Add(client *Client) (evicted *Client) {
	if len(c.entries) >= c.max {
		for _, entry := range c.entries {
			if evicted == nil || entry.Commit < evicted.Commit ||
				entry.Commit == evicted.Commit && entry.Session < evicted.Session {
				evicted = entry
			}
		}
		if evicted != nil {
			delete(c.entries, evicted.ID)
		}
	}
	c.entries[client.ID] = client
	return evicted
}

// Remove ends a session, if it is still the one named.
func (c *Clients) Remove(id wire.U128, session uint64) bool {
	entry := c.entries[id]
	if entry == nil || entry.Session != session {
		return false
	}
	delete(c.entries, id)
	return true
}

// Standing is what a request number is to a client's entry.
type Standing uint8

const (
	NumberNew      Standing = iota // above the watermark: to be applied
	NumberBusy                     // being applied
	NumberKept                     // applied, and the reply is there
	NumberGone                     // applied, and the reply is not kept
	NumberMismatch                 // used by a request with another body
)

// Stand judges a request number by the rules of protocol.md, 5.2. The frame is the reply of NumberKept.
func (c *Client) Stand(request uint64, checksum wire.U128) (standing Standing, frame []byte) {
	if request > c.Watermark {
		return NumberNew, nil
	}
	reply := c.reply(request)
	switch {
	case reply == nil:
		return NumberGone, nil
	case reply.checksum != checksum && !reply.checksum.IsZero() && !checksum.IsZero():
		return NumberMismatch, nil
	case reply.frame == nil:
		return NumberBusy, nil
	}
	return NumberKept, reply.frame
}

func (c *Client) reply(request uint64) *keptReply {
	for i := range c.replies {
		if r := &c.replies[i]; r.request == request && request != 0 {
			return r
		}
	}
	return nil
}

// Begin accepts a request number above the watermark: from now on it is being applied.
func (c *Client) Begin(request uint64, checksum wire.U128) {
	c.Watermark = request
	c.replies[c.next] = keptReply{request: request, checksum: checksum}
	c.next = (c.next + 1) % repliesMax
}

// Keep ends what Begin began: the reply is stored, to be sent again, unless it is larger than ReplySizeMax or more recent
// ones have taken its place.
func (c *Client) Keep(request uint64, frame []byte) {
	reply := c.reply(request)
	switch {
	case reply == nil:
	case len(frame) > ReplySizeMax:
		*reply = keptReply{}
	default:
		reply.frame = frame
	}
}

// OfUser lists the sessions of a user, in no order.
func (c *Clients) OfUser(user ecs.Entity) (list []*Client) {
	for _, entry := range c.entries {
		if entry.User == user {
			list = append(list, entry)
		}
	}
	return list
}

package simtest

import (
	"encoding/binary"
	"fmt"
	"slices"

	"galgo/uring/sim"
	"galgo/wire"
)

// client is a connection that speaks the protocol: one request at a time.
type client struct {
	p       *play
	name    string // in the story
	peer    *sim.Peer
	id      wire.U128
	session uint64
	shard   int    // where the server keeps it, once logged in
	next    uint64 // request number
	out     []byte // not sent yet
	in      []byte // arrived
	over    bool   // the connection is of no use any more
	sips    bool   // it reads when it is told to, and not whatever arrives
	commit  uint64 // the highest metadata position that an answer named
	asked   uint64 // when the request at hand was sent: µs
	reply   func(answer)

	request   []byte // the last request of the metadata plane, and its answer, for asking it again
	answered  []byte
	remembers bool // request is the one at hand
}

// answer is what became of a request.
type answer struct {
	lost    bool                // the connection ended first: it may have happened
	evicted wire.EvictionReason // the session is over
	status  wire.Status
	payload []byte
	header  wire.ReplyHeader
}

func (a answer) String() string {
	switch {
	case a.lost:
		return "nothing: the connection is lost"
	case a.evicted != 0:
		return fmt.Sprintf("eviction %d", a.evicted)
	case a.status != wire.StatusOK:
		return fmt.Sprintf("status %d", a.status)
	}
	return fmt.Sprintf("ok, %d bytes", len(a.payload))
}

// ok reports whether the request was done as asked.
func (a answer) ok() bool { return !a.lost && a.evicted == 0 && a.status == wire.StatusOK }

// gone reports whether there is no answer to judge.
func (a answer) gone() bool { return a.lost || a.evicted != 0 }

func (p *play) dial(name string) *client {
	c := &client{p: p, name: name, id: wire.U128{Lo: p.rng.Uint64() | 1, Hi: p.rng.Uint64()}, shard: -1}
	c.peer = p.w.Dial(address, c.changed)
	return c
}

// ask sends a request. Reply is called once: when the answer is there, or when the connection has ended.
func (c *client) ask(op wire.Operation, code wire.Code, body []byte, reply func(answer)) {
	h := wire.RequestHeader{Command: wire.FrameRequest, Operation: op, Code: code, Size: uint32(wire.FrameHeaderSize + len(body)),
		Client: c.id, Session: c.session, Request: c.next}
	if !c.p.resting {
		c.p.asked[request{op, code}]++
	}
	c.remembers = false
	switch op.Plane() {
	case wire.PlaneMetadata:
		h.RequestChecksum = wire.BodyChecksum(body)
		c.next++
		c.remembers = true
	case wire.PlaneSession:
		h.RequestChecksum = wire.BodyChecksum(body)
	case wire.PlanePartition:
		c.next++
	}
	frame := append(wire.AppendRequestHeader(make([]byte, 0, h.Size), h), body...)
	if c.remembers {
		c.request = frame
	}
	c.send(frame, reply)
}

func (c *client) send(frame []byte, reply func(answer)) {
	if c.reply != nil {
		panic("simtest: a client asks before it was answered")
	}
	c.p.requests++
	c.asked, c.reply = now(c.p.w), reply
	if len(c.out) == 0 {
		c.out = frame
	} else {
		c.out = append(c.out, frame...)
	}
	c.changed()
}

// changed moves bytes on.
func (c *client) changed() {
	if c.over {
		return
	}
	c.out = c.out[c.peer.Write(c.out):]
	for !c.sips && c.peer.Readable() > 0 {
		c.read(c.peer.Readable())
	}
	for !c.over && len(c.in) >= wire.FrameHeaderSize && len(c.in) >= int(binary.LittleEndian.Uint32(c.in[48:])) {
		size := binary.LittleEndian.Uint32(c.in[48:])
		frame := c.in[:size:size]
		c.in = c.in[size:]
		c.take(frame)
	}
	if !c.over && (c.peer.Err() != 0 || c.peer.Ended()) {
		c.end(answer{lost: true})
	}
}

// read takes n bytes that have arrived.
func (c *client) read(n int) {
	at := len(c.in)
	if at >= wire.FrameHeaderSize {
		c.in = slices.Grow(c.in, max(n, int(binary.LittleEndian.Uint32(c.in[48:]))-at)) // all of a frame at once
	} else {
		c.in = slices.Grow(c.in, n)
	}
	c.in = c.in[:at+c.peer.Read(c.in[at:at+n])]
}

// hangUp ends the connection from this side.
func (c *client) hangUp() {
	if !c.over {
		c.peer.Close()
		c.end(answer{lost: true})
	}
}

// end is the end of the connection: whatever was asked gets a.
func (c *client) end(a answer) {
	c.over = true
	if reply := c.reply; reply != nil {
		c.reply = nil
		reply(a)
	}
}

func (c *client) take(frame []byte) {
	c.p.w.Note(frame)
	if kind, _ := wire.FrameKind(frame); kind == wire.FrameEviction {
		e, err := wire.DecodeEviction(frame)
		if err != nil {
			c.p.fail("%s: got an eviction that does not decode: %v", c.name, err)
		}
		c.peer.Close()
		c.end(answer{evicted: e.Reason})
		return
	}
	h, err := wire.DecodeReplyHeader(frame)
	if err != nil {
		c.p.fail("%s: got a reply header that does not decode: %v", c.name, err)
	}
	if c.reply == nil {
		c.p.fail("%s: got a reply to %s that nobody asked for", c.name, h.Operation)
	}
	c.commit = max(c.commit, h.Commit)
	a := answer{status: h.Status, payload: frame[wire.FrameHeaderSize:], header: h}
	if a.status == wire.StatusOK && h.Operation.Framed() && (h.Operation != wire.OpRegister || len(a.payload) > 0) {
		if a.payload, a.status, err = wire.DecodeResult(a.payload); err != nil {
			c.p.fail("%s: result of %s: %v", c.name, h.Operation, err)
		}
	}
	if c.remembers {
		c.answered = frame
	}
	if took := now(c.p.w) - c.asked; c.p.weather.quick && took > quickMicros {
		c.p.fail("%s: got an answer to %s after %d µs of calm, want %d at most", c.name, h.Operation, took, quickMicros)
	}
	reply := c.reply
	c.reply = nil
	reply(a)
}

// quickMicros is how long an answer may take when nothing goes wrong.
const quickMicros = 100_000

// login registers a session with the credentials of wire.AppendPasswordCredentials or wire.AppendTokenCredentials.
func (c *client) login(credentials []byte, done func(answer)) {
	floor := c.p.sessionMax
	body := wire.AppendRegister(nil, wire.Register{ProtocolVersion: wire.ProtocolVersion, SDKName: []byte("sim"), SDKVersion: []byte("1"), Credentials: credentials})
	c.ask(wire.OpRegister, 0, body, func(a answer) {
		if a.ok() {
			registered, err := wire.DecodeRegistered(a.payload)
			if err != nil {
				c.p.fail("%s: register: %v", c.name, err)
			}
			if registered.Session <= floor && !c.p.rotten() {
				c.p.fail("%s: got session %x, want one above %x, which was given out before", c.name, registered.Session, floor)
			}
			c.p.sessionMax = max(c.p.sessionMax, registered.Session)
			c.session, c.next = registered.Session, 1
			c.shard = c.p.server.home(c.id)
		}
		if a.status == wire.StatusCannotWriteToFile && (c.p.weather.slow || c.p.weather.disk) { // the control log was too late for it
			c.p.note("login refused: storage failed")
			c.peer.Close()
			c.over, a = true, answer{lost: true}
		}
		done(a)
	})
}

func passwordOf(name, password string) []byte {
	return wire.AppendPasswordCredentials(nil, wire.PasswordCredentials{Username: []byte(name), Password: []byte(password)})
}

// call asks and lets the World go on until the answer is there.
func (c *client) call(op wire.Operation, code wire.Code, body []byte) (got answer) {
	done := false
	c.ask(op, code, body, func(a answer) { got, done = a, true })
	c.p.runUntil("an answer to "+c.name, func() bool { return done })
	return got
}

// connect is a client that is logged in as root.
func (p *play) connect(name string) *client {
	c := p.dial(name)
	var got answer
	done := false
	c.login(passwordOf(user, password), func(a answer) { got, done = a, true })
	p.runUntil("the login of "+name, func() bool { return done })
	if !got.ok() {
		p.fail("login of root: got %v, want a session", got)
	}
	return c
}

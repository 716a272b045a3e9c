package simtest

import (
	"encoding/binary"
	"fmt"

	"galgo/uring/sim"
	"galgo/wire"
)

// client is a connection that speaks the protocol: one request at a time.
type client struct {
	world   *sim.World
	peer    *sim.Peer
	id      wire.U128
	session uint64
	next    uint64
	out     []byte // not sent yet
	in      []byte // arrived
	waiting bool   // for a reply
	over    bool   // the connection is of no use any more
	reply   func(status wire.Status, payload []byte)
}

func dial(w *sim.World) *client {
	c := &client{world: w, id: wire.U128{Lo: w.Rand().Uint64() | 1, Hi: w.Rand().Uint64()}}
	c.peer = w.Dial(address, c.changed)
	return c
}

// ask sends a request; reply is called when the answer is there, or never when the connection ends before.
func (c *client) ask(op wire.Operation, code wire.Code, body []byte, reply func(wire.Status, []byte)) {
	if c.waiting {
		panic("simtest: a client asks before it was answered")
	}
	h := wire.RequestHeader{Command: wire.FrameRequest, Operation: op, Code: code, Size: uint32(wire.FrameHeaderSize + len(body)),
		Client: c.id, Session: c.session, Request: c.next}
	switch op.Plane() {
	case wire.PlaneMetadata:
		h.RequestChecksum = wire.BodyChecksum(body)
		c.next++
	case wire.PlaneSession:
		h.RequestChecksum = wire.BodyChecksum(body)
	case wire.PlanePartition:
		c.next++
	}
	c.out = append(wire.AppendRequestHeader(c.out, h), body...)
	c.waiting, c.reply = true, reply
	c.changed()
}

// changed moves bytes on.
func (c *client) changed() {
	if c.over {
		return
	}
	c.out = c.out[c.peer.Write(c.out):]
	if n := c.peer.Readable(); n > 0 {
		b := make([]byte, n)
		c.in = append(c.in, b[:c.peer.Read(b)]...)
	}
	if len(c.in) >= wire.FrameHeaderSize {
		if size := binary.LittleEndian.Uint32(c.in[48:]); len(c.in) >= int(size) {
			frame := c.in[:size]
			c.in = c.in[size:]
			c.take(frame)
			return
		}
	}
	if c.peer.Err() != 0 || c.peer.Ended() {
		c.over = true
	}
}

func (c *client) take(frame []byte) {
	c.world.Note(frame)
	if kind, _ := wire.FrameKind(frame); kind == wire.FrameEviction {
		c.over = true
		return
	}
	h, err := wire.DecodeReplyHeader(frame)
	if err != nil {
		panic(fmt.Sprintf("simtest: reply header: %v", err))
	}
	payload, status := frame[wire.FrameHeaderSize:], h.Status
	if status == wire.StatusOK && h.Operation.Framed() && (h.Operation != wire.OpRegister || len(payload) > 0) {
		if payload, status, err = wire.DecodeResult(payload); err != nil {
			panic(fmt.Sprintf("simtest: result of %s: %v", h.Operation, err))
		}
	}
	c.waiting = false
	c.reply(status, payload)
}

// call asks and lets the World go on until the answer is there; false when the connection ended or nothing happens any more.
func (c *client) call(op wire.Operation, code wire.Code, body []byte) (status wire.Status, payload []byte, ok bool) {
	c.ask(op, code, body, func(s wire.Status, b []byte) { status, payload, ok = s, append([]byte(nil), b...), true })
	for steps := 0; !ok && !c.over && steps < stepsMax && c.world.Step(); steps++ {
	}
	return status, payload, ok
}

// stepsMax is how many steps of the World an answer may take.
const stepsMax = 2_000_000

func (c *client) login() error {
	body := wire.AppendRegister(nil, wire.Register{ProtocolVersion: wire.ProtocolVersion, SDKName: []byte("sim"), SDKVersion: []byte("1"),
		Credentials: wire.AppendPasswordCredentials(nil, wire.PasswordCredentials{Username: []byte(user), Password: []byte(password)})})
	status, payload, ok := c.call(wire.OpRegister, 0, body)
	if !ok || status != wire.StatusOK {
		return fmt.Errorf("login: answered %v, status %v", ok, status)
	}
	registered, err := wire.DecodeRegistered(payload)
	c.session, c.next = registered.Session, 1
	return err
}

package systems

import (
	"bytes"
	"encoding/binary"
	"net/netip"

	"galgo/components"
	"galgo/ecs"
	"galgo/wire"
)

// tickConn is a connection of root, numbered from 1 in the order of first use.
type tickConn struct {
	entity  ecs.Entity
	client  wire.U128
	request uint64 // number of the last request that has one
	idle    bool
	gone    bool
	header  wire.RequestHeader // of the request under way
	frame   components.Span
}

// conn is the connection of a number, or with 0 the first one that waits for nothing.
func (w *tickWorld) conn(number int) *tickConn {
	w.t.Helper()
	for i, c := range w.conns {
		if c.idle && !c.gone && (number == 0 || number == i+1) {
			return c
		}
	}
	if number > 0 && number != len(w.conns)+1 {
		w.t.Fatalf("connection %d: got it busy or out of turn, want it idle, or the next new one", number)
	}
	s := w.state
	n := uint32(len(w.conns) + 1)
	c := &tickConn{client: wire.U128{Lo: uint64(n)}, idle: true}
	var row int
	c.entity, row = s.Conns.Insert(n, netip.MustParseAddrPort("10.0.0.9:4000"), netip.MustParseAddrPort("10.0.0.1:8090"))
	root, _ := s.Catalog.FindUser(wire.IdentOf(components.RootID))
	s.Conns.Client[row], s.Conns.Session[row], s.Conns.User[row] = c.client, uint64(n), s.Catalog.Users.Entity(root)
	s.Control.Clients.Add(&components.Client{ID: c.client, Session: uint64(n), User: s.Conns.User[row], Conn: c.entity})
	w.conns = append(w.conns, c)
	return c
}

// request delivers a whole frame, as the storage systems do in Ingest.
func (w *tickWorld) request(c *tickConn, op wire.Operation, code wire.Code, body []byte) {
	h := wire.RequestHeader{Client: c.client, Session: c.client.Lo, Operation: op, Code: code, Command: wire.FrameRequest,
		Size: uint32(wire.FrameHeaderSize + len(body)), RequestChecksum: wire.BodyChecksum(body)}
	if op != wire.OpNonReplicated {
		c.request++
		h.Request = c.request
	}
	span, ok := w.buffers.Alloc(h.Size)
	if !ok {
		w.t.Fatalf("buffers: got no memory for a frame of %d bytes, want some", h.Size)
	}
	copy(w.state.Memory.Bytes(span), append(wire.AppendRequestHeader(nil, h), body...))
	c.idle, c.header, c.frame = false, h, span
	w.state.In.Frames.Push(components.FrameIn{Conn: c.entity, Frame: span})
}

// takeReplies is what the storage systems do with answers: they are sent at once.
func (w *tickWorld) takeReplies() {
	out := w.state.Out
	for out.Send.Len() > 0 {
		send := out.Send.Pop()
		number, c := w.connOf(send.Conn)
		w.print.Line(0, "reply conn=%d %s", number, w.reply(c, w.sent(send.Block)))
		w.state.In.Sent.Push(components.Sent(send))
		w.release(c)
	}
	for out.Read.Len() > 0 {
		_, c := w.connOf(out.Read.Pop())
		w.release(c)
	}
	for out.Close.Len() > 0 {
		conn := out.Close.Pop()
		number, c := w.connOf(conn)
		w.print.Line(0, "close conn=%d", number)
		c.gone = true
		w.state.In.Closed.Push(conn)
	}
}

func (w *tickWorld) release(c *tickConn) {
	w.buffers.Free(c.frame)
	c.idle, c.frame = true, components.Span{}
}

func (w *tickWorld) connOf(entity ecs.Entity) (int, *tickConn) {
	for i, c := range w.conns {
		if c.entity == entity {
			return i + 1, c
		}
	}
	w.t.Fatalf("connection %v: got an order for it, want one of the script's", entity)
	return 0, nil
}

// sent is the bytes of an answer, as the kernel gathers them.
func (w *tickWorld) sent(block components.BlockRef) []byte {
	memory := w.state.Memory
	if block.Vectors == 0 {
		return memory.Bytes(block.Whole())
	}
	var frame []byte
	for i := range block.Vectors {
		vector := memory.Bytes(block.Vector(i))
		address, size := binary.LittleEndian.Uint64(vector), binary.LittleEndian.Uint64(vector[8:])
		span := components.Span{Slab: 0, Off: address - stateBase, Len: uint32(size)}
		if address >= storageBase {
			span = components.Span{Slab: 1, Off: address - storageBase, Len: uint32(size)}
		}
		frame = append(frame, memory.Bytes(span)...)
	}
	return frame
}

// reply is an answer in words. A client would take it: sizes, result sections and checksums hold.
func (w *tickWorld) reply(c *tickConn, frame []byte) string {
	w.t.Helper()
	if kind, _ := wire.FrameKind(frame); kind == wire.FrameEviction {
		return "evicted"
	}
	op := c.header.Operation
	if !op.Valid() && !op.Framed() { // the answer echoes what no client knows
		return "refused"
	}
	header, err := wire.DecodeReplyHeader(frame)
	if err != nil || int(header.Size) != len(frame) || header.Request != c.header.Request {
		w.t.Fatalf("reply: got %v, %+v of %d bytes, want the answer to request %d", err, header, len(frame), c.header.Request)
	}
	body, status := frame[wire.FrameHeaderSize:], header.Status
	if status == wire.StatusOK && op.Framed() {
		if body, status, err = wire.DecodeResult(body); err != nil {
			w.t.Fatalf("result section: got %v, want one", err)
		}
	}
	switch {
	case status != wire.StatusOK:
		return w.line("status=%d %v", uint32(status), status)
	case op == wire.OpSendMessages:
		sent, err := wire.DecodeSendReply(body)
		if err != nil {
			w.t.Fatalf("confirmation: got %v, want one", err)
		}
		return w.line("ok offset=%d", sent.BaseOffset)
	case c.header.CommandCode() == wire.CodePollMessages:
		return w.polled(body)
	case c.header.CommandCode() == wire.CodeGetConsumerOffset && len(body) == 0:
		return "none stored"
	case c.header.CommandCode() == wire.CodeGetConsumerOffset:
		stored, err := wire.DecodeStoredOffset(body)
		if err != nil {
			w.t.Fatalf("stored offset: got %v, want one", err)
		}
		return w.line("stored=%d current=%d", stored.StoredOffset, stored.CurrentOffset)
	}
	return "ok"
}

// polled lists the offsets that a poll brought, by batch.
func (w *tickWorld) polled(body []byte) string {
	w.t.Helper()
	prefix, rest, err := wire.DecodePollPrefix(body)
	if err != nil {
		w.t.Fatalf("poll prefix: got %v, want one", err)
	}
	text := w.line("polled current=%d count=%d", prefix.CurrentOffset, prefix.Count)
	for len(rest) > 0 {
		var batch []byte
		if batch, rest, err = wire.NextBatch(rest); err != nil {
			w.t.Fatalf("batch: got %v, want one", err)
		}
		h, _ := wire.DecodeBatchHeader(batch)
		var check wire.BatchVerifier
		check.Reset(bytes.Clone(batch), h.MessageCount)
		if done, status := check.Step(len(batch) + 1); !done || status != wire.StatusOK {
			w.t.Fatalf("batch of offset %d: got %v, want it whole", h.BaseOffset, status)
		}
		first, err := wire.DecodeMessageHeader(batch[wire.BatchHeaderSize:])
		if err != nil {
			w.t.Fatalf("message: got %v, want one", err)
		}
		offset := h.BaseOffset + uint64(first.OffsetDelta)
		text += w.line(" [%d,%d)", offset, offset+uint64(h.MessageCount))
	}
	return text
}

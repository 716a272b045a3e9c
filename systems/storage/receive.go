package storage

import (
	"encoding/binary"
	"syscall"

	"galgo/components"
	"galgo/ecs"
	"galgo/uring"
	"galgo/wire"
)

const (
	// RecvGroup is the group of the shard's receive buffers.
	RecvGroup = 0
	// RecvBuffers and RecvBufferSize shape it: what a small request fits in; of a large one it holds the header and the first bytes.
	RecvBuffers    = 512
	RecvBufferSize = 8 << 10
	// recvPiece is what one receive of a large frame asks for: each is a sign of progress.
	recvPiece = 1 << 20
	// stallMicros is how long a half frame may make no progress while other frames wait for memory.
	stallMicros = 10_000_000
)

// AdoptConns gives the connections of this tick their rows, and begins to read them.
func AdoptConns(v components.StateView, st *components.Storage, io *IO) {
	for st.In.Adopt.Len() > 0 {
		adopt := st.In.Adopt.Pop()
		row, ok := v.ConnRow(adopt.Conn)
		if !ok {
			panic("storage: a connection went before it was adopted")
		}
		st.Conns.Grow(row + 1)
		st.Conns.Reset(row, adopt.Conn, adopt.FD, v.Now().MonoMicros)
		receive(v, st, io, row)
	}
}

// ReadConns reads on where a request is done with, and where buffers or memory were short.
// Reads In.Read, Hungry, Starving. Writes Conns, Inflight. Drives the ring.
func ReadConns(v components.StateView, st *components.Storage, io *IO) {
	for st.In.Read.Len() > 0 && st.Inflight.Free() > 4 {
		if row, ok := connRow(v, st, st.In.Read.Pop()); ok {
			releaseFrame(v, st, io, row)
			receive(v, st, io, row)
		}
	}
	for st.Hungry.Len() > 0 {
		row, ok := connRow(v, st, *st.Hungry.Front())
		if ok && st.Conns.State[row] == components.Reserving && !st.Conns.Closing[row] && !reserve(v, st, io, row) {
			break // first come, first served
		}
		st.Hungry.Pop()
		if ok && st.Conns.State[row] == components.Collecting {
			collect(v, st, io, row)
		}
	}
	for row := range st.Starving.All {
		if io.buffersOut == RecvBuffers || st.Inflight.Free() == 0 {
			break
		}
		st.Starving.Clear(row)
		if st.Conns.State[row] == components.Starved {
			receive(v, st, io, row)
		}
	}
}

// connRow is the row of a connection that storage systems still have.
func connRow(v components.StateView, st *components.Storage, conn ecs.Entity) (int, bool) {
	row, ok := v.ConnRow(conn)
	return row, ok && row < len(st.Conns.Conn) && st.Conns.Conn[row] == conn
}

// receive looks at what a connection has sent so far and asks for more: a complete frame goes to the state systems.
func receive(v components.StateView, st *components.Storage, io *IO, row int) {
	c := &st.Conns
	if c.Closing[row] || c.Broken[row] {
		finishClose(v, st, io, row)
		return
	}
	have := c.Header[row]
	if have.Len == 0 {
		start(st, io, row)
		return
	}
	if c.Sending[row].Block.Bytes > 0 {
		c.State[row] = components.Stopped // sent brings us back: answers go out in the order of the requests
		return
	}
	if have.Len < wire.FrameHeaderSize {
		c.State[row] = components.Reserving
		c.Have[row], c.Frame[row] = 0, components.Span{Len: wire.FrameHeaderSize}
		hungry(v, st, io, row)
		return
	}
	size, ok := frameSize(v, st, row, st.Memory.Bytes(have))
	switch {
	case !ok:
		breakConn(st, row)
	case have.Len >= size:
		handOver(v, st, row, have.Slice(0, size))
		c.Header[row] = have.Slice(size, have.Len-size)
	default:
		c.State[row] = components.Reserving
		c.Have[row], c.Frame[row] = 0, components.Span{Len: size}
		hungry(v, st, io, row)
	}
}

// frameSize reads how long the frame is that begins with header, and refuses what is no request or longer than allowed.
func frameSize(v components.StateView, st *components.Storage, row int, header []byte) (uint32, bool) {
	stateRow, _ := v.ConnRow(st.Conns.Conn[row])
	size := binary.LittleEndian.Uint32(header[48:])
	return size, size >= wire.FrameHeaderSize && size <= v.FrameMax(stateRow) && header[60] == wire.FrameRequest
}

// start asks for the first bytes of a frame.
func start(st *components.Storage, io *IO, row int) {
	c := &st.Conns
	if io.buffersOut == RecvBuffers || st.Inflight.Free() < 2 {
		c.State[row] = components.Starved
		st.Starving.Set(row)
		return
	}
	slot, token := take(st, OpRecvStart, uint64(c.Conn[row]))
	st.Inflight.Aux[slot] = uint64(row)
	c.Inflight[row]++
	c.State[row] = components.Waiting
	io.Ring.Push(uring.RecvSelect(c.FD[row], RecvGroup, 0, 0, token).PollFirst())
}

// hungry gets memory for a frame at once, or puts the connection in line for it.
func hungry(v components.StateView, st *components.Storage, io *IO, row int) {
	if st.Hungry.Len() > 0 || !reserve(v, st, io, row) {
		if st.Hungry.Free() == 0 { // those that are gone stand in line still
			for range st.Hungry.Len() {
				conn := st.Hungry.Pop()
				if _, ok := connRow(v, st, conn); ok {
					st.Hungry.Push(conn)
				}
			}
		}
		st.Hungry.Push(st.Conns.Conn[row])
		return
	}
	collect(v, st, io, row)
}

// reserve takes the memory of a frame, and promises as much again for the journal; what is here moves into it. It lies where its batch can stay
// if it is like the connection's last one.
func reserve(v components.StateView, st *components.Storage, io *IO, row int) bool {
	c := &st.Conns
	size := c.Frame[row].Len
	lead := v.Lead(row, size)
	need := Promised(components.Span{Off: uint64(lead), Len: size})
	if !st.Budget.Promise(need) {
		return false
	}
	span, ok := st.Alloc(lead + size)
	if !ok {
		st.Budget.Redeem(need)
		return false
	}
	span = span.Slice(lead, size)
	c.Frame[row], c.FrameOwn[row] = span, true
	c.Have[row] = uint32(copy(st.Memory.Bytes(span), st.Memory.Bytes(c.Header[row])))
	c.State[row] = components.Collecting
	releaseBuffer(st, io, row)
	return true
}

// Promised is what the budget sets aside for a frame that has memory of its own: what that occupies, and as much again for the journal.
func Promised(frame components.Span) uint64 { return 2 * uint64(frame.Whole().Len) }

// collect asks for the rest of a frame, straight into its memory.
func collect(v components.StateView, st *components.Storage, io *IO, row int) {
	c := &st.Conns
	frame, have := c.Frame[row], c.Have[row]
	if have == frame.Len {
		collected(v, st, io, row)
		return
	}
	if st.Inflight.Free() < 2 {
		breakConn(st, row) // the table holds more than connections and files can need
		return
	}
	if have == wire.FrameHeaderSize && !c.Quick[row] && io.Ring.Host().Supports(uring.OpSetSockOpt) {
		// Header and body were sent apart, by a client that may wait for our ACK (Nagle): do not delay it.
		c.Quick[row] = true
		slot, token := take(st, OpQuickAck, uint64(c.Conn[row]))
		st.Inflight.Aux[slot] = uint64(row)
		c.Inflight[row]++
		io.Ring.Push(uring.SetSockOpt(c.FD[row], syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, addr(st, st.One), 4, token))
	}
	slot, token := take(st, OpRecvRest, uint64(c.Conn[row]))
	st.Inflight.Aux[slot] = uint64(row)
	c.Inflight[row]++
	rest := frame.Slice(have, min(frame.Len-have, recvPiece))
	io.Ring.Push(uring.Recv(c.FD[row], addr(st, rest), rest.Len, uring.MSG_WAITALL, token))
}

// collected has the whole frame, or at least its header when that came in pieces.
func collected(v components.StateView, st *components.Storage, io *IO, row int) {
	c := &st.Conns
	frame := c.Frame[row]
	if frame.Len == wire.FrameHeaderSize { // the header is whole now: how much follows?
		size, ok := frameSize(v, st, row, st.Memory.Bytes(frame))
		if !ok {
			breakConn(st, row)
			return
		}
		if size > frame.Len {
			header := frame
			st.Budget.Redeem(Promised(header))
			c.Header[row], c.HeaderOwn[row] = header, true
			c.Frame[row], c.FrameOwn[row] = components.Span{Len: size}, false
			c.State[row] = components.Reserving
			hungry(v, st, io, row)
			return
		}
	}
	handOver(v, st, row, frame)
}

func handOver(v components.StateView, st *components.Storage, row int, frame components.Span) {
	c := &st.Conns
	c.State[row] = components.HandedOver
	c.Greeted[row], c.Quick[row] = true, false
	c.Progress[row] = v.Now().MonoMicros
	st.Out.Frames.Push(components.FrameIn{Conn: c.Conn[row], Frame: frame, Own: c.FrameOwn[row]})
}

// releaseFrame frees a frame that the state systems are done with, unless the journal keeps it, or one that will never be complete.
func releaseFrame(v components.StateView, st *components.Storage, io *IO, row int) {
	c := &st.Conns
	if c.FrameOwn[row] {
		if c.State[row] != components.HandedOver || !v.Kept(row) {
			st.Arena.Free(c.Frame[row])
		}
		st.Budget.Redeem(Promised(c.Frame[row]))
	}
	c.Frame[row], c.Have[row], c.FrameOwn[row] = components.Span{}, 0, false
	c.State[row] = components.Stopped
	if c.Header[row].Len == 0 {
		releaseBuffer(st, io, row)
	}
}

// releaseBuffer gives the receive buffer back that holds the unconsumed bytes.
func releaseBuffer(st *components.Storage, io *IO, row int) {
	c := &st.Conns
	if c.HeaderOwn[row] {
		st.Arena.Free(c.Header[row])
		c.HeaderOwn[row] = false
	}
	if c.Buffer[row] != 0 {
		io.recycle(c.Buffer[row] - 1)
		c.Buffer[row] = 0
	}
	c.Header[row] = components.Span{}
}

// received takes the completion of a receive.
func received(v components.StateView, st *components.Storage, io *IO, row int, kind components.OpKind, res int32, flags uint32) {
	c := &st.Conns
	if id, ok := uring.BufferID(flags); ok {
		at := io.Buffers.Buffer(id)
		io.buffersOut++
		if res <= 0 || c.Closing[row] {
			io.recycle(id)
		} else {
			c.Buffer[row] = id + 1
			c.Header[row] = components.Span{Slab: io.BufferMem.Slab, Len: uint32(res), Off: io.BufferMem.Off + uint64(at-io.Buffers.Buffer(0))}
		}
	}
	if c.Closing[row] {
		finishClose(v, st, io, row)
		return
	}
	switch errno := errnoOf(res); {
	case errno == syscall.ENOBUFS:
		c.State[row] = components.Starved
		st.Starving.Set(row)
		return
	case errno == syscall.EINTR || errno == syscall.EAGAIN:
		res = 0
	case errno != 0 || res == 0:
		breakConn(st, row)
		return
	}
	c.Progress[row] = v.Now().MonoMicros
	if kind == OpRecvStart {
		receive(v, st, io, row)
		return
	}
	c.Have[row] += uint32(res)
	collect(v, st, io, row)
}

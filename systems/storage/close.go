package storage

import (
	"galgo/components"
	"galgo/ecs"
	"galgo/uring"
)

// An answer, or the next paceBytes of one, has paceMicros to be taken, or its connection is closed: its memory is not for others meanwhile. By the pace
// and not by any progress, or a client that takes a byte now and then would have it for hours.
const (
	paceBytes  = 1 << 20
	paceMicros = 30_000_000
)

// connDone takes the completion of an operation on a socket.
func connDone(v components.StateView, st *components.Storage, io *IO, slot uint32, c *uring.Completion) {
	kind, row := st.Inflight.Kind[slot], int(st.Inflight.Aux[slot])
	conn := ecs.Entity(st.Inflight.Subject[slot])
	st.Inflight.Put(slot)
	if st.Conns.Conn[row] != conn {
		panic("storage: a connection's row was freed with an operation in flight")
	}
	st.Conns.Inflight[row]--
	switch kind {
	case OpRecvStart, OpRecvRest:
		received(v, st, io, row, kind, c.Res, c.Flags)
	case OpSend:
		sent(v, st, io, row, c.Res)
	case OpCloseConn:
		st.Conns.Conn[row] = ecs.None
		st.Out.Closed.Push(conn)
	default:
		finishClose(v, st, io, row)
	}
}

// breakConn tells the state systems that a socket is of no use any more: the peer is gone, or broke a rule.
func breakConn(st *components.Storage, row int) {
	if !st.Conns.Broken[row] {
		st.Conns.Broken[row] = true
		st.Out.Broken.Push(st.Conns.Conn[row])
	}
}

// CloseConns shuts sockets down. Memory and descriptor go after the last completion.
// Reads In.Close. Writes Conns, Inflight. Drives the ring.
func CloseConns(v components.StateView, st *components.Storage, io *IO) {
	for st.In.Close.Len() > 0 && st.Inflight.Free() > 1 {
		row, ok := connRow(v, st, st.In.Close.Pop())
		if !ok || st.Conns.Closing[row] {
			continue
		}
		c := &st.Conns
		c.Closing[row], c.Broken[row] = true, true
		slot, token := take(st, OpShutdown, uint64(c.Conn[row]))
		st.Inflight.Aux[slot] = uint64(row)
		c.Inflight[row]++
		io.Ring.Push(uring.Shutdown(c.FD[row], uring.SHUT_RDWR, token))
	}
}

// finishClose closes the descriptor of a connection that is shut down, once the kernel and the state systems have let go of
// its memory.
func finishClose(v components.StateView, st *components.Storage, io *IO, row int) {
	c := &st.Conns
	if !c.Closing[row] || c.Inflight[row] > 0 || c.State[row] == components.HandedOver || c.Sending[row].Block.Bytes > 0 ||
		c.FD[row] == components.NoFD {
		return
	}
	releaseFrame(v, st, io, row)
	releaseBuffer(st, io, row)
	st.Starving.Clear(row)
	slot, token := take(st, OpCloseConn, uint64(c.Conn[row]))
	st.Inflight.Aux[slot] = uint64(row)
	c.Inflight[row]++
	io.Ring.Push(uring.Close(c.FD[row], token))
	c.FD[row] = components.NoFD
}

// watchMicros is how often slow and silent connections are looked for.
const watchMicros = 500_000

// WatchConns breaks connections that are silent too long where silence costs: no complete frame within the handshake grace, a half frame
// without progress while others wait for memory, an answer that is not read at the least pace. It returns when to look again.
func WatchConns(v components.StateView, st *components.Storage, grace uint64) (next uint64) {
	now := v.Now().MonoMicros
	if now < st.WatchAt {
		return st.WatchAt
	}
	c := &st.Conns
	watched := false
	for row := range c.Conn {
		if c.Conn[row] == ecs.None || c.Broken[row] {
			continue
		}
		idle := now - min(now, c.Progress[row])
		switch {
		case c.Sending[row].Block.Bytes > 0:
			watched = true
			if now-min(now, c.PaceAt[row]) >= paceMicros {
				breakConn(st, row)
			}
		case !c.Greeted[row]:
			watched = true
			if now-min(now, c.Since[row]) >= grace {
				breakConn(st, row)
			}
		case c.State[row] == components.Collecting:
			watched = true
			if idle >= stallMicros && st.Hungry.Len() > 0 {
				breakConn(st, row)
			}
		}
	}
	st.WatchAt = now + watchMicros
	if !watched {
		return 0
	}
	return st.WatchAt
}

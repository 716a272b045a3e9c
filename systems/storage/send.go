package storage

import (
	"encoding/binary"
	"fmt"

	"galgo/components"
	"galgo/uring"
)

// SendReplies starts sending each answer, and lets the connection be read again in the same submission: its request is done with.
// Reads In.Send. Writes Conns, Inflight. Drives the ring. An answer for a connection that is gone is dropped.
func SendReplies(v components.StateView, st *components.Storage, io *IO) {
	for st.In.Send.Len() > 0 && st.Inflight.Free() > 4 {
		send := st.In.Send.Pop()
		row, ok := connRow(v, st, send.Conn)
		if !ok {
			panic("storage: an answer for a connection that has no row")
		}
		c := &st.Conns
		asked := c.State[row] == components.HandedOver // if not, the connection is told that it is over, and its socket is being read
		if asked {
			releaseFrame(v, st, io, row)
		}
		if c.Closing[row] || c.Broken[row] {
			st.Out.Sent.Push(components.Sent(send))
			if asked {
				receive(v, st, io, row)
			}
			continue
		}
		c.Sending[row], c.SentOf[row], c.PaceOf[row], c.PaceAt[row] = send, 0, 0, v.Now().MonoMicros
		sendOn(st, io, row)
		if asked && c.Header[row].Len == 0 {
			start(st, io, row)
		}
	}
}

// sendOn sends what is left of an answer.
func sendOn(st *components.Storage, io *IO, row int) {
	c := &st.Conns
	block := c.Sending[row].Block
	slot, token := take(st, OpSend, uint64(c.Conn[row]))
	st.Inflight.Aux[slot] = uint64(row)
	c.Inflight[row]++
	if block.Vectors == 0 {
		whole, sent := block.Whole(), uint32(c.SentOf[row])
		rest := whole.Slice(sent, whole.Len-sent)
		io.Ring.Push(uring.Send(c.FD[row], addr(st, rest), rest.Len, uring.MSG_NOSIGNAL, token))
		return
	}
	io.Ring.Push(uring.Sendmsg(c.FD[row], addr(st, putMsghdr(st, block)), uring.MSG_NOSIGNAL, token))
}

// The offsets of the fields of struct msghdr that we use. Source: recvmsg(2), 64-bit layout.
const (
	msghdrIov    = 16
	msghdrIovlen = 24
	msghdrSize   = 56
)

// putMsghdr writes the header that names the block's vectors: those that are left, since sent ones are empty.
func putMsghdr(st *components.Storage, block components.BlockRef) components.Span {
	header := block.Span.Slice(0, msghdrSize)
	b := st.Memory.Bytes(header)
	clear(b)
	binary.LittleEndian.PutUint64(b[msghdrIov:], st.Memory.Addr(block.Vector(0)))
	binary.LittleEndian.PutUint64(b[msghdrIovlen:], uint64(block.Vectors))
	return header
}

// skipVectors takes n sent bytes off the front of a block's vectors.
func skipVectors(st *components.Storage, block components.BlockRef, n uint64) {
	for i := uint32(0); n > 0; i++ {
		vector := st.Memory.Bytes(block.Vector(i))
		base, length := binary.LittleEndian.Uint64(vector), binary.LittleEndian.Uint64(vector[8:])
		take := min(n, length)
		binary.LittleEndian.PutUint64(vector, base+take)
		binary.LittleEndian.PutUint64(vector[8:], length-take)
		n -= take
	}
}

// sent takes the completion of a send: the rest goes on its way, or the request is over.
func sent(v components.StateView, st *components.Storage, io *IO, row int, res int32) {
	c := &st.Conns
	send := c.Sending[row]
	if res > 0 && !c.Closing[row] {
		c.SentOf[row] += uint64(res)
		if c.SentOf[row] >= c.PaceOf[row]+paceBytes {
			c.PaceOf[row], c.PaceAt[row] = c.SentOf[row], v.Now().MonoMicros
		}
		if c.SentOf[row] > send.Block.Bytes {
			panic(fmt.Sprintf("storage: %d bytes sent of %d", c.SentOf[row], send.Block.Bytes))
		}
		if c.SentOf[row] < send.Block.Bytes {
			if send.Block.Vectors > 0 {
				skipVectors(st, send.Block, uint64(res))
			}
			sendOn(st, io, row)
			return
		}
	}
	c.Sending[row] = components.Send{}
	st.Out.Sent.Push(components.Sent(send))
	if res <= 0 {
		breakConn(st, row)
	}
	if c.State[row] == components.Stopped || c.Closing[row] {
		receive(v, st, io, row) // bytes of the next frame may be here already
	}
}

package state

import (
	"galgo/components"
	"galgo/wire"
)

// AnswerReplies turns each reply that came back into what its connection is sent. A connection that is gone gets nothing.
// Reads Replies. Writes Conns, Blocks, Out.Send.
func AnswerReplies(s *components.State) {
	for range s.Replies.Len() {
		r := s.Replies.Pop()
		if r.Kind == components.ReplyRelease {
			s.FreeBlock(r.Block.Row)
			continue
		}
		if r.Conn == components.ControlConn {
			proposed := r // r itself must not be on the heap
			s.Control.Proposed = &proposed
			s.WakeAt(max(s.Now.MonoMicros, 1))
			continue
		}
		row, ok := s.Conns.Row(r.Conn)
		if !ok {
			continue // a lost session of a connection that is gone
		}
		answerReply(s, row, &r)
	}
}

func answerReply(s *components.State, row int, r *components.Reply) {
	c := &s.Conns
	if r.Kept {
		c.Kept[row] = true
	}
	switch r.Kind {
	case components.ReplySent:
		c.Lead[row] = r.Lead
	case components.ReplyOpened:
		bind(s, row, r.Client, r.Session, r.User)
	case components.ReplyClosed:
		unbind(s, row)
		if c.Hangup[row] == components.HangupAsked {
			c.Hangup[row] = components.HangupDone
			settle(s, row)
			return
		}
	case components.ReplyEvict:
		if r.Session != 0 { // the session is lost to somebody else; nothing was asked
			if c.Session[row] == r.Session {
				unbind(s, row)
				if r.Reason == wire.EvictStaleClient {
					tellStale(s, row, r.Client)
				}
			}
			return
		}
	}
	if c.Step[row] != components.Away {
		panic("state: an answer for a connection that asked nothing")
	}
	if c.Gone[row] {
		switch r.Kind {
		case components.ReplyBlock:
			releaseBlock(s, r.Block)
		case components.ReplyBody:
			s.Bodies[row] = nil
		}
		finishRequest(s, row)
		return
	}
	if r.Kind == components.ReplyBlock {
		putHeader(s, row, s.Memory.Bytes(r.Block.FrameHeader()), wire.StatusOK, uint32(r.Block.Bytes))
		send(s, row, r.Block)
		return
	}
	if !answerSmall(s, row, r) {
		if r.Kind == components.ReplyBody && s.Waited(c.Since[row]) >= waitMicros { // a large one may never find room
			s.Bodies[row] = nil
			*r = components.Reply{Kind: components.ReplyStatus, Conn: r.Conn, Status: wire.StatusCannotSerializeResource}
			answerReply(s, row, r)
			return
		}
		s.Replies.Push(*r) // no memory now: again in the next tick
		s.WakeAt(s.Now.MonoMicros + 1000)
	}
}

// answerSmall answers with a block of this shard. It returns false when there is no memory for it.
func answerSmall(s *components.State, row int, r *components.Reply) bool {
	header := s.Conns.Header[row]
	if r.Frame != nil {
		block, ok := s.NewBlock(0, 0, uint32(len(r.Frame)))
		if !ok {
			return false
		}
		ref := block.Finish()
		ref.Bytes = uint64(copy(s.Memory.Bytes(ref.Span)[ref.Frame:], r.Frame))
		send(s, row, ref)
		return true
	}
	size := uint32(64)
	if r.Kind == components.ReplyBody {
		size = uint32(len(s.Bodies[row]))
	}
	block, ok := s.NewBlock(0, 0, size)
	if !ok {
		return false
	}
	status := r.Status
	switch r.Kind {
	case components.ReplyEvict:
		ref := block.Finish()
		wire.PutEviction(s.Memory.Bytes(ref.FrameHeader()), wire.EvictionOf(evictedClient(header.Client, s.Conns.ClientID[row]), r.Reason))
		send(s, row, ref)
		return true
	case components.ReplySent:
		wire.PutSendReply(block.Room(wire.SendReplySize), wire.SendConfirmation{StreamID: r.StreamID, TopicID: r.TopicID,
			PartitionID: r.PartitionID, BaseOffset: r.Offset})
	case components.ReplyOffset:
		wire.AppendStoredOffset(block.Room(wire.StoredOffsetSize)[:0], wire.StoredOffset{PartitionID: r.PartitionID, CurrentOffset: r.Current, StoredOffset: r.Offset})
	case components.ReplyBody:
		copy(block.Room(size), s.Bodies[row])
		s.Bodies[row] = nil
	case components.ReplyStatus:
		if status == wire.StatusOK && header.Operation.Framed() && header.Operation.Partition() {
			clear(block.Room(4)) // a framed success without payload
		}
	}
	ref := block.Finish()
	putHeader(s, row, s.Memory.Bytes(ref.FrameHeader()), status, uint32(ref.Bytes))
	send(s, row, ref)
	return true
}

// evictedClient is the client id of an eviction, which may not be zero.
func evictedClient(client wire.U128, connection uint32) wire.U128 {
	if client.IsZero() {
		return wire.U128{Lo: uint64(connection)}
	}
	return client
}

// putHeader writes the header of the answer to the request at hand.
func putHeader(s *components.State, row int, dst []byte, status wire.Status, size uint32) {
	c := &s.Conns
	reply := wire.ReplyTo(c.Header[row])
	reply.Size, reply.Status = size, status
	if c.Session[row] != 0 {
		reply.Commit = s.Catalog.Committed
	}
	wire.PutReplyHeader(dst, reply)
}

func send(s *components.State, row int, block components.BlockRef) {
	c := &s.Conns
	if c.Plugin[row] != 0 {
		deliver(s, row, block)
		return
	}
	c.Step[row] = components.Answering
	c.Frame[row] = components.Span{}
	s.Out.Send.Push(components.Send{Conn: c.Entity(row), Block: block})
}

// answerBody gives the connection at hand a body of its own, or a status.
func answerBody(s *components.State, row int, body []byte, status wire.Status) {
	if status != wire.StatusOK {
		answer(s, row, status)
		return
	}
	answerOwn(s, row, append([]byte(nil), body...))
}

// answerOwn gives the connection at hand a body, which is the reply's from now on.
func answerOwn(s *components.State, row int, body []byte) {
	for len(s.Bodies) < s.Conns.Cap() {
		s.Bodies = append(s.Bodies, nil)
	}
	s.Bodies[row] = body
	s.Replies.Push(components.Reply{Kind: components.ReplyBody, Conn: s.Conns.Entity(row)})
}

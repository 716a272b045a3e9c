package state

import (
	"galgo/components"
	"galgo/ecs"
	"galgo/wire"
)

// DealConns gives each connection that shard 0 accepted to the shard with the fewest, and a number for life.
// Reads In.Accepted, Control. Writes Control.Dealt, Dealt, Out.Deal. One that no shard has room for is closed.
func DealConns(s *components.State) {
	for s.In.Accepted.Len() > 0 {
		accept := s.In.Accepted.Pop()
		c := s.Control
		shard := 0
		for i := range c.Dealt {
			if c.Dealt[i]-c.Closed[i] < c.Dealt[shard]-c.Closed[shard] {
				shard = i
			}
		}
		if c.Dealt[shard]-c.Closed[shard] >= uint64(s.ShardConnectionsMax()) || s.Stopping {
			s.Out.Refuse.Push(accept.FD)
			continue
		}
		c.Dealt[shard]++
		c.NextID++
		dealt := components.Dealt{Accept: accept, ClientID: c.NextID}
		if shard == s.Shard {
			s.Dealt.Push(dealt)
		} else {
			s.Out.Deal[shard].Push(dealt)
		}
	}
}

// AdoptConns makes a row for each connection dealt to this shard.
func AdoptConns(s *components.State) {
	for s.Dealt.Len() > 0 {
		dealt := s.Dealt.Pop()
		if s.Stopping { // it was on its way
			s.Out.Refuse.Push(dealt.FD)
			s.Closed++
			s.Out.Reports.Closed, s.Out.Reports.News = s.Closed, true
			continue
		}
		conn, row := s.Conns.Insert(dealt.ClientID, dealt.Peer, dealt.Local)
		s.Conns.Heard[row] = s.Now.MonoMicros
		s.Out.Adopt.Push(components.Adopt{Conn: conn, FD: dealt.FD})
		s.Gauges.Connections.Add(1)
		announce(s, row)
	}
}

// TakeFrames opens the door: the bytes of each complete frame become the request at hand of its connection.
// A frame that is no request closes the connection. Reads In.Frames. Writes Conns, Verify, Routable.
func TakeFrames(s *components.State) {
	for s.In.Frames.Len() > 0 {
		in := s.In.Frames.Pop()
		row, ok := s.Conns.Row(in.Conn)
		if ok {
			s.Conns.Kept[row] = false // it was said of the frame before
		}
		if !ok || s.Conns.Gone[row] || s.Conns.Ending[row] && s.Conns.Step[row] == components.Answering {
			s.Out.Read.Push(in.Conn)
			continue
		}
		header, err := wire.DecodeRequestHeader(s.Memory.Bytes(in.Frame))
		if err != nil || wire.CheckRequestHeader(header, s.FrameMax) == wire.VerdictClose {
			s.Out.Read.Push(in.Conn)
			breakConn(s, row)
			continue
		}
		takeFrame(s, row, header, in.Frame, in.Own)
	}
}

// takeFrame makes a frame the request at hand.
func takeFrame(s *components.State, row int, header wire.RequestHeader, frame components.Span, own bool) {
	c := &s.Conns
	c.Header[row], c.Frame[row], c.Own[row] = header, frame, own
	c.Heard[row], c.Since[row] = s.Now.MonoMicros, s.Now.MonoMicros
	c.Batch[row], c.Count[row], c.Check[row] = components.Span{}, 0, wire.StatusOK
	if needsCheck(s, row) {
		c.Step[row] = components.Verifying
		s.Verify.Push(c.Entity(row))
	} else {
		c.Step[row] = components.Routing
		s.Routable.Push(c.Entity(row))
	}
}

// breakConn ends a connection from our side.
func breakConn(s *components.State, row int) {
	if !s.Conns.Gone[row] {
		s.Conns.Gone[row] = true
		s.Out.Close.Push(s.Conns.Entity(row))
	}
	settle(s, row)
}

// TakeBroken notes connections whose socket is of no use any more.
func TakeBroken(s *components.State) {
	for s.In.Broken.Len() > 0 {
		if row, ok := s.Conns.Row(s.In.Broken.Pop()); ok {
			breakConn(s, row)
		}
	}
}

// TakeSent ends the request whose answer is sent: its memory is free and the socket is read again.
func TakeSent(s *components.State) {
	for s.In.Sent.Len() > 0 {
		sent := s.In.Sent.Pop()
		releaseBlock(s, sent.Block)
		row, ok := s.Conns.Row(sent.Conn)
		if !ok {
			continue
		}
		s.Conns.Step[row] = components.Idle
		if s.Conns.Ending[row] {
			breakConn(s, row)
		}
		settle(s, row)
	}
}

// releaseBlock gives a reply block back to the shard that owns it.
func releaseBlock(s *components.State, block components.BlockRef) {
	if int(block.Shard) == s.Shard {
		s.FreeBlock(block.Row)
		return
	}
	s.Out.Replies[block.Shard].Push(components.Reply{Kind: components.ReplyRelease, Block: block})
}

// TakeClosed notes sockets that are closed for good.
func TakeClosed(s *components.State) {
	for s.In.Closed.Len() > 0 {
		if row, ok := s.Conns.Row(s.In.Closed.Pop()); ok {
			s.Conns.Shut[row] = true
			settle(s, row)
		}
	}
}

// settle moves a lost connection on: once its request has come back, shard 0 ends its session; once that and the
// socket are done, its row is free, and so its place under the connection limit.
func settle(s *components.State, row int) {
	c := &s.Conns
	if !c.Gone[row] {
		return
	}
	switch c.Step[row] {
	case components.Verifying, components.Routing:
		return // their queues meet it soon, and drop it
	case components.Away, components.Answering:
		return
	}
	if c.Hangup[row] == components.HangupNone {
		if c.Session[row] == 0 {
			c.Hangup[row] = components.HangupDone
		} else {
			c.Hangup[row] = components.HangupAsked
			s.Ask(0, components.Request{Kind: components.RequestHangup, Home: uint8(s.Shard), Conn: c.Entity(row),
				Client: c.Client[row], Session: c.Session[row], User: c.User[row], Since: s.Now.MonoMicros})
		}
	}
	if c.Hangup[row] != components.HangupDone || !c.Shut[row] {
		return
	}
	conn := c.Entity(row)
	if c.Session[row] != 0 {
		unbind(s, row)
	}
	s.Presence.Leave(c.ClientID[row])
	c.Remove(conn)
	c.Entities.Put(conn)
	s.Closed++
	s.Out.Reports.Closed, s.Out.Reports.News = s.Closed, true
	s.Gauges.Connections.Add(-1)
}

// finishRequest lets go of the request at hand without an answer.
func finishRequest(s *components.State, row int) {
	c := &s.Conns
	if c.Frame[row].Len > 0 {
		c.Frame[row] = components.Span{}
		s.Out.Read.Push(c.Entity(row))
	}
	c.Step[row] = components.Idle
	settle(s, row)
}

func bind(s *components.State, row int, client wire.U128, session uint64, user ecs.Entity) {
	c := &s.Conns
	if c.Session[row] == 0 {
		s.Gauges.Sessions.Add(1)
	}
	c.Unbind(row) // a login on a connection that has a session ends that, and what is attached to it
	c.Client[row], c.Session[row], c.User[row] = client, session, user
	announce(s, row)
}

func unbind(s *components.State, row int) {
	if s.Conns.Session[row] != 0 {
		s.Gauges.Sessions.Add(-1)
	}
	s.Conns.Unbind(row)
	announce(s, row)
}

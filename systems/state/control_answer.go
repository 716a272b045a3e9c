package state

import (
	"fmt"

	"galgo/components"
	"galgo/ecs"
	"galgo/wire"
)

// AnswerControl answers what every shard has applied, so that what a client created exists on whatever connection it uses next.
// What has waited for 20 s is refused, which means "may have happened".
// Shard 0 only; runs before AnswerReplies. Reads Control. Writes Control.Pending, Clients, Replies.
func AnswerControl(s *components.State) {
	c := s.Control
	if c == nil {
		return
	}
	everywhere := c.AppliedByAll()
	for c.Applied > 0 && c.Pending.Front().Seq <= everywhere {
		d := c.Pending.Pop()
		c.Written, c.Published, c.Applied = c.Written-1, c.Published-1, c.Applied-1
		if c.Applied > c.Published || c.Published > c.Written {
			panic(fmt.Sprintf("state: control applied %d, published %d, written %d", c.Applied, c.Published, c.Written))
		}
		if d.Asker != nil {
			tell(s, d.Asker)
		}
	}
	refuseLate(s)
}

// buildAnswer makes the frame that answers a decision, at the moment shard 0 has applied it.
func buildAnswer(s *components.State, d *components.Decision) {
	a := d.Asker
	if a.Header.Operation == 0 {
		return // a hang-up, or the loss of a session: no frame is waited for
	}
	switch a.Build {
	case components.BuildStream:
		a.Body = appendStreamDetails(wire.AppendResultOK(nil), s, s.Catalog.Streams.MustRow(ecs.Entity(d.Event.Stream)))
	case components.BuildTopic:
		a.Body = appendNewTopic(wire.AppendResultOK(nil), s, s.Catalog.Topics.MustRow(ecs.Entity(d.Event.Topic)))
	case components.BuildGroup:
		a.Body = appendGroupDetails(wire.AppendResultOK(nil), s, s.Catalog.Groups.MustRow(ecs.Entity(d.Event.Group)))
	case components.BuildUser:
		a.Body = appendUserDetails(wire.AppendResultOK(nil), s.Catalog, s.Catalog.Users.MustRow(ecs.Entity(d.Event.User)))
	}
	if a.Secret && a.Status == wire.StatusOK {
		a.Kept = controlFrame(s, &a.Header, d.Seq, wire.AppendResultError(nil, wire.StatusPersonalAccessTokenAlreadyExists), wire.StatusOK)
	}
	a.Answer.Frame = controlFrame(s, &a.Header, d.Seq, a.Body, a.Status)
}

// controlFrame is a whole reply of shard 0. A status leaves no room for a body.
func controlFrame(s *components.State, header *wire.RequestHeader, op uint64, body []byte, status wire.Status) []byte {
	if status != wire.StatusOK {
		op, body = 0, nil
	}
	h := wire.ReplyTo(*header)
	h.Op, h.Commit, h.Timestamp, h.Status = op, s.Catalog.Committed, s.Now.WallMicros, status
	h.Size = uint32(wire.FrameHeaderSize + len(body))
	frame := make([]byte, wire.FrameHeaderSize, h.Size)
	wire.PutReplyHeader(frame, h)
	return append(frame, body...)
}

// tell gives an answer to whoever waits for it, and keeps it to be sent again.
func tell(s *components.State, a *components.Asker) {
	if a.Client != nil {
		frame := a.Answer.Frame
		if a.Kept != nil {
			frame = a.Kept
		}
		a.Client.Keep(a.Header.Request, frame)
	}
	if !a.Told {
		s.Answer(a.Home, a.Answer)
	}
}

// refuseLate answers those who have waited too long for the disk, or for a shard that does not keep up.
func refuseLate(s *components.State) {
	c := s.Control
	for i := range c.Pending.Len() {
		a := c.Pending.At(i).Asker
		if a == nil || a.Told {
			continue
		}
		if due := a.Since + waitMicros; due > s.Now.MonoMicros {
			s.WakeAt(due)
			return
		}
		switch a.Answer.Kind {
		case components.ReplyOpened:
			if !revoke(s, a) {
				s.WakeAt(s.Now.MonoMicros + lateMicros)
				return
			}
			fallthrough
		case components.ReplyFrame:
			s.Answer(a.Home, components.Reply{Kind: components.ReplyStatus, Conn: a.Answer.Conn, Status: wire.StatusCannotWriteToFile})
		default: // a session is over, whatever the disk does
			buildAnswer(s, c.Pending.At(i))
			s.Answer(a.Home, a.Answer)
		}
		a.Told = true
	}
}

// lateMicros is how soon is looked again for room to decide what a late request needs.
const lateMicros = 100_000

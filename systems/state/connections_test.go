package state

import (
	"net/netip"
	"testing"

	"galgo/components"
	"galgo/wire"
)

// A frame that comes when nobody takes it any more is not the one that the journal kept before: its memory can be freed.
func TestFrameThatNobodyTakesIsNotKept(t *testing.T) {
	for _, test := range []struct {
		name string
		end  func(c *components.Conns, row int)
	}{
		{"the socket is gone", func(c *components.Conns, row int) { c.Gone[row] = true }},
		{"the connection is told that it is over", func(c *components.Conns, row int) {
			c.Ending[row], c.Step[row] = true, components.Answering
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := newEngine(t, 1<<20)
			c := &e.s.Conns
			conn, row := c.Insert(1, netip.AddrPort{}, netip.AddrPort{})
			c.Step[row] = components.Away
			e.s.Answer(0, components.Reply{Kind: components.ReplySent, Conn: conn, Kept: true})
			AnswerReplies(e.s)
			if !e.s.View().Kept(row) {
				t.Fatal("the frame of a send that was kept: got it free, want it kept")
			}
			test.end(c, row)
			e.s.In.Frames.Push(components.FrameIn{Conn: conn, Frame: e.frames.Slice(0, wire.FrameHeaderSize), Own: true})
			TakeFrames(e.s)
			if e.s.Out.Read.Len() != 1 || e.s.View().Kept(row) {
				t.Errorf("the next frame: got %d given back, kept %v, want 1, not kept", e.s.Out.Read.Len(), e.s.View().Kept(row))
			}
		})
	}
}

// An answer allocates nothing on its way to the connection.
func TestAnswersAllocateNothing(t *testing.T) {
	e := newEngine(t, 1<<20)
	s := e.s
	conn, row := s.Conns.Insert(1, netip.AddrPort{}, netip.AddrPort{})
	answer := func() {
		s.Conns.Step[row] = components.Away
		s.Answer(0, components.Reply{Kind: components.ReplySent, Conn: conn})
		AnswerReplies(s)
		s.FreeBlock(s.Out.Send.Pop().Block.Row)
	}
	answer()
	if got := testing.AllocsPerRun(100, answer); got != 0 {
		t.Errorf("an answer: got %v allocations, want 0", got)
	}
}

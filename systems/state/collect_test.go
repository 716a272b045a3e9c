package state

import (
	"errors"
	"net/netip"
	"testing"

	"galgo/components"
	"galgo/wire"
)

// A collection that fails is a status, and leaves nothing behind.
func TestSnapshotFails(t *testing.T) {
	w := newWorld(t, 1)
	c := w.root(0, 1)
	s := c.s
	s.Collect = func(want wire.GetSnapshot, sizeMax int) ([]byte, error) {
		if sizeMax != wire.FrameSizeMax-wire.FrameHeaderSize || len(want.Types) != 1 || want.Types[0] != byte(wire.SnapshotTest) {
			t.Errorf("got %+v of at most %d bytes, want the test within a frame", want, sizeMax)
		}
		return nil, errors.New("no such luck")
	}
	c.hold(wire.RequestHeader{Size: wire.FrameHeaderSize + 3, Command: wire.FrameRequest, Client: c.client, Operation: wire.OpNonReplicated, Session: c.session,
		Code: wire.CodeGetSnapshot},
		wire.AppendGetSnapshot(nil, wire.GetSnapshot{Compression: wire.SnapshotStored, Types: []byte{byte(wire.SnapshotTest)}}))
	route(s, c.row())
	clear(s.Memory.Bytes(s.Conns.Frame[c.row()])) // what the worker needs it has
	job := s.Out.Jobs.Pop()
	s.In.Jobs.Push(components.JobDone{Kind: job.Kind, Conn: job.Conn, Res: job.Run()})
	FinishSnapshots(s)
	if r := s.Replies.Pop(); r.Status != wire.StatusSnapshotFileCompletionFailed || s.Conns.Parcel[c.row()] != nil {
		t.Errorf("got %+v, want status %d and nothing left", r, wire.StatusSnapshotFileCompletionFailed)
	}
}

// A body for which there is no memory in 20 s is refused: the client hears something before it gives up.
func TestBodyWithoutMemory(t *testing.T) {
	e := newEngine(t, 1<<20)
	s := e.s
	_, row := s.Conns.Insert(1, netip.AddrPort{}, netip.AddrPort{})
	s.Conns.Step[row], s.Conns.Since[row] = components.Away, s.Now.MonoMicros
	s.Conns.Header[row] = wire.RequestHeader{Operation: wire.OpNonReplicated, Code: wire.CodeGetSnapshot}
	answerOwn(s, row, make([]byte, 8<<20))
	for _, wait := range []uint64{1000, 10_000_000} {
		s.Now.MonoMicros += wait
		AnswerReplies(s)
		if s.Out.Send.Len() != 0 || s.Deadline == 0 {
			t.Fatalf("after %d µs: got an answer, want it to wait", wait)
		}
	}
	s.Now.MonoMicros += 10_000_000
	AnswerReplies(s)
	if s.Out.Send.Len() != 1 || s.Bodies[row] != nil {
		t.Fatalf("after 20 s: got %d answers, want one", s.Out.Send.Len())
	}
	sent := s.Out.Send.Pop()
	if got, err := wire.DecodeReplyHeader(s.Memory.Bytes(sent.Block.FrameHeader())); err != nil || got.Status != wire.StatusCannotSerializeResource {
		t.Errorf("got status %d, %v, want %d", got.Status, err, wire.StatusCannotSerializeResource)
	}
}

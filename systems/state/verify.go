package state

import (
	"galgo/components"
	"galgo/wire"
)

// verifyBudget is how many bytes of frames a tick may hash: about a millisecond at 16 GB/s.
const verifyBudget = 16 << 20

// Verifier holds the checks of the frame at the front of Verify: a frame of 64 MiB may span ticks.
type Verifier struct {
	busy  bool
	body  wire.BodyVerifier
	batch wire.BatchVerifier
	stage int // 0 body, 1 batch
}

// needsCheck says whether a request has checksums to be verified, and finds the batch of a send.
func needsCheck(s *components.State, row int) bool {
	c := &s.Conns
	header := c.Header[row]
	if c.Session[row] != 0 && header.Operation == wire.OpSendMessages && wire.CheckRequestHeader(header, s.FrameMax) == wire.VerdictOK {
		frame := c.Frame[row]
		body := s.Memory.Bytes(frame)[wire.FrameHeaderSize:]
		if send, status := wire.DecodeSendMessages(body); status == wire.StatusOK {
			n := uint32(len(send.Batch))
			c.Batch[row], c.Count[row] = frame.Slice(frame.Len-n, n), send.MessagesCount
			return true
		}
	}
	return !header.RequestChecksum.IsZero()
}

// VerifyFrames checks the checksums of complete frames, in turn, within a budget of bytes. What it finds is in Conns.Check; the
// router answers it. Reads Verify. Writes Conns, Routable.
func VerifyFrames(s *components.State, v *Verifier) {
	budget := verifyBudget
	for s.Verify.Len() > 0 && budget > 0 {
		conn := *s.Verify.Front()
		row, ok := s.Conns.Row(conn)
		if !ok {
			panic("state: a connection went while its frame was being checked")
		}
		c := &s.Conns
		frame := s.Memory.Bytes(c.Frame[row])
		if !v.busy {
			v.busy, v.stage = true, 0
			v.body.Reset(c.Header[row], frame[wire.FrameHeaderSize:])
		}
		before := budget
		if v.stage == 0 {
			budget -= stepCost(c.Header[row], frame)
			if done, status := v.body.Step(before); !done {
				break
			} else if status != wire.StatusOK || c.Batch[row].Len == 0 {
				verified(s, v, row, status)
				continue
			}
			v.stage = 1
			v.batch.Reset(s.Memory.Bytes(c.Batch[row]), c.Count[row])
		}
		done, status := v.batch.Step(max(budget, 1))
		budget -= int(c.Batch[row].Len)
		if !done {
			break
		}
		verified(s, v, row, status)
	}
	if s.Verify.Len() > 0 {
		s.WakeAt(s.Now.MonoMicros) // the next tick goes on
	}
}

func stepCost(header wire.RequestHeader, frame []byte) int {
	if header.RequestChecksum.IsZero() {
		return 0
	}
	return len(frame)
}

func verified(s *components.State, v *Verifier, row int, status wire.Status) {
	v.busy = false
	s.Conns.Check[row] = status
	s.Conns.Step[row] = components.Routing
	s.Routable.Push(s.Verify.Pop())
}

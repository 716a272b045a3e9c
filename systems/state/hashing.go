package state

import (
	"galgo/components"
	"galgo/ecs"
	"galgo/wire"
)

// salt is what makes equal passwords have different hashes.
func salt(s *components.State) []byte {
	b := make([]byte, SaltSize)
	s.Random(b)
	return b
}

// park lets a metadata operation wait for a worker. Its connection has no other request under way, so its client's order stays.
func park(s *components.State, r *components.Request, h *components.Hashing) {
	c := s.Control
	c.Ticket++
	h.Request, h.Ticket = *r, c.Ticket
	c.Hashings = append(c.Hashings, h)
}

// FinishHashes notes which passwords workers are done with.
// Shard 0 only; runs before FinishStats. Reads In.Jobs, of which it takes those of kind JobHash. Writes Control.Hashings.
func FinishHashes(s *components.State) {
	for done := range s.In.JobsOf(components.JobHash) {
		for _, h := range s.Control.Hashings {
			if h.Ticket == uint64(done.Conn) {
				h.Done = true
			}
		}
	}
}

// decideHashed decides the operations whose passwords are done with, and refuses what has waited for 20 s. Shard 0 only.
func decideHashed(s *components.State) {
	c := s.Control
	if len(c.Hashings) == 0 {
		return
	}
	waiting := c.Hashings
	c.Hashings = nil // an operation may have to be hashed again
	for _, h := range waiting {
		switch {
		case h.Done && h.Given:
			continue
		case h.Done && c.Pending.Free() >= decisionsPerAsk:
			decideMetadata(s, &h.Request, h)
			continue
		case !h.Given && tooLate(s, &h.Request):
			s.Refuse(&h.Request, wire.StatusCannotWriteToFile)
			if h.Given = true; !h.Started || h.Done {
				continue
			}
		}
		if !h.Given {
			s.WakeAt(max(h.Request.Since+waitMicros, s.Now.MonoMicros+lateMicros))
		}
		c.Hashings = append(c.Hashings, h)
	}
}

// startHashes hands passwords to workers, oldest first, at most HashingsMax at a time.
func startHashes(s *components.State) {
	working, memory := 0, s.HashMemory
	for _, h := range s.Control.Hashings {
		if h.Started && !h.Done {
			working++
		}
	}
	for _, h := range s.Control.Hashings {
		if h.Started {
			continue
		}
		if working == components.HashingsMax {
			return
		}
		working++
		h.Started = true
		passwords := s.Passwords
		s.Out.Jobs.Push(components.Job{Kind: components.JobHash, Conn: ecs.Entity(h.Ticket), Run: func() int32 {
			passwords.Hash(memory, func(scratch components.Scratch) {
				if h.Stored == nil || VerifyPassword(h.Stored, h.Current, scratch) {
					h.Hash = HashPassword(h.Password, h.Salt, memory, scratch)
				}
			})
			clear(h.Current)
			clear(h.Password)
			return 0
		}})
	}
}

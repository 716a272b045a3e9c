package state

import (
	"galgo/components"
	"galgo/wire"
)

// pressureBytes is what a shard lets go of at a time when another one is short of memory.
const pressureBytes = 8 << 20

// expiryMicros is how often requests that wait too long are looked for.
const expiryMicros = 1_000_000

// Upkeep does what is due by the clock: who waits for a write or a read that does not return is answered.
func Upkeep(s *components.State) {
	if s.Acks.Total()+s.Polls.Live+s.Stored.Len()+s.Fenced.Len() == 0 {
		return
	}
	if s.Now.MonoMicros >= s.ExpireAt {
		expireAcks(s)
		expirePolls(s)
		expireStored(s)
		s.ExpireAt = s.Now.MonoMicros + expiryMicros
	}
	s.WakeAt(s.ExpireAt)
}

// expirePolls refuses polls whose read has not returned for 20 s. Their rows stay until it does.
func expirePolls(s *components.State) {
	p := &s.Polls
	for slot := range p.Request {
		if r := &p.Request[slot]; r.Kind != 0 && !p.Told[slot] && s.Waited(r.Since) >= waitMicros {
			s.Refuse(r, wire.StatusCannotReadMessage)
			p.Told[slot] = true
		}
	}
}

// expireStored answers offset writes that have not returned for 20 s, which "may have happened".
func expireStored(s *components.State) {
	for s.Stored.Len() > 0 && s.Waited(s.Stored.Front().Since) >= waitMicros {
		ack := s.Stored.Pop()
		s.Answer(ack.Home, components.Reply{Kind: components.ReplyStatus, Conn: ack.Conn, Status: wire.StatusCannotWriteToFile})
	}
}

// GiveWay lets go of journal memory when somebody was refused some, and says whether that can help: hot tails give way first. Nothing goes as soon as
// there is as much as was wanted, nor where what is missing are addresses of another shard. Whether others take it first nobody can know: it goes on then.
func GiveWay(s *components.State) bool {
	if !s.Arena.Short() {
		return false
	}
	dropAheads(s, aheadMax)
	s.Evict(pressureBytes)
	return true
}

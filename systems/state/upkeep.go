package state

import (
	"galgo/components"
)

// pressureBytes is what a shard lets go of at a time when another one is short of memory.
const pressureBytes = 8 << 20

// expiryMicros is how often requests that wait too long are looked for.
const expiryMicros = 1_000_000

// Upkeep does what is due by the clock: sends whose write does not return are answered, and while the shard stops its
// deadline is near.
func Upkeep(s *components.State) {
	if s.Acks.Total() > 0 {
		if s.Now.MonoMicros >= s.ExpireAt {
			ExpireAcks(s)
			s.ExpireAt = s.Now.MonoMicros + expiryMicros
		}
		s.WakeAt(s.ExpireAt)
	}
	if s.Fenced.Len() > 0 {
		s.WakeAt(s.Now.MonoMicros + expiryMicros)
	}
}

// GiveWay returns journal memory to the budget when another shard is short of it: hot tails give way first.
func GiveWay(s *components.State, release func(off, n uint64)) {
	if s.Arena.Held() < pressureBytes {
		return
	}
	s.Evict(pressureBytes)
	s.Arena.GiveBack(s.Arena.InUse(), release)
}

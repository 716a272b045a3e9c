package uring

import "sync/atomic"

// Parking is the agreement between a shard that is about to sleep and those who wake it. The shard announces itself, looks for work once
// more, sleeps only when there is none, and leaves. A sender stores its work first and asks afterwards: one who finds the shard announced
// sends the signal, and one who does not stored the work before the shard's last look. The order of the two steps on both sides is what
// keeps a wake from being lost; Go's atomics are sequentially consistent, as it needs.
//
// The signal must be kept for a shard that is announced but does not sleep yet. One that comes late ends a later sleep early, no more.
type Parking struct {
	state atomic.Uint32
}

const (
	parkingAwake     = 0
	parkingAnnounced = 1
	parkingClaimed   = 2 // announced, and a sender has taken on the signal
)

// Announce says that the shard will sleep unless it finds work now.
func (p *Parking) Announce() { p.state.Store(parkingAnnounced) }

// Leave says that the shard is awake.
func (p *Parking) Leave() { p.state.Store(parkingAwake) }

// Parked reports whether the shard is announced and nobody has claimed the signal.
func (p *Parking) Parked() bool { return p.state.Load() == parkingAnnounced }

// Claim reports whether the caller has to send the signal: the first to ask since the shard was announced.
func (p *Parking) Claim() bool {
	return p.Parked() && p.state.CompareAndSwap(parkingAnnounced, parkingClaimed)
}

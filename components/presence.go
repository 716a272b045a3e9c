package components

import (
	"cmp"
	"net/netip"
	"slices"
	"sync"

	"galgo/ecs"
	"galgo/wire"
)

// Presence is who is connected to the process: what GET_CLIENTS lists. The home shard of a connection alone writes what is known of it,
// before the answer leaves that made it true; any shard reads. Like Counters it is shared by all worlds, and nothing decides by it.
type Presence struct {
	byID sync.Map // client id -> Present
}

// Present is one connection.
type Present struct {
	ClientID  uint32
	Transport wire.Transport
	Address   netip.AddrPort
	Client    wire.U128  // bound client id; zero is none
	User      ecs.Entity // bound user; ecs.None is not logged in
}

// Set says what is known of a connection now.
func (p *Presence) Set(present Present) { p.byID.Store(present.ClientID, present) }

// Leave takes a connection out.
func (p *Presence) Leave(clientID uint32) { p.byID.Delete(clientID) }

// Find is the connection of that number.
func (p *Presence) Find(clientID uint32) (Present, bool) {
	v, ok := p.byID.Load(clientID)
	if !ok {
		return Present{}, false
	}
	return v.(Present), true
}

// List is everyone who is connected, by number.
func (p *Presence) List() []Present {
	var list []Present
	p.byID.Range(func(_, v any) bool {
		list = append(list, v.(Present))
		return true
	})
	slices.SortFunc(list, func(a, b Present) int { return cmp.Compare(a.ClientID, b.ClientID) })
	return list
}

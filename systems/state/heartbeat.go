package state

import (
	"galgo/components"
	"galgo/wire"
)

// ExpireSilent asks shard 0 to end the sessions of group members that were not heard for 1.2 intervals: once an interval it looks at the
// connections of this shard. Silent connections that are in no group are left alone. Source: protocol.md, 5.5.
// Reads Conns, Catalog. Writes Conns.Stale, Asks or Out.Requests.
func ExpireSilent(s *components.State) {
	if s.HeartbeatMicros == 0 || s.Stopping {
		return
	}
	if s.Now.MonoMicros < s.SilentAt {
		s.WakeAt(s.SilentAt)
		return
	}
	s.SilentAt = s.Now.MonoMicros + s.HeartbeatMicros
	s.WakeAt(s.SilentAt)
	c := &s.Conns
	for row := range c.All {
		if c.Session[row] == 0 || c.Gone[row] || c.Step[row] != components.Idle || c.Stale[row] == c.Session[row] ||
			s.Waited(c.Heard[row]) <= s.HeartbeatMicros+s.HeartbeatMicros/5 || len(s.Catalog.GroupsOf(c.Client[row])) == 0 {
			continue
		}
		c.Stale[row] = c.Session[row]
		s.Ask(0, components.Request{Kind: components.RequestExpire, Home: uint8(s.Shard), Conn: c.Entity(row), Since: s.Now.MonoMicros,
			Client: c.Client[row], Session: c.Session[row], User: c.User[row]})
	}
}

// tellStale writes the eviction of a silent client to its connection, which is closed after it. One that asks for something at this moment
// is not told: it learns that it has no session with its next request.
func tellStale(s *components.State, row int, client wire.U128) {
	c := &s.Conns
	if c.Gone[row] || c.Step[row] != components.Idle {
		return
	}
	block, ok := s.NewBlock(0, 0, 0)
	if !ok {
		breakConn(s, row)
		return
	}
	ref := block.Finish()
	wire.PutEviction(s.Memory.Bytes(ref.FrameHeader()), wire.EvictionOf(client, wire.EvictStaleClient))
	c.Ending[row] = true
	send(s, row, ref)
}

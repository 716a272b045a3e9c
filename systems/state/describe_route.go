package state

import (
	"galgo/components"
	"galgo/wire"
)

// describePollRoute answers GET_POLL_ROUTING: a poll that commits would be served here. Statuses of this and the next: protocol.md, 7.9.
func describePollRoute(dst []byte, s *components.State, row int, body []byte) ([]byte, wire.Status) {
	poll, status := wire.DecodePollMessages(body)
	if status != wire.StatusOK || !poll.AutoCommit {
		return dst, wire.StatusInvalidCommand
	}
	if _, _, status := pollRequest(s, row, &poll, s.Conns.Session[row]); status != wire.StatusOK {
		return dst, status
	}
	return appendRoute(dst, s, row), wire.StatusOK
}

// describeOffsetRoute answers GET_CONSUMER_OFFSET_ROUTING.
func describeOffsetRoute(dst []byte, s *components.State, row int, body []byte) ([]byte, wire.Status) {
	key, status := wire.DecodeOffsetKey(body)
	if status != wire.StatusOK {
		return dst, wire.StatusInvalidCommand
	}
	if _, _, status := offsetRequest(s, row, components.RequestStoreOffset, &key); status != wire.StatusOK {
		return dst, status
	}
	return appendRoute(dst, s, row), wire.StatusOK
}

func appendRoute(dst []byte, s *components.State, row int) []byte {
	return wire.AppendConsumerRoute(dst, wire.ConsumerRoute{ConsumerSession: wire.ConsumerSession{
		Client: s.Conns.Client[row], Session: s.Conns.Session[row], Watermark: s.Catalog.Committed}, Node: thisNode(s, row)})
}

// attachSession answers ATTACH_CONSUMER_SESSION: from now on the group memberships of another session of the same user count on this
// connection, for as long as that one lives. Clients do so on a second connection to a node that serves their polls. The watermark does not matter: what a
// client has seen, every shard has applied.
func attachSession(dst []byte, s *components.State, row int, body []byte) ([]byte, wire.Status) {
	attach, status := wire.DecodeConsumerSession(body)
	if status != wire.StatusOK {
		return dst, status
	}
	session, ok := s.Catalog.Sessions[attach.Client]
	if !ok || session.Number != attach.Session || session.User != s.Conns.User[row] {
		return dst, wire.StatusStaleClient
	}
	s.Conns.AttachedClient[row], s.Conns.AttachedSession[row] = attach.Client, attach.Session
	return dst, wire.StatusOK
}

// routePollOnPrimary passes on a poll of the member that is attached.
func routePollOnPrimary(s *components.State, row int) wire.Status {
	attached := s.Conns.AttachedSession[row]
	if attached == 0 {
		return wire.StatusUnauthenticated
	}
	if s.Catalog.Sessions[s.Conns.AttachedClient[row]].Number != attached {
		return wire.StatusStaleClient
	}
	return routePoll(s, row, attached)
}

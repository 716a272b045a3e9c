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
	if _, _, status := pollRequest(s, row, &poll); status != wire.StatusOK {
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

// noRoutes refuses the commands of connections that serve another one's polls: clients open them where there are several nodes.
func noRoutes(dst []byte, _ *components.State, _ int, _ []byte) ([]byte, wire.Status) {
	return dst, wire.StatusInvalidCommand
}

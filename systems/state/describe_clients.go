package state

import (
	"galgo/components"
	"galgo/wire"
)

// announce says in Presence what is true of a connection now.
func announce(s *components.State, row int) {
	c := &s.Conns
	s.Presence.Set(components.Present{ClientID: c.ClientID[row], Transport: wire.TransportTCP, Address: c.Peer[row],
		Client: c.Client[row], User: c.User[row]})
}

func describeMe(dst []byte, s *components.State, row int, _ []byte) ([]byte, wire.Status) {
	return appendClientDetails(dst, s, s.Conns.ClientID[row]), wire.StatusOK
}

// describeClient answers GET_CLIENT with the bytes that the client itself gets from GET_ME.
func describeClient(dst []byte, s *components.State, row int, body []byte) ([]byte, wire.Status) {
	clientID, status := wire.DecodeGetClient(body)
	if status != wire.StatusOK {
		return dst, status
	}
	if _, ok := s.Presence.Find(clientID); !ok {
		return dst, wire.StatusOK
	}
	if !allowed(s, row, ReadServers, noRow, noRow) {
		return dst, wire.StatusUnauthorized
	}
	return appendClientDetails(dst, s, clientID), wire.StatusOK
}

func describeClients(dst []byte, s *components.State, row int, _ []byte) ([]byte, wire.Status) {
	if !allowed(s, row, ReadServers, noRow, noRow) {
		return dst, wire.StatusUnauthorized
	}
	for _, present := range s.Presence.List() {
		dst = wire.AppendClient(dst, clientOf(s, &present))
	}
	return dst, wire.StatusOK
}

// appendClientDetails appends a connection of any shard with its groups; nothing if it is gone.
func appendClientDetails(dst []byte, s *components.State, clientID uint32) []byte {
	present, ok := s.Presence.Find(clientID)
	if !ok {
		return dst
	}
	details := wire.ClientDetails{Client: clientOf(s, &present)}
	groups, topics := &s.Catalog.Groups, &s.Catalog.Topics
	for _, group := range s.Catalog.GroupsOf(present.Client) {
		row := groups.MustRow(group)
		topic := topics.MustRow(groups.Topic[row])
		stream := s.Catalog.Streams.MustRow(topics.Stream[topic])
		details.Groups = append(details.Groups, wire.ClientGroup{
			StreamID: s.Catalog.Streams.ID[stream], TopicID: topics.ID[topic], GroupID: groups.ID[row]})
	}
	return wire.AppendClientDetails(dst, details)
}

func clientOf(s *components.State, p *components.Present) wire.Client {
	user := wire.NoUser
	if row, ok := s.Catalog.Users.Row(p.User); ok {
		user = s.Catalog.Users.ID[row]
	}
	return wire.Client{ID: p.ClientID, UserID: user, Transport: p.Transport, Address: []byte(p.Address.String()),
		GroupsCount: uint32(len(s.Catalog.GroupsOf(p.Client)))}
}

package state

import (
	"cmp"
	"slices"

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
	return wire.AppendClientDetails(dst, wire.ClientDetails{Client: clientOf(s, &present), Groups: clientGroups(s, present.Client)})
}

// clientGroups lists the groups of a client by the ids of stream, topic and group, in their order.
func clientGroups(s *components.State, client wire.U128) []wire.ClientGroup {
	var list []wire.ClientGroup
	catalog := s.Catalog
	for _, group := range catalog.GroupsOf(client) {
		row := catalog.Groups.MustRow(group)
		topic := catalog.Topics.MustRow(catalog.Groups.Topic[row])
		stream := catalog.Streams.MustRow(catalog.Topics.Stream[topic])
		list = append(list, wire.ClientGroup{StreamID: catalog.Streams.ID[stream], TopicID: catalog.Topics.ID[topic], GroupID: catalog.Groups.ID[row]})
	}
	slices.SortFunc(list, func(a, b wire.ClientGroup) int {
		return cmp.Or(cmp.Compare(a.StreamID, b.StreamID), cmp.Compare(a.TopicID, b.TopicID), cmp.Compare(a.GroupID, b.GroupID))
	})
	return list
}

func clientOf(s *components.State, p *components.Present) wire.Client {
	user := wire.NoUser
	if row, ok := s.Catalog.Users.Row(p.User); ok {
		user = s.Catalog.Users.ID[row]
	}
	return wire.Client{ID: p.ClientID, UserID: user, Transport: p.Transport, Address: []byte(p.Address.String()),
		GroupsCount: uint32(len(s.Catalog.GroupsOf(p.Client)))}
}

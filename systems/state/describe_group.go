package state

import (
	"galgo/components"
	"galgo/wire"
)

// describeGroup answers GET_CONSUMER_GROUP. Statuses of this and the next: protocol.md, 7.6.
func describeGroup(dst []byte, s *components.State, row int, body []byte) ([]byte, wire.Status) {
	ref, status := wire.DecodeGroupRef(body)
	if status != wire.StatusOK {
		return dst, status
	}
	t, status := findTopic(s, ref.Stream, ref.Topic)
	if status != wire.StatusOK {
		return dst, status
	}
	group, ok := s.Catalog.FindGroup(t.topic, ref.Group)
	if !ok {
		return dst, wire.StatusOK
	}
	if !mayReadGroups(s, row, t.topic) {
		return dst, wire.StatusUnauthorized
	}
	return appendGroupDetails(dst, s, group), wire.StatusOK
}

func describeGroups(dst []byte, s *components.State, row int, body []byte) ([]byte, wire.Status) {
	ref, status := wire.DecodeTopicRef(body)
	if status != wire.StatusOK {
		return dst, status
	}
	t, status := findTopic(s, ref.Stream, ref.Topic)
	if status != wire.StatusOK {
		return dst, status
	}
	if !mayReadGroups(s, row, t.topic) {
		return dst, wire.StatusUnauthorized
	}
	for group := range s.Catalog.GroupsByID(t.topic) {
		dst = wire.AppendGroup(dst, groupOf(s, group))
	}
	return dst, wire.StatusOK
}

func mayReadGroups(s *components.State, row, topic int) bool {
	return Allowed(s, s.Conns.User[row], ReadTopic, s.Catalog.Topics.Stream[topic], s.Catalog.Topics.Entity(topic))
}

func groupOf(s *components.State, group int) wire.Group {
	t := &s.Catalog.Groups
	return wire.Group{ID: t.ID[group], PartitionsCount: partitionsOfGroup(s.Catalog, group), MembersCount: uint32(len(t.Plan[group].Members)),
		Name: s.Catalog.Text(t.Name[group])}
}

// appendGroupDetails appends a group and its members with the partitions that are theirs. Once a member has left, or partitions have come or gone, all of
// them are somebody's at once, although a new owner polls some of them only when the old one is done.
func appendGroupDetails(dst []byte, s *components.State, group int) []byte {
	plan := s.Catalog.Groups.Plan[group]
	dst = wire.AppendGroup(dst, groupOf(s, group))
	for _, seat := range plan.Members {
		dst = wire.AppendGroupMember(dst, wire.GroupMember{ID: seat.ID, Partitions: plan.AppendAssigned(nil, seat.ID)})
	}
	return dst
}

// syncGroup answers SYNC_CONSUMER_GROUP: what the caller may poll, or nothing for one who is no member.
func syncGroup(dst []byte, s *components.State, row int, body []byte) ([]byte, wire.Status) {
	ref, status := wire.DecodeGroupRef(body)
	if status != wire.StatusOK {
		return dst, wire.StatusOK
	}
	t, status := findTopic(s, ref.Stream, ref.Topic)
	if status != wire.StatusOK {
		return dst, wire.StatusOK
	}
	group, ok := s.Catalog.FindGroup(t.topic, ref.Group)
	if !ok {
		return dst, wire.StatusOK
	}
	plan := s.Catalog.Groups.Plan[group]
	seat, ok := plan.Seat(s.Conns.Session[row])
	if !ok {
		return dst, wire.StatusOK
	}
	return wire.AppendAssignment(dst, wire.Assignment{Generation: plan.Generation, Partitions: plan.AppendPartitions(nil, seat.ID)}), wire.StatusOK
}

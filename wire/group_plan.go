package wire

import (
	"cmp"
	"slices"
)

// GroupPlan is who the members of a consumer group are and which partitions each has. It is absolute: a later one covers an earlier one.
// It travels in events that are not logged and is never encoded. Once it is in an event it is not changed any more, and all shards share it.
//
// Invariant: while there are members, each partition below len(Owners) has exactly one owner, who is one of them; a hand-over's heir
// is another one.
type GroupPlan struct {
	Generation uint64        // grows by one with each plan, from 0 of a group without any
	Members    []GroupSeat   // in ascending id
	Owners     []uint32      // by partition id: the id of the member who has it; NoMember without members
	HandOvers  []GroupChange // in ascending partition id
}

// GroupSeat is a member of a group.
type GroupSeat struct {
	ID      uint32 // the smallest that was free
	Client  U128
	Session uint64
}

// GroupChange is a partition on its way to another member. Until it gets there its owner may commit what it has polled, but polls no more.
type GroupChange struct {
	Partition uint32
	Heir      uint32 // id of the member who gets it
	Since     uint64 // generation since which the owner does not poll any more
	Due       uint64 // mono µs at which the heir gets it in any case
	Dealt     bool   // all partitions were dealt anew: who asks about the group finds it with its heir already
}

// NoMember is the owner of a partition when nobody is in the group.
const NoMember uint32 = 1<<32 - 1

// Seat is the member of a session.
func (p *GroupPlan) Seat(session uint64) (seat GroupSeat, ok bool) {
	for _, seat := range p.Members {
		if seat.Session == session {
			return seat, true
		}
	}
	return GroupSeat{}, false
}

// Member is the member with an id.
func (p *GroupPlan) Member(id uint32) (seat GroupSeat, ok bool) {
	at, ok := slices.BinarySearchFunc(p.Members, id, func(s GroupSeat, id uint32) int { return cmp.Compare(s.ID, id) })
	if !ok {
		return GroupSeat{}, false
	}
	return p.Members[at], true
}

// HandOver is the hand-over that a partition is in.
func (p *GroupPlan) HandOver(partition uint32) (change GroupChange, ok bool) {
	at, ok := slices.BinarySearchFunc(p.HandOvers, partition, func(c GroupChange, id uint32) int { return cmp.Compare(c.Partition, id) })
	if !ok {
		return GroupChange{}, false
	}
	return p.HandOvers[at], true
}

// Commits says whether a session may store the group's offset in a partition.
func (p *GroupPlan) Commits(partition uint32, session uint64) bool {
	if uint64(partition) >= uint64(len(p.Owners)) || session == 0 {
		return false
	}
	seat, ok := p.Member(p.Owners[partition])
	return ok && seat.Session == session
}

// Polls says whether a session may poll a partition for the group.
func (p *GroupPlan) Polls(partition uint32, session uint64) bool {
	if !p.Commits(partition, session) {
		return false
	}
	_, leaving := p.HandOver(partition)
	return !leaving
}

// AppendPartitions appends the partitions that a member may poll, in ascending order.
func (p *GroupPlan) AppendPartitions(dst []uint32, member uint32) []uint32 {
	return p.appendPartitions(dst, member, false)
}

// AppendAssigned appends the partitions that a member has as others see it: those that it may poll, and those that are dealt to it.
func (p *GroupPlan) AppendAssigned(dst []uint32, member uint32) []uint32 {
	return p.appendPartitions(dst, member, true)
}

func (p *GroupPlan) appendPartitions(dst []uint32, member uint32, dealt bool) []uint32 {
	changes := p.HandOvers
	for partition, owner := range p.Owners {
		if len(changes) > 0 && changes[0].Partition == uint32(partition) {
			if owner = NoMember; dealt && changes[0].Dealt {
				owner = changes[0].Heir
			}
			changes = changes[1:]
		}
		if owner == member {
			dst = append(dst, uint32(partition))
		}
	}
	return dst
}

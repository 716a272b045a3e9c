package state

import (
	"cmp"
	"slices"

	"galgo/wire"
)

// The plans of a consumer group follow protocol.md, 14.2. A partition that leaves a member who is still there is handed over: the
// owner may commit what it has polled, and the heir gets the partition when the owner's shard finds that done, or when it is due. One
// whose owner is gone, or that nobody had, changes hands at once.

// planner makes the next plan of a group.
type planner struct {
	plan *wire.GroupPlan
	due  uint64 // mono µs: of the hand-overs that begin
}

// next copies a plan, to be changed.
func next(old *wire.GroupPlan, due uint64) planner {
	return planner{due: due, plan: &wire.GroupPlan{Generation: old.Generation + 1, Members: slices.Clone(old.Members),
		Owners: slices.Clone(old.Owners), HandOvers: slices.Clone(old.HandOvers)}}
}

// planJoin lets a session in: partitions that nobody has go round to members without any, and members above their fair share give up
// their highest partitions to members without any.
func planJoin(old *wire.GroupPlan, client wire.U128, session uint64, partitions uint32, due uint64) *wire.GroupPlan {
	p := next(old, due)
	at := len(p.plan.Members)
	for i, seat := range p.plan.Members {
		if seat.ID != uint32(i) {
			at = i
			break
		}
	}
	p.plan.Members = slices.Insert(p.plan.Members, at, wire.GroupSeat{ID: uint32(at), Client: client, Session: session})
	if len(old.Owners) != int(partitions) && len(old.Members) > 0 {
		p.redistribute(partitions)
		return p.plan
	}
	for len(p.plan.Owners) < int(partitions) {
		p.plan.Owners = append(p.plan.Owners, wire.NoMember)
	}
	p.plan.Owners = p.plan.Owners[:partitions]
	p.giveOut()
	p.balance()
	return p.plan
}

// planWithout takes members out, or follows a changed number of partitions: everything is dealt anew, partition i to member
// number i mod n.
func planWithout(old *wire.GroupPlan, gone func(wire.GroupSeat) bool, partitions uint32, due uint64) *wire.GroupPlan {
	p := next(old, due)
	p.plan.Members = slices.DeleteFunc(p.plan.Members, gone)
	p.redistribute(partitions)
	return p.plan
}

// planHandOvers ends the hand-overs that are done.
func planHandOvers(old *wire.GroupPlan, done func(wire.GroupChange) bool) *wire.GroupPlan {
	p := next(old, 0)
	p.plan.HandOvers = slices.DeleteFunc(p.plan.HandOvers, func(change wire.GroupChange) bool {
		if !done(change) {
			return false
		}
		p.plan.Owners[change.Partition] = change.Heir
		return true
	})
	return p.plan
}

// holdings lists what each member has, or gets when the hand-overs are done, by its place in Members; partitions ascend.
func (p *planner) holdings() [][]uint32 {
	held, changes := make([][]uint32, len(p.plan.Members)), p.plan.HandOvers
	for partition, member := range p.plan.Owners {
		if len(changes) > 0 && changes[0].Partition == uint32(partition) {
			member, changes = changes[0].Heir, changes[1:]
		}
		if at, ok := p.place(member); ok {
			held[at] = append(held[at], uint32(partition))
		}
	}
	return held
}

// place is where in Members a member is.
func (p *planner) place(member uint32) (at int, ok bool) {
	return slices.BinarySearchFunc(p.plan.Members, member, func(s wire.GroupSeat, id uint32) int { return cmp.Compare(s.ID, id) })
}

// giveOut gives partitions without owner to members without partitions, round-robin.
func (p *planner) giveOut() {
	var takers []uint32
	for at, held := range p.holdings() {
		if len(held) == 0 {
			takers = append(takers, p.plan.Members[at].ID)
		}
	}
	given := 0
	for partition, owner := range p.plan.Owners {
		if owner == wire.NoMember {
			p.plan.Owners[partition] = takers[given%len(takers)]
			given++
		}
	}
}

// balance moves partitions from members above their fair share to those without any. A remainder stays with those who have most.
func (p *planner) balance() {
	held := p.holdings()
	order := make([]int, len(held)) // members by how much they have
	for at := range order {
		order[at] = at
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(len(held[b]), len(held[a])) })
	share := make([]int, len(held))
	var takers []int
	for rank, at := range order {
		share[at] = len(p.plan.Owners) / len(held)
		if rank < len(p.plan.Owners)%len(held) {
			share[at]++
		}
		if len(held[at]) == 0 {
			takers = append(takers, at)
		}
	}
	slices.Sort(takers)
	var surplus []uint32 // highest first within each giver
	for at := range held {
		for len(held[at]) > share[at] {
			last := len(held[at]) - 1
			surplus = append(surplus, held[at][last])
			held[at] = held[at][:last]
		}
	}
	for round := 0; len(surplus) > 0; round++ {
		moved := false
		for _, at := range takers {
			if round < share[at] && len(surplus) > 0 {
				p.move(surplus[0], p.plan.Members[at].ID)
				surplus, moved = surplus[1:], true
			}
		}
		if !moved {
			return // the rest stays: its receivers would have some already
		}
	}
}

// redistribute deals all partitions anew.
func (p *planner) redistribute(partitions uint32) {
	old := *p.plan
	p.plan.Owners, p.plan.HandOvers = make([]uint32, partitions), nil
	for partition := range partitions {
		p.plan.Owners[partition] = wire.NoMember
		if len(p.plan.Members) == 0 {
			continue
		}
		to := p.plan.Members[int(partition)%len(p.plan.Members)].ID
		owner := wire.NoMember
		if int(partition) < len(old.Owners) {
			owner = old.Owners[partition]
		}
		if _, there := p.place(owner); !there || owner == to {
			p.plan.Owners[partition] = to
			continue
		}
		p.plan.Owners[partition] = owner
		change, leaving := old.HandOver(partition)
		if !leaving {
			change = wire.GroupChange{Partition: partition, Since: p.plan.Generation, Due: p.due}
		}
		change.Heir, change.Dealt = to, true
		p.plan.HandOvers = append(p.plan.HandOvers, change)
	}
}

// move begins to hand a partition over, or gives one that is being handed over another heir.
func (p *planner) move(partition, to uint32) {
	at, leaving := slices.BinarySearchFunc(p.plan.HandOvers, partition, func(c wire.GroupChange, id uint32) int { return cmp.Compare(c.Partition, id) })
	switch {
	case !leaving:
		p.plan.HandOvers = slices.Insert(p.plan.HandOvers, at, wire.GroupChange{Partition: partition, Heir: to, Since: p.plan.Generation, Due: p.due})
	case p.plan.Owners[partition] == to:
		p.plan.HandOvers = slices.Delete(p.plan.HandOvers, at, at+1) // it comes back
	default:
		p.plan.HandOvers[at].Heir = to
	}
}

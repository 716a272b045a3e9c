package state

import (
	"bytes"
	"math"
	"slices"

	"galgo/components"
	"galgo/ecs"
	"galgo/wire"
)

// createGroup decides CreateConsumerGroup. Statuses of this and the next: protocol.md, 7.6.
func createGroup(s *components.State, a *ask) outcome {
	create, status := wire.DecodeCreateConsumerGroup(a.body)
	if status != wire.StatusOK {
		return denied(status)
	}
	topic, out := a.topicFor(s, ReadTopic, create.Stream, create.Topic)
	if out != (outcome{}) {
		return out
	}
	catalog := s.Control.Decided
	if _, taken := catalog.FindGroup(topic, wire.IdentNamed(create.Name)); taken {
		return rejected(wire.StatusConsumerGroupNameAlreadyExists)
	}
	if catalog.Groups.Free() == 0 || catalog.Topics.GroupIDNext[topic]+1 == 0 {
		return rejected(wire.StatusInvalidConsumerGroupId)
	}
	return outcome{build: components.BuildGroup, event: newEvent(s, wire.Event{Kind: wire.EventGroupCreated, Topic: uint64(catalog.Topics.Entity(topic)),
		Group: uint64(catalog.Groups.Entities.Take()), GroupID: catalog.Topics.GroupIDNext[topic], Name: bytes.Clone(create.Name)})}
}

// deleteGroup decides DeleteConsumerGroup: members and stored offsets go with it.
func deleteGroup(s *components.State, a *ask) outcome {
	row, out := locateGroup(s, a)
	if out != (outcome{}) {
		return out
	}
	return outcome{event: newEvent(s, wire.Event{Kind: wire.EventGroupDeleted, Group: uint64(s.Control.Decided.Groups.Entity(row))})}
}

// joinGroup decides JoinConsumerGroup. A member is in already, which is a success.
func joinGroup(s *components.State, a *ask) outcome {
	row, out := locateGroup(s, a)
	if out != (outcome{}) {
		return out
	}
	catalog := s.Control.Decided
	plan := catalog.Groups.Plan[row]
	if _, in := plan.Seat(a.client.Session); in {
		return outcome{}
	}
	plan = planJoin(plan, a.client.ID, a.client.Session, partitionsOfGroup(catalog, row), handOverDue(s))
	return outcome{event: planned(s, wire.EventGroupJoined, row, plan)}
}

// leaveGroup decides LeaveConsumerGroup.
func leaveGroup(s *components.State, a *ask) outcome {
	row, out := locateGroup(s, a)
	if out != (outcome{}) {
		return out
	}
	catalog := s.Control.Decided
	plan := catalog.Groups.Plan[row]
	if _, in := plan.Seat(a.client.Session); !in {
		return rejected(wire.StatusConsumerGroupMemberNotFound)
	}
	leaves := func(seat wire.GroupSeat) bool { return seat.Session == a.client.Session }
	plan = planWithout(plan, leaves, partitionsOfGroup(catalog, row), handOverDue(s))
	return outcome{event: planned(s, wire.EventGroupLeft, row, plan)}
}

// locateGroup decodes a body and finds the group that it is about; out is not zero if that fails.
func locateGroup(s *components.State, a *ask) (row int, out outcome) {
	ref, status := wire.DecodeGroupRef(a.body)
	if status != wire.StatusOK {
		return 0, denied(status)
	}
	topic, status := locateTopic(s, ref.Stream, ref.Topic)
	if status != wire.StatusOK {
		return 0, rejected(status)
	}
	catalog := s.Control.Decided
	row, ok := catalog.FindGroup(topic, ref.Group)
	if !ok {
		return 0, rejected(wire.StatusConsumerGroupIdNotFound)
	}
	if !a.may(s, ReadTopic, catalog.Topics.Stream[topic], catalog.Topics.Entity(topic)) {
		return 0, rejected(wire.StatusUnauthorized)
	}
	return row, outcome{}
}

// planned is the event that gives a group its next plan.
func planned(s *components.State, kind wire.EventKind, row int, plan *wire.GroupPlan) *wire.Event {
	c := s.Control
	group := c.Decided.Groups.Entity(row)
	e := newEvent(s, wire.Event{Kind: kind, Group: uint64(group), Plan: plan})
	c.Handing = slices.DeleteFunc(c.Handing, func(h components.Handing) bool { return h.Group == group })
	if len(plan.HandOvers) > 0 {
		c.Handing = append(c.Handing, handingOf(group, e.Seq, plan))
	}
	return e
}

// handingOf is what is to be remembered of a plan with hand-overs.
func handingOf(group ecs.Entity, seq uint64, plan *wire.GroupPlan) components.Handing {
	handing := components.Handing{Group: group, Seq: seq, Due: math.MaxUint64}
	for _, change := range plan.HandOvers {
		handing.Due = min(handing.Due, change.Due)
	}
	return handing
}

// partitionsOfGroup is how many partitions a group's topic has.
func partitionsOfGroup(catalog *components.Catalog, row int) uint32 {
	return catalog.Topics.Partitions[catalog.Topics.MustRow(catalog.Groups.Topic[row])]
}

// handOverDue is when hand-overs that begin now end in any case.
func handOverDue(s *components.State) uint64 { return s.Now.MonoMicros + s.RebalancingMicros }

// unsettle has the groups planned anew if their members or partitions are not those of their plans.
func unsettle(s *components.State, groups ...ecs.Entity) {
	s.Control.Unsettled = append(s.Control.Unsettled, groups...)
}

// unsettleTopic is unsettle for the groups of a topic, whose partitions an event changed.
func unsettleTopic(s *components.State, topic ecs.Entity) {
	catalog := s.Control.Decided
	for row := range catalog.GroupsByID(catalog.Topics.MustRow(topic)) {
		unsettle(s, catalog.Groups.Entity(row))
	}
}

// settleGroups plans groups anew whose members are gone or whose topic has other partitions than their plan. It leaves room for what one
// request decides, and returns false if groups are left for want of more.
func settleGroups(s *components.State) bool {
	c := s.Control
	done := 0
	for ; done < len(c.Unsettled) && c.Pending.Free() > decisionsPerAsk; done++ {
		if row, ok := c.Decided.Groups.Row(c.Unsettled[done]); ok {
			settleGroup(s, row)
		}
	}
	c.Unsettled = append(c.Unsettled[:0], c.Unsettled[done:]...)
	return len(c.Unsettled) == 0
}

func settleGroup(s *components.State, row int) {
	catalog := s.Control.Decided
	plan, partitions := catalog.Groups.Plan[row], partitionsOfGroup(catalog, row)
	gone := func(seat wire.GroupSeat) bool {
		client := s.Control.Clients.Find(seat.Client)
		return client == nil || client.Session != seat.Session
	}
	kind := wire.EventGroupAssigned
	for _, seat := range plan.Members {
		if gone(seat) {
			kind = wire.EventGroupLeft
		}
	}
	if kind == wire.EventGroupLeft || len(plan.Members) > 0 && len(plan.Owners) != int(partitions) {
		decide(s, planned(s, kind, row, planWithout(plan, gone, partitions, handOverDue(s))), nil)
	}
}

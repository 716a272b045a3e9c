package state

import (
	"math/rand/v2"
	"slices"
	"testing"

	"galgo/wire"
)

// finals is who has each partition once all hand-overs are done, by member id.
func finals(p *wire.GroupPlan) []uint32 {
	list := slices.Clone(p.Owners)
	for _, change := range p.HandOvers {
		list[change.Partition] = change.Heir
	}
	return list
}

func countOf(list []uint32, member uint32) (n int) {
	for _, m := range list {
		if m == member {
			n++
		}
	}
	return n
}

// checkPlan says what is wrong in a plan, if anything.
func checkPlan(t *testing.T, p *wire.GroupPlan, partitions uint32) {
	t.Helper()
	if len(p.Members) > 0 && len(p.Owners) != int(partitions) {
		t.Fatalf("owners: got %d, want %d", len(p.Owners), partitions)
	}
	for i, seat := range p.Members {
		if i > 0 && seat.ID <= p.Members[i-1].ID {
			t.Fatalf("members: got id %d after %d", seat.ID, p.Members[i-1].ID)
		}
	}
	for partition, owner := range p.Owners {
		if _, ok := p.Member(owner); ok != (len(p.Members) > 0) {
			t.Fatalf("partition %d: got owner %d of %d members", partition, owner, len(p.Members))
		}
		polls := 0
		for _, seat := range p.Members {
			if p.Polls(uint32(partition), seat.Session) {
				polls++
				if !slices.Contains(p.AppendPartitions(nil, seat.ID), uint32(partition)) {
					t.Fatalf("partition %d: polled by member %d, whose list is %v", partition, seat.ID, p.AppendPartitions(nil, seat.ID))
				}
			}
		}
		change, leaving := p.HandOver(uint32(partition))
		if want := len(p.Members) > 0 && !leaving; (polls == 1) != want || polls > 1 {
			t.Fatalf("partition %d: %d members poll it, handed over %v", partition, polls, leaving)
		}
		if leaving {
			if _, ok := p.Member(change.Heir); !ok || change.Heir == owner || change.Since > p.Generation {
				t.Fatalf("hand-over of partition %d from %d: got %+v in generation %d", partition, owner, change, p.Generation)
			}
		}
	}
	for i, change := range p.HandOvers {
		if i > 0 && change.Partition <= p.HandOvers[i-1].Partition || int(change.Partition) >= len(p.Owners) {
			t.Fatalf("hand-overs: got %+v of %d partitions", p.HandOvers, len(p.Owners))
		}
	}
}

// checkStep compares two plans in a row: nobody loses a partition at once while he is there, unless it was being handed over.
func checkStep(t *testing.T, before, after *wire.GroupPlan, done map[uint32]bool) {
	t.Helper()
	if after.Generation != before.Generation+1 {
		t.Fatalf("generation: got %d after %d", after.Generation, before.Generation)
	}
	for partition := range min(len(before.Owners), len(after.Owners)) {
		old, ok := before.Member(before.Owners[partition])
		now, _ := after.Member(after.Owners[partition])
		if _, there := after.Seat(old.Session); ok && there && now.Session != old.Session && !done[uint32(partition)] {
			t.Fatalf("partition %d: taken from session %d, who is there, by %d", partition, old.Session, now.Session)
		}
		a, was := before.HandOver(uint32(partition))
		b, is := after.HandOver(uint32(partition))
		if was && is && now.Session == old.Session && (a.Since != b.Since || a.Due != b.Due) {
			t.Fatalf("hand-over of partition %d: got %+v after %+v, want it to go on", partition, b, a)
		}
		if is && !was && b.Since != after.Generation {
			t.Fatalf("hand-over of partition %d: got since %d in generation %d", partition, b.Since, after.Generation)
		}
	}
}

// checkJoin compares a join with protocol.md, 14.2.
func checkJoin(t *testing.T, before, after *wire.GroupPlan, session uint64) {
	t.Helper()
	seat, _ := after.Seat(session)
	for id := range seat.ID {
		if _, taken := before.Member(id); !taken {
			t.Fatalf("new member: got id %d while %d is free", seat.ID, id)
		}
	}
	had, has := finals(before), finals(after)
	fair := len(has) / len(after.Members)
	for _, m := range after.Members {
		was, is := countOf(had, m.ID), countOf(has, m.ID)
		if before.Members == nil {
			was = 0
		}
		switch {
		case was == 0 && is < fair:
			t.Fatalf("member %d, who had none: got %d partitions, want %d at least", m.ID, is, fair)
		case was > 0 && is > was:
			t.Fatalf("member %d: got %d partitions more", m.ID, is-was)
		case was > fair && is < fair, was <= fair && is < was:
			t.Fatalf("member %d: left with %d of %d partitions, a fair share is %d", m.ID, is, was, fair)
		}
	}
}

func TestGroupPlans(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 3))
		plan, partitions, session := &wire.GroupPlan{}, uint32(rng.IntN(9)), uint64(0)
		for range 120 {
			before, done, dealt := plan, map[uint32]bool{}, false
			switch n := rng.IntN(10); {
			case n < 3 && len(plan.Members) < 12:
				session++
				plan = planJoin(before, wire.U128{Lo: session}, session, partitions, 100+session)
				checkJoin(t, before, plan, session)
			case n < 5:
				leaves := map[uint64]bool{}
				for _, seat := range before.Members {
					leaves[seat.Session] = rng.IntN(3) == 0
				}
				plan = planWithout(before, func(s wire.GroupSeat) bool { return leaves[s.Session] }, partitions, 100+session)
				dealt = true
			case n < 7:
				if partitions = uint32(rng.IntN(9)); len(before.Members) == 0 {
					continue
				}
				plan = planWithout(before, func(wire.GroupSeat) bool { return false }, partitions, 100+session)
				dealt = true
			default:
				for _, change := range before.HandOvers {
					done[change.Partition] = rng.IntN(2) == 0
				}
				plan = planHandOvers(before, func(c wire.GroupChange) bool { return done[c.Partition] })
			}
			checkPlan(t, plan, partitions)
			checkStep(t, before, plan, done)
			if dealt && len(plan.Members) > 0 {
				for partition, got := range finals(plan) { // everything was dealt anew
					if want := plan.Members[partition%len(plan.Members)].ID; got != want {
						t.Fatalf("seed %d: partition %d goes to member %d, want %d", seed, partition, got, want)
					}
				}
			}
		}
	}
}

func TestGroupPlanCooperative(t *testing.T) {
	plan := &wire.GroupPlan{}
	for n, want := range [][]uint32{{0, 0, 0, 0, 0, 0}, {0, 0, 0, 1, 1, 1}, {0, 0, 2, 1, 1, 2}, {0, 0, 2, 1, 1, 3}} {
		plan = planJoin(plan, wire.U128{Lo: uint64(n + 1)}, uint64(n+1), 6, 0)
		plan = planHandOvers(plan, func(wire.GroupChange) bool { return true })
		if got := finals(plan); !slices.Equal(got, want) {
			t.Errorf("%d members: got %v, want %v", n+1, got, want)
		}
	}
}

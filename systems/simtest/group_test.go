package simtest

import (
	"fmt"
	"slices"

	"galgo/wire"
)

var _ = register(family{name: "group", weight: 12, act: useGroup})

// groups is what is known of the consumer groups of the data topics: who owns a partition, by generation.
type groups struct {
	p      *play
	owners map[string]string // "life topic generation partition" -> client
	newest map[string]uint64 // "life topic client" -> generation
}

// group is the one group of a data topic.
var group = wire.IdentNamed([]byte("g0"))

// useGroup joins, leaves, asks for its partitions, polls and commits.
func useGroup(a *actor) {
	p := a.p
	t := p.messages.topics[a.rng.IntN(len(p.messages.topics))]
	ref := wire.AppendGroupRef(nil, wire.GroupRef{Stream: wire.IdentNamed(dataStream), Topic: t.ident(), Group: group})
	switch a.rng.IntN(8) {
	case 0, 1:
		a.write(wire.OpJoinConsumerGroup, ref, func(got answer) { p.mustWrite(got, "join") }, "join the group of %s", t.name)
	case 2:
		a.write(wire.OpLeaveConsumerGroup, ref, func(got answer) { p.mustWrite(got, "leave", wire.StatusConsumerGroupMemberNotFound) }, "leave the group of %s", t.name)
	case 3, 4:
		who := a.c
		a.ask(wire.OpNonReplicated, wire.CodeSyncConsumerGroup, ref, func(got answer) { p.groups.sync(t, who, got) }, "sync the group of %s", t.name)
	default:
		partition := t.partitions[a.rng.IntN(len(t.partitions))]
		commit := a.rng.IntN(2) == 0
		visible := partition.visible
		consumer := wire.Consumer{Kind: wire.ConsumerGroup, Ident: group}
		strategy := wire.Strategy{Kind: wire.PollNext}
		a.ask(wire.OpNonReplicated, wire.CodePollMessages, pollBody(consumer, partition, strategy, 10, commit), func(got answer) {
			if got.ok() {
				prefix, _, err := wire.DecodePollPrefix(got.payload)
				if err == nil && prefix.PartitionID == wire.PartitionResync {
					p.note("group poll refused: not the owner")
					return
				}
				p.note("group poll")
			}
			judgePoll(p, partition, visible, strategy, 10, 0, false, got)
		}, "poll %s for its group, commit %v", partition, commit)
	}
}

// mustWrite wants a metadata write to be done, or refused in one of the ways given.
func (p *play) mustWrite(got answer, what string, may ...wire.Status) {
	switch {
	case got.gone(), got.ok(), slices.Contains(may, got.status):
	case got.status == wire.StatusCannotWriteToFile && (p.weather.disk || p.weather.slow || p.weather.space):
		p.note("metadata refused: storage failed")
	default:
		p.fail("%s: got %v, want ok in weather %s", what, got, p.weather.name)
	}
}

// sync takes an assignment: within a generation a partition has one owner, and generations do not go back.
func (g *groups) sync(t *dataTopic, who *client, got answer) {
	p := g.p
	switch {
	case got.gone():
		return
	case !got.ok():
		p.fail("sync: got %v, want ok", got)
	case len(got.payload) == 0:
		return // no member
	}
	assignment, err := wire.DecodeAssignment(got.payload)
	if err != nil {
		p.fail("sync: %v", err)
	}
	if g.owners == nil {
		g.owners, g.newest = map[string]string{}, map[string]uint64{}
	}
	seen := fmt.Sprintf("%d %s %s", p.life, t.name, who.name)
	if assignment.Generation < g.newest[seen] {
		p.fail("group of %s: got generation %d, and %d before", t.name, assignment.Generation, g.newest[seen])
	}
	g.newest[seen] = assignment.Generation
	for _, partition := range assignment.Partitions {
		key := fmt.Sprintf("%d %s %d %d", p.life, t.name, assignment.Generation, partition)
		if owner, taken := g.owners[key]; taken && owner != who.name {
			p.fail("%s/%d: got two owners in generation %d: %s and %s", t.name, partition, assignment.Generation, owner, who.name)
		}
		g.owners[key] = who.name
	}
	if len(assignment.Partitions) > 0 {
		p.note("group assignment")
	}
}

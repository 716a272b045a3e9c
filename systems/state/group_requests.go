package state

import (
	"galgo/components"
	"galgo/wire"
)

// mayPoll says whether a poll is one of an individual consumer, or of the member who has the partition. The connection's home asks to
// answer early; the owner asks again with the events that it has applied, for its word counts.
func mayPoll(s *components.State, r *components.Request) bool {
	if r.Consumer.Kind != wire.ConsumerGroup {
		return true
	}
	plan, partition := planOf(s, r)
	return plan != nil && plan.Polls(partition, r.Session)
}

// mayCommit is mayPoll for changes of the stored offset. A partition that is being handed over still counts.
func mayCommit(s *components.State, r *components.Request) bool {
	if r.Consumer.Kind != wire.ConsumerGroup {
		return true
	}
	plan, partition := planOf(s, r)
	return plan != nil && plan.Commits(partition, r.Session)
}

// planOf finds the plan of the group that a request is for; nil if group or partition are gone.
func planOf(s *components.State, r *components.Request) (plan *wire.GroupPlan, partition uint32) {
	catalog := s.Catalog
	row, ok := catalog.Partitions.Row(r.Partition)
	if !ok {
		return nil, 0
	}
	group, ok := catalog.GroupByID(catalog.Topics.MustRow(catalog.Partitions.Topic[row]), r.Consumer.ID)
	if !ok {
		return nil, 0
	}
	return catalog.Groups.Plan[group], catalog.Partitions.ID[row]
}

// resync answers a poll of a partition that the caller does not have for the group: clients ask for their assignment then. It returns false
// when there is no memory for the answer.
func resync(s *components.State, r *components.Request) bool {
	block, ok := s.NewBlock(r.Partition, 0, wire.PollPrefixSize)
	if !ok {
		return false
	}
	block.Room(wire.PollPrefixSize)
	wire.PutPollPrefix(block.Body(), wire.PollPrefix{PartitionID: wire.PartitionResync})
	s.Answer(r.Home, components.Reply{Kind: components.ReplyBlock, Conn: r.Conn, Block: block.Finish()})
	return true
}

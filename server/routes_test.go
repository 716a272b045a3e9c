package server_test

import (
	"testing"

	"galgo/wire"
)

// A data connection polls and commits for the member whose session it attached, and makes no member itself. Source: protocol.md, 7.9.
func TestPollsForAnAttachedSession(t *testing.T) {
	s := start(t, setup{shards: 2})
	root := s.dial()
	orders := topic(t, root, "orders", 2)
	_, err := root.CreateGroup(named("s"), orders, "g")
	noError(t, err)
	var b wire.BatchBuilder
	for partition := range uint32(2) {
		send(t, root, orders, partition, batch(&b, 0, 10, 100), 0)
	}
	parent := member(t, s.dial(), orders)
	parent.assigned(0, 1)
	key := parent.key(1)
	poll := wire.AppendPollMessages(nil, wire.PollMessages{Consumer: key.Consumer, Stream: key.Stream, Topic: key.Topic, Partition: key.Partition,
		Strategy: wire.Strategy{Kind: wire.PollNext}, Count: 5, AutoCommit: true})
	payload, err := parent.Raw(wire.OpNonReplicated, wire.CodeGetPollRouting, poll)
	noError(t, err)
	route, err := wire.DecodeConsumerRoute(payload)
	noError(t, err)

	newUser(t, root, "other", "other", wire.Permissions{Global: wire.GlobalPollMessages})
	stranger := s.mustDialAs("other", "other")
	data := s.dial()
	attach := wire.AppendConsumerSession(nil, route.ConsumerSession)
	primary := func(want wire.Status) {
		t.Helper()
		_, err := data.Raw(wire.OpNonReplicated, wire.CodePollMessagesOnPrimary, poll)
		wantStatus(t, err, want)
	}
	primary(wire.StatusUnauthenticated) // nothing is attached
	_, err = stranger.Raw(wire.OpNonReplicated, wire.CodeAttachConsumerSession, attach)
	wantStatus(t, err, wire.StatusStaleClient)
	_, err = data.Raw(wire.OpNonReplicated, wire.CodeAttachConsumerSession, attach[:31])
	wantStatus(t, err, wire.StatusInvalidCommand)
	old := route.ConsumerSession
	old.Session--
	_, err = data.Raw(wire.OpNonReplicated, wire.CodeAttachConsumerSession, wire.AppendConsumerSession(nil, old))
	wantStatus(t, err, wire.StatusStaleClient)

	payload, err = data.Raw(wire.OpNonReplicated, wire.CodeAttachConsumerSession, attach)
	noError(t, err)
	if len(payload) != 0 {
		t.Errorf("attach: got %d bytes, want none", len(payload))
	}
	payload, err = data.Raw(wire.OpNonReplicated, wire.CodePollMessagesOnPrimary, poll)
	noError(t, err)
	if got, _, err := wire.DecodePollPrefix(payload); err != nil || got.PartitionID != 1 || got.Count != 5 {
		t.Errorf("poll for the member: got %+v, %v, want 5 messages of partition 1", got, err)
	}
	if stored, _, err := root.Offset(key); err != nil || stored.StoredOffset != 4 {
		t.Errorf("committed: got %+v, %v, want 4", stored, err)
	}
	noError(t, data.StoreOffset(key, 7))
	groupMember{data, t, parent.ref}.wantResync(1) // a plain poll is the connection's own
	if _, in, err := data.SyncGroup(parent.ref); err != nil || in {
		t.Errorf("attached: got member %v, %v, want none", in, err)
	}

	noError(t, data.Login("other", "other")) // on the same connection: nothing of the session before counts for this one
	primary(wire.StatusUnauthenticated)
	wantStatus(t, data.StoreOffset(key, 7), wire.StatusConsumerGroupPartitionNotOwned)
	noError(t, data.Login("iggy", "iggy"))
	_, err = data.Raw(wire.OpNonReplicated, wire.CodeAttachConsumerSession, attach)
	noError(t, err)

	noError(t, parent.LeaveGroup(parent.ref))
	payload, err = data.Raw(wire.OpNonReplicated, wire.CodePollMessagesOnPrimary, poll)
	noError(t, err)
	if got, _, err := wire.DecodePollPrefix(payload); err != nil || got.PartitionID != wire.PartitionResync {
		t.Errorf("poll for one who left: got %+v, %v, want to be told", got, err)
	}
	noError(t, parent.Logout())
	primary(wire.StatusStaleClient)
	wantStatus(t, data.StoreOffset(key, 8), wire.StatusConsumerGroupPartitionNotOwned)
}

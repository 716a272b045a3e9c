package state

import (
	"galgo/components"
	"galgo/wire"
)

// RouteRequests sends each request to whoever can answer it: to this shard's catalog, to a partition's owner, to shard 0, to a
// worker. A request that is wrong in itself, or comes before login, is answered at once.
// Reads Routable, Conns, Catalog. Writes Conns.Step, Requests or Out.Requests, Replies.
func RouteRequests(s *components.State) {
	for range s.Routable.Len() {
		row, ok := s.Conns.Row(s.Routable.Pop())
		if !ok {
			panic("state: a connection went while its request was to be routed")
		}
		if s.Conns.Gone[row] {
			finishRequest(s, row)
			continue
		}
		s.Conns.Step[row] = components.Away
		route(s, row)
	}
}

// route answers a request or passes it on. Protocol.md, 1.1 and 3.2, say what comes first.
func route(s *components.State, row int) {
	c := &s.Conns
	header := c.Header[row]
	verdict := wire.CheckRequestHeader(header, s.FrameMax)
	if verdict == wire.VerdictLegacyLogin {
		evict(s, row, wire.EvictMalformedLogin)
		return
	}
	if verdict != wire.VerdictOK && !verdict.NeedsSession() {
		answer(s, row, verdict.Status())
		return
	}
	if header.Operation == wire.OpRegister {
		if c.Check[row] != wire.StatusOK {
			answer(s, row, c.Check[row])
			return
		}
		beginLogin(s, row)
		return
	}
	if _, ok := s.Catalog.Users.Row(c.User[row]); !ok && c.Session[row] != 0 {
		unbind(s, row) // the user is deleted: shard 0 ends the session, but the client need not wait for that
	}
	ping := header.Operation == wire.OpNonReplicated && header.Code == wire.CodePing
	if c.Session[row] == 0 {
		switch {
		case ping, header.Operation == wire.OpLogout:
			answer(s, row, wire.StatusOK)
		case header.Operation == wire.OpNonReplicated:
			answer(s, row, wire.StatusUnauthenticated)
		default:
			evict(s, row, wire.EvictNoSession)
		}
		return
	}
	switch {
	case verdict != wire.VerdictOK:
		answer(s, row, verdict.Status())
	case c.Check[row] == wire.StatusInvalidFormat:
		answer(s, row, wire.StatusInvalidFormat) // the body is not what request_checksum says
	case ping:
		answer(s, row, wire.StatusOK)
	case header.Operation == wire.OpLogout:
		s.Ask(0, controlRequest(s, row, components.RequestClose))
	case header.Operation.Metadata():
		s.Ask(0, controlRequest(s, row, components.RequestMetadata))
	case header.Operation.Partition():
		answerUnlessOK(s, row, routePartition(s, row))
	default:
		routeRead(s, row)
	}
}

// answer gives the connection at hand a status and an empty body.
func answer(s *components.State, row int, status wire.Status) {
	s.Replies.Push(components.Reply{Kind: components.ReplyStatus, Conn: s.Conns.Entity(row), Status: status})
}

func answerUnlessOK(s *components.State, row int, status wire.Status) {
	if status != wire.StatusOK {
		answer(s, row, status)
	}
}

// evict answers the connection at hand with an eviction.
func evict(s *components.State, row int, reason wire.EvictionReason) {
	s.Replies.Push(components.Reply{Kind: components.ReplyEvict, Conn: s.Conns.Entity(row), Reason: reason})
}

func controlRequest(s *components.State, row int, kind components.RequestKind) components.Request {
	c := &s.Conns
	return components.Request{
		Kind: kind, Home: uint8(s.Shard), Conn: c.Entity(row), Since: s.Now.MonoMicros, Frame: c.Frame[row],
		Client: c.Client[row], Session: c.Session[row], User: c.User[row], Plugin: c.Plugin[row] != 0,
	}
}

// body is what follows the header of the request at hand.
func body(s *components.State, row int) []byte {
	return s.Memory.Bytes(s.Conns.Frame[row])[wire.FrameHeaderSize:]
}

// routeRead answers or passes on a non-replicated command of a connection with a session.
func routeRead(s *components.State, row int) {
	switch s.Conns.Header[row].Code {
	case wire.CodePollMessages:
		answerUnlessOK(s, row, routePoll(s, row, s.Conns.Session[row]))
	case wire.CodePollMessagesOnPrimary:
		answerUnlessOK(s, row, routePollOnPrimary(s, row))
	case wire.CodeGetConsumerOffset:
		answerUnlessOK(s, row, routeGetOffset(s, row))
	case wire.CodeGetStats:
		beginStats(s, row)
	case wire.CodeGetSnapshot:
		beginSnapshot(s, row)
	default:
		body, status := Describe(s, row)
		answerBody(s, row, body, status)
	}
}

// target is a partition that a request names, with its wire ids.
type target struct {
	topic, partition            int // rows in the catalog
	streamID, topicID, partitID uint32
}

// findTopic resolves stream and topic.
func findTopic(s *components.State, stream, topic wire.Ident) (t target, status wire.Status) {
	streamRow, ok := s.Catalog.FindStream(stream)
	if !ok {
		return t, wire.StatusStreamIdNotFound
	}
	t.topic, ok = s.Catalog.FindTopic(streamRow, topic)
	if !ok {
		return t, wire.StatusTopicIdNotFound
	}
	t.streamID, t.topicID = s.Catalog.Streams.ID[streamRow], s.Catalog.Topics.ID[t.topic]
	return t, wire.StatusOK
}

// findPartition resolves a partition of the topic.
func (t *target) findPartition(s *components.State, id uint32) wire.Status {
	row, ok := s.Catalog.PartitionByID(t.topic, id)
	if !ok {
		return wire.StatusPartitionNotFound
	}
	t.partition, t.partitID = row, id
	return wire.StatusOK
}

// partitionRequest is a request to the owner of the target.
func partitionRequest(s *components.State, row int, kind components.RequestKind, t target) (components.Request, int) {
	r := controlRequest(s, row, kind)
	r.Fence = s.Catalog.Applied
	r.Partition = s.Catalog.Partitions.Entity(t.partition)
	r.StreamID, r.TopicID, r.PartitionID = t.streamID, t.topicID, t.partitID
	return r, s.Catalog.OwnerOf(t.partition, s.Shards)
}

// routePartition passes a send or an offset write on. Order of checks: protocol.md, 7.8.
func routePartition(s *components.State, row int) wire.Status {
	switch s.Conns.Header[row].Operation {
	case wire.OpSendMessages:
		return routeSend(s, row)
	case wire.OpStoreConsumerOffset:
		write, status := wire.DecodeStoreConsumerOffset(body(s, row))
		if status != wire.StatusOK {
			return status
		}
		return routeOffset(s, row, components.RequestStoreOffset, write.OffsetKey, write.Offset)
	default:
		write, status := wire.DecodeDeleteConsumerOffset(body(s, row))
		if status != wire.StatusOK {
			return status
		}
		return routeOffset(s, row, components.RequestDeleteOffset, write.OffsetKey, 0)
	}
}

func routeSend(s *components.State, row int) wire.Status {
	send, status := wire.DecodeSendMessages(body(s, row))
	if status != wire.StatusOK {
		return status
	}
	t, status := findTopic(s, send.Stream, send.Topic)
	if status != wire.StatusOK {
		return wire.StatusResourceNotFound
	}
	id, ok := choosePartition(s, t.topic, send.Partitioning)
	if !ok || t.findPartition(s, id) != wire.StatusOK {
		return wire.StatusResourceNotFound
	}
	if !Allowed(s, s.Conns.User[row], SendMessages, s.Catalog.Topics.Stream[t.topic], s.Catalog.Topics.Entity(t.topic)) {
		return wire.StatusUnauthorized
	}
	if status := s.Conns.Check[row]; status != wire.StatusOK {
		return status
	}
	if s.Conns.Batch[row].Len < wire.BatchHeaderSize { // no batch at all has nothing to be checked
		return wire.StatusInvalidCommand
	}
	r, owner := partitionRequest(s, row, components.RequestSend, t)
	r.Batch, r.Count, r.Own = s.Conns.Batch[row], s.Conns.Count[row], s.Conns.Own[row]
	s.Ask(owner, r)
	return wire.StatusOK
}

// choosePartition applies protocol.md, 11.5. It returns false for a topic without partitions.
func choosePartition(s *components.State, topic int, p wire.Partitioning) (id uint32, ok bool) {
	count := s.Catalog.Topics.Partitions[topic]
	if count == 0 {
		return 0, false
	}
	switch p.Kind {
	case wire.PartitionBalanced:
		return s.Counters.NextRound(s.Catalog.Topics.Entity(topic)) % count, true
	case wire.PartitionKeyed:
		return wire.KeyPartition(p.Key, count), true
	}
	return p.ID, true
}

// consumerKey folds a consumer into the key that its offsets are stored under. Groups are numbered by the catalog; false is one that the
// topic does not have.
func consumerKey(s *components.State, topic int, c wire.Consumer) (components.ConsumerKey, bool) {
	if !c.IsGroup() {
		return components.ConsumerKey{Kind: wire.ConsumerSingle, ID: c.FoldID()}, true
	}
	row, ok := s.Catalog.FindGroup(topic, c.Ident)
	if !ok {
		return components.ConsumerKey{}, false
	}
	return components.ConsumerKey{Kind: wire.ConsumerGroup, ID: s.Catalog.Groups.ID[row]}, true
}

// routePoll passes on a poll of the member whose session this is.
func routePoll(s *components.State, row int, member uint64) wire.Status {
	poll, status := wire.DecodePollMessages(body(s, row))
	if status != wire.StatusOK {
		return status
	}
	r, owner, status := pollRequest(s, row, &poll, member)
	switch status {
	case wire.StatusOK:
		s.Ask(owner, r)
	case wire.StatusConsumerGroupPartitionNotOwned: // clients of a group ask for their assignment then
		var prefix [wire.PollPrefixSize]byte
		wire.PutPollPrefix(prefix[:], wire.PollPrefix{PartitionID: wire.PartitionResync})
		answerBody(s, row, prefix[:], wire.StatusOK)
	default:
		return status
	}
	return wire.StatusOK
}

// pollRequest is a poll as a request to the owner of its partition, by the member whose session this is. Statuses: protocol.md, 12.5.
func pollRequest(s *components.State, row int, poll *wire.PollMessages, member uint64) (r components.Request, owner int, status wire.Status) {
	t, status := findTopic(s, poll.Stream, poll.Topic)
	if status != wire.StatusOK {
		return r, 0, status
	}
	if poll.Consumer.IsGroup() && !poll.Partition.Present {
		return r, 0, wire.StatusInvalidIdentifier
	}
	if status := t.findPartition(s, poll.Partition.ID); status != wire.StatusOK {
		if poll.Consumer.IsGroup() { // it may be gone since the member learnt of it: whose it is comes first
			status = wire.StatusConsumerGroupPartitionNotOwned
		}
		return r, 0, status
	}
	if !Allowed(s, s.Conns.User[row], PollMessages, s.Catalog.Topics.Stream[t.topic], s.Catalog.Topics.Entity(t.topic)) {
		return r, 0, wire.StatusUnauthorized
	}
	r, owner = partitionRequest(s, row, components.RequestPoll, t)
	r.Session = member
	r.Strategy, r.Count, r.AutoCommit = poll.Strategy, poll.Count, poll.AutoCommit
	var known bool
	if r.Consumer, known = consumerKey(s, t.topic, poll.Consumer); !known || !mayPoll(s, &r) {
		return r, 0, wire.StatusConsumerGroupPartitionNotOwned
	}
	return r, owner, wire.StatusOK
}

// routeOffset passes an offset write on.
func routeOffset(s *components.State, row int, kind components.RequestKind, key wire.OffsetKey, offset uint64) wire.Status {
	r, owner, status := offsetRequest(s, row, kind, &key)
	if status != wire.StatusOK {
		return status
	}
	r.Offset = offset
	s.Ask(owner, r)
	return wire.StatusOK
}

// offsetRequest is an offset write as a request to the owner of its partition. Statuses: protocol.md, 7.5.
func offsetRequest(s *components.State, row int, kind components.RequestKind, key *wire.OffsetKey) (r components.Request, owner int, status wire.Status) {
	t, status := findTopic(s, key.Stream, key.Topic)
	if status != wire.StatusOK {
		if key.Consumer.IsGroup() {
			status = wire.StatusResourceNotFound
		}
		return r, 0, status
	}
	consumer, known := consumerKey(s, t.topic, key.Consumer)
	if !known {
		if key.Consumer.Ident.Kind == wire.IdentName {
			return r, 0, wire.StatusConsumerGroupNameNotFound
		}
		return r, 0, wire.StatusConsumerGroupIdNotFound
	}
	if !key.Partition.Present {
		return r, 0, wire.StatusInvalidIdentifier
	}
	if status := t.findPartition(s, key.Partition.ID); status != wire.StatusOK {
		return r, 0, status
	}
	if !Allowed(s, s.Conns.User[row], PollMessages, s.Catalog.Topics.Stream[t.topic], s.Catalog.Topics.Entity(t.topic)) {
		return r, 0, wire.StatusUnauthorized
	}
	r, owner = partitionRequest(s, row, kind, t)
	r.Consumer = consumer
	if attached := s.Conns.AttachedSession[row]; attached != 0 {
		r.Session = attached
	}
	if !mayCommit(s, &r) {
		return r, 0, wire.StatusConsumerGroupPartitionNotOwned
	}
	return r, owner, wire.StatusOK
}

func routeGetOffset(s *components.State, row int) wire.Status {
	key, status := wire.DecodeOffsetKey(body(s, row))
	if status != wire.StatusOK {
		return status
	}
	t, status := findTopic(s, key.Stream, key.Topic)
	if status != wire.StatusOK {
		return status
	}
	if status := t.findPartition(s, key.Partition.ID); status != wire.StatusOK {
		return status
	}
	if !Allowed(s, s.Conns.User[row], PollMessages, s.Catalog.Topics.Stream[t.topic], s.Catalog.Topics.Entity(t.topic)) {
		return wire.StatusUnauthorized
	}
	consumer, ok := consumerKey(s, t.topic, key.Consumer)
	if !ok { // an unknown group has stored nothing
		answerBody(s, row, nil, wire.StatusOK)
		return wire.StatusOK
	}
	r, owner := partitionRequest(s, row, components.RequestGetOffset, t)
	r.Consumer = consumer
	s.Ask(owner, r)
	return wire.StatusOK
}

package simtest

import "galgo/wire"

// intrude looks for somebody else's topic, best of all while that is being made, and polls what is there. What this connection was shown has to be
// there for it, even if the partition's owner is behind.
func (a *actor) intrude() {
	other := a.p.actors[a.rng.IntN(len(a.p.actors))]
	for _, candidate := range a.p.actors {
		if candidate != a && candidate.own.making {
			other = candidate
		}
	}
	if other != a && other.own.making && a.rng.IntN(2) == 0 {
		a.pollMade(other)
		return
	}
	stream := other.ownStream()
	a.find(stream, func(created uint64) {
		if created > 0 {
			a.then = func() { a.pollFound(stream, created) }
		}
	})
}

// pollMade polls a topic that is being made. Whoever knows of it has the poll wait until its owner does: the one before under that name is gone
// everywhere, and until the next change is asked for nothing takes this one away.
func (a *actor) pollMade(other *actor) {
	p, turn, stream := a.p, other.turns, other.ownStream()
	a.ask(wire.OpNonReplicated, wire.CodePollMessages, wire.AppendPollMessages(nil, foundPoll(stream)), func(got answer) {
		if got.status == wire.StatusPartitionNotFound && other.turns == turn {
			p.fail("poll a topic that is being made: got %v, want ok, or nobody knows of the topic", got)
		}
	}, "poll the topic of %s, which is being made", stream.Name)
}

// curious says whether now is the moment to look into somebody's topic: it is being made, and some shards may know of it already.
func (a *actor) curious() bool {
	for _, other := range a.p.actors {
		if other != a && other.own.making {
			return a.rng.IntN(2) == 0
		}
	}
	return false
}

// find asks for a topic and tells when it was created; 0: it is not there, or nobody knows.
func (a *actor) find(stream wire.Ident, found func(created uint64)) {
	a.ask(wire.OpNonReplicated, wire.CodeGetTopic, wire.AppendTopicRef(nil, wire.TopicRef{Stream: stream, Topic: wire.IdentNamed(ownTopicName)}), func(got answer) {
		created := uint64(0)
		switch {
		case got.gone():
		case !got.ok():
			a.p.fail("look for somebody's topic: got %v, want ok", got)
		case len(got.payload) > 0:
			topic, err := wire.DecodeTopicDetails(got.payload)
			if err != nil {
				a.p.fail("topic details: %v", err)
			}
			created = topic.CreatedAt
		}
		found(created)
	}, "look for the topic of %s", stream.Name)
}

// foundPoll polls the beginning of somebody's topic.
func foundPoll(stream wire.Ident) wire.PollMessages {
	return wire.PollMessages{Consumer: single(8), Stream: stream, Topic: wire.IdentNamed(ownTopicName), Partition: wire.OptionalPartition{Present: true},
		Strategy: wire.Strategy{Kind: wire.PollFirst}, Count: 5}
}

func (a *actor) pollFound(stream wire.Ident, created uint64) {
	p, c := a.p, a.c
	a.ask(wire.OpNonReplicated, wire.CodePollMessages, wire.AppendPollMessages(nil, foundPoll(stream)), func(got answer) {
		switch {
		case got.gone(), got.ok():
		case got.status == wire.StatusCannotReadMessage && (p.weather.reads || p.weather.slow):
		case got.status == wire.StatusStreamIdNotFound, got.status == wire.StatusTopicIdNotFound, got.status == wire.StatusPartitionNotFound:
			a.then = func() {
				a.find(stream, func(again uint64) {
					if again == created && a.c == c {
						p.fail("poll a topic that this connection was shown before and after: got %v, want ok", got)
					}
				})
			}
		default:
			p.fail("poll somebody's topic: got %v, want ok or not found in weather %s", got, p.weather.name)
		}
	}, "poll the topic of %s", stream.Name)
}

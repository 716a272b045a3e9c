package simtest

import (
	"fmt"
	"slices"

	"github.com/anishathalye/porcupine"

	"galgo/wire"
)

var _ = register(family{name: "catalog", weight: 25, act: changeCatalog})

// A slot of the catalog is two stream names, each with two topic names, each with two group names: everything that may happen to them may
// happen to a slot, and slots have nothing to do with each other.
type (
	slotState struct{ streams [2]streamState }
	// streamState is a stream that may be there.
	streamState struct {
		there  bool
		topics [2]topicState
	}
	topicState struct {
		there      bool
		id         uint32
		partitions uint32
		groups     [2]groupState
		nextGroup  uint32
	}
	groupState struct {
		there bool
		id    uint32
	}
)

// catalogCall is what is asked for, by numbers of names.
type catalogCall struct {
	op            wire.Operation // of a write
	code          wire.Code      // of a read
	stream, topic int
	group         int
	rename        int // the new name
	count         uint32
}

func streamName(slot, n int) []byte { return fmt.Appendf(nil, "s%d%c", slot, 'a'+n) }
func topicName(n int) []byte        { return fmt.Appendf(nil, "t%c", 'a'+n) }
func groupName(n int) []byte        { return fmt.Appendf(nil, "g%c", 'a'+n) }

// changeCatalog asks for one change, or for a look.
func changeCatalog(a *actor) {
	p := a.p
	slot := a.rng.IntN(slotsMax)
	in := catalogCall{stream: a.rng.IntN(2), topic: a.rng.IntN(2), group: a.rng.IntN(2), rename: a.rng.IntN(2), count: uint32(1 + a.rng.IntN(2))}
	stream, topic, group := wire.IdentNamed(streamName(slot, in.stream)), wire.IdentNamed(topicName(in.topic)), wire.IdentNamed(groupName(in.group))
	var body []byte
	switch n := a.rng.IntN(20); {
	case n < 3:
		in.op, body = wire.OpCreateStream, wire.AppendCreateStream(nil, wire.CreateStream{Name: stream.Name})
	case n < 4:
		in.op, body = wire.OpDeleteStream, wire.AppendIdent(nil, stream)
	case n < 5:
		in.op, body = wire.OpUpdateStream, wire.AppendUpdateStream(nil, wire.UpdateStream{Stream: stream, Name: streamName(slot, in.rename)})
	case n < 8:
		in.op, body = wire.OpCreateTopic, wire.AppendCreateTopic(nil, wire.CreateTopic{Stream: stream, Name: topic.Name, PartitionsCount: in.count})
	case n < 9:
		in.op, body = wire.OpDeleteTopic, wire.AppendTopicRef(nil, wire.TopicRef{Stream: stream, Topic: topic})
	case n < 10:
		in.op, body = wire.OpUpdateTopic, wire.AppendUpdateTopic(nil, wire.UpdateTopic{Stream: stream, Topic: topic, Name: topicName(in.rename)})
	case n < 11:
		in.op, body = wire.OpCreatePartitions, wire.AppendChangePartitions(nil, wire.ChangePartitions{Stream: stream, Topic: topic, Count: in.count})
	case n < 12:
		in.op, body = wire.OpDeletePartitions, wire.AppendChangePartitions(nil, wire.ChangePartitions{Stream: stream, Topic: topic, Count: in.count})
	case n < 13:
		in.op, body = wire.OpCreateConsumerGroup, wire.AppendCreateConsumerGroup(nil, wire.CreateConsumerGroup{Stream: stream, Topic: topic, Name: group.Name})
	case n < 14:
		in.op, body = wire.OpDeleteConsumerGroup, wire.AppendGroupRef(nil, wire.GroupRef{Stream: stream, Topic: topic, Group: group})
	case n < 17:
		in.code, body = wire.CodeGetStream, wire.AppendIdent(nil, stream)
	case n < 19:
		in.code, body = wire.CodeGetTopic, wire.AppendTopicRef(nil, wire.TopicRef{Stream: stream, Topic: topic})
	default:
		in.code, body = wire.CodeGetConsumerGroups, wire.AppendTopicRef(nil, wire.TopicRef{Stream: stream, Topic: topic})
	}
	text := in.text(slot)
	if in.op == 0 {
		c := p.catalog.begin(p, slot, a.c.shard, in, text)
		a.ask(wire.OpNonReplicated, in.code, body, func(got answer) { c.finish(p, got) }, "%s", text)
		return
	}
	c := p.catalog.begin(p, slot, everywhere, in, text)
	a.write(in.op, body, func(got answer) {
		c.finish(p, got)
		if got.status == wire.StatusCannotWriteToFile {
			p.mustWrite(got, text)
		}
	}, "%s", text)
}

func (in catalogCall) text(slot int) string {
	name := in.code.String()
	if in.op != 0 {
		name = in.op.String()
	}
	return fmt.Sprintf("%s %s/%s/%s, name %c, count %d", name, streamName(slot, in.stream), topicName(in.topic), groupName(in.group), 'a'+in.rename, in.count)
}

// catalogModel is what a catalog does, as far as a slot goes.
func catalogModel(int) porcupine.NondeterministicModel {
	return modelOf(slotState.apply)
}

// apply says what a call does to a slot: the state after it, the status, and a check of the payload.
func (s slotState) apply(in catalogCall) (after slotState, status wire.Status, check func([]byte) bool) {
	after = s
	stream := &after.streams[in.stream]
	switch {
	case in.op == wire.OpCreateStream:
		if stream.there {
			return s, wire.StatusStreamNameAlreadyExists, nil
		}
		*stream = streamState{there: true}
		return after, wire.StatusOK, nil
	case in.code == wire.CodeGetStream:
		return s, wire.StatusOK, func(payload []byte) bool { return stream.matches(payload) }
	case in.code == wire.CodeGetTopic && !stream.there:
		return s, wire.StatusOK, func(payload []byte) bool { return len(payload) == 0 }
	case !stream.there:
		return s, wire.StatusStreamIdNotFound, nil
	case in.op == wire.OpDeleteStream:
		*stream = streamState{}
		return after, wire.StatusOK, nil
	case in.op == wire.OpUpdateStream:
		to := &after.streams[in.rename]
		if in.rename != in.stream && to.there {
			return s, wire.StatusStreamNameAlreadyExists, nil
		}
		moved := *stream
		*stream = streamState{}
		*to = moved
		return after, wire.StatusOK, nil
	}
	topic := &stream.topics[in.topic]
	switch {
	case in.op == wire.OpCreateTopic:
		if topic.there {
			return s, wire.StatusTopicNameAlreadyExists, nil
		}
		*topic = topicState{there: true, id: stream.lowestTopic(), partitions: in.count}
		want := *topic
		return after, wire.StatusOK, func(payload []byte) bool {
			got, err := wire.DecodeTopicDetails(payload)
			return err == nil && got.ID == want.id && got.PartitionsCount == want.partitions
		}
	case in.code == wire.CodeGetTopic:
		return s, wire.StatusOK, func(payload []byte) bool {
			if !topic.there {
				return len(payload) == 0
			}
			got, err := wire.DecodeTopicDetails(payload)
			return err == nil && got.ID == topic.id && got.PartitionsCount == topic.partitions
		}
	case !topic.there:
		return s, wire.StatusTopicIdNotFound, nil
	case in.op == wire.OpDeleteTopic:
		*topic = topicState{}
	case in.op == wire.OpUpdateTopic:
		to := &stream.topics[in.rename]
		if in.rename != in.topic && to.there {
			return s, wire.StatusTopicNameAlreadyExists, nil
		}
		moved := *topic
		*topic = topicState{}
		*to = moved
	case in.op == wire.OpCreatePartitions:
		topic.partitions += in.count
	case in.op == wire.OpDeletePartitions:
		if topic.partitions < in.count {
			return s, wire.StatusInvalidPartitionsCount, nil
		}
		topic.partitions -= in.count
	case in.op == wire.OpCreateConsumerGroup:
		g := &topic.groups[in.group]
		if g.there {
			return s, wire.StatusConsumerGroupNameAlreadyExists, nil
		}
		*g = groupState{there: true, id: topic.nextGroup}
		topic.nextGroup++
		want := g.id
		return after, wire.StatusOK, func(payload []byte) bool {
			got, err := wire.DecodeGroupDetails(payload)
			return err == nil && got.ID == want && got.MembersCount == 0
		}
	case in.op == wire.OpDeleteConsumerGroup:
		g := &topic.groups[in.group]
		if !g.there {
			return s, wire.StatusConsumerGroupIdNotFound, nil
		}
		*g = groupState{}
	case in.code == wire.CodeGetConsumerGroups:
		return s, wire.StatusOK, func(payload []byte) bool { return topic.matchesGroups(payload) }
	default:
		panic(fmt.Sprintf("simtest: no model of %s %s", in.op, in.code))
	}
	return after, wire.StatusOK, nil
}

// lowestTopic is the id that the next topic gets.
func (s *streamState) lowestTopic() uint32 {
	for id := uint32(0); ; id++ {
		if !slices.ContainsFunc(s.topics[:], func(t topicState) bool { return t.there && t.id == id }) {
			return id
		}
	}
}

func (s *streamState) matches(payload []byte) bool {
	if !s.there {
		return len(payload) == 0
	}
	got, err := wire.DecodeStreamDetails(payload)
	if err != nil {
		return false
	}
	want := 0
	for n, t := range s.topics {
		if !t.there {
			continue
		}
		want++
		if !slices.ContainsFunc(got.Topics, func(g wire.Topic) bool {
			return string(g.Name) == string(topicName(n)) && g.ID == t.id && g.PartitionsCount == t.partitions
		}) {
			return false
		}
	}
	return len(got.Topics) == want
}

func (t *topicState) matchesGroups(payload []byte) bool {
	got, err := wire.DecodeGroups(payload)
	if err != nil {
		return false
	}
	want := 0
	for n, g := range t.groups {
		if !g.there {
			continue
		}
		want++
		if !slices.ContainsFunc(got, func(x wire.Group) bool { return string(x.Name) == string(groupName(n)) && x.ID == g.id }) {
			return false
		}
	}
	return len(got) == want
}

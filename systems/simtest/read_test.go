package simtest

import (
	"encoding/binary"

	"galgo/wire"
)

var (
	_ = register(family{name: "ping", weight: 5, act: ping})
	_ = register(family{name: "read", weight: 10, act: look})
)

func ping(a *actor) {
	a.ask(wire.OpNonReplicated, wire.CodePing, nil, func(got answer) {
		if !got.gone() && (!got.ok() || len(got.payload) > 0) {
			a.p.fail("ping: got %v, want ok and nothing", got)
		}
	}, "ping")
}

// look reads one of the things that every client may read, and wants it to be well made.
func look(a *actor) {
	p := a.p
	t := a.partition()
	visible := t.visible
	var body []byte
	var check func(payload []byte) error
	code := []wire.Code{wire.CodeGetStats, wire.CodeGetMe, wire.CodeGetClients, wire.CodeGetClusterMetadata, wire.CodeDescribeOptions, wire.CodeGetStreams, wire.CodeGetTopics,
		wire.CodeGetUsers, wire.CodeGetPersonalAccessTokens, wire.CodeGetConsumerGroup, wire.CodeGetTopic, wire.CodeGetTopic, wire.CodeGetTopic}[a.rng.IntN(13)]
	switch code {
	case wire.CodeGetStats:
		check = func(b []byte) error { _, err := wire.DecodeStats(b); return err }
	case wire.CodeGetMe:
		check = func(b []byte) error {
			me, err := wire.DecodeClientDetails(b)
			c := a.c
			a.then = func() { lookAtMe(a, c, me) }
			return err
		}
	case wire.CodeGetClients:
		check = func(b []byte) error { _, err := wire.DecodeClients(b); return err }
	case wire.CodeDescribeOptions:
		body = []byte{1}
	case wire.CodeGetStreams:
		check = func(b []byte) error {
			streams, err := wire.DecodeStreams(b)
			seen := map[uint32]bool{}
			for _, s := range streams {
				if seen[s.ID] {
					p.fail("streams: got id %d twice", s.ID)
				}
				seen[s.ID] = true
			}
			return err
		}
	case wire.CodeGetTopics:
		body = wire.AppendIdent(nil, wire.IdentNamed(dataStream))
		check = func(b []byte) error { _, err := wire.DecodeTopics(b); return err }
	case wire.CodeGetUsers:
		check = func(b []byte) error { _, err := wire.DecodeUsers(b); return err }
	case wire.CodeGetPersonalAccessTokens:
		check = func(b []byte) error { _, err := wire.DecodePersonalAccessTokens(b); return err }
	case wire.CodeGetConsumerGroup:
		body = wire.AppendGroupRef(nil, wire.GroupRef{Stream: wire.IdentNamed(dataStream), Topic: t.topic.ident(), Group: group})
		check = func(b []byte) error { return p.oneOwnerEach(t.topic, b) }
	case wire.CodeGetTopic:
		body = wire.AppendTopicRef(nil, wire.TopicRef{Stream: wire.IdentNamed(dataStream), Topic: t.topic.ident()})
		check = func(b []byte) error {
			got, err := wire.DecodeTopicDetails(b)
			if err == nil && visible > 0 && !t.unread && got.Partitions[t.id].CurrentOffset+1 < visible {
				p.fail("topic details: got current offset %d of %s, want %d at least, which was acknowledged before", got.Partitions[t.id].CurrentOffset, t, visible-1)
			}
			return err
		}
	}
	a.ask(wire.OpNonReplicated, code, body, func(got answer) {
		switch {
		case got.gone():
		case !got.ok():
			p.fail("%s: got %v, want ok", code, got)
		case check != nil:
			if err := check(got.payload); err != nil {
				p.fail("%s: %v", code, err)
			}
		}
	}, "%s", code)
}

// lookAtMe asks for a client by its number: the actor itself, as it was told over c, or nobody. Once the actor has another connection the first one
// may be known or not.
func lookAtMe(a *actor, c *client, me wire.ClientDetails) {
	id := me.ID
	if a.rng.IntN(4) == 0 {
		id += 1 << 20
	}
	a.ask(wire.OpNonReplicated, wire.CodeGetClient, binary.LittleEndian.AppendUint32(nil, id), func(got answer) {
		if got.gone() {
			return
		}
		client, err := wire.DecodeClientDetails(got.payload)
		switch {
		case !got.ok():
			a.p.fail("client %d: got %v, want ok", id, got)
		case id != me.ID && len(got.payload) > 0:
			a.p.fail("client %d: got %d bytes, want none: there is no such client", id, len(got.payload))
		case id == me.ID && a.c == c && (err != nil || client.ID != me.ID || string(client.Address) != string(me.Address)):
			a.p.fail("client %d at %s: got %d at %s, error %v", me.ID, me.Address, client.ID, client.Address, err)
		}
	}, "look at client %d", id)
}

// oneOwnerEach checks the members of a group: no partition has two owners.
func (p *play) oneOwnerEach(t *dataTopic, payload []byte) error {
	got, err := wire.DecodeGroupDetails(payload)
	owner := map[uint32]uint32{}
	for _, m := range got.Members {
		for _, partition := range m.Partitions {
			if other, taken := owner[partition]; taken {
				p.fail("%s/%d: got two owners: members %d and %d", t.name, partition, other, m.ID)
			}
			owner[partition] = m.ID
		}
	}
	return err
}

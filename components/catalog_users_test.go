package components

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"testing"

	"galgo/ecs"
	"galgo/wire"
)

type modelUser struct {
	name, hash  string
	active      bool
	permissions []byte
	tokens      map[string]modelToken
}

type modelToken struct {
	hash   TokenHash
	expiry uint64
}

// firstUsers is the user that TestCatalogsAreEqualAtEqualSeq begins with.
func firstUsers() map[uint32]*modelUser {
	return map[uint32]*modelUser{RootID: {name: "iggy", hash: "hash", active: true, tokens: map[string]modelToken{}}}
}

func (d *decider) permissions() []byte {
	if d.rng.IntN(3) == 0 {
		return nil
	}
	p := wire.Permissions{Global: wire.GlobalGrants(d.rng.IntN(1024))}
	for stream := range d.rng.Uint32N(4) {
		p.Streams = append(p.Streams, wire.StreamPermissions{StreamID: stream, Grants: wire.StreamGrants(d.rng.IntN(64)),
			Topics: []wire.TopicPermissions{{TopicID: stream, Grants: wire.TopicGrants(d.rng.IntN(16))}}})
	}
	return wire.AppendPermissions(nil, p)
}

// userEvent decides an event about users, tokens or names, or returns nil where what was drawn has no object.
func (d *decider) userEvent(t *testing.T) *wire.Event {
	c := d.catalog
	n := d.rng.IntN(14)
	if n < 3 {
		id := c.NextUserID()
		if want := lowest(d.users); id != want {
			t.Fatalf("next user id: got %d, want %d", id, want)
		}
		u := &modelUser{name: fmt.Sprint("user", d.seq), hash: fmt.Sprint("hash", d.seq), active: d.rng.IntN(2) == 0, permissions: d.permissions(), tokens: map[string]modelToken{}}
		d.users[id] = u
		return d.event(wire.Event{Kind: wire.EventUserCreated, User: uint64(c.Users.Entities.Take()), UserID: id, UserStatus: modelStatus(u.active),
			Name: []byte(u.name), PasswordHash: []byte(u.hash), Permissions: u.permissions})
	}
	if n < 6 {
		return d.renameEvent(n)
	}
	id, u, ok := pick(d.rng, d.users)
	if !ok {
		return nil
	}
	row, _ := c.FindUser(wire.IdentOf(id))
	user := uint64(c.Users.Entity(row))
	switch {
	case n < 7 && id != RootID:
		delete(d.users, id)
		return d.event(wire.Event{Kind: wire.EventUserDeleted, User: user})
	case n < 8:
		u.active = !u.active
		if d.rng.IntN(2) == 0 {
			u.name = fmt.Sprint("renamed", d.seq)
		}
		return d.event(wire.Event{Kind: wire.EventUserUpdated, User: user, UserStatus: modelStatus(u.active), Name: []byte(u.name)})
	case n < 9:
		u.hash = fmt.Sprint("changed", d.seq)
		return d.event(wire.Event{Kind: wire.EventPasswordChanged, User: user, PasswordHash: []byte(u.hash)})
	case n < 10:
		u.permissions = d.permissions()
		return d.event(wire.Event{Kind: wire.EventPermissionsChanged, User: user, Permissions: u.permissions})
	case n < 13:
		name := fmt.Sprintf("token%d", d.rng.IntN(1000))
		if _, taken := u.tokens[name]; taken {
			return nil
		}
		token := modelToken{expiry: d.rng.Uint64N(2) * d.seq}
		for i := range token.hash {
			token.hash[i] = byte(d.rng.IntN(256))
		}
		u.tokens[name] = token
		return d.event(wire.Event{Kind: wire.EventTokenCreated, User: user, Expiry: token.expiry, Name: []byte(name), TokenHash: token.hash[:]})
	}
	names := slices.Sorted(maps.Keys(u.tokens))
	if len(names) == 0 {
		return nil
	}
	name := names[d.rng.IntN(len(names))]
	delete(u.tokens, name)
	return d.event(wire.Event{Kind: wire.EventTokenDeleted, User: user, Name: []byte(name)})
}

// renameEvent gives a stream or a topic another name, and a topic other limits.
func (d *decider) renameEvent(n int) *wire.Event {
	c := d.catalog
	streamID, s, ok := pick(d.rng, d.streams)
	if !ok {
		return nil
	}
	stream, _ := c.FindStream(wire.IdentOf(streamID))
	if n == 3 {
		s.name = fmt.Sprint("renamed", d.seq)
		return d.event(wire.Event{Kind: wire.EventStreamUpdated, Stream: uint64(c.Streams.Entity(stream)), Name: []byte(s.name)})
	}
	topicID, topic, ok := pick(d.rng, s.topics)
	if !ok {
		return nil
	}
	row, _ := c.FindTopic(stream, wire.IdentOf(topicID))
	if n == 4 {
		topic.name = fmt.Sprint("renamed", d.seq)
	}
	return d.event(wire.Event{Kind: wire.EventTopicUpdated, Topic: uint64(c.Topics.Entity(row)), Name: []byte(topic.name), CompressionAlgorithm: 2,
		MessageExpiry: d.seq, MaxTopicSize: 1 << 30, Explicit: bytes.Repeat([]byte{3}, d.rng.IntN(60)), Derived: bytes.Repeat([]byte{4}, d.rng.IntN(300))})
}

func modelStatus(active bool) uint8 {
	if active {
		return userActive
	}
	return userInactive
}

// checkUsers compares the users and tokens of a catalog with what there must be, through every way of finding them.
func (d *decider) checkUsers(t *testing.T, c *Catalog) {
	t.Helper()
	if c.Users.Len() != len(d.users) || c.Users.Entities.Len() != len(d.users) {
		t.Fatalf("users: got %d and %d entities, want %d", c.Users.Len(), c.Users.Entities.Len(), len(d.users))
	}
	tokens := 0
	for id, u := range d.users {
		row, ok := c.FindUser(wire.IdentOf(id))
		named, okNamed := c.FindUser(wire.IdentNamed([]byte(u.name)))
		if !ok || !okNamed || row != named || string(c.Text(c.Users.PasswordHash[row])) != u.hash || c.Users.Active[row] != u.active ||
			!bytes.Equal(c.Text(c.Users.Permissions[row]), u.permissions) {
			t.Fatalf("user %d %q: got row %d by id, %d by name, %q", id, u.name, row, named, c.Text(c.Users.Name[row]))
		}
		if len(u.permissions) > 0 && !bytes.Equal(wire.AppendPermissions(nil, c.Users.Grants[row]), u.permissions) ||
			len(u.permissions) == 0 && (c.Users.Grants[row].Global != 0 || c.Users.Grants[row].Streams != nil) {
			t.Fatalf("grants of user %d: got %+v, want those of its block", id, c.Users.Grants[row])
		}
		var names []string
		for _, token := range c.Users.Tokens[row] {
			names = append(names, string(c.Text(c.Tokens.Name[token])))
		}
		if !slices.Equal(names, slices.Sorted(maps.Keys(u.tokens))) {
			t.Fatalf("tokens of user %d: got %q, want %q", id, names, slices.Sorted(maps.Keys(u.tokens)))
		}
		for name, token := range u.tokens {
			row, ok := c.TokenNamed(row, []byte(name))
			hashed, okHashed := c.TokenHashed(token.hash)
			if !ok || !okHashed || row != hashed || c.Tokens.ExpiryAt[row] != token.expiry || c.Users.ID[c.Users.MustRow(c.Tokens.User[row])] != id {
				t.Fatalf("token %q of user %d: got row %d by name, %d by hash", name, id, row, hashed)
			}
			tokens++
		}
	}
	if c.Tokens.Len() != tokens || len(c.Tokens.byHash) != tokens {
		t.Fatalf("tokens: got %d, %d by hash, want %d", c.Tokens.Len(), len(c.Tokens.byHash), tokens)
	}
}

func TestPresence(t *testing.T) {
	var p Presence
	for _, id := range []uint32{3, 1, 2} {
		p.Set(Present{ClientID: id})
	}
	p.Set(Present{ClientID: 1, User: ecs.MakeEntity(4, 1)})
	p.Leave(2)
	list := p.List()
	if len(list) != 2 || list[0].ClientID != 1 || list[0].User != ecs.MakeEntity(4, 1) || list[1].ClientID != 3 {
		t.Errorf("connections: got %+v, want 1 and 3", list)
	}
	if _, ok := p.Find(2); ok {
		t.Error("a connection that left: got found, want not")
	}
}

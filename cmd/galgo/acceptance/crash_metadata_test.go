package acceptance

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"galgo/wire"
	"galgo/wire/client"
)

// author changes metadata that are its own, whose names begin with its own, and knows what was acknowledged.
type author struct {
	name  string
	seed  uint64
	made  int       // names given so far
	known metadata  // after the last answer
	open  *metadata // after the request that was not answered, or nil
}

// metadata are an author's streams, users and tokens, by name.
type metadata struct {
	streams map[string]map[string]*topicKnown
	users   map[string]string // their permissions
	tokens  map[string]bool
}

type topicKnown struct {
	partitions uint32
	messages   uint64 // in partition 0; the first is the number of the topic
	number     uint64
	groups     map[string]bool
}

func newAuthor(name string) *author {
	return &author{name: name, known: metadata{streams: map[string]map[string]*topicKnown{}, users: map[string]string{}, tokens: map[string]bool{}}}
}

func (m metadata) clone() metadata {
	n := metadata{streams: map[string]map[string]*topicKnown{}, users: maps.Clone(m.users), tokens: maps.Clone(m.tokens)}
	for stream, topics := range m.streams {
		n.streams[stream] = map[string]*topicKnown{}
		for name, topic := range topics {
			known := *topic
			known.groups = maps.Clone(topic.groups)
			n.streams[stream][name] = &known
		}
	}
	return n
}

// String is the same for the same metadata.
func (m metadata) String() string {
	var b strings.Builder
	for _, stream := range slices.Sorted(maps.Keys(m.streams)) {
		fmt.Fprintf(&b, "stream %s\n", stream)
		for _, name := range slices.Sorted(maps.Keys(m.streams[stream])) {
			t := m.streams[stream][name]
			fmt.Fprintf(&b, "\ttopic %s: %d partitions, %d messages, first %d, groups %v\n", name, t.partitions, t.messages, t.number, slices.Sorted(maps.Keys(t.groups)))
		}
	}
	for _, user := range slices.Sorted(maps.Keys(m.users)) {
		fmt.Fprintf(&b, "user %s %x\n", user, m.users[user])
	}
	for _, token := range slices.Sorted(maps.Keys(m.tokens)) {
		fmt.Fprintf(&b, "token %s\n", token)
	}
	return b.String()
}

// run changes metadata without end.
func (a *author) run(c *client.Client) error {
	random := rand.New(rand.NewPCG(a.seed, 0))
	for {
		next := a.known.clone()
		request := a.draw(random, &next)
		if request == nil {
			continue
		}
		a.open = &next
		if err := request(c); err != nil {
			return err
		}
		a.known, a.open = next, nil
	}
}

func (a *author) fresh() string {
	a.made++
	return fmt.Sprintf("%s%d", a.name, a.made)
}

// draw changes m in a way of chance, and returns the request that does the same at a server; nil where there is nothing to change.
func (a *author) draw(random *rand.Rand, m *metadata) func(*client.Client) error {
	switch kind := random.IntN(20); {
	case kind < 2 || len(m.streams) == 0:
		if len(m.streams) > 5 {
			return nil
		}
		name := a.fresh()
		m.streams[name] = map[string]*topicKnown{}
		return func(c *client.Client) error { _, err := c.CreateStream(name); return err }
	case kind < 3:
		name := pick(random, m.streams)
		delete(m.streams, name)
		return func(c *client.Client) error { return c.DeleteStream(named(name)) }
	case kind < 4:
		name, other := pick(random, m.streams), a.fresh()
		m.streams[other] = m.streams[name]
		delete(m.streams, name)
		return func(c *client.Client) error { return c.UpdateStream(named(name), other) }
	case kind < 7:
		return a.drawUser(random, m)
	}
	return a.drawTopic(random, m)
}

func (a *author) drawUser(random *rand.Rand, m *metadata) func(*client.Client) error {
	switch random.IntN(6) {
	case 0:
		if len(m.users) > 0 { // passwords are slow
			return nil
		}
		name := a.fresh()
		m.users[name] = ""
		return func(c *client.Client) error {
			_, err := c.CreateUser(wire.CreateUser{Username: []byte("user " + name), Password: []byte("password"), Status: wire.UserActive})
			return err
		}
	case 1:
		if len(m.tokens) > 3 {
			return nil
		}
		name := a.fresh()
		m.tokens[name] = true
		return func(c *client.Client) error { _, err := c.CreateToken("token "+name, 0); return err }
	case 2:
		if len(m.tokens) == 0 {
			return nil
		}
		name := pick(random, m.tokens)
		delete(m.tokens, name)
		return func(c *client.Client) error { return c.DeleteToken("token " + name) }
	case 3:
		if len(m.users) == 0 || random.IntN(4) > 0 {
			return nil
		}
		name := pick(random, m.users)
		delete(m.users, name)
		return func(c *client.Client) error { return c.DeleteUser(named("user " + name)) }
	}
	if len(m.users) == 0 {
		return nil
	}
	name := pick(random, m.users)
	block := wire.AppendPermissions(nil, wire.Permissions{Global: wire.GlobalGrants(random.IntN(1024)), Streams: []wire.StreamPermissions{{StreamID: random.Uint32()}}})
	m.users[name] = string(block)
	return func(c *client.Client) error { return c.UpdatePermissions(named("user "+name), block) }
}

func (a *author) drawTopic(random *rand.Rand, m *metadata) func(*client.Client) error {
	stream := pick(random, m.streams)
	topics := m.streams[stream]
	kind := random.IntN(12)
	if len(topics) == 0 || kind == 0 {
		if len(topics) > 4 {
			return nil
		}
		name, partitions := a.fresh(), uint32(random.IntN(4))
		topics[name] = &topicKnown{partitions: partitions, groups: map[string]bool{}}
		return func(c *client.Client) error {
			_, err := c.CreateTopic(wire.CreateTopic{Stream: named(stream), PartitionsCount: partitions, Name: []byte(name), Options: option("durability", "persisted")})
			return err
		}
	}
	name := pick(random, topics)
	t := topics[name]
	switch kind {
	case 1:
		delete(topics, name)
		return func(c *client.Client) error { return c.DeleteTopic(named(stream), named(name)) }
	case 2:
		other := a.fresh()
		topics[other] = t
		delete(topics, name)
		return func(c *client.Client) error {
			return c.UpdateTopic(wire.UpdateTopic{Stream: named(stream), Topic: named(name), Name: []byte(other)})
		}
	case 3, 4:
		if t.partitions > 20 {
			return nil
		}
		count := 1 + random.Uint32N(5)
		t.partitions += count
		return func(c *client.Client) error { return c.CreatePartitions(named(stream), named(name), count) }
	case 5:
		if t.partitions == 0 {
			return nil
		}
		count := 1 + random.Uint32N(t.partitions)
		if t.partitions -= count; t.partitions == 0 {
			t.messages, t.number = 0, 0
		}
		return func(c *client.Client) error { return c.DeletePartitions(named(stream), named(name), count) }
	case 6:
		group := a.fresh()
		t.groups[group] = true
		return func(c *client.Client) error { _, err := c.CreateGroup(named(stream), named(name), group); return err }
	case 7:
		if len(t.groups) == 0 {
			return nil
		}
		group := pick(random, t.groups)
		delete(t.groups, group)
		return func(c *client.Client) error {
			return c.DeleteGroup(wire.GroupRef{Stream: named(stream), Topic: named(name), Group: named(group)})
		}
	}
	return a.drawSend(stream, name, t)
}

// drawSend sends to partition 0 of a topic.
func (a *author) drawSend(stream, name string, t *topicKnown) func(*client.Client) error {
	if t.partitions == 0 {
		return nil
	}
	a.made++
	number := uint64(a.made)
	if t.messages == 0 {
		t.number = number
	}
	t.messages++
	return func(c *client.Client) error {
		var batch wire.BatchBuilder
		batch.Reset(1)
		batch.Add(wire.U128{Lo: number}, 0, payload(number), nil)
		_, err := c.Send(named(stream), named(name), wire.Partitioning{Kind: wire.PartitionNumbered}, batch.Bytes())
		return err
	}
}

func pick[V any](random *rand.Rand, m map[string]V) string {
	names := slices.Sorted(maps.Keys(m))
	return names[random.IntN(len(names))]
}

// check compares what a server knows with what was acknowledged, and adopts it.
func (a *author) check(c *client.Client) error {
	got, err := a.observe(c)
	if err != nil {
		return err
	}
	text := got.String()
	switch {
	case text == a.known.String():
	case a.open != nil && text == a.open.String():
		a.known = *a.open
	case a.open != nil:
		return fmt.Errorf("got metadata\n%swant\n%sor\n%s", text, a.known, a.open)
	default:
		return fmt.Errorf("got metadata\n%swant\n%s", text, a.known)
	}
	a.open = nil
	return nil
}

// observe asks a server for the author's metadata.
func (a *author) observe(c *client.Client) (metadata, error) {
	m := newAuthor(a.name).known
	streams, err := c.Streams()
	if err != nil {
		return m, err
	}
	var mine []string
	for _, stream := range streams {
		if name := string(stream.Name); ownedBy(a.name, name) {
			mine = append(mine, name) // the answer is good until the next request
		}
	}
	for _, stream := range mine {
		if m.streams[stream], err = observeTopics(c, stream); err != nil {
			return m, err
		}
	}
	users, err := c.Users()
	if err != nil {
		return m, err
	}
	for _, user := range users {
		if name, found := strings.CutPrefix(string(user.Username), "user "); found && ownedBy(a.name, name) {
			m.users[name] = ""
		}
	}
	for name := range m.users {
		user, found, err := c.User(named("user " + name))
		if err != nil || !found {
			return m, fmt.Errorf("user %s is listed, and then not found: %w", name, err)
		}
		m.users[name] = string(user.Permissions)
	}
	tokens, err := c.Tokens()
	for _, token := range tokens {
		if name, found := strings.CutPrefix(string(token.Name), "token "); found && ownedBy(a.name, name) {
			m.tokens[name] = true
		}
	}
	return m, err
}

// ownedBy says whether a name is a prefix and a number.
func ownedBy(prefix, name string) bool {
	rest, found := strings.CutPrefix(name, prefix)
	return found && strings.Trim(rest, "0123456789") == ""
}

func observeTopics(c *client.Client, stream string) (map[string]*topicKnown, error) {
	topics, err := c.Topics(named(stream))
	if err != nil {
		return nil, err
	}
	found := map[string]*topicKnown{}
	for _, topic := range topics {
		found[string(topic.Name)] = &topicKnown{partitions: topic.PartitionsCount, messages: topic.MessagesCount, groups: map[string]bool{}}
	}
	for name, topic := range found {
		groups, err := c.Groups(named(stream), named(name))
		if err != nil {
			return nil, err
		}
		for _, group := range groups {
			topic.groups[string(group.Name)] = true
		}
		if topic.partitions == 0 {
			continue
		}
		numbers, err := readNumbers(c, named(stream), named(name), 0)
		if err != nil {
			return nil, err
		}
		if uint64(len(numbers)) != topic.messages {
			return nil, errors.New("topic " + name + " holds other messages than it says")
		}
		if len(numbers) > 0 {
			topic.number = numbers[0]
		}
	}
	return found, nil
}

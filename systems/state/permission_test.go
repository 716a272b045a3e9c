package state

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"galgo/wire"
)

// allowedBy is the table of protocol.md, 10, as it is written there: the names of the grants that allow an action.
var allowedBy = map[Action]struct {
	global []wire.GlobalGrants
	stream []wire.StreamGrants
	topic  []wire.TopicGrants
}{
	ReadServers:   {global: []wire.GlobalGrants{wire.GlobalReadServers, wire.GlobalManageServers}},
	ReadUsers:     {global: []wire.GlobalGrants{wire.GlobalReadUsers, wire.GlobalManageUsers}},
	ManageUsers:   {global: []wire.GlobalGrants{wire.GlobalManageUsers}},
	ManageStreams: {global: []wire.GlobalGrants{wire.GlobalManageStreams}},
	ReadStreams:   {global: []wire.GlobalGrants{wire.GlobalManageStreams, wire.GlobalReadStreams}},
	ReadStream: {global: []wire.GlobalGrants{wire.GlobalManageStreams, wire.GlobalReadStreams},
		stream: []wire.StreamGrants{wire.StreamManageStream, wire.StreamReadStream}},
	ManageStream: {global: []wire.GlobalGrants{wire.GlobalManageStreams}, stream: []wire.StreamGrants{wire.StreamManageStream}},
	ReadTopics: {global: []wire.GlobalGrants{wire.GlobalManageStreams, wire.GlobalReadStreams, wire.GlobalManageTopics, wire.GlobalReadTopics},
		stream: []wire.StreamGrants{wire.StreamManageStream, wire.StreamReadStream, wire.StreamManageTopics, wire.StreamReadTopics}},
	ReadTopic: {global: []wire.GlobalGrants{wire.GlobalManageStreams, wire.GlobalReadStreams, wire.GlobalManageTopics, wire.GlobalReadTopics},
		stream: []wire.StreamGrants{wire.StreamManageStream, wire.StreamReadStream, wire.StreamManageTopics, wire.StreamReadTopics},
		topic:  []wire.TopicGrants{wire.TopicManageTopic, wire.TopicReadTopic}},
	ManageTopics: {global: []wire.GlobalGrants{wire.GlobalManageStreams, wire.GlobalManageTopics},
		stream: []wire.StreamGrants{wire.StreamManageStream, wire.StreamManageTopics}},
	ManageTopic: {global: []wire.GlobalGrants{wire.GlobalManageStreams, wire.GlobalManageTopics},
		stream: []wire.StreamGrants{wire.StreamManageStream, wire.StreamManageTopics}, topic: []wire.TopicGrants{wire.TopicManageTopic}},
	PollMessages: {global: []wire.GlobalGrants{wire.GlobalPollMessages, wire.GlobalManageTopics, wire.GlobalReadTopics, wire.GlobalManageStreams, wire.GlobalReadStreams},
		stream: []wire.StreamGrants{wire.StreamPollMessages, wire.StreamManageStream, wire.StreamReadStream, wire.StreamManageTopics, wire.StreamReadTopics},
		topic:  []wire.TopicGrants{wire.TopicManageTopic, wire.TopicReadTopic, wire.TopicPollMessages}},
	SendMessages: {global: []wire.GlobalGrants{wire.GlobalSendMessages, wire.GlobalManageStreams, wire.GlobalManageTopics},
		stream: []wire.StreamGrants{wire.StreamSendMessages, wire.StreamManageStream, wire.StreamManageTopics},
		topic:  []wire.TopicGrants{wire.TopicManageTopic, wire.TopicSendMessages}},
}

// has says whether one of the grants is set.
func has[G ~uint8 | ~uint16](list []G, bits G) bool {
	for _, grant := range list {
		if bits&grant != 0 {
			return true
		}
	}
	return false
}

// permissionWorld has the streams 0 to 2 with the topics 0 to 2 each.
func permissionWorld(t *testing.T) (*world, *testConn) {
	w := newWorld(t, 1)
	root := w.root(0, 1)
	for stream := range 3 {
		root.must(wire.OpCreateStream, streamBody(fmt.Sprint(stream)))
		for topic := range 3 {
			root.must(wire.OpCreateTopic, topicBody(fmt.Sprint(stream), fmt.Sprint(topic), 0))
		}
	}
	return w, root
}

// Every single grant, at every level, against every action, at the right place and at the neighbours'.
func TestEveryGrant(t *testing.T) {
	w, _ := permissionWorld(t)
	s := w.shards[0]
	row, _ := s.Catalog.UserNamed([]byte("second"))
	user := s.Catalog.Users.Entity(row)
	check := func(what string, p wire.Permissions) {
		t.Helper()
		s.Catalog.Users.Grants[row] = p
		for action, by := range allowedBy {
			for stream := range 3 {
				for topic := range 3 {
					streamRow, _ := s.Catalog.FindStream(wire.IdentOf(uint32(stream)))
					topicRow, _ := s.Catalog.FindTopic(streamRow, wire.IdentOf(uint32(topic)))
					want := has(by.global, p.Global)
					for _, in := range p.Streams {
						if in.StreamID != uint32(stream) {
							continue
						}
						want = want || has(by.stream, in.Grants)
						for _, of := range in.Topics {
							want = want || of.TopicID == uint32(topic) && has(by.topic, of.Grants)
						}
					}
					if got := Allowed(s, user, action, s.Catalog.Streams.Entity(streamRow), s.Catalog.Topics.Entity(topicRow)); got != want {
						t.Fatalf("%s, action %d at %d/%d: got %v, want %v", what, action, stream, topic, got, want)
					}
				}
			}
		}
	}
	check("nothing", wire.Permissions{})
	for bit := range 10 {
		check(fmt.Sprint("global ", bit), wire.Permissions{Global: 1 << bit})
	}
	for bit := range 6 {
		check(fmt.Sprint("stream ", bit), wire.Permissions{Streams: []wire.StreamPermissions{{StreamID: 1, Grants: 1 << bit}}})
	}
	for bit := range 4 {
		check(fmt.Sprint("topic ", bit), wire.Permissions{Streams: []wire.StreamPermissions{{StreamID: 1, Topics: []wire.TopicPermissions{{TopicID: 2, Grants: 1 << bit}}}}})
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		p := wire.Permissions{Global: wire.GlobalGrants(rng.Uint32() & rng.Uint32() & rng.Uint32() & 1023)}
		for stream := range uint32(4) {
			if rng.IntN(2) == 0 {
				continue
			}
			in := wire.StreamPermissions{StreamID: stream, Grants: wire.StreamGrants(rng.Uint32() & rng.Uint32() & 63)}
			for topic := range uint32(4) {
				if rng.IntN(2) == 0 {
					in.Topics = append(in.Topics, wire.TopicPermissions{TopicID: topic, Grants: wire.TopicGrants(rng.Uint32() & 15)})
				}
			}
			p.Streams = append(p.Streams, in)
		}
		check(fmt.Sprintf("%+v", p), p)
	}
}

func TestAllowedAllocatesNothing(t *testing.T) {
	w, root := permissionWorld(t)
	s := w.shards[0]
	var p wire.Permissions
	for stream := range uint32(50) {
		p.Streams = append(p.Streams, wire.StreamPermissions{StreamID: stream, Topics: []wire.TopicPermissions{{TopicID: 1}, {TopicID: 2, Grants: wire.TopicSendMessages}}})
	}
	root.must(wire.OpUpdatePermissions, permissionsBody("second", wire.AppendPermissions(nil, p)))
	row, _ := s.Catalog.UserNamed([]byte("second"))
	user, stream := s.Catalog.Users.Entity(row), s.Catalog.Streams.Entity(2)
	topicRow, _ := s.Catalog.FindTopic(2, wire.IdentOf(2))
	topic := s.Catalog.Topics.Entity(topicRow)
	if got := testing.AllocsPerRun(100, func() {
		if !Allowed(s, user, SendMessages, stream, topic) || Allowed(s, user, PollMessages, stream, topic) {
			t.Fatal("grants: got others than were given")
		}
	}); got != 0 {
		t.Errorf("allocations: got %v, want 0", got)
	}
}

// Commands ask for the right action at the right place, and what is granted counts from the next request on.
func TestNarrowUsers(t *testing.T) {
	w, root := permissionWorld(t)
	root.must(wire.OpCreatePartitions, changeBody("1", "1", 1))
	c := w.conn(0)
	c.login(2, "second")
	stream := func(grants wire.StreamGrants, topics ...wire.TopicPermissions) wire.Permissions {
		return wire.Permissions{Streams: []wire.StreamPermissions{{StreamID: 1, Grants: grants, Topics: topics}}}
	}
	topic := func(grants wire.TopicGrants) wire.Permissions {
		return stream(0, wire.TopicPermissions{TopicID: 1, Grants: grants})
	}
	type command struct {
		op   wire.Operation
		code wire.Code
		body []byte
	}
	renameStream := command{op: wire.OpUpdateStream, body: updateStreamBody("1", "1")}
	renameTopic := command{op: wire.OpUpdateTopic, body: wire.AppendUpdateTopic(nil, wire.UpdateTopic{Stream: named("1"), Topic: named("1"), Name: []byte("1")})}
	createTopic := command{op: wire.OpCreateTopic, body: topicBody("1", "2", 0)}
	addPartitions := command{op: wire.OpDeletePartitions, body: changeBody("1", "1", 9)}
	getStream := command{code: wire.CodeGetStream, body: wire.AppendIdent(nil, named("1"))}
	getStreams := command{code: wire.CodeGetStreams}
	getTopic := command{code: wire.CodeGetTopic, body: topicRef("1", "1")}
	getTopics := command{code: wire.CodeGetTopics, body: wire.AppendIdent(nil, named("1"))}
	getUsers, getClients := command{code: wire.CodeGetUsers}, command{code: wire.CodeGetClients}
	getUser, getSelf := command{code: wire.CodeGetUser, body: userRef("root")}, command{code: wire.CodeGetUser, body: userRef("second")}
	purgeStream := command{op: wire.OpPurgeStream, body: wire.AppendIdent(nil, named("1"))}
	purgeTopic := command{op: wire.OpPurgeTopic, body: topicRef("1", "1")}
	deleteSegments := command{op: wire.OpDeleteSegments, body: segmentsBody("1", "1", 0, 0)}
	all := []command{purgeStream, purgeTopic, deleteSegments, renameStream, renameTopic, createTopic, addPartitions, getStream, getStreams, getTopic, getTopics, getUsers, getClients, getUser, getSelf}
	for _, test := range []struct {
		name    string
		held    wire.Permissions
		allowed []command
	}{
		{"nothing", wire.Permissions{}, nil},
		{"read servers", wire.Permissions{Global: wire.GlobalReadServers}, []command{getClients}},
		{"read users", wire.Permissions{Global: wire.GlobalReadUsers}, []command{getUsers, getUser}},
		{"read streams", wire.Permissions{Global: wire.GlobalReadStreams}, []command{getStream, getStreams, getTopic, getTopics}},
		{"read topics", wire.Permissions{Global: wire.GlobalReadTopics}, []command{getTopic, getTopics}},
		{"manage topics", wire.Permissions{Global: wire.GlobalManageTopics}, []command{getTopic, getTopics, renameTopic, createTopic, addPartitions, purgeTopic, deleteSegments}},
		{"read the stream", stream(wire.StreamReadStream), []command{getStream, getTopic, getTopics}},
		{"manage the stream", stream(wire.StreamManageStream), []command{getStream, getTopic, getTopics, renameStream, purgeStream, renameTopic, createTopic, addPartitions, purgeTopic, deleteSegments}},
		{"manage topics of the stream", stream(wire.StreamManageTopics), []command{getTopic, getTopics, renameTopic, createTopic, addPartitions, purgeTopic, deleteSegments}},
		{"manage the topic", topic(wire.TopicManageTopic), []command{getTopic, renameTopic, addPartitions, purgeTopic, deleteSegments}},
		{"read the topic", topic(wire.TopicReadTopic), []command{getTopic}},
		{"send to the topic", topic(wire.TopicSendMessages), nil},
	} {
		root.must(wire.OpUpdatePermissions, permissionsBody("second", wire.AppendPermissions(nil, test.held)))
		for i, command := range all {
			want := i == len(all)-1 // oneself, always
			for _, allowed := range test.allowed {
				want = want || allowed.op == command.op && allowed.code == command.code && string(allowed.body) == string(command.body)
			}
			var status wire.Status
			if command.code != 0 {
				_, status = c.read(command.code, command.body)
			} else {
				_, status = c.do(command.op, command.body)
			}
			if got := status != wire.StatusUnauthorized; got != want {
				t.Errorf("%s: %v %v: got status %d, want allowed %v", test.name, command.op, command.code, status, want)
			}
		}
	}
	root.must(wire.OpUpdatePermissions, permissionsBody("second", nil))
	if _, status := c.do(wire.OpCreateStream, streamBody("x")); status != wire.StatusUnauthorized {
		t.Errorf("after the permissions are cleared: got status %d, want %d", status, wire.StatusUnauthorized)
	}
	w.equalCatalogs()
}

// What is asked of a partition needs the right action on its topic as well, each command by itself.
func TestMessagesNeedPermission(t *testing.T) {
	w, root := permissionWorld(t)
	root.must(wire.OpCreatePartitions, changeBody("1", "1", 1))
	c := w.conn(0)
	c.login(2, "second")
	key := wire.OffsetKey{Consumer: wire.Consumer{Kind: wire.ConsumerSingle, Ident: wire.IdentOf(1)}, Stream: named("1"), Topic: named("1"),
		Partition: wire.OptionalPartition{Present: true}}
	for _, test := range []struct {
		name  string
		op    wire.Operation
		code  wire.Code
		body  []byte
		grant wire.TopicGrants
	}{
		{"send", wire.OpSendMessages, 0, wire.AppendSendMessages(nil, wire.SendMessages{Stream: named("1"), Topic: named("1"),
			Partitioning: wire.Partitioning{Kind: wire.PartitionNumbered}, MessagesCount: 1}), wire.TopicSendMessages},
		{"poll", wire.OpNonReplicated, wire.CodePollMessages, wire.AppendPollMessages(nil, wire.PollMessages{Consumer: key.Consumer, Stream: key.Stream,
			Topic: key.Topic, Partition: key.Partition, Strategy: wire.Strategy{Kind: wire.PollFirst}, Count: 1}), wire.TopicPollMessages},
		{"get an offset", wire.OpNonReplicated, wire.CodeGetConsumerOffset, wire.AppendOffsetKey(nil, key), wire.TopicPollMessages},
		{"store an offset", wire.OpStoreConsumerOffset, 0, wire.AppendStoreConsumerOffset(nil, wire.StoreConsumerOffset{OffsetKey: key}), wire.TopicPollMessages},
		{"delete an offset", wire.OpDeleteConsumerOffset, 0, wire.AppendDeleteConsumerOffset(nil, wire.DeleteConsumerOffset{OffsetKey: key}), wire.TopicPollMessages},
	} {
		for _, held := range []wire.TopicGrants{wire.TopicSendMessages, wire.TopicPollMessages} {
			root.must(wire.OpUpdatePermissions, permissionsBody("second", wire.AppendPermissions(nil, wire.Permissions{Streams: []wire.StreamPermissions{
				{StreamID: 1, Topics: []wire.TopicPermissions{{TopicID: 1, Grants: held}}}}})))
			r, answered := c.route(test.op, test.code, test.body)
			if got, want := !answered || r.Status != wire.StatusUnauthorized, held == test.grant; got != want {
				t.Errorf("%s with grants %#x: got answered %v, status %d, want allowed %v", test.name, held, answered, r.Status, want)
			}
			for w.shards[0].Requests.Len() > 0 { // passed on to the owner, which has nothing of this
				w.shards[0].Requests.Pop()
			}
		}
	}
}

package state

import (
	"net/netip"
	"testing"

	"galgo/components"
	"galgo/ecs"
	"galgo/wire"
)

// read asks for a non-replicated command on a connection.
func (c *testConn) read(code wire.Code, body []byte) ([]byte, wire.Status) {
	c.hold(wire.RequestHeader{Client: c.client, Operation: wire.OpNonReplicated, Session: c.session, Code: code}, body)
	return Describe(c.s, c.row())
}

// described is a server of two shards with a stream and two topics, and a connection of root at shard 1.
func described(t *testing.T) (*world, *testConn) {
	w := newWorld(t, 2)
	c := w.root(1, 1)
	c.must(wire.OpCreateStream, streamBody("s"))
	c.must(wire.OpCreateTopic, topicBody("s", "a", 2))
	c.must(wire.OpCreateTopic, topicBody("s", "b", 0))
	return w, c
}

func TestDescribeStreamsAndTopics(t *testing.T) {
	w, c := described(t)
	catalog := c.s.Catalog
	partition, _ := catalog.PartitionByID(0, 1)
	c.s.Counters.Set(catalog.Partitions.Entity(partition), components.PartitionCounts{Segments: 2, First: 5, Next: 15, Size: 1000})

	body, status := c.read(wire.CodeGetStream, wire.AppendIdent(nil, named("s")))
	stream, err := wire.DecodeStreamDetails(body)
	if err != nil || status != wire.StatusOK || stream.TopicsCount != 2 || stream.Size != 1000 || stream.MessagesCount != 10 || string(stream.Topics[1].Name) != "b" {
		t.Errorf("stream: got %+v, %v, status %d", stream, err, status)
	}
	body, _ = c.read(wire.CodeGetStreams, nil)
	if list, err := wire.DecodeStreams(body); err != nil || len(list) != 1 || list[0].MessagesCount != 10 {
		t.Errorf("streams: got %+v, %v", list, err)
	}
	body, _ = c.read(wire.CodeGetTopic, topicRef("s", "a"))
	topic, err := wire.DecodeTopicDetails(body)
	if err != nil || topic.Size != 1000 || topic.MessagesCount != 10 || len(topic.Partitions) != 2 {
		t.Fatalf("topic: got %+v, %v", topic, err)
	}
	if got, want := topic.Partitions[1], (wire.Partition{ID: 1, CreatedAt: topic.CreatedAt, SegmentsCount: 2, CurrentOffset: 14, Size: 1000, MessagesCount: 10}); got != want {
		t.Errorf("partition 1: got %+v, want %+v", got, want)
	}
	if got := topic.Partitions[0].SegmentsCount; got != 1 {
		t.Errorf("segments of an empty partition: got %d, want 1", got)
	}
	body, _ = c.read(wire.CodeGetTopics, wire.AppendIdent(nil, wire.IdentOf(0)))
	if list, err := wire.DecodeTopics(body); err != nil || len(list) != 2 || string(list[0].Name) != "a" {
		t.Errorf("topics: got %+v, %v", list, err)
	}
	w.equalCatalogs()
}

func TestDescribeWhatIsAbsent(t *testing.T) {
	w, root := described(t)
	c := w.conn(0)
	c.login(2, "second")
	for _, test := range []struct {
		name   string
		conn   *testConn
		code   wire.Code
		body   []byte
		want   int
		status wire.Status
	}{
		{"absent stream", c, wire.CodeGetStream, wire.AppendIdent(nil, named("x")), 0, wire.StatusOK},
		{"absent topic", c, wire.CodeGetTopic, topicRef("s", "x"), 0, wire.StatusOK},
		{"topic of absent stream", c, wire.CodeGetTopic, topicRef("x", "a"), 0, wire.StatusOK},
		{"topics of absent stream", c, wire.CodeGetTopics, wire.AppendIdent(nil, named("x")), 4, wire.StatusOK},
		{"stream without rights", c, wire.CodeGetStream, wire.AppendIdent(nil, named("s")), 0, wire.StatusUnauthorized},
		{"streams without rights", c, wire.CodeGetStreams, nil, 0, wire.StatusUnauthorized},
		{"topic without rights", c, wire.CodeGetTopic, topicRef("s", "a"), 0, wire.StatusUnauthorized},
		{"topics without rights", c, wire.CodeGetTopics, wire.AppendIdent(nil, named("s")), 0, wire.StatusUnauthorized},
		{"undecodable", root, wire.CodeGetTopic, []byte{1}, 0, wire.StatusInvalidCommand},
		{"unknown scope", root, wire.CodeDescribeOptions, []byte{4}, 0, wire.StatusInvalidCommand},
		{"no options of streams", root, wire.CodeDescribeOptions, []byte{2}, 4, wire.StatusOK},
		{"flush", root, wire.CodeFlushUnsavedBuffer, nil, 0, wire.StatusFeatureUnavailable},
		{"users without rights", c, wire.CodeGetUsers, nil, 0, wire.StatusUnauthorized},
	} {
		body, status := test.conn.read(test.code, test.body)
		if status != test.status || len(body) != test.want {
			t.Errorf("%s: got status %d and %d bytes, want %d and %d", test.name, status, len(body), test.status, test.want)
		}
	}
}

func TestDescribeServer(t *testing.T) {
	_, c := described(t)
	node := func() wire.ClusterNode {
		t.Helper()
		body, status := c.read(wire.CodeGetClusterMetadata, nil)
		m, err := wire.DecodeClusterMetadata(body)
		if err != nil || status != wire.StatusOK || m.Name != "single-node" || len(m.Nodes) != 1 {
			t.Fatalf("cluster: got %+v, %v, status %d", m, err, status)
		}
		return m.Nodes[0]
	}
	if got, want := node(), (wire.ClusterNode{Name: "iggy-node", IP: "127.0.0.1", TCP: 8090}); got != want {
		t.Errorf("node: got %+v, want %+v", got, want)
	}
	c.s.TCPAddress = netip.MustParseAddrPort("[::]:9000")
	c.s.Conns.Local[c.row()] = netip.MustParseAddrPort("[::ffff:10.0.0.1]:9000")
	if got := node(); got.IP != "10.0.0.1" || got.TCP != 9000 {
		t.Errorf("node behind a wildcard: got %+v, want the connection's local address", got)
	}
	c.s.AdvertisedAddress = "broker.example"
	if got := node().IP; got != "broker.example" {
		t.Errorf("advertised node: got %q", got)
	}

	body, status := c.read(wire.CodeDescribeOptions, wire.AppendDescribeOptions(nil, wire.ScopeTopic))
	if list, err := wire.DecodeOptionCatalog(body); err != nil || status != wire.StatusOK || len(list) != 10 {
		t.Errorf("options: got %d, %v, status %d, want 10", len(list), err, status)
	}
	body, _ = c.read(wire.CodeGetMe, nil)
	me, err := wire.DecodeClientDetails(body)
	if err != nil || me.ID != c.s.Conns.ClientID[c.row()] || me.UserID != 0 || string(me.Address) != "10.0.0.9:4000" || me.Transport != wire.TransportTCP {
		t.Errorf("me: got %+v, %v", me, err)
	}
}

func TestAllowed(t *testing.T) {
	w := newWorld(t, 1)
	catalog := w.shards[0].Catalog
	for name, want := range map[string]bool{"root": true, "second": false} {
		row, _ := catalog.UserNamed([]byte(name))
		if got := Allowed(w.shards[0], catalog.Users.Entity(row), SendMessages, ecs.None, ecs.None); got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	if Allowed(w.shards[0], ecs.MakeEntity(0, 9), SendMessages, ecs.None, ecs.None) {
		t.Error("a later owner of root's index: got allowed, want not")
	}
}

// GET_TOPIC is what clients poll with before they send: once its memory is there it allocates nothing but a few words.
func TestDescribeReusesItsMemory(t *testing.T) {
	_, c := described(t)
	c.read(wire.CodeGetTopic, topicRef("s", "a"))
	row := c.row()
	if got := testing.AllocsPerRun(100, func() { Describe(c.s, row) }); got > 4 {
		t.Errorf("allocations: got %v, want at most 4", got)
	}
}

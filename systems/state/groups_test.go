package state

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"

	"galgo/components"
	"galgo/wire"
)

func groupBody(stream, topic, name string) []byte {
	return wire.AppendCreateConsumerGroup(nil, wire.CreateConsumerGroup{Stream: named(stream), Topic: named(topic), Name: []byte(name)})
}

func groupRef(stream, topic, group string) []byte {
	return wire.AppendGroupRef(nil, wire.GroupRef{Stream: named(stream), Topic: named(topic), Group: named(group)})
}

// grouped is a server with a topic s/a of so many partitions and a group g, and a connection of root.
func grouped(t *testing.T, shards int, partitions uint32) (*world, *testConn) {
	t.Helper()
	w := newWorld(t, shards)
	for _, s := range w.shards {
		s.RebalancingMicros = 500
	}
	c := w.root(shards-1, 1)
	c.must(wire.OpCreateStream, streamBody("s"))
	c.must(wire.OpCreateTopic, topicBody("s", "a", partitions))
	c.must(wire.OpCreateConsumerGroup, groupBody("s", "a", "g"))
	return w, c
}

// sync is what the client is told to poll; nil if it is no member.
func (c *testConn) sync(group string) *wire.Assignment {
	c.w.t.Helper()
	body, status := c.read(wire.CodeSyncConsumerGroup, groupRef("s", "a", group))
	if status != wire.StatusOK {
		c.w.t.Fatalf("sync: got status %d, want 0", status)
	}
	if len(body) == 0 {
		return nil
	}
	a, err := wire.DecodeAssignment(body)
	if err != nil {
		c.w.t.Fatalf("sync: got %v", err)
	}
	return &a
}

func (c *testConn) wantSync(group string, want ...uint32) {
	c.w.t.Helper()
	if a := c.sync(group); a == nil || !slices.Equal(a.Partitions, want) {
		c.w.t.Errorf("assignment of client %d: got %+v, want %v", c.client.Lo, a, want)
	}
}

// asMember is a request of a client for the group in a partition, and the State of the partition's owner.
func (c *testConn) asMember(kind components.RequestKind, partition uint32) (components.Request, *components.State) {
	c.w.t.Helper()
	c.hold(wire.RequestHeader{}, nil)
	t, status := findTopic(c.s, named("s"), named("a"))
	if status != wire.StatusOK || t.findPartition(c.s, partition) != wire.StatusOK {
		c.w.t.Fatalf("partition %d: not found", partition)
	}
	r, owner := partitionRequest(c.s, c.row(), kind, t)
	r.Consumer, _ = consumerKey(c.s, t.topic, wire.Consumer{Kind: wire.ConsumerGroup, Ident: named("g")})
	return r, c.w.shards[owner]
}

// poll polls messages up to next, without their bytes. It returns false if the owner does not let it.
func (c *testConn) poll(partition uint32, next uint64) bool {
	r, owner := c.asMember(components.RequestPoll, partition)
	if !mayPoll(owner, &r) {
		return false
	}
	commit(owner, owner.Partitions.MustRow(r.Partition), &r, next-1)
	return true
}

// commit stores the offset of the last message below next.
func (c *testConn) commit(partition uint32, next uint64) bool {
	r, owner := c.asMember(components.RequestStoreOffset, partition)
	if !mayCommit(owner, &r) {
		return false
	}
	changeOffset(owner, owner.Partitions.MustRow(r.Partition), r.Consumer, next-1, false)
	return true
}

func (w *world) member(shard int, client uint64) *testConn {
	w.t.Helper()
	c := w.root(shard, client)
	c.must(wire.OpJoinConsumerGroup, groupRef("s", "a", "g"))
	return c
}

func TestGroupCommands(t *testing.T) {
	w, c := grouped(t, 2, 3)
	other := w.conn(0)
	other.login(7, "second")
	for _, test := range []struct {
		name string
		conn *testConn
		op   wire.Operation
		body []byte
		want wire.Status
	}{
		{"name taken", c, wire.OpCreateConsumerGroup, groupBody("s", "a", "g"), wire.StatusConsumerGroupNameAlreadyExists},
		{"no stream", c, wire.OpCreateConsumerGroup, groupBody("x", "a", "h"), wire.StatusStreamIdNotFound},
		{"no topic", c, wire.OpCreateConsumerGroup, groupBody("s", "x", "h"), wire.StatusTopicIdNotFound},
		{"create without rights", other, wire.OpCreateConsumerGroup, groupBody("s", "a", "h"), wire.StatusUnauthorized},
		{"join no group", c, wire.OpJoinConsumerGroup, groupRef("s", "a", "x"), wire.StatusConsumerGroupIdNotFound},
		{"join without rights", other, wire.OpJoinConsumerGroup, groupRef("s", "a", "g"), wire.StatusUnauthorized},
		{"leave as a stranger", c, wire.OpLeaveConsumerGroup, groupRef("s", "a", "g"), wire.StatusConsumerGroupMemberNotFound},
		{"leave no topic", c, wire.OpLeaveConsumerGroup, groupRef("s", "x", "g"), wire.StatusTopicIdNotFound},
		{"delete no group", c, wire.OpDeleteConsumerGroup, groupRef("s", "a", "x"), wire.StatusConsumerGroupIdNotFound},
		{"delete without rights", other, wire.OpDeleteConsumerGroup, groupRef("s", "a", "g"), wire.StatusUnauthorized},
	} {
		if _, status := test.conn.do(test.op, test.body); status != test.want {
			t.Errorf("%s: got status %d, want %d", test.name, status, test.want)
		}
	}
	for _, op := range []wire.Operation{wire.OpCreateConsumerGroup, wire.OpDeleteConsumerGroup, wire.OpJoinConsumerGroup, wire.OpLeaveConsumerGroup} {
		body := groupRef("s", "a", "g")
		if op == wire.OpCreateConsumerGroup {
			body = groupBody("s", "a", "longer")
		}
		for n := range body {
			if _, status := c.do(op, body[:n]); status != wire.StatusInvalidCommand {
				t.Errorf("%v of %d bytes: got status %d, want %d", op, n, status, wire.StatusInvalidCommand)
			}
		}
	}
	details, err := wire.DecodeGroupDetails(c.must(wire.OpCreateConsumerGroup, groupBody("s", "a", "h")))
	if err != nil || details.ID != 1 || details.PartitionsCount != 3 || details.MembersCount != 0 || string(details.Name) != "h" {
		t.Errorf("created: got %+v, %v", details, err)
	}
	c.must(wire.OpDeleteConsumerGroup, groupRef("s", "a", "h"))
	if details, _ := wire.DecodeGroupDetails(c.must(wire.OpCreateConsumerGroup, groupBody("s", "a", "h"))); details.ID != 2 {
		t.Errorf("id after a deletion: got %d, want 2", details.ID)
	}
	w.equalCatalogs()
	if a, b := catalogBytes(w.shards[0].Catalog.Clone()), catalogBytes(w.shards[0].Catalog); !bytes.Equal(a, b) {
		t.Error("catalog rebuilt from its events: got another one")
	}
}

func TestGroupReads(t *testing.T) {
	w, c := grouped(t, 2, 3)
	stranger := w.conn(0)
	stranger.login(7, "second")
	member := w.member(0, 2)
	body, status := c.read(wire.CodeGetConsumerGroup, groupRef("s", "a", "g"))
	details, err := wire.DecodeGroupDetails(body)
	if err != nil || status != wire.StatusOK || len(details.Members) != 1 || !slices.Equal(details.Members[0].Partitions, []uint32{0, 1, 2}) {
		t.Errorf("group: got %+v, %v, status %d", details, err, status)
	}
	body, _ = c.read(wire.CodeGetConsumerGroups, topicRef("s", "a"))
	if list, err := wire.DecodeGroups(body); err != nil || len(list) != 1 || list[0].MembersCount != 1 || list[0].PartitionsCount != 3 {
		t.Errorf("groups: got %+v, %v", list, err)
	}
	want := []wire.ClientGroup{{StreamID: 0, TopicID: 0, GroupID: 0}}
	if got := clientGroups(c.s, member.client); !slices.Equal(got, want) {
		t.Errorf("groups of a member: got %v, want %v", got, want)
	}
	for _, test := range []struct {
		name   string
		conn   *testConn
		code   wire.Code
		body   []byte
		status wire.Status
	}{
		{"absent group", c, wire.CodeGetConsumerGroup, groupRef("s", "a", "x"), wire.StatusOK},
		{"group of absent topic", c, wire.CodeGetConsumerGroup, groupRef("s", "x", "g"), wire.StatusTopicIdNotFound},
		{"group of absent stream", c, wire.CodeGetConsumerGroup, groupRef("x", "a", "g"), wire.StatusStreamIdNotFound},
		{"groups of absent topic", c, wire.CodeGetConsumerGroups, topicRef("s", "x"), wire.StatusTopicIdNotFound},
		{"group without rights", stranger, wire.CodeGetConsumerGroup, groupRef("s", "a", "g"), wire.StatusUnauthorized},
		{"groups without rights", stranger, wire.CodeGetConsumerGroups, topicRef("s", "a"), wire.StatusUnauthorized},
		{"truncated group", c, wire.CodeGetConsumerGroup, groupRef("s", "a", "g")[:5], wire.StatusInvalidCommand},
		{"truncated groups", c, wire.CodeGetConsumerGroups, topicRef("s", "a")[:4], wire.StatusInvalidCommand},
		{"sync of a stranger", stranger, wire.CodeSyncConsumerGroup, groupRef("s", "a", "g"), wire.StatusOK},
		{"sync of absent group", c, wire.CodeSyncConsumerGroup, groupRef("s", "a", "x"), wire.StatusOK},
		{"sync of absent stream", c, wire.CodeSyncConsumerGroup, groupRef("x", "a", "g"), wire.StatusOK},
		{"truncated sync", member, wire.CodeSyncConsumerGroup, groupRef("s", "a", "g")[:7], wire.StatusOK},
		{"attach", c, wire.CodeAttachConsumerSession, nil, wire.StatusInvalidCommand},
		{"truncated route", c, wire.CodeGetPollRouting, nil, wire.StatusInvalidCommand},
	} {
		if body, status := test.conn.read(test.code, test.body); status != test.status || len(body) != 0 {
			t.Errorf("%s: got status %d and %d bytes, want %d and none", test.name, status, len(body), test.status)
		}
	}
	key := wire.OffsetKey{Consumer: wire.Consumer{Kind: wire.ConsumerGroup, Ident: named("g")}, Stream: named("s"), Topic: named("a"),
		Partition: wire.OptionalPartition{Present: true, ID: 1}}
	body, status = member.read(wire.CodeGetConsumerOffsetRouting, wire.AppendOffsetKey(nil, key))
	if route, err := wire.DecodeConsumerRoute(body); err != nil || status != wire.StatusOK || route.Client != member.client || route.Session != member.session ||
		route.Watermark != member.s.Catalog.Committed || route.Node.TCP != 8090 {
		t.Errorf("route: got %+v, %v, status %d", route, err, status)
	}
	if _, status := c.read(wire.CodeGetConsumerOffsetRouting, wire.AppendOffsetKey(nil, key)); status != wire.StatusConsumerGroupPartitionNotOwned {
		t.Errorf("route of a stranger: got status %d, want %d", status, wire.StatusConsumerGroupPartitionNotOwned)
	}
}

func TestGroupJoinShowsFreePartitionsAtOnce(t *testing.T) {
	for _, shards := range []int{1, 3} {
		w, _ := grouped(t, shards, 4)
		a := w.member(0, 2)
		a.wantSync("g", 0, 1, 2, 3)
		b := w.root(shards-1, 3)
		b.ask(wire.OpJoinConsumerGroup, groupRef("s", "a", "g"))
		for !b.answered() {
			w.tick()
		}
		result(t, b.reply())
		b.wantSync("g", 2, 3)
		a.wantSync("g", 0, 1)
		b.must(wire.OpJoinConsumerGroup, groupRef("s", "a", "g")) // again
		if got := b.sync("g").Generation; got != 3 {
			t.Errorf("generation: got %d, want 3: joined, joined, handed over", got)
		}
	}
}

func TestGroupHandOverWaitsForTheCommit(t *testing.T) {
	w, _ := grouped(t, 2, 2)
	a := w.member(0, 2)
	if !a.poll(0, 10) || !a.poll(1, 10) {
		t.Fatal("poll of the only member: got refused")
	}
	b := w.member(1, 3)
	a.wantSync("g", 0)
	b.wantSync("g")
	if a.poll(1, 11) || b.poll(1, 10) {
		t.Error("poll of a partition that is being handed over: got served")
	}
	if b.commit(1, 10) || !a.commit(1, 9) {
		t.Error("commit while handed over: got it from the heir, or not from the owner")
	}
	w.settle()
	b.wantSync("g")
	if !a.commit(1, 10) {
		t.Error("last commit: got refused")
	}
	w.settle()
	b.wantSync("g", 1)
	if a.commit(1, 10) || a.poll(1, 11) || !b.poll(1, 11) {
		t.Error("after the hand-over: got the old member served, or not the new one")
	}
	w.equalCatalogs()
}

// What was polled of a partition before it was purged need not be committed any more, whether the hand-over began before or begins after.
func TestPurgeEndsHandOver(t *testing.T) {
	for _, before := range []bool{false, true} {
		w, root := grouped(t, 2, 2)
		a := w.member(0, 2)
		if !a.poll(1, 10) {
			t.Fatal("poll of the only member: got refused")
		}
		var b *testConn
		if before {
			b = w.member(1, 3)
			b.wantSync("g")
		}
		root.must(wire.OpPurgeTopic, topicRef("s", "a"))
		if !before {
			b = w.member(1, 3)
		}
		w.settle()
		b.wantSync("g", 1)
	}
}

func TestGroupHandOverEndsInTime(t *testing.T) {
	w, _ := grouped(t, 2, 2)
	a := w.member(0, 2)
	a.poll(1, 10)
	b := w.member(1, 3)
	b.wantSync("g")
	w.now.MonoMicros += 500
	w.settle()
	b.wantSync("g", 1)
}

// Once a member has left, or partitions were added, each partition is described as somebody's, although a new owner polls some of them only when the old
// one is done.
func TestGroupIsDescribedAsDealt(t *testing.T) {
	w, root := grouped(t, 2, 3)
	for _, s := range w.shards {
		s.RebalancingMicros = 1_000_000
	}
	describe := func() (lists [][]uint32) {
		body, _ := root.read(wire.CodeGetConsumerGroup, groupRef("s", "a", "g"))
		details, err := wire.DecodeGroupDetails(body)
		if err != nil {
			t.Fatal(err)
		}
		for _, member := range details.Members {
			lists = append(lists, member.Partitions)
		}
		return lists
	}
	want := func(when string, lists ...[]uint32) {
		t.Helper()
		if got := describe(); !slices.EqualFunc(got, lists, slices.Equal) {
			t.Errorf("%s: got %v, want %v", when, got, lists)
		}
	}
	a := w.member(0, 2)
	for partition := range uint32(3) {
		a.poll(partition, 10)
	}
	b, c := w.member(1, 3), w.member(0, 4)
	want("joined, nothing committed", []uint32{0}, nil, nil)
	c.must(wire.OpLeaveConsumerGroup, groupRef("s", "a", "g"))
	w.settle()
	want("one left", []uint32{0, 2}, []uint32{1})
	a.wantSync("g", 0, 2)
	b.wantSync("g")
	root.must(wire.OpCreatePartitions, changeBody("s", "a", 1))
	w.settle()
	want("one partition more", []uint32{0, 2}, []uint32{1, 3})
	b.wantSync("g", 3)
	a.commit(1, 10)
	w.settle()
	want("committed", []uint32{0, 2}, []uint32{1, 3})
	b.wantSync("g", 1, 3)
}

func TestGroupMembersLeaveWithTheirSession(t *testing.T) {
	for name, end := range map[string]func(w *world, root, a, b *testConn){
		"logout": func(_ *world, _, _, b *testConn) {
			b.askAs(wire.RequestHeader{Client: b.client, Operation: wire.OpLogout, Session: b.session, Request: 99}, nil)
		},
		"hang-up":  func(_ *world, _, _, b *testConn) { b.hangUp() },
		"takeover": func(w *world, _, _, b *testConn) { w.root(0, b.client.Lo) },
		"overflow": func(w *world, root, a, _ *testConn) { // of eight sessions, the one with the oldest commit gives way
			for client := range uint64(6) {
				root.must(wire.OpCreateStream, streamBody(fmt.Sprint("more", client)))
				a.must(wire.OpJoinConsumerGroup, groupRef("s", "a", "g"))
				w.root(1, 100+client)
			}
		},
		"silence": func(w *world, _, _, b *testConn) {
			b.s.HeartbeatMicros = 1000
			w.now.MonoMicros += 1201
			b.s.Now = w.now
			b.s.Conns.Step[b.row()] = components.Idle
			ExpireSilent(b.s)
			b.s.SilentAt = 0
			ExpireSilent(b.s)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, root := grouped(t, 2, 2)
			a, b := w.member(0, 2), w.member(1, 3)
			b.wantSync("g", 1)
			end(w, root, a, b)
			w.settle()
			if name == "silence" {
				if r := b.reply(); r.Kind != components.ReplyEvict || r.Reason != wire.EvictStaleClient || r.Session != b.session || b.answered() {
					t.Errorf("silent connection: got reply of kind %d, reason %d", r.Kind, r.Reason)
				}
			}
			a.wantSync("g", 0, 1)
			row, _ := a.s.Catalog.GroupByID(0, 0)
			if got := len(a.s.Catalog.Groups.Plan[row].Members); got != 1 {
				t.Errorf("members: got %d, want 1", got)
			}
			w.equalCatalogs()
		})
	}
}

// A member is silent once it was not heard for more than 1.2 intervals, and shard 0 is asked once to end its session.
func TestSilenceIsToldOnce(t *testing.T) {
	w, _ := grouped(t, 2, 2)
	b := w.member(1, 3)
	s, row := b.s, b.row()
	s.HeartbeatMicros, s.Conns.Step[row] = 1000, components.Idle
	for _, test := range []struct {
		silent uint64
		asked  int
	}{{1100, 0}, {1200, 0}, {1201, 1}, {9000, 1}} {
		s.Now.MonoMicros, s.SilentAt = s.Conns.Heard[row]+test.silent, 0
		ExpireSilent(s)
		if got := s.Out.Requests[0].Len(); got != test.asked {
			t.Errorf("silent for %d µs of an interval of 1000: got %d requests, want %d", test.silent, got, test.asked)
		}
	}
}

func TestGroupDeletionTakesOffsets(t *testing.T) {
	w, c := grouped(t, 2, 3)
	a := w.member(0, 2)
	for partition := range uint32(3) {
		a.poll(partition, 5)
		if !a.commit(partition, 5) {
			t.Fatal("commit: got refused")
		}
	}
	b := w.member(1, 3)
	for _, s := range w.shards {
		s.OffsetsPending = nil
	}
	c.must(wire.OpDeleteConsumerGroup, groupRef("s", "a", "g"))
	if a.sync("g") != nil || b.sync("g") != nil || len(clientGroups(a.s, a.client)) != 0 {
		t.Error("members of a deleted group: got an assignment")
	}
	deleted := 0
	for _, s := range w.shards {
		if s.Offsets.Len() != 0 {
			t.Errorf("stored offsets on shard %d: got %d, want 0", s.Shard, s.Offsets.Len())
		}
		wire.ReadOffsetRecords(s.OffsetsPending, s.Secret, func(r wire.OffsetRecord) {
			if r.Deleted && r.Kind == wire.ConsumerGroup {
				deleted++
			}
		})
	}
	if deleted != 3 {
		t.Errorf("records of deletions: got %d, want 3", deleted)
	}
	c.must(wire.OpCreateConsumerGroup, groupBody("s", "a", "g"))
	b.must(wire.OpJoinConsumerGroup, groupRef("s", "a", "g"))
	b.wantSync("g", 0, 1, 2)
	c.must(wire.OpDeleteTopic, topicRef("s", "a"))
	if got := len(clientGroups(b.s, b.client)); got != 0 || b.s.Catalog.Groups.Len() != 0 {
		t.Errorf("groups after the topic: got %d of the member, %d in all, want none", got, b.s.Catalog.Groups.Len())
	}
	w.equalCatalogs()
}

func TestGroupsGoOnWithoutControlLog(t *testing.T) {
	w, c := grouped(t, 2, 2)
	a := w.member(0, 2)
	b, d := w.root(1, 3), w.root(0, 4)
	c.ask(wire.OpCreatePartitions, changeBody("s", "a", 2))
	d.ask(wire.OpCreateConsumerGroup, groupBody("s", "a", "lost"))
	w.tick()
	b.ask(wire.OpJoinConsumerGroup, groupRef("s", "a", "lost"))
	w.tick()
	w.tick()
	w.wrote(syscall.EIO)
	w.settle()
	if _, status := result(t, b.reply()); status != wire.StatusCannotWriteToFile {
		t.Errorf("join of a group that never was: got status %d, want %d", status, wire.StatusCannotWriteToFile)
	}
	b.must(wire.OpJoinConsumerGroup, groupRef("s", "a", "g"))
	b.wantSync("g", 1)
	a.must(wire.OpLeaveConsumerGroup, groupRef("s", "a", "g"))
	b.wantSync("g", 0, 1)
	w.equalCatalogs()
}

// A poll or commit of a group looks its plan up without taking memory.
func TestGroupChecksAllocateNothing(t *testing.T) {
	w, _ := grouped(t, 1, 3)
	a := w.member(0, 2)
	r, owner := a.asMember(components.RequestPoll, 2)
	if got := testing.AllocsPerRun(100, func() {
		if !mayPoll(owner, &r) || !mayCommit(owner, &r) {
			t.Fatal("poll of the only member: got refused")
		}
	}); got != 0 {
		t.Errorf("allocations: got %v, want 0", got)
	}
}

// chaosMicros is how long hand-overs wait in groupChaos.
const chaosMicros = 1_000_000

// groupChaos drives a server at random and looks at every shard after every tick.
type groupChaos struct {
	*world
	rng    *rand.Rand
	conns  map[uint64]*testConn // by client: those that are logged in
	busy   map[uint64]bool      // those that wait for an answer
	joined map[uint64]bool
	next   uint64 // client
	parts  uint32
	polled map[[2]uint64]uint64 // session, partition -> the offset after the last message it got
	stored map[uint32]uint64    // partition -> the offset after the last that is committed
	owners []map[uint32]uint64  // by shard: partition -> session that has it
	dues   map[uint32]uint64    // partition -> when its hand-over is due
	plans  []*wire.GroupPlan    // by shard: as last seen
}

func TestGroupChaos(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w, root := grouped(t, 1+int(seed%3), 3)
			g := &groupChaos{world: w, rng: rand.New(rand.NewPCG(seed, 9)), conns: map[uint64]*testConn{}, busy: map[uint64]bool{}, joined: map[uint64]bool{},
				next: 10, parts: 3, polled: map[[2]uint64]uint64{}, stored: map[uint32]uint64{}, dues: map[uint32]uint64{}}
			for _, s := range w.shards {
				s.RebalancingMicros = chaosMicros
				g.owners, g.plans = append(g.owners, map[uint32]uint64{}), append(g.plans, &wire.GroupPlan{})
			}
			for range 200 {
				g.step(root)
			}
			g.settle()
			g.check()
			g.equalCatalogs()
			plan := g.plans[0]
			var got []uint64
			for _, seat := range plan.Members {
				got = append(got, seat.Client.Lo)
			}
			slices.Sort(got)
			if want := slices.Sorted(maps.Keys(g.joined)); !slices.Equal(got, want) {
				t.Fatalf("members: got %v, want %v", got, want)
			}
			checkPlan(t, plan, g.parts)
		})
	}
}

func (g *groupChaos) step(root *testConn) {
	clients := slices.Sorted(maps.Keys(g.conns))
	for _, client := range clients {
		if c := g.conns[client]; g.busy[client] && c.answered() {
			c.reply()
			g.busy[client] = false
		}
	}
	var c *testConn
	if len(clients) > 0 {
		if client := clients[g.rng.IntN(len(clients))]; !g.busy[client] {
			c = g.conns[client]
		}
	}
	switch n := g.rng.IntN(16); {
	case len(clients) < 6 && n < 2:
		g.next++
		g.conns[g.next] = g.root(g.rng.IntN(len(g.shards)), g.next)
	case n == 2:
		g.changePartitions(root)
	case n == 3 && g.rng.IntN(4) == 0:
		g.settle()
		g.check()
		g.now.MonoMicros += chaosMicros // every hand-over is due
	case c != nil && n < 6:
		c.ask(wire.OpJoinConsumerGroup, groupRef("s", "a", "g"))
		g.joined[c.client.Lo], g.busy[c.client.Lo] = true, true
	case c != nil && n == 6:
		c.ask(wire.OpLeaveConsumerGroup, groupRef("s", "a", "g"))
		g.busy[c.client.Lo] = true
		delete(g.joined, c.client.Lo)
	case c != nil && n == 7:
		c.hangUp()
		delete(g.joined, c.client.Lo)
		delete(g.conns, c.client.Lo)
	case c != nil && n < 12:
		partition := uint32(g.rng.IntN(int(g.parts)))
		next := g.stored[partition] + 1 + uint64(g.rng.IntN(3))
		if c.poll(partition, next) {
			key := [2]uint64{c.session, uint64(partition)}
			g.polled[key] = max(g.polled[key], next)
		}
	case c != nil:
		partition := uint32(g.rng.IntN(int(g.parts)))
		if next := g.polled[[2]uint64{c.session, uint64(partition)}]; next > g.stored[partition] && c.commit(partition, next) {
			g.stored[partition] = next
		}
	}
	for range g.rng.IntN(4) {
		g.tick()
		if g.writes > 0 && g.rng.IntN(2) == 0 {
			g.wrote(0)
		}
		g.check()
	}
}

func (g *groupChaos) changePartitions(root *testConn) {
	count := uint32(1 + g.rng.IntN(3))
	if g.rng.IntN(2) == 0 || g.parts <= count {
		root.must(wire.OpCreatePartitions, changeBody("s", "a", count))
		g.parts += count
		return
	}
	root.must(wire.OpDeletePartitions, changeBody("s", "a", count))
	g.parts -= count
	maps.DeleteFunc(g.stored, func(partition uint32, _ uint64) bool { return partition >= g.parts })
	maps.DeleteFunc(g.dues, func(partition uint32, _ uint64) bool { return partition >= g.parts })
	maps.DeleteFunc(g.polled, func(key [2]uint64, _ uint64) bool { return key[1] >= uint64(g.parts) })
	for _, owners := range g.owners {
		maps.DeleteFunc(owners, func(partition uint32, _ uint64) bool { return partition >= g.parts })
	}
}

// check compares what each shard has applied with what it had before: a partition leaves a session that is there only when everything is
// committed that it polled, or when time is up. Equal seq means equal plans, and generations grow.
func (g *groupChaos) check() {
	for shard, s := range g.shards {
		row, _ := s.Catalog.GroupByID(0, 0)
		plan, before := s.Catalog.Groups.Plan[row], g.plans[shard]
		topic := s.Catalog.Topics.MustRow(s.Catalog.Groups.Topic[row])
		g.plans[shard] = plan
		if plan.Generation < before.Generation || plan.Generation == before.Generation && len(plan.Owners) != len(before.Owners) {
			g.t.Fatalf("generation on shard %d: got %d after %d", shard, plan.Generation, before.Generation)
		}
		if s.Catalog.Applied == g.shards[0].Catalog.Applied && plan != g.plans[0] {
			g.t.Fatalf("plan of shard %d: got another one than shard 0 at the same seq", shard)
		}
		checkPlan(g.t, plan, uint32(len(plan.Owners)))
		for id, member := range plan.Owners {
			partition := uint32(id)
			seat, _ := plan.Member(member)
			was := g.owners[shard][partition]
			g.owners[shard][partition] = seat.Session
			at, exists := s.Catalog.PartitionByID(topic, partition)
			if !exists || s.Catalog.OwnerOf(at, len(g.shards)) != shard {
				continue
			}
			key := [2]uint64{was, uint64(partition)}
			if _, there := plan.Seat(was); was != seat.Session && there && g.polled[key] > g.stored[partition] && g.dues[partition] > g.now.MonoMicros {
				g.t.Fatalf("partition %d: taken from session %x, which polled to %d and committed to %d", partition, was, g.polled[key], g.stored[partition])
			}
			if was != seat.Session {
				delete(g.polled, key)
			}
			if change, leaving := plan.HandOver(partition); leaving {
				g.dues[partition] = change.Due
			}
		}
	}
}

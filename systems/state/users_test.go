package state

import (
	"bytes"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"galgo/components"
	"galgo/wire"
)

func userBody(name, password string, permissions []byte) []byte {
	return wire.AppendCreateUser(nil, wire.CreateUser{Username: []byte(name), Password: []byte(password), Status: wire.UserActive, Permissions: permissions})
}

func permissionsBody(user string, permissions []byte) []byte {
	return wire.AppendUpdatePermissions(nil, wire.UpdatePermissions{User: named(user), Permissions: permissions})
}

func passwordBody(user, current, new string) []byte {
	return wire.AppendChangePassword(nil, wire.ChangePassword{User: named(user), Current: []byte(current), New: []byte(new)})
}

func userRef(user string) []byte { return wire.AppendIdent(nil, named(user)) }

func global(grants wire.GlobalGrants) []byte {
	return wire.AppendPermissions(nil, wire.Permissions{Global: grants})
}

func TestCreateUser(t *testing.T) {
	w := newWorld(t, 2)
	root := w.root(1, 1)
	block := wire.AppendPermissions(nil, wire.Permissions{Global: wire.GlobalReadServers,
		Streams: []wire.StreamPermissions{{StreamID: 3, Grants: wire.StreamReadStream, Topics: []wire.TopicPermissions{{TopicID: 1, Grants: wire.TopicPollMessages}}}}})
	payload := root.must(wire.OpCreateUser, userBody("alice", "wonderland", block))
	details, err := wire.DecodeUserDetails(payload)
	if err != nil || details.ID != 3 || string(details.Username) != "alice" || details.Status != wire.UserActive || !bytes.Equal(details.Permissions, block) {
		t.Errorf("created user: got %+v, %v", details, err)
	}
	for name, read := range map[string]*testConn{"root": root, "another shard": w.root(0, 2)} {
		body, status := read.read(wire.CodeGetUser, userRef("alice"))
		if status != wire.StatusOK || !bytes.Equal(body, payload) {
			t.Errorf("GET_USER of %s: got status %d and %x, want %x", name, status, body, payload)
		}
	}
	alice := w.conn(0)
	alice.beginLogin(5, "alice", "wonderland")
	w.settle()
	if r := alice.reply(); r.Kind != components.ReplyOpened {
		t.Errorf("login: got kind %d, want a session", r.Kind)
	}
	// Without permissions four zero bytes end the details.
	payload = root.must(wire.OpCreateUser, userBody("bob", "builder", nil))
	if !bytes.HasSuffix(payload, []byte{0, 0, 0, 0}) || len(payload) != 4+8+1+4+4+4 {
		t.Errorf("user without permissions: got %x, want four zeros at the end", payload)
	}
	body, _ := root.read(wire.CodeGetUsers, nil)
	list, err := wire.DecodeUsers(body)
	if err != nil || len(list) != 5 || string(list[4].Username) != "bob" || list[2].Status != wire.UserInactive {
		t.Errorf("GET_USERS: got %+v, %v, want 5 in ascending id", list, err)
	}
	w.equalCatalogs()
}

// Root holds no grants and needs none. Whoever asks what it may do, as clients and tools do before they act, reads that it may do everything.
func TestRootIsDescribedWithEveryGrant(t *testing.T) {
	root := newWorld(t, 2).root(1, 1)
	body, status := root.read(wire.CodeGetUser, wire.AppendIdent(nil, wire.IdentOf(components.RootID)))
	details, err := wire.DecodeUserDetails(body)
	if status != wire.StatusOK || err != nil {
		t.Fatalf("GET_USER of root: got status %d, %v", status, err)
	}
	every := wire.GlobalManageServers | wire.GlobalReadServers | wire.GlobalManageUsers | wire.GlobalReadUsers | wire.GlobalManageStreams |
		wire.GlobalReadStreams | wire.GlobalManageTopics | wire.GlobalReadTopics | wire.GlobalPollMessages | wire.GlobalSendMessages
	if want := global(every); !bytes.Equal(details.Permissions, want) {
		t.Errorf("permissions of root: got %x, want %x", details.Permissions, want)
	}
}

// Two clients ask for the same name while no password is hashed: one of them gets it.
func TestConflictsAreJudgedAfterHashing(t *testing.T) {
	w := newWorld(t, 2)
	a, b := w.root(0, 1), w.root(1, 2)
	w.idle = true
	a.ask(wire.OpCreateUser, userBody("alice", "one", nil))
	b.ask(wire.OpCreateUser, userBody("alice", "two", nil))
	w.settle()
	if a.answered() || b.answered() || len(w.control().Hashings) != 2 {
		t.Fatalf("before the hashes: got an answer, or %d waiting, want 2", len(w.control().Hashings))
	}
	w.idle = false
	w.settle()
	_, first := result(t, a.reply())
	_, second := result(t, b.reply())
	if first != wire.StatusOK || second != wire.StatusUserAlreadyExists {
		t.Errorf("both: got status %d and %d, want 0 and %d", first, second, wire.StatusUserAlreadyExists)
	}
	if n := len(w.control().Hashings); n != 0 {
		t.Errorf("waiting: got %d, want 0", n)
	}
	w.equalCatalogs()
}

func TestWorkersGetFewPasswordsAtATime(t *testing.T) {
	w := newWorld(t, 1)
	w.idle = true
	var conns []*testConn
	w.idle = false
	for i := range uint64(components.HashingsMax + 3) {
		conns = append(conns, w.root(0, i+1))
	}
	w.idle = true
	for i, c := range conns {
		c.ask(wire.OpCreateUser, userBody(fmt.Sprint("user", i), "password", nil))
	}
	w.tick()
	if got := w.shards[0].Out.Jobs.Len(); got != components.HashingsMax {
		t.Errorf("jobs: got %d, want %d", got, components.HashingsMax)
	}
	// Those who wait too long are refused; what a worker has of them is dropped when it is back.
	w.now.MonoMicros += waitMicros
	w.tick()
	for i, c := range conns {
		if _, status := result(t, c.reply()); status != wire.StatusCannotWriteToFile {
			t.Errorf("late request %d: got status %d, want %d", i, status, wire.StatusCannotWriteToFile)
		}
	}
	w.idle = false
	w.settle()
	for i, c := range conns {
		if c.answered() {
			t.Errorf("request %d: got a second answer", i)
		}
	}
	if n := len(w.control().Hashings); n != 0 || w.shards[0].Catalog.Users.Len() != 3 {
		t.Errorf("after the workers: got %d waiting and %d users, want 0 and 3", n, w.shards[0].Catalog.Users.Len())
	}
	conns[0].must(wire.OpCreateUser, userBody("later", "password", nil))
}

// A connection that loses its session while its password is hashed gets an eviction, and nothing is created.
func TestHashedForALostSession(t *testing.T) {
	w := newWorld(t, 1)
	c := w.root(0, 1)
	other := w.conn(0)
	w.idle = true
	c.ask(wire.OpCreateUser, userBody("alice", "one", nil))
	w.tick()
	other.hold(wire.RequestHeader{Client: c.client, Operation: wire.OpRegister}, nil)
	askSession(other.s, other.row(), c.s.Conns.User[c.row()]) // as if its password were right
	w.tick()
	w.idle = false
	w.settle()
	if lost := c.reply(); lost.Kind != components.ReplyEvict || lost.Session != c.session {
		t.Fatalf("takeover: got kind %d, want the loss of the session", lost.Kind)
	}
	if r := c.reply(); r.Kind != components.ReplyEvict || r.Reason != wire.EvictNoSession || r.Session != 0 {
		t.Errorf("its request: got kind %d, reason %d, want eviction %d", r.Kind, r.Reason, wire.EvictNoSession)
	}
	if got := w.shards[0].Catalog.Users.Len(); got != 3 {
		t.Errorf("users: got %d, want 3", got)
	}
}

func TestUserRejections(t *testing.T) {
	w := newWorld(t, 2)
	root := w.root(0, 1)
	root.must(wire.OpCreateUser, userBody("alice", "wonderland", nil))
	narrow := w.conn(1)
	narrow.login(2, "second")
	manager := w.conn(1)
	root.must(wire.OpCreateUser, userBody("manager", testPassword, global(wire.GlobalManageUsers)))
	manager.login(3, "manager")
	option := wire.AppendPair(nil, wire.StringValue([]byte("a")), wire.StringValue([]byte("b")))
	update := func(user, name string) []byte {
		return wire.AppendUpdateUser(nil, wire.UpdateUser{User: named(user), Username: []byte(name)})
	}
	badStatus := append(wire.AppendUpdateUser(nil, wire.UpdateUser{User: named("alice")}), 0)
	badStatus[len(badStatus)-2], badStatus[len(badStatus)-1] = 1, 3
	for _, test := range []struct {
		name   string
		conn   *testConn
		op     wire.Operation
		body   []byte
		want   wire.Status
		header bool
	}{
		{"name taken", manager, wire.OpCreateUser, userBody("alice", "x", nil), wire.StatusUserAlreadyExists, false},
		{"short name", manager, wire.OpCreateUser, userBody("al", "x", nil), wire.StatusInvalidUsername, false},
		{"long name", manager, wire.OpCreateUser, userBody(strings.Repeat("a", 51), "x", nil), wire.StatusInvalidUsername, false},
		{"create without rights", narrow, wire.OpCreateUser, userBody("al", "x", nil), wire.StatusUnauthorized, false},
		{"create with an option", narrow, wire.OpCreateUser, append(userBody("bob", "x", nil), option...), wire.StatusUnsupportedOptionKey, true},
		{"bad permissions", manager, wire.OpCreateUser, userBody("bob", "x", []byte{1, 2}), wire.StatusInvalidCommand, true},
		{"update unknown", narrow, wire.OpUpdateUser, update("nobody", "bob"), wire.StatusResourceNotFound, false},
		{"update without rights", narrow, wire.OpUpdateUser, update("second", "bob"), wire.StatusUnauthorized, false},
		{"update to a short name", manager, wire.OpUpdateUser, update("alice", "al"), wire.StatusInvalidUsername, false},
		{"update to a taken name", manager, wire.OpUpdateUser, update("alice", "second"), wire.StatusUserAlreadyExists, false},
		{"update to no status", manager, wire.OpUpdateUser, badStatus, wire.StatusInvalidCommand, true},
		{"update with an option", manager, wire.OpUpdateUser, append(update("alice", "bob"), option...), wire.StatusUnsupportedOptionKey, true},
		{"delete unknown", narrow, wire.OpDeleteUser, userRef("nobody"), wire.StatusResourceNotFound, false},
		{"delete without rights", narrow, wire.OpDeleteUser, userRef("second"), wire.StatusUnauthorized, false},
		{"delete root without rights", narrow, wire.OpDeleteUser, userRef("root"), wire.StatusUnauthorized, false},
		{"delete root", manager, wire.OpDeleteUser, wire.AppendIdent(nil, wire.IdentOf(0)), wire.StatusCannotDeleteUser, false},
		{"root deletes root", root, wire.OpDeleteUser, userRef("root"), wire.StatusCannotDeleteUser, false},
		{"permissions of unknown", narrow, wire.OpUpdatePermissions, permissionsBody("nobody", nil), wire.StatusResourceNotFound, false},
		{"permissions without rights", narrow, wire.OpUpdatePermissions, permissionsBody("second", nil), wire.StatusUnauthorized, false},
		{"permissions of root", manager, wire.OpUpdatePermissions, permissionsBody("root", nil), wire.StatusCannotChangePermissions, false},
		{"password of unknown", narrow, wire.OpChangePassword, passwordBody("nobody", "a", "b"), wire.StatusResourceNotFound, false},
		{"password without rights", narrow, wire.OpChangePassword, passwordBody("alice", "wonderland", "b"), wire.StatusUnauthorized, false},
		{"wrong current password", manager, wire.OpChangePassword, passwordBody("alice", "wonder", "b"), wire.StatusInvalidCredentials, false},
		{"own wrong current password", narrow, wire.OpChangePassword, passwordBody("second", "wonder", "b"), wire.StatusInvalidCredentials, false},
		{"delete unknown token", root, wire.OpDeletePersonalAccessToken, wire.AppendDeletePersonalAccessToken(nil, []byte("x")), wire.StatusResourceNotFound, false},
	} {
		before := w.shards[0].Catalog.Committed
		test.conn.ask(test.op, test.body)
		w.settle()
		r := test.conn.reply()
		if _, status := result(t, r); status != test.want {
			t.Errorf("%s: got status %d, want %d", test.name, status, test.want)
		}
		if inHeader := r.Kind == components.ReplyStatus; inHeader != test.header {
			t.Errorf("%s: got in the header %v, want %v", test.name, inHeader, test.header)
		}
		if got := w.shards[0].Catalog.Committed; got != before {
			t.Errorf("%s: got event %d, want none", test.name, got)
		}
	}
	w.equalCatalogs()
}

// A body that ends early is undecodable at each byte, unless what is missing is optional.
func TestTruncatedBodies(t *testing.T) {
	w := newWorld(t, 1)
	c := w.root(0, 1)
	c.must(wire.OpCreateStream, streamBody("s"))
	c.must(wire.OpCreateTopic, topicBody("s", "t", 1))
	block := wire.AppendPermissions(nil, wire.Permissions{Streams: []wire.StreamPermissions{{StreamID: 1, Topics: []wire.TopicPermissions{{TopicID: 2}}}}})
	for op, body := range map[wire.Operation][]byte{
		wire.OpCreateUser:                userBody("alice", "wonderland", block),
		wire.OpUpdateUser:                wire.AppendUpdateUser(nil, wire.UpdateUser{User: named("second"), Username: []byte("third"), HasStatus: true, Status: wire.UserActive}),
		wire.OpDeleteUser:                userRef("second"),
		wire.OpUpdatePermissions:         permissionsBody("second", block),
		wire.OpChangePassword:            passwordBody("second", testPassword, "other"),
		wire.OpCreatePersonalAccessToken: wire.AppendCreatePersonalAccessToken(nil, wire.CreatePersonalAccessToken{Name: []byte("token")}),
		wire.OpDeletePersonalAccessToken: wire.AppendDeletePersonalAccessToken(nil, []byte("token")),
		wire.OpUpdateStream:              wire.AppendUpdateStream(nil, wire.UpdateStream{Stream: named("s"), Name: []byte("r")}),
		wire.OpUpdateTopic:               wire.AppendUpdateTopic(nil, wire.UpdateTopic{Stream: named("s"), Topic: named("t"), Name: []byte("r")}),
		wire.OpPurgeStream:               wire.AppendIdent(nil, named("s")),
		wire.OpPurgeTopic:                topicRef("s", "t"),
		wire.OpDeleteSegments:            segmentsBody("s", "t", 0, 1),
	} {
		for n := range len(body) {
			out := commands[op](w.shards[0], &ask{user: w.control().Clients.Find(c.client).User, body: body[:n]})
			if out != denied(wire.StatusInvalidCommand) {
				t.Errorf("%v of %d of %d bytes: got %+v, want status 3", op, n, len(body), out)
			}
		}
	}
	for code, body := range map[wire.Code][]byte{wire.CodeGetUser: userRef("second"), wire.CodeGetClient: {1, 0, 0, 0}} {
		for n := range len(body) {
			if _, status := c.read(code, body[:n]); status != wire.StatusInvalidCommand {
				t.Errorf("%v of %d of %d bytes: got status %d, want 3", code, n, len(body), status)
			}
		}
	}
}

func TestUpdateUser(t *testing.T) {
	w := newWorld(t, 2)
	root := w.root(1, 1)
	second := w.conn(0)
	second.login(2, "second")
	before := w.shards[0].Catalog.Committed
	root.must(wire.OpUpdateUser, wire.AppendUpdateUser(nil, wire.UpdateUser{User: wire.IdentOf(1), Username: []byte("second"), HasStatus: true, Status: wire.UserActive}))
	if got := w.shards[0].Catalog.Committed; got != before {
		t.Errorf("an update that changes nothing: got event %d, want none", got)
	}
	root.must(wire.OpUpdateUser, wire.AppendUpdateUser(nil, wire.UpdateUser{User: wire.IdentOf(1), Username: []byte("other")}))
	if _, ok := w.shards[1].Catalog.UserNamed([]byte("second")); ok {
		t.Error("the old name: got a user, want none")
	}
	root.must(wire.OpUpdateUser, wire.AppendUpdateUser(nil, wire.UpdateUser{User: named("other"), HasStatus: true, Status: wire.UserInactive}))
	body, status := second.read(wire.CodeGetUser, wire.AppendIdent(nil, wire.IdentOf(1))) // its session goes on
	if details, err := wire.DecodeUserDetails(body); err != nil || status != wire.StatusOK || details.Status != wire.UserInactive || string(details.Username) != "other" {
		t.Errorf("updated user: got %+v, %v, status %d", details, err, status)
	}
	if r := w.conn(1).login(3, "other"); r.Kind != components.ReplyEvict || r.Reason != wire.EvictInvalidCredentials {
		t.Errorf("login of an inactive user: got kind %d, reason %d, want eviction %d", r.Kind, r.Reason, wire.EvictInvalidCredentials)
	}
	w.equalCatalogs()
}

// A login is of one moment: a user that is inactive under one name does not get in by being made active under another meanwhile.
func TestLoginWhileUserIsRenamed(t *testing.T) {
	w := newWorld(t, 2)
	root := w.root(1, 1)
	c := w.conn(0)
	w.idle = true
	c.beginLogin(2, "inactive", testPassword)
	w.tick()
	root.must(wire.OpUpdateUser, wire.AppendUpdateUser(nil, wire.UpdateUser{User: named("inactive"), Username: []byte("other"), HasStatus: true, Status: wire.UserActive}))
	w.idle = false
	w.settle()
	if r := c.reply(); r.Kind != components.ReplyEvict || r.Reason != wire.EvictInvalidCredentials {
		t.Errorf("login by the old name: got kind %d, reason %d, want eviction %d", r.Kind, r.Reason, wire.EvictInvalidCredentials)
	}
	if r := w.conn(0).login(3, "other"); r.Kind == components.ReplyEvict {
		t.Errorf("login by the new name: got eviction %d, want a session", r.Reason)
	}
}

// route sends a request through the router and returns what it was answered, if that was at once.
func (c *testConn) route(op wire.Operation, code wire.Code, body []byte) (r components.Reply, ok bool) {
	c.number++
	c.hold(wire.RequestHeader{Size: uint32(wire.FrameHeaderSize + len(body)), Command: wire.FrameRequest, Client: c.client, Operation: op, Code: code,
		Session: max(c.session, 1), Request: c.number}, body)
	c.s.Conns.Since[c.row()] = c.w.now.MonoMicros
	route(c.s, c.row())
	if c.s.Replies.Len() == 0 {
		return r, false
	}
	return c.s.Replies.Pop(), true
}

func TestDeleteUserDropsItsSessions(t *testing.T) {
	w := newWorld(t, 2)
	root := w.root(0, 1)
	conns := []*testConn{w.conn(0), w.conn(1), w.conn(1)}
	for i, c := range conns {
		c.login(uint64(10+i), "second")
	}
	root.must(wire.OpDeleteUser, userRef("second"))
	for i, c := range conns {
		lost := c.reply()
		if lost.Kind != components.ReplyEvict || lost.Session != c.session {
			t.Errorf("connection %d: got kind %d, want the loss of its session", i, lost.Kind)
		}
	}
	if n := w.control().Clients.Len(); n != 1 || w.control().Orphans != nil {
		t.Errorf("sessions left: got %d, want root's", n)
	}
	if r := w.conn(0).login(20, "second"); r.Kind != components.ReplyEvict {
		t.Errorf("login of a deleted user: got kind %d, want an eviction", r.Kind)
	}
	// A later user with the same id is somebody else.
	payload := root.must(wire.OpCreateUser, userBody("third", testPassword, nil))
	if details, _ := wire.DecodeUserDetails(payload); details.ID != 1 {
		t.Errorf("id of the next user: got %d, want 1", details.ID)
	}
	w.equalCatalogs()
}

// What a client asks after its user is deleted is refused, even where its home has not heard of the end of the session.
func TestRequestsOfADeletedUser(t *testing.T) {
	w := newWorld(t, 2)
	root := w.root(0, 1)
	c := w.conn(1)
	c.login(2, "second")
	w.held = []*components.State{w.shards[0]} // keeps shard 0 from answering, and so from telling
	root.ask(wire.OpDeleteUser, userRef("second"))
	w.settle()
	if r, ok := c.route(wire.OpNonReplicated, wire.CodeGetStreams, nil); !ok || r.Status != wire.StatusUnauthenticated {
		t.Errorf("read: got %v with status %d, want %d", ok, r.Status, wire.StatusUnauthenticated)
	}
	if r, ok := c.route(wire.OpSendMessages, 0, nil); !ok || r.Kind != components.ReplyEvict || r.Reason != wire.EvictNoSession {
		t.Errorf("send: got %v with kind %d, reason %d, want eviction 1", ok, r.Kind, r.Reason)
	}
	// A metadata operation that was on its way meets shard 0.
	bind(c.s, c.row(), c.client, c.session, c.s.Conns.User[c.row()])
	c.ask(wire.OpCreateStream, streamBody("s"))
	w.tick()
	w.held = nil
	w.settle()
	if r := c.reply(); r.Kind != components.ReplyEvict || r.Reason != wire.EvictNoSession {
		t.Errorf("metadata operation: got kind %d, reason %d, want eviction 1", r.Kind, r.Reason)
	}
	if w.control().Clients.Len() != 1 {
		t.Errorf("sessions: got %d, want 1", w.control().Clients.Len())
	}
}

// A name or password that no user can have is refused at once: a worker has enough to do with those that may be right.
func TestImpossibleLoginsAreNotHashed(t *testing.T) {
	w := newWorld(t, 1)
	long := strings.Repeat("x", wire.PasswordSizeMax+1)
	for _, test := range []struct {
		user, password string
		jobs           int
	}{
		{"second", long, 0},
		{"second", long[1:], 1},
		{"second", "xx", 0},
		{"se", testPassword, 0},
		{strings.Repeat("x", wire.UsernameSizeMax+1), testPassword, 0},
		{"nobody", testPassword, 1},
	} {
		c := w.conn(0)
		c.beginLogin(2, test.user, test.password)
		if got := c.s.Out.Jobs.Len(); got != test.jobs {
			t.Errorf("%.10s with a password of %d bytes: got %d jobs, want %d", test.user, len(test.password), got, test.jobs)
		}
		w.settle()
		if r := c.reply(); r.Kind != components.ReplyEvict || r.Reason != wire.EvictInvalidCredentials {
			t.Errorf("%.10s with a password of %d bytes: got kind %d, reason %d, want it refused", test.user, len(test.password), r.Kind, r.Reason)
		}
	}
}

// A login that meets the deletion of its user on shard 0 opens no session, and one that was decided before loses it.
func TestLoginMeetsDeletion(t *testing.T) {
	w := newWorld(t, 1)
	root := w.root(0, 1)
	before, after := w.conn(0), w.conn(0)
	for client, c := range []*testConn{before, nil, after} {
		if c == nil {
			root.ask(wire.OpDeleteUser, userRef("second"))
			continue
		}
		c.beginLogin(uint64(2+client), "second", testPassword)
		w.carry()
		FinishLogins(w.shards[0]) // asks for a session
	}
	if got := w.shards[0].Asks.Len(); got != 3 {
		t.Fatalf("asked of shard 0: got %d, want 3", got)
	}
	w.settle()
	if r := root.reply(); r.Kind != components.ReplyFrame {
		t.Fatalf("delete: got kind %d", r.Kind)
	}
	for _, c := range []*testConn{before, after} {
		for c.answered() {
			c.reply()
		}
		if c.s.Conns.Session[c.row()] != 0 {
			t.Error("a session of a deleted user: got one bound, want none")
		}
	}
	if n := w.control().Clients.Len(); n != 1 {
		t.Errorf("sessions: got %d, want 1", n)
	}
}

func TestPasswordsChange(t *testing.T) {
	w := newWorld(t, 2)
	root := w.root(0, 1)
	c := w.conn(1)
	c.login(2, "second")
	c.must(wire.OpChangePassword, passwordBody("second", testPassword, "fresh"))
	c.must(wire.OpChangePassword, passwordBody("second", "fresh", testPassword)) // and the session goes on
	root.must(wire.OpChangePassword, passwordBody("second", testPassword, "given"))
	for password, want := range map[string]components.ReplyKind{testPassword: components.ReplyEvict, "given": components.ReplyOpened} {
		d := w.conn(0)
		d.beginLogin(3, "second", password)
		w.settle()
		if r := d.reply(); r.Kind != want {
			t.Errorf("login with %q: got kind %d, want %d", password, r.Kind, want)
		}
	}
	// A password that somebody else changes while it is compared is compared again.
	w.idle = true
	c.ask(wire.OpChangePassword, passwordBody("second", "given", "first"))
	root.ask(wire.OpChangePassword, passwordBody("second", "given", "second"))
	w.tick()
	w.idle = false
	w.settle()
	_, a := result(t, root.reply()) // shard 0 is the first to ask shard 0
	_, b := result(t, c.reply())
	if a != wire.StatusOK || b != wire.StatusInvalidCredentials {
		t.Errorf("two changes at once: got status %d and %d, want 0 and %d", a, b, wire.StatusInvalidCredentials)
	}
	w.equalCatalogs()
}

func TestUserOperationsWhenTheLogFails(t *testing.T) {
	w := newWorld(t, 1)
	root, c := w.root(0, 1), w.conn(0)
	c.login(2, "second")
	root.ask(wire.OpDeleteUser, userRef("second"))
	w.tick()
	w.tick()
	w.wrote(syscall.EIO)
	w.settle()
	if _, status := result(t, root.reply()); status != wire.StatusCannotWriteToFile {
		t.Errorf("delete: got status %d, want %d", status, wire.StatusCannotWriteToFile)
	}
	// The user is there still, and logs in again.
	for c.answered() {
		c.reply()
	}
	if r := c.login(3, "second"); r.Kind != components.ReplyOpened {
		t.Errorf("login after the failed deletion: got kind %d, want a session", r.Kind)
	}
	if _, status := c.do(wire.OpCreateStream, streamBody("s")); status != wire.StatusCannotWriteToFile {
		t.Errorf("create after the failure: got status %d, want %d", status, wire.StatusCannotWriteToFile)
	}
	if _, status := root.do(wire.OpCreateUser, userBody("alice", "x", nil)); status != wire.StatusCannotWriteToFile {
		t.Errorf("create user after the failure: got status %d, want %d", status, wire.StatusCannotWriteToFile)
	}
}

// An operation that waited for a worker is replayed like any other.
func TestReplayOfANewUser(t *testing.T) {
	w := newWorld(t, 2)
	c := w.root(1, 1)
	ask := wire.RequestHeader{Client: c.client, Operation: wire.OpCreateUser, Session: c.session, Request: 3}
	var frames [][]byte
	for range 2 {
		c.askAs(ask, userBody("alice", "wonderland", global(wire.GlobalReadUsers)))
		w.settle()
		frames = append(frames, c.reply().Frame)
	}
	if len(frames[0]) <= wire.FrameHeaderSize || !bytes.Equal(frames[0], frames[1]) {
		t.Errorf("replay: got %x, want %x", frames[1], frames[0])
	}
	if got := w.shards[0].Catalog.Users.Len(); got != 4 {
		t.Errorf("users: got %d, want 4", got)
	}
	w.equalCatalogs()
}

package server_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"galgo/wire"
	"galgo/wire/client"
)

// dialAs is a connection of a user.
func (r *running) dialAs(name, password string) (*client.Client, error) {
	r.t.Helper()
	c, err := client.Dial(context.Background(), r.Address, client.Options{Username: name, Password: password})
	if err == nil {
		r.t.Cleanup(func() { _ = c.Close() })
	}
	return c, err
}

// mustDialAs is dialAs for a login that cannot be refused.
func (r *running) mustDialAs(name, password string) *client.Client {
	r.t.Helper()
	c, err := r.dialAs(name, password)
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

// wantEviction checks that the server ended the session, or refused to open one.
func wantEviction(t *testing.T, err error, want wire.EvictionReason) {
	t.Helper()
	var evicted client.EvictionError
	if !errors.As(err, &evicted) || evicted.Reason != want {
		t.Fatalf("eviction: got %v, want reason %d", err, want)
	}
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newUser(t *testing.T, root *client.Client, name, password string, p wire.Permissions) {
	t.Helper()
	details, err := root.CreateUser(wire.CreateUser{Username: []byte(name), Password: []byte(password), Status: wire.UserActive,
		Permissions: wire.AppendPermissions(nil, p)})
	noError(t, err)
	if string(details.Username) != name || details.Status != wire.UserActive {
		t.Fatalf("new user: got %+v, want %s", details, name)
	}
}

// usersText is what a client is told of all users.
func usersText(t *testing.T, c *client.Client) (text string) {
	t.Helper()
	list, err := c.Users()
	noError(t, err)
	for _, u := range list {
		text += fmt.Sprintf("%d %s %d %d\n", u.ID, u.Username, u.Status, u.CreatedAt)
	}
	return text
}

func TestUsersOfARunningServer(t *testing.T) {
	s := start(t, setup{shards: 2})
	root := s.dial()
	orders, secrets := topic(t, root, "orders", 2), topic(t, root, "secrets", 1)
	details, _, err := root.Topic(named("s"), orders)
	noError(t, err)
	reader := wire.Permissions{Streams: []wire.StreamPermissions{{StreamID: 0, Topics: []wire.TopicPermissions{{TopicID: details.ID, Grants: wire.TopicReadTopic}}}}}
	newUser(t, root, "reader", "reads", reader)
	c := s.mustDialAs("reader", "reads")

	var b wire.BatchBuilder
	send(t, root, orders, 0, batch(&b, 0, 5, 100), 0)
	expect(t, poll(t, c, orders, 0, wire.Strategy{Kind: wire.PollFirst}, 10, false), 0, 5)
	to := wire.Partitioning{Kind: wire.PartitionNumbered, ID: 0}
	_, err = c.Send(named("s"), orders, to, batch(&b, 5, 1, 100))
	wantStatus(t, err, wire.StatusUnauthorized)
	_, _, err = c.Topic(named("s"), secrets)
	wantStatus(t, err, wire.StatusUnauthorized)
	_, err = c.Users()
	wantStatus(t, err, wire.StatusUnauthorized)
	if _, found, err := c.User(named("reader")); err != nil || !found {
		t.Errorf("oneself: got %v, %v, want found", found, err)
	}
	// What is granted counts from the next request on, on a connection of whatever shard.
	reader.Streams[0].Topics[0].Grants |= wire.TopicSendMessages
	noError(t, root.UpdatePermissions(named("reader"), wire.AppendPermissions(nil, reader)))
	send(t, c, orders, 0, batch(&b, 5, 1, 100), 5)

	noError(t, c.ChangePassword(named("reader"), "reads", "writes"))
	_, err = s.dialAs("reader", "reads")
	wantEviction(t, err, wire.EvictInvalidCredentials)
	noError(t, root.UpdateUser(wire.UpdateUser{User: named("reader"), Username: []byte("writer")}))
	noError(t, root.UpdateStream(named("s"), "r"))
	noError(t, root.UpdateTopic(wire.UpdateTopic{Stream: named("r"), Topic: orders, Name: []byte("orders"), Options: option("message_expiry", "1h")}))
	before := usersText(t, root)
	want, _, err := root.Topic(named("r"), orders)
	noError(t, err)

	s.stop()
	s = start(t, setup{dir: s.dir, shards: 1})
	root = s.dial()
	if after := usersText(t, root); after != before || !strings.Contains(after, "1 writer 1") {
		t.Errorf("users after the restart: got %s, want %s", after, before)
	}
	if after, _, err := root.Topic(named("r"), orders); err != nil || after.MessageExpiryMicros != 3_600_000_000 || string(after.ExplicitOptions) != string(want.ExplicitOptions) {
		t.Errorf("topic after the restart: got %+v, %v, want %+v", after.Topic, err, want.Topic)
	}
	c = s.mustDialAs("writer", "writes")
	if _, err := c.Send(named("r"), orders, to, batch(&b, 6, 1, 100)); err != nil {
		t.Errorf("send after the restart: got %v, want it taken", err)
	}

	noError(t, root.DeleteUser(named("writer")))
	_, err = c.Me()
	wantStatus(t, err, wire.StatusUnauthenticated)
	_, err = c.Send(named("r"), orders, to, batch(&b, 7, 1, 100))
	wantEviction(t, err, wire.EvictNoSession)
	_, err = s.dialAs("writer", "writes")
	wantEviction(t, err, wire.EvictInvalidCredentials)
	wantStatus(t, root.DeleteUser(named("writer")), wire.StatusResourceNotFound)
	wantStatus(t, root.DeleteUser(wire.IdentOf(0)), wire.StatusCannotDeleteUser)
}

func TestTokensOfARunningServer(t *testing.T) {
	s := start(t, setup{shards: 2})
	root := s.dial()
	newUser(t, root, "robot", "password", wire.Permissions{Global: wire.GlobalManageStreams})
	robot := s.mustDialAs("robot", "password")
	token, err := robot.CreateToken("key", 0)
	noError(t, err)
	other, err := robot.CreateToken("brief", 1_800)
	noError(t, err)
	_, err = robot.CreateToken("key", 0)
	wantStatus(t, err, wire.StatusPersonalAccessTokenAlreadyExists)
	login := func(token string) (*client.Client, error) {
		c, err := client.Dial(context.Background(), s.Address, client.Options{})
		noError(t, err)
		t.Cleanup(func() { _ = c.Close() })
		return c, c.LoginToken(token)
	}
	if list, err := robot.Tokens(); err != nil || len(list) != 2 || string(list[0].Name) != "brief" || list[1].ExpiryAt != 0 {
		t.Errorf("tokens: got %+v, %v, want brief and key", list, err)
	}
	noError(t, robot.DeleteToken("brief"))
	_, err = login(other)
	wantEviction(t, err, wire.EvictInvalidToken)

	s.stop()
	s = start(t, setup{dir: s.dir, shards: 1})
	root = s.dial()
	c, err := login(token)
	noError(t, err)
	if _, err := c.CreateStream("made by a robot"); err != nil {
		t.Errorf("create: got %v, want a stream", err)
	}
	_, err = c.Stats()
	wantStatus(t, err, wire.StatusUnauthorized)
	noError(t, root.UpdateUser(wire.UpdateUser{User: named("robot"), HasStatus: true, Status: wire.UserInactive}))
	_, err = login(token)
	wantEviction(t, err, wire.EvictUserInactive)
	noError(t, root.DeleteUser(named("robot")))
	_, err = login(token)
	wantEviction(t, err, wire.EvictInvalidToken)
}

func TestClientsOfARunningServer(t *testing.T) {
	s := start(t, setup{shards: 2})
	root := s.dial()
	newUser(t, root, "guest", "password", wire.Permissions{})
	guest := s.mustDialAs("guest", "password")
	silent, err := client.Dial(context.Background(), s.Address, client.Options{})
	noError(t, err)
	defer func() { _ = silent.Close() }()
	noError(t, silent.Ping())
	me, err := guest.Me()
	noError(t, err)
	seen, found, err := root.Client(me.ID)
	if err != nil || !found || !reflect.DeepEqual(seen, me) {
		t.Errorf("guest as root sees it: got %+v, %v, want %+v", seen, err, me)
	}
	address := string(me.Address)
	list, err := root.Clients()
	noError(t, err)
	if len(list) != 3 || list[0].UserID != 0 || list[1].UserID != 1 || list[2].UserID != wire.NoUser {
		t.Fatalf("clients: got %+v, want root, guest and nobody", list)
	}
	for i, c := range list {
		if c.ID != uint32(i+1) || c.Transport != wire.TransportTCP || len(c.Address) == 0 {
			t.Errorf("client %d: got %+v", i, c)
		}
	}
	_, err = guest.Clients()
	wantStatus(t, err, wire.StatusUnauthorized)
	if _, found, err := guest.Client(99); err != nil || found {
		t.Errorf("nobody: got %v, %v, want not found", found, err)
	}
	noError(t, guest.Logout())
	if again, _, err := root.Client(me.ID); err != nil || again.UserID != wire.NoUser || string(again.Address) != address {
		t.Errorf("guest after its logout: got %+v, %v, want the same connection without a user", again, err)
	}
}

package state

import (
	"bytes"
	"encoding/base64"
	"math"
	"testing"

	"galgo/components"
	"galgo/wire"
)

func tokenBody(name string, expiryMicros uint64) []byte {
	return wire.AppendCreatePersonalAccessToken(nil, wire.CreatePersonalAccessToken{Name: []byte(name), ExpiryMicros: expiryMicros})
}

func tokenRef(name string) []byte { return wire.AppendDeletePersonalAccessToken(nil, []byte(name)) }

// newToken creates a token and returns its secret.
func (c *testConn) newToken(name string, expiryMicros uint64) []byte {
	c.w.t.Helper()
	token, err := wire.DecodeToken(c.must(wire.OpCreatePersonalAccessToken, tokenBody(name, expiryMicros)))
	if err != nil {
		c.w.t.Fatal(err)
	}
	return bytes.Clone(token)
}

// loginToken sends a Register request with a token and returns the reply.
func (c *testConn) loginToken(client uint64, token []byte) components.Reply {
	c.w.t.Helper()
	c.client, c.session, c.number = wire.U128{Lo: client}, 0, 0
	c.hold(wire.RequestHeader{Client: c.client, Operation: wire.OpRegister}, wire.AppendRegister(nil, wire.Register{
		ProtocolVersion: wire.ProtocolVersion, SDKName: []byte("x"), SDKVersion: []byte("1"),
		Credentials: wire.AppendTokenCredentials(nil, wire.TokenCredentials{Token: token})}))
	beginLogin(c.s, c.row())
	c.w.settle()
	r := c.reply()
	if r.Kind == components.ReplyOpened {
		c.session = r.Session
	}
	return r
}

func (c *testConn) tokens() []wire.PersonalAccessToken {
	c.w.t.Helper()
	body, status := c.read(wire.CodeGetPersonalAccessTokens, nil)
	list, err := wire.DecodePersonalAccessTokens(body)
	if err != nil || status != wire.StatusOK {
		c.w.t.Fatalf("tokens: got %v, status %d", err, status)
	}
	return list
}

func TestTokens(t *testing.T) {
	w := newWorld(t, 2)
	root, second := w.root(0, 1), w.conn(1)
	second.login(2, "second")
	token := second.newToken("b", 0)
	if raw, err := base64.StdEncoding.DecodeString(string(token)); err != nil || len(token) != 68 || len(raw) != 50 {
		t.Errorf("token: got %q, want 50 bytes in 68 characters", token)
	}
	other := second.newToken("a", math.MaxUint64)
	root.newToken("b", 5_000_000)
	if bytes.Contains(catalogBytes(w.shards[0].Catalog), token) {
		t.Error("catalog: got the token in it, want its hash only")
	}
	if list := second.tokens(); len(list) != 2 || string(list[0].Name) != "a" || string(list[1].Name) != "b" || list[0].ExpiryAt != 0 || list[1].ExpiryAt != 0 {
		t.Errorf("tokens of second: got %+v, want a and b, for ever", list)
	}
	if list := root.tokens(); len(list) != 1 || list[0].ExpiryAt <= w.now.WallMicros || list[0].ExpiryAt > w.now.WallMicros+5_000_000 {
		t.Errorf("tokens of root: got %+v, want one that expires in 5 s", list)
	}
	c := w.conn(0)
	if r := c.loginToken(7, token); r.Kind != components.ReplyOpened || r.User != second.s.Conns.User[second.row()] {
		t.Fatalf("login by token: got kind %d, reason %d, want a session of second", r.Kind, r.Reason)
	}
	if _, status := c.do(wire.OpDeletePersonalAccessToken, tokenRef("a")); status != wire.StatusOK {
		t.Errorf("delete: got status %d, want 0", status)
	}
	if r := w.conn(1).loginToken(8, other); r.Kind != components.ReplyEvict || r.Reason != wire.EvictInvalidToken {
		t.Errorf("login by a deleted token: got kind %d, reason %d, want eviction %d", r.Kind, r.Reason, wire.EvictInvalidToken)
	}
	root.must(wire.OpUpdateUser, wire.AppendUpdateUser(nil, wire.UpdateUser{User: named("second"), HasStatus: true, Status: wire.UserInactive}))
	if r := w.conn(1).loginToken(8, token); r.Kind != components.ReplyEvict || r.Reason != wire.EvictUserInactive {
		t.Errorf("login by an inactive user's token: got kind %d, reason %d, want eviction %d", r.Kind, r.Reason, wire.EvictUserInactive)
	}
	root.must(wire.OpDeleteUser, userRef("second"))
	if r := w.conn(1).loginToken(8, token); r.Kind != components.ReplyEvict || r.Reason != wire.EvictInvalidToken {
		t.Errorf("login by a deleted user's token: got kind %d, reason %d, want eviction %d", r.Kind, r.Reason, wire.EvictInvalidToken)
	}
	if n := w.shards[1].Catalog.Tokens.Len(); n != 1 {
		t.Errorf("tokens left: got %d, want root's", n)
	}
	w.equalCatalogs()
}

func TestTokenRejections(t *testing.T) {
	w := newWorld(t, 1)
	c := w.root(0, 1)
	c.newToken("a", 0)
	for _, test := range []struct {
		name   string
		op     wire.Operation
		body   []byte
		want   wire.Status
		header bool
	}{
		{"name taken", wire.OpCreatePersonalAccessToken, tokenBody("a", 0), wire.StatusPersonalAccessTokenAlreadyExists, false},
		{"expiry past the end of time", wire.OpCreatePersonalAccessToken, tokenBody("b", math.MaxUint64-1), wire.StatusInvalidPersonalAccessTokenExpiry, false},
		{"no name", wire.OpCreatePersonalAccessToken, make([]byte, 9), wire.StatusInvalidCommand, true},
		{"delete unknown", wire.OpDeletePersonalAccessToken, tokenRef("b"), wire.StatusResourceNotFound, false},
		{"second", wire.OpCreatePersonalAccessToken, tokenBody("b", 1), wire.StatusOK, false},
		{"third", wire.OpCreatePersonalAccessToken, tokenBody("c", 0), wire.StatusOK, false},
		{"more than three", wire.OpCreatePersonalAccessToken, tokenBody("d", 0), wire.StatusPersonalAccessTokensLimitReached, true},
	} {
		c.ask(test.op, test.body)
		w.settle()
		r := c.reply()
		if _, status := result(t, r); status != test.want || (r.Kind == components.ReplyStatus) != test.header {
			t.Errorf("%s: got status %d in kind %d, want %d, in the header %v", test.name, status, r.Kind, test.want, test.header)
		}
	}
}

// The secret is shown once: a replay cannot return it.
func TestReplayOfANewToken(t *testing.T) {
	w := newWorld(t, 1)
	c := w.root(0, 1)
	ask := wire.RequestHeader{Client: c.client, Operation: wire.OpCreatePersonalAccessToken, Session: c.session, Request: 4}
	c.askAs(ask, tokenBody("a", 0))
	w.settle()
	first := c.reply()
	if payload, status := result(t, first); status != wire.StatusOK || len(payload) != 69 {
		t.Fatalf("create: got status %d, %d bytes, want a token", status, len(payload))
	}
	var again []components.Reply
	for range 2 {
		c.askAs(ask, tokenBody("a", 0))
		w.settle()
		again = append(again, c.reply())
	}
	if _, status := result(t, again[0]); status != wire.StatusPersonalAccessTokenAlreadyExists {
		t.Errorf("replay: got status %d, want %d", status, wire.StatusPersonalAccessTokenAlreadyExists)
	}
	if h := header(t, again[0]); h.Request != 4 || h.Op != header(t, first).Op || !bytes.Equal(again[0].Frame, again[1].Frame) {
		t.Errorf("replays: got %+v, want them equal, with the first reply's op", h)
	}
	if list := c.tokens(); len(list) != 1 {
		t.Errorf("tokens: got %d, want 1", len(list))
	}
}

func TestExpiredTokens(t *testing.T) {
	w := newWorld(t, 2)
	c := w.root(1, 1)
	short := c.newToken("short", 1_000_000)
	c.newToken("long", 10*testClean)
	if r := w.conn(0).loginToken(2, short); r.Kind != components.ReplyOpened {
		t.Errorf("login before it expires: got kind %d, want a session", r.Kind)
	}
	w.now.WallMicros += 1_000_000
	w.settle()
	if r := w.conn(0).loginToken(3, short); r.Kind != components.ReplyEvict || r.Reason != wire.EvictInvalidToken {
		t.Errorf("login after it has expired: got kind %d, reason %d, want eviction %d", r.Kind, r.Reason, wire.EvictInvalidToken)
	}
	if len(c.tokens()) != 2 {
		t.Errorf("before the cleaner: got %d tokens, want 2", len(c.tokens()))
	}
	w.now.MonoMicros += testClean
	w.settle()
	if list := c.tokens(); len(list) != 1 || string(list[0].Name) != "long" {
		t.Errorf("after the cleaner: got %+v, want the long one", list)
	}
	if due := w.shards[0].Control.CleanAt; w.shards[0].Deadline == 0 || w.shards[0].Deadline > due {
		t.Errorf("deadline: got %d, want at most %d", w.shards[0].Deadline, due)
	}
	w.equalCatalogs()
}

// The same bytes may be a password and a token: the frame does not say which. A password that is refused is tried as a token.
func TestCredentialsOfBothShapes(t *testing.T) {
	w := newWorld(t, 1)
	token := w.root(0, 1).newToken("a", 0)
	// As a token: a context of 259 bytes. As a password: one of 3 bytes, and a context of 255.
	tail := append([]byte{3, 1, 0, 0, 255, 0, 0, 0}, make([]byte, 255)...)
	for name, want := range map[string]components.ReplyKind{string(token): components.ReplyOpened, "second": components.ReplyEvict} {
		both := append(append([]byte{byte(len(name))}, name...), tail...)
		_, isPassword := wire.DecodePasswordCredentials(both)
		if _, isToken := wire.DecodeTokenCredentials(both); !isPassword || !isToken {
			t.Fatalf("shapes: got password %v, token %v, want both", isPassword, isToken)
		}
		c := w.conn(0)
		c.hold(wire.RequestHeader{Client: wire.U128{Lo: 9}, Operation: wire.OpRegister}, wire.AppendRegister(nil, wire.Register{
			ProtocolVersion: wire.ProtocolVersion, SDKName: []byte("x"), SDKVersion: []byte("1"), Credentials: both}))
		beginLogin(c.s, c.row())
		w.settle()
		if r := c.reply(); r.Kind != want || want == components.ReplyEvict && r.Reason != wire.EvictInvalidCredentials {
			t.Errorf("login of %.6s: got kind %d, reason %d, want kind %d", name, r.Kind, r.Reason, want)
		}
	}
}

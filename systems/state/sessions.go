package state

import (
	"galgo/components"
	"galgo/ecs"
	"galgo/wire"
)

// openSession opens a session for a user whose credentials were verified at the connection's home. Rules: protocol.md, 4.4.
func openSession(s *components.State, r *components.Request) {
	clients := s.Control.Clients
	header, _ := request(s, r)
	if !mayLogIn(s.Catalog, r.User) || !s.Control.ReadOnly && !mayLogIn(s.Control.Decided, r.User) { // deleted, or set inactive, since
		evictAsker(s, r, wire.EvictInvalidCredentials)
		return
	}
	old := clients.Find(header.Client)
	if old != nil && old.ID == r.Previous && old.Session == r.Session {
		old = nil // the connection's own session, which it gives up
	}
	if old != nil && old.User != r.User {
		evictAsker(s, r, wire.EvictSessionError)
		return
	}
	if previous := clients.Find(r.Previous); previous != nil && previous.Session == r.Session {
		endSession(s, previous, nil)
	}
	if old != nil {
		takeSession(s, old)
	}
	client := &components.Client{ID: header.Client, User: r.User}
	if old != nil {
		client = old // its watermark and replies stay
	}
	e := newEvent(s, wire.Event{Kind: wire.EventSessionOpened, Client: header.Client, User: uint64(r.User),
		Shard: uint32(r.Home), Connection: uint64(r.Conn)})
	e.Session = e.Seq
	client.Session, client.Commit, client.Home, client.Conn = e.Session, e.Seq, r.Home, r.Conn
	decide(s, e, &components.Asker{Home: r.Home, Since: r.Since, Header: header,
		Answer: components.Reply{Kind: components.ReplyOpened, Conn: r.Conn, Session: e.Session, Client: client.ID, User: r.User},
		Body: wire.AppendRegistered(wire.AppendResultOK(nil), wire.Registered{UserID: s.Catalog.Users.ID[s.Catalog.Users.MustRow(r.User)], Session: e.Session,
			ProtocolVersion: wire.ProtocolVersion, ServerVersion: []byte(s.ServerVersion)})})
	if evicted := clients.Add(client); evicted != nil {
		takeSession(s, evicted)
	}
}

func mayLogIn(c *components.Catalog, user ecs.Entity) bool {
	row, ok := c.Users.Row(user)
	return ok && c.Users.Active[row]
}

// takeSession ends a session that its connection has not given up, and tells the connection: in order, for the answer that gives it the
// session may be on its way.
func takeSession(s *components.State, client *components.Client) {
	endSession(s, client, &components.Asker{Home: client.Home, Since: s.Now.MonoMicros, Answer: components.Reply{Kind: components.ReplyEvict,
		Conn: client.Conn, Client: client.ID, Session: client.Session, Reason: wire.EvictNoSession}})
}

// expireSession ends the session of a group member that was silent for too long, and has its connection told.
func expireSession(s *components.State, r *components.Request) {
	if client := s.Control.Clients.Find(r.Client); client != nil && client.Session == r.Session {
		endSession(s, client, &components.Asker{Home: client.Home, Since: s.Now.MonoMicros, Answer: components.Reply{Kind: components.ReplyEvict,
			Conn: client.Conn, Client: client.ID, Session: client.Session, Reason: wire.EvictStaleClient}})
	}
}

// endSession ends a session, for every shard to know. Its groups go on without it before that.
func endSession(s *components.State, client *components.Client, asker *components.Asker) {
	s.Control.Clients.Remove(client.ID, client.Session)
	unsettle(s, s.Control.Decided.GroupsOf(client.ID)...)
	settleGroups(s)
	decide(s, newEvent(s, wire.Event{Kind: wire.EventSessionClosed, Client: client.ID, Session: client.Session, User: uint64(client.User),
		Shard: uint32(client.Home), Connection: uint64(client.Conn)}), asker)
}

// closeSession ends the session of a connection that logs out or is gone.
func closeSession(s *components.State, r *components.Request) {
	asker := &components.Asker{Home: r.Home, Since: r.Since, Answer: components.Reply{Kind: components.ReplyClosed, Conn: r.Conn}}
	if r.Kind == components.RequestClose {
		asker.Header, _ = request(s, r)
	}
	if client := s.Control.Clients.Find(r.Client); client != nil && client.Session == r.Session {
		endSession(s, client, asker)
		return
	}
	answerInOrder(s, asker) // the session was taken meanwhile, or there was none
}

// revoke ends the session that a late login was to open. It returns false if there is no room to decide that.
func revoke(s *components.State, a *components.Asker) bool {
	client := s.Control.Clients.Find(a.Answer.Client)
	if client == nil || client.Session != a.Answer.Session {
		return true
	}
	if s.Control.Pending.Free() == 0 {
		return false
	}
	endSession(s, client, nil)
	return true
}

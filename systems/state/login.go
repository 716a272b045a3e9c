package state

import (
	"bytes"

	"galgo/components"
	"galgo/ecs"
	"galgo/wire"
)

// beginLogin judges a Register request by protocol.md, 4.1 and 4.2, and hands its password to a worker; FinishLogins goes on. A request
// that cannot become a login is answered with an eviction now. The router calls it with the connection's step at Away.
// Reads Conns, Catalog. Writes Conns.Login, Out.Jobs, Replies, Gauges.LoginsRefused.
func beginLogin(s *components.State, row int) {
	register, status := wire.DecodeRegister(body(s, row))
	if status != wire.StatusOK {
		refuseLogin(s, row, wire.EvictMalformedLogin)
		return
	}
	if !wire.AcceptsProtocol(register.ProtocolVersion) {
		refuseLogin(s, row, wire.EvictIncompatibleProtocol)
		return
	}
	if credentials, ok := wire.DecodePasswordCredentials(register.Credentials); ok {
		beginPassword(s, row, credentials)
	} else if credentials, ok := wire.DecodeTokenCredentials(register.Credentials); ok {
		if user, refusal, ok := tokenUser(s, credentials.Token); ok {
			askSession(s, row, user)
		} else {
			refuseLogin(s, row, refusal)
		}
	} else {
		refuseLogin(s, row, wire.EvictMalformedLogin)
	}
}

// beginPassword has a worker compare a password with the user's. An unknown or inactive user takes the same way, so that
// time does not tell who exists. Name, status and password are those of this moment; what is taken away until the session opens counts too.
func beginPassword(s *components.State, row int, c wire.PasswordCredentials) {
	if len(c.Username) < wire.UsernameSizeMin || len(c.Username) > wire.UsernameSizeMax ||
		len(c.Password) < wire.PasswordSizeMin || len(c.Password) > wire.PasswordSizeMax {
		refusePassword(s, row)
		return
	}
	login := &components.Login{Password: bytes.Clone(c.Password), Hash: nobodysHash(s.HashMemory)}
	if user, ok := s.Catalog.UserNamed(c.Username); ok && s.Catalog.Users.Active[user] {
		login.User = s.Catalog.Users.Entity(user)
		login.Hash = bytes.Clone(s.Catalog.Text(s.Catalog.Users.PasswordHash[user]))
	}
	s.Conns.Login[row] = login
	passwords, memory := s.Passwords, s.HashMemory
	s.Out.Jobs.Push(components.Job{Kind: components.JobVerify, Conn: s.Conns.Entity(row), Run: func() int32 {
		same := passwords.Verify(memory, login.Hash, login.Password, VerifyPassword)
		clear(login.Password)
		if same {
			return 1
		}
		return 0
	}})
}

// FinishLogins asks shard 0 for a session for each connection whose password was right, and refuses the others.
// Reads In.Jobs, of which it takes those of kind JobVerify. Writes Conns.Login, Asks or Out.Requests, Replies.
func FinishLogins(s *components.State) {
	for done := range s.In.JobsOf(components.JobVerify) {
		row := s.Conns.MustRow(done.Conn) // a row stays until its request has come back
		login := s.Conns.Login[row]
		s.Conns.Login[row] = nil
		user, ok := s.Catalog.Users.Row(login.User)
		if s.Conns.Gone[row] { // nobody reads the answer, but the request has to come back
			evict(s, row, wire.EvictNoSession)
			continue
		}
		if done.Res != 1 || !ok || !s.Catalog.Users.Active[user] {
			refusePassword(s, row)
			continue
		}
		askSession(s, row, login.User)
	}
}

func askSession(s *components.State, row int, user ecs.Entity) {
	r := controlRequest(s, row, components.RequestOpen)
	r.Previous, r.Client, r.User = r.Client, s.Conns.Header[row].Client, user
	s.Ask(0, r)
}

// refusePassword refuses a login by password, unless the same bytes are a token's too: the frame does not say which it is.
func refusePassword(s *components.State, row int) {
	register, _ := wire.DecodeRegister(body(s, row)) // it was decoded before
	if credentials, ok := wire.DecodeTokenCredentials(register.Credentials); ok {
		if user, _, ok := tokenUser(s, credentials.Token); ok {
			askSession(s, row, user)
			return
		}
	}
	refuseLogin(s, row, wire.EvictInvalidCredentials)
}

func refuseLogin(s *components.State, row int, reason wire.EvictionReason) {
	s.Gauges.LoginsRefused.Add(1)
	evict(s, row, reason)
}

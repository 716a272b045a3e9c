package state

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"

	"galgo/components"
	"galgo/ecs"
	"galgo/wire"
)

// tokenBytes is how many random bytes a token has. In base64 they are 68 characters. Source: protocol.md, 16.
const tokenBytes = 50

// createToken decides CreatePersonalAccessToken. The secret is in the answer and nowhere else. Statuses: protocol.md, 7.7.
func createToken(s *components.State, a *ask) outcome {
	create, status := wire.DecodeCreatePersonalAccessToken(a.body)
	if status != wire.StatusOK {
		return denied(status)
	}
	catalog := s.Control.Decided
	user := catalog.Users.MustRow(a.user) // decideMetadata has seen it
	if len(catalog.Users.Tokens[user]) >= s.TokensMax {
		return denied(wire.StatusPersonalAccessTokensLimitReached)
	}
	expiryAt, ok := expiryOf(s.Now.WallMicros, create.ExpiryMicros)
	if !ok {
		return rejected(wire.StatusInvalidPersonalAccessTokenExpiry)
	}
	if _, taken := catalog.TokenNamed(user, create.Name); taken {
		return rejected(wire.StatusPersonalAccessTokenAlreadyExists)
	}
	var secret [tokenBytes]byte
	s.Random(secret[:])
	token := base64.StdEncoding.EncodeToString(secret[:])
	hash := hashToken([]byte(token))
	return outcome{token: token, event: newEvent(s, wire.Event{Kind: wire.EventTokenCreated, User: uint64(a.user), Expiry: expiryAt,
		Name: bytes.Clone(create.Name), TokenHash: hash[:]})}
}

// expiryOf is when a token expires that is to live so long; 0 is never. It returns false for a time that no clock shows.
func expiryOf(now, lifeMicros uint64) (at uint64, ok bool) {
	if lifeMicros == 0 || lifeMicros == wire.Never {
		return 0, true
	}
	at = now + lifeMicros
	return at, at > now
}

// deleteToken decides DeletePersonalAccessToken.
func deleteToken(s *components.State, a *ask) outcome {
	name, status := wire.DecodeDeletePersonalAccessToken(a.body)
	if status != wire.StatusOK {
		return denied(status)
	}
	catalog := s.Control.Decided
	if _, ok := catalog.TokenNamed(catalog.Users.MustRow(a.user), name); !ok {
		return rejected(wire.StatusResourceNotFound)
	}
	return outcome{event: newEvent(s, wire.Event{Kind: wire.EventTokenDeleted, User: uint64(a.user), Name: bytes.Clone(name)})}
}

func hashToken(token []byte) components.TokenHash { return sha256.Sum256(token) }

// cleanTokens removes tokens that have expired, every TokenCleanMicros. Shard 0 only. What finds no room waits for a later tick.
func cleanTokens(s *components.State) {
	c := s.Control
	tokens := &c.Decided.Tokens
	if s.TokenCleanMicros == 0 || c.ReadOnly || tokens.Len() == 0 {
		c.CleanAt = 0
		return
	}
	if c.CleanAt == 0 {
		c.CleanAt = s.Now.MonoMicros + s.TokenCleanMicros
	}
	if s.Now.MonoMicros < c.CleanAt {
		s.WakeAt(c.CleanAt)
		return
	}
	for _, row := range expired(tokens, s.Now.WallMicros) {
		if c.Pending.Free() <= decisionsPerAsk {
			s.WakeAt(s.Now.MonoMicros + lateMicros)
			return
		}
		decide(s, newEvent(s, wire.Event{Kind: wire.EventTokenDeleted, User: uint64(tokens.User[row]),
			Name: bytes.Clone(c.Decided.Text(tokens.Name[row]))}), nil)
	}
	c.CleanAt = s.Now.MonoMicros + s.TokenCleanMicros
	s.WakeAt(c.CleanAt)
}

func expired(tokens *components.Tokens, now uint64) (rows []int) {
	for row := range tokens.All {
		if at := tokens.ExpiryAt[row]; at != 0 && at <= now {
			rows = append(rows, row)
		}
	}
	return rows
}

// tokenUser is whose token this is. A token that is unknown or has expired, or whose user is inactive, is refused for that reason.
func tokenUser(s *components.State, token []byte) (user ecs.Entity, refusal wire.EvictionReason, ok bool) {
	tokens, users := &s.Catalog.Tokens, &s.Catalog.Users
	row, ok := s.Catalog.TokenHashed(hashToken(token))
	if !ok || tokens.ExpiryAt[row] != 0 && tokens.ExpiryAt[row] <= s.Now.WallMicros {
		return ecs.None, wire.EvictInvalidToken, false
	}
	if user = tokens.User[row]; !users.Active[users.MustRow(user)] {
		return ecs.None, wire.EvictUserInactive, false
	}
	return user, 0, true
}

package components

import (
	"fmt"
	"slices"

	"galgo/ecs"
	"galgo/wire"
)

// TokenHashSize is the size in bytes of what is kept of a token: its SHA-256. A token has 400 random bits, so a fast hash without salt
// gives nothing away.
const TokenHashSize = 32

// TokenHash is the hash of a personal access token.
type TokenHash [TokenHashSize]byte

// Tokens is the catalog's table of personal access tokens. A row is free while User is ecs.None. A user's rows stand in Users.Tokens.
type Tokens struct {
	User      []ecs.Entity
	Name      []ecs.Span
	Hash      []TokenHash
	ExpiryAt  []uint64 // µs since the Unix epoch; 0 is never
	CreatedAt []uint64 // µs
	Created   []uint64 // creating seq

	rows   ecs.IDs
	byHash map[TokenHash]uint32
}

// Len is how many tokens there are.
func (t *Tokens) Len() int { return t.rows.Len() }

// All visits the rows that hold a token, ascending.
func (t *Tokens) All(yield func(row int) bool) {
	for row := range t.rows.All {
		if !yield(int(row)) {
			return
		}
	}
}

// TokenNamed finds a user's token by name, in row.
func (c *Catalog) TokenNamed(user int, name []byte) (row int, ok bool) {
	i, ok := c.tokenPlace(user, name)
	if !ok {
		return 0, false
	}
	return int(c.Users.Tokens[user][i]), true
}

// TokenHashed finds a token by its hash.
func (c *Catalog) TokenHashed(hash TokenHash) (row int, ok bool) {
	return lookup(c.Tokens.byHash, hash)
}

// tokenPlace is where a name stands, or would stand, among a user's tokens, which are in order of their names.
func (c *Catalog) tokenPlace(user int, name []byte) (i int, ok bool) {
	return slices.BinarySearchFunc(c.Users.Tokens[user], name, func(row uint32, name []byte) int {
		return slices.Compare(c.text.Get(c.Tokens.Name[row]), name)
	})
}

func (c *Catalog) createToken(user int, e *wire.Event) {
	t := &c.Tokens
	if len(e.TokenHash) != TokenHashSize {
		panic(fmt.Sprintf("components: event %d has a token hash of %d bytes, want %d", e.Seq, len(e.TokenHash), TokenHashSize))
	}
	i, taken := c.tokenPlace(user, e.Name)
	if taken {
		panic(fmt.Sprintf("components: event %d creates token %q of user %v twice", e.Seq, e.Name, ecs.Entity(e.User)))
	}
	row := t.rows.Take()
	n := int(row) + 1
	t.User = ecs.Grow(t.User, n)
	t.Name = ecs.Grow(t.Name, n)
	t.Hash = ecs.Grow(t.Hash, n)
	t.ExpiryAt = ecs.Grow(t.ExpiryAt, n)
	t.CreatedAt = ecs.Grow(t.CreatedAt, n)
	t.Created = ecs.Grow(t.Created, n)

	t.User[row], t.Hash[row] = ecs.Entity(e.User), TokenHash(e.TokenHash)
	t.ExpiryAt[row], t.CreatedAt[row], t.Created[row] = e.Expiry, e.Time, e.Seq
	t.Name[row] = c.text.Add(e.Name)
	t.byHash[t.Hash[row]] = row
	c.Users.Tokens[user] = slices.Insert(c.Users.Tokens[user], i, row)
}

func (c *Catalog) deleteToken(user int, e *wire.Event) {
	i, ok := c.tokenPlace(user, e.Name)
	if !ok {
		panic(fmt.Sprintf("components: event %d deletes token %q of user %v, which is gone", e.Seq, e.Name, ecs.Entity(e.User)))
	}
	c.dropToken(user, i)
	c.compactText()
}

// dropToken removes a user's token by its place in the order of names.
func (c *Catalog) dropToken(user, i int) {
	t := &c.Tokens
	row := c.Users.Tokens[user][i]
	c.Users.Tokens[user] = slices.Delete(c.Users.Tokens[user], i, i+1)
	delete(t.byHash, t.Hash[row])
	c.text.Remove(&t.Name[row])
	t.User[row], t.Hash[row] = ecs.None, TokenHash{}
	t.rows.Put(row)
}

// tokenEvents emits the creation of each token of a user, in order of their names.
func (c *Catalog) tokenEvents(user int, emit func(wire.Event) bool) bool {
	t := &c.Tokens
	for _, row := range c.Users.Tokens[user] {
		if !emit(wire.Event{Kind: wire.EventTokenCreated, Seq: t.Created[row], Time: t.CreatedAt[row], User: uint64(t.User[row]),
			Expiry: t.ExpiryAt[row], Name: c.Text(t.Name[row]), TokenHash: t.Hash[row][:]}) {
			return false
		}
	}
	return true
}

package state

import (
	"galgo/components"
	"galgo/wire"
)

// describeUser answers GET_USER. Who asks for itself needs no permission.
func describeUser(dst []byte, s *components.State, row int, body []byte) ([]byte, wire.Status) {
	ident, status := wire.DecodeUserRef(body)
	if status != wire.StatusOK {
		return dst, status
	}
	user, ok := s.Catalog.FindUser(ident)
	if !ok {
		return dst, wire.StatusOK
	}
	if s.Catalog.Users.Entity(user) != s.Conns.User[row] && !allowed(s, row, ReadUsers, noRow, noRow) {
		return dst, wire.StatusUnauthorized
	}
	return appendUserDetails(dst, s.Catalog, user), wire.StatusOK
}

func describeUsers(dst []byte, s *components.State, row int, _ []byte) ([]byte, wire.Status) {
	if !allowed(s, row, ReadUsers, noRow, noRow) {
		return dst, wire.StatusUnauthorized
	}
	for user := range s.Catalog.UsersByID {
		if len(dst) > wire.FrameSizeMax {
			break // too long already: Describe refuses it
		}
		dst = wire.AppendUser(dst, userAt(s.Catalog, user))
	}
	return dst, wire.StatusOK
}

func userAt(c *components.Catalog, row int) wire.User {
	u := &c.Users
	return wire.User{ID: u.ID[row], CreatedAt: u.CreatedAt[row], Status: userStatus(u.Active[row]), Username: c.Text(u.Name[row])}
}

// rootPermissions describes what root may do; nothing is stored for it, since every check lets root pass.
var rootPermissions = wire.AppendPermissions(nil, wire.Permissions{Global: wire.GlobalAll})

func appendUserDetails(dst []byte, c *components.Catalog, row int) []byte {
	details := wire.UserDetails{User: userAt(c, row)}
	if c.Users.ID[row] == components.RootID {
		details.Permissions = rootPermissions
	} else if block := c.Text(c.Users.Permissions[row]); len(block) > 0 {
		details.Permissions = block
	}
	return wire.AppendUserDetails(dst, details)
}

// describeTokens answers GET_PERSONAL_ACCESS_TOKENS: the asker's own, in order of their names, expired ones included.
func describeTokens(dst []byte, s *components.State, row int, _ []byte) ([]byte, wire.Status) {
	catalog := s.Catalog
	user, ok := catalog.Users.Row(s.Conns.User[row])
	if !ok {
		return dst, wire.StatusUnauthenticated
	}
	for _, token := range catalog.Users.Tokens[user] {
		dst = wire.AppendPersonalAccessToken(dst, wire.PersonalAccessToken{
			Name: catalog.Text(catalog.Tokens.Name[token]), ExpiryAt: catalog.Tokens.ExpiryAt[token]})
	}
	return dst, wire.StatusOK
}

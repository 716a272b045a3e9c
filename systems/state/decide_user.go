package state

import (
	"bytes"
	"cmp"
	"slices"

	"galgo/components"
	"galgo/ecs"
	"galgo/wire"
)

// createUser decides CreateUser, once a worker has hashed the password. Statuses: protocol.md, 7.7.
func createUser(s *components.State, a *ask) outcome {
	create, status := wire.DecodeCreateUser(a.body)
	if status != wire.StatusOK {
		return denied(status)
	}
	if !a.may(s, ManageUsers, ecs.None, ecs.None) {
		return rejected(wire.StatusUnauthorized)
	}
	if !usernameFits(create.Username) {
		return rejected(wire.StatusInvalidUsername)
	}
	catalog := s.Control.Decided
	if _, taken := catalog.UserNamed(create.Username); taken {
		return rejected(wire.StatusUserAlreadyExists)
	}
	if catalog.Users.Free() == 0 {
		return rejected(wire.StatusUsersLimitReached)
	}
	if a.hashing == nil {
		return outcome{hashing: &components.Hashing{Password: bytes.Clone(create.Password), Salt: salt(s)}}
	}
	return outcome{build: components.BuildUser, event: newEvent(s, wire.Event{Kind: wire.EventUserCreated,
		User: uint64(catalog.Users.Entities.Take()), UserID: catalog.NextUserID(), UserStatus: uint8(create.Status),
		Name: bytes.Clone(create.Username), PasswordHash: a.hashing.Hash, Permissions: inOrder(create.Permissions)})}
}

// updateUser decides UpdateUser. What changes nothing succeeds without an event.
func updateUser(s *components.State, a *ask) outcome {
	update, status := wire.DecodeUpdateUser(a.body)
	if status != wire.StatusOK {
		return denied(status)
	}
	row, out := a.manageUser(s, update.User)
	if out != (outcome{}) {
		return out
	}
	users := &s.Control.Decided.Users
	name, active := s.Control.Decided.Text(users.Name[row]), users.Active[row]
	if update.Username != nil {
		if !usernameFits(update.Username) {
			return rejected(wire.StatusInvalidUsername)
		}
		if owner, taken := s.Control.Decided.UserNamed(update.Username); taken && owner != row {
			return rejected(wire.StatusUserAlreadyExists)
		}
	}
	changed := update.Username != nil && !bytes.Equal(update.Username, name)
	if changed {
		name = update.Username
	}
	if update.HasStatus && active != (update.Status == wire.UserActive) {
		active, changed = !active, true
	}
	if !changed {
		return outcome{}
	}
	return outcome{event: newEvent(s, wire.Event{Kind: wire.EventUserUpdated, User: uint64(users.Entity(row)),
		UserStatus: uint8(userStatus(active)), Name: bytes.Clone(name)})}
}

// deleteUser decides DeleteUser. The user's sessions end with it: no request of theirs is taken from here on, and DecideControl closes them.
func deleteUser(s *components.State, a *ask) outcome {
	ident, status := wire.DecodeUserRef(a.body)
	if status != wire.StatusOK {
		return denied(status)
	}
	row, out := a.manageUser(s, ident)
	if out != (outcome{}) {
		return out
	}
	users := &s.Control.Decided.Users
	if users.ID[row] == components.RootID {
		return rejected(wire.StatusCannotDeleteUser)
	}
	user := users.Entity(row)
	orphans := s.Control.Clients.OfUser(user)
	slices.SortFunc(orphans, func(a, b *components.Client) int { return cmp.Compare(a.Session, b.Session) })
	s.Control.Orphans = append(s.Control.Orphans, orphans...)
	return outcome{event: newEvent(s, wire.Event{Kind: wire.EventUserDeleted, User: uint64(user)})}
}

// updatePermissions decides UpdatePermissions.
func updatePermissions(s *components.State, a *ask) outcome {
	update, status := wire.DecodeUpdatePermissions(a.body)
	if status != wire.StatusOK {
		return denied(status)
	}
	row, out := a.manageUser(s, update.User)
	if out != (outcome{}) {
		return out
	}
	users := &s.Control.Decided.Users
	if users.ID[row] == components.RootID {
		return rejected(wire.StatusCannotChangePermissions)
	}
	block := inOrder(update.Permissions)
	if bytes.Equal(block, s.Control.Decided.Text(users.Permissions[row])) {
		return outcome{}
	}
	return outcome{event: newEvent(s, wire.Event{Kind: wire.EventPermissionsChanged, User: uint64(users.Entity(row)), Permissions: block})}
}

// changePassword decides ChangePassword, once a worker has compared the current password and hashed the new one.
func changePassword(s *components.State, a *ask) outcome {
	change, status := wire.DecodeChangePassword(a.body)
	if status != wire.StatusOK {
		return denied(status)
	}
	catalog := s.Control.Decided
	row, ok := catalog.FindUser(change.User)
	if !ok {
		return rejected(wire.StatusResourceNotFound)
	}
	user := catalog.Users.Entity(row)
	if user != a.user && !a.may(s, ManageUsers, ecs.None, ecs.None) {
		return rejected(wire.StatusUnauthorized)
	}
	stored := catalog.Text(catalog.Users.PasswordHash[row])
	if a.hashing == nil || !bytes.Equal(a.hashing.Stored, stored) { // or somebody else has changed it meanwhile
		return outcome{hashing: &components.Hashing{Stored: bytes.Clone(stored), Current: bytes.Clone(change.Current),
			Password: bytes.Clone(change.New), Salt: salt(s)}}
	}
	if a.hashing.Hash == nil {
		return rejected(wire.StatusInvalidCredentials)
	}
	return outcome{event: newEvent(s, wire.Event{Kind: wire.EventPasswordChanged, User: uint64(user), PasswordHash: a.hashing.Hash})}
}

// manageUser finds the user that an operation is about, if the asker may change users; out is not zero if that fails.
func (a *ask) manageUser(s *components.State, ident wire.Ident) (row int, out outcome) {
	row, ok := s.Control.Decided.FindUser(ident)
	if !ok {
		return 0, rejected(wire.StatusResourceNotFound)
	}
	if !a.may(s, ManageUsers, ecs.None, ecs.None) {
		return 0, rejected(wire.StatusUnauthorized)
	}
	return row, outcome{}
}

func usernameFits(name []byte) bool {
	return len(name) >= wire.UsernameSizeMin && len(name) <= wire.UsernameSizeMax
}

// inOrder is a permissions block, which the decoder has checked, with its ids ascending, as clients are shown it.
func inOrder(block []byte) []byte {
	if block == nil {
		return nil
	}
	permissions, err := wire.DecodePermissions(block)
	if err != nil {
		panic("state: permissions that were checked do not decode")
	}
	return wire.AppendPermissions(nil, permissions)
}

func userStatus(active bool) wire.UserStatus {
	if active {
		return wire.UserActive
	}
	return wire.UserInactive
}

// endOrphans ends the sessions of deleted users, as there is room. Shard 0 only.
func endOrphans(s *components.State) {
	c := s.Control
	for len(c.Orphans) > 0 && c.Pending.Free() > decisionsPerAsk {
		client := c.Orphans[0]
		c.Orphans = c.Orphans[1:]
		if c.Clients.Find(client.ID) == client { // it has not ended by itself
			takeSession(s, client)
		}
	}
	if len(c.Orphans) == 0 {
		c.Orphans = nil
	} else {
		s.WakeAt(s.Now.MonoMicros + lateMicros)
	}
}

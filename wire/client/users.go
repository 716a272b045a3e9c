package client

import "galgo/wire"

// User returns a user and what it may do; false when there is none of that name.
func (c *Client) User(user wire.Ident) (details wire.UserDetails, found bool, err error) {
	payload, err := c.get(wire.CodeGetUser, wire.AppendIdent(c.frame(), user))
	if err != nil || len(payload) == 0 {
		return details, false, err
	}
	details, err = wire.DecodeUserDetails(payload)
	details, err = decoded(c, wire.CodeGetUser, details, err)
	return details, err == nil, err
}

// Users returns all users in ascending id.
func (c *Client) Users() ([]wire.User, error) {
	payload, err := c.get(wire.CodeGetUsers, c.frame())
	if err != nil {
		return nil, err
	}
	list, err := wire.DecodeUsers(payload)
	return decoded(c, wire.CodeGetUsers, list, err)
}

// CreateUser makes a user. A name that is taken is StatusUserAlreadyExists.
func (c *Client) CreateUser(u wire.CreateUser) (wire.UserDetails, error) {
	payload, err := c.exchange(wire.OpCreateUser, 0, wire.AppendCreateUser(c.frame(), u), nil)
	if err != nil {
		return wire.UserDetails{}, err
	}
	details, err := wire.DecodeUserDetails(payload)
	return decoded(c, wire.CodeCreateUser, details, err)
}

// UpdateUser changes a user's name, or whether it may log in, or both.
func (c *Client) UpdateUser(u wire.UpdateUser) error {
	_, err := c.exchange(wire.OpUpdateUser, 0, wire.AppendUpdateUser(c.frame(), u), nil)
	return err
}

// DeleteUser deletes a user with its tokens, and ends its sessions.
func (c *Client) DeleteUser(user wire.Ident) error {
	_, err := c.exchange(wire.OpDeleteUser, 0, wire.AppendIdent(c.frame(), user), nil)
	return err
}

// UpdatePermissions says what a user may do from its next request on; a nil block is nothing.
func (c *Client) UpdatePermissions(user wire.Ident, block []byte) error {
	update := wire.UpdatePermissions{User: user, Permissions: block}
	_, err := c.exchange(wire.OpUpdatePermissions, 0, wire.AppendUpdatePermissions(c.frame(), update), nil)
	return err
}

// ChangePassword changes a user's password. A current one that is wrong is StatusInvalidCredentials.
func (c *Client) ChangePassword(user wire.Ident, current, new string) error {
	change := wire.ChangePassword{User: user, Current: []byte(current), New: []byte(new)}
	_, err := c.exchange(wire.OpChangePassword, 0, wire.AppendChangePassword(c.frame(), change), nil)
	return err
}

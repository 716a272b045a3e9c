package components

import (
	"fmt"

	"galgo/ecs"
	"galgo/wire"
)

func (c *Catalog) userRow(e *wire.Event) int {
	row, ok := c.Users.Row(ecs.Entity(e.User))
	if !ok {
		panic(fmt.Sprintf("components: event %d for user %v, who is gone", e.Seq, ecs.Entity(e.User)))
	}
	return row
}

func (c *Catalog) updateUser(row int, e *wire.Event) {
	t := &c.Users
	t.Active[row] = e.UserStatus == userActive
	c.rename(&c.userNames, 0, uint32(row), &t.Name[row], e.Name)
}

func (c *Catalog) changePassword(row int, e *wire.Event) {
	c.replaceText(&c.Users.PasswordHash[row], e.PasswordHash)
}

func (c *Catalog) changePermissions(row int, e *wire.Event) {
	c.replaceText(&c.Users.Permissions[row], e.Permissions)
	c.Users.Grants[row] = grantsOf(e.Permissions)
}

// deleteUser takes a user and all its tokens out of the catalog.
func (c *Catalog) deleteUser(row int) {
	t := &c.Users
	for len(t.Tokens[row]) > 0 {
		c.dropToken(row, 0)
	}
	entity := t.Entity(row)
	c.forgetName(&c.userNames, 0, &t.Name[row])
	c.text.Remove(&t.PasswordHash[row])
	c.text.Remove(&t.Permissions[row])
	t.Grants[row] = wire.Permissions{}
	t.IDs.Put(t.ID[row])
	delete(t.byID, t.ID[row])
	t.Remove(entity)
	t.Entities.Put(entity)
	c.compactText()
}

// grantsOf decodes a permissions block once, so that no request has to. Shard 0 has checked it before it made the event.
func grantsOf(block []byte) wire.Permissions {
	if len(block) == 0 {
		return wire.Permissions{}
	}
	grants, err := wire.DecodePermissions(block)
	if err != nil {
		panic(fmt.Sprintf("components: permissions of %d bytes in an event: %v", len(block), err))
	}
	return grants
}

// rename gives a row another name, if it is another.
func (c *Catalog) rename(names *ecs.Names, parent uint64, row uint32, cell *ecs.Span, name []byte) {
	if string(c.text.Get(*cell)) == string(name) {
		return
	}
	c.forgetName(names, parent, cell)
	*cell = c.text.Add(name)
	names.Put(parent, name, row)
	c.compactText()
}

// replaceText puts another string into a text column's cell.
func (c *Catalog) replaceText(cell *ecs.Span, text []byte) {
	c.text.Remove(cell)
	*cell = c.text.Add(text)
	c.compactText()
}

// UsersByID yields user rows in ascending wire id.
func (c *Catalog) UsersByID(yield func(row int) bool) {
	for id := range c.Users.IDs.All {
		if !yield(int(c.Users.byID[id])) {
			return
		}
	}
}

// NextUserID is the lowest wire id that no user has.
func (c *Catalog) NextUserID() uint32 { return lowestFree(&c.Users.IDs) }

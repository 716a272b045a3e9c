package components

import (
	"fmt"
	"iter"
	"slices"

	"galgo/ecs"
	"galgo/wire"
)

// groupsMax is the most consumer groups that the catalog may have.
const groupsMax = 1 << 22

// Groups is the catalog's table of consumer groups. What is logged of a group is that it exists; its plan ends with the process.
type Groups struct {
	ecs.Rows
	Entities  ecs.Entities
	Topic     []ecs.Entity
	ID        []uint32 // within the topic, from 0, never reused
	CreatedAt []uint64 // µs
	Created   []uint64 // creating seq
	Name      []ecs.Span
	Plan      []*wire.GroupPlan // never nil; shared with the event and all shards, and not changed

	byID    map[uint64]uint32          // topic row, id -> row
	byTopic map[uint32][]ecs.Entity    // topic row -> its groups in ascending id
	clients map[wire.U128][]ecs.Entity // client id -> the groups that it is a member of, in the order of joining
}

// noPlan is the plan of a group that nobody has joined yet.
var noPlan = &wire.GroupPlan{}

// newGroups is an empty table.
func newGroups() Groups {
	return Groups{Rows: ecs.NewRows(groupsMax), byID: map[uint64]uint32{}, byTopic: map[uint32][]ecs.Entity{}, clients: map[wire.U128][]ecs.Entity{}}
}

// groupKey is the key of a group in the index of names.
func (c *Catalog) groupKey(row uint32) (uint64, []byte) {
	topic, _ := c.Topics.Row(c.Groups.Topic[row])
	return uint64(topic), c.text.Get(c.Groups.Name[row])
}

// FindGroup resolves an identifier within a topic.
func (c *Catalog) FindGroup(topic int, id wire.Ident) (row int, ok bool) {
	if id.Kind == wire.IdentID {
		return c.GroupByID(topic, id.ID)
	}
	return found(c.groupNames.Get(uint64(topic), id.Name))
}

// GroupByID finds a group by its number within a topic.
func (c *Catalog) GroupByID(topic int, id uint32) (row int, ok bool) {
	return lookup(c.Groups.byID, below(topic, id))
}

// GroupsByID yields the group rows of a topic in ascending id.
func (c *Catalog) GroupsByID(topic int) iter.Seq[int] {
	return func(yield func(row int) bool) {
		for _, group := range c.Groups.byTopic[uint32(topic)] {
			if !yield(c.Groups.MustRow(group)) {
				return
			}
		}
	}
}

// GroupsOf is the groups that a client is a member of. The slice is good until the next event is applied.
func (c *Catalog) GroupsOf(client wire.U128) []ecs.Entity { return c.Groups.clients[client] }

func (c *Catalog) createGroup(e *wire.Event) {
	topic, entity := c.topicRow(e), ecs.Entity(e.Group)
	t := &c.Groups
	occupy(&t.Entities, entity)
	row := t.Insert(entity)
	n := t.Cap()
	t.Topic = ecs.Grow(t.Topic, n)
	t.ID = ecs.Grow(t.ID, n)
	t.CreatedAt = ecs.Grow(t.CreatedAt, n)
	t.Created = ecs.Grow(t.Created, n)
	t.Name = ecs.Grow(t.Name, n)
	t.Plan = ecs.Grow(t.Plan, n)

	t.Topic[row], t.ID[row], t.CreatedAt[row], t.Created[row] = ecs.Entity(e.Topic), e.GroupID, e.Time, e.Seq
	t.Name[row], t.Plan[row] = c.text.Add(e.Name), noPlan
	t.byID[below(topic, e.GroupID)] = uint32(row)
	t.byTopic[uint32(topic)] = append(t.byTopic[uint32(topic)], entity) // ids only grow, in a snapshot too
	c.groupNames.Put(uint64(topic), e.Name, uint32(row))
	c.Topics.GroupIDNext[topic] = max(c.Topics.GroupIDNext[topic], e.GroupID+1)
}

func (c *Catalog) deleteGroup(group ecs.Entity) {
	t := &c.Groups
	row, ok := t.Row(group)
	if !ok {
		panic(fmt.Sprintf("components: group %v deleted twice", group))
	}
	for _, seat := range t.Plan[row].Members {
		t.leave(seat.Client, group)
	}
	topic, _ := c.Topics.Row(t.Topic[row])
	list := t.byTopic[uint32(topic)]
	at := slices.Index(list, group)
	if list = slices.Delete(list, at, at+1); len(list) > 0 {
		t.byTopic[uint32(topic)] = list
	} else {
		delete(t.byTopic, uint32(topic))
	}
	delete(t.byID, below(topic, t.ID[row]))
	c.forgetName(&c.groupNames, uint64(topic), &t.Name[row])
	t.Plan[row] = nil
	t.Remove(group)
	t.Entities.Put(group)
	c.compactText()
}

// deleteGroups deletes all groups of a topic, which is still there.
func (c *Catalog) deleteGroups(topic int) {
	for list := c.Groups.byTopic[uint32(topic)]; len(list) > 0; list = c.Groups.byTopic[uint32(topic)] {
		c.deleteGroup(list[len(list)-1])
	}
}

// planGroup gives a group a new plan.
func (c *Catalog) planGroup(e *wire.Event) {
	t, group := &c.Groups, ecs.Entity(e.Group)
	row, ok := t.Row(group)
	if !ok {
		panic(fmt.Sprintf("components: event %d plans group %v, which is gone", e.Seq, group))
	}
	old, plan := t.Plan[row], e.Plan
	if plan.Generation != old.Generation+1 {
		panic(fmt.Sprintf("components: event %d plans generation %d of group %v after %d", e.Seq, plan.Generation, group, old.Generation))
	}
	t.Plan[row] = plan
	for _, seat := range old.Members {
		if now, ok := plan.Member(seat.ID); !ok || now.Session != seat.Session {
			t.leave(seat.Client, group)
		}
	}
	for _, seat := range plan.Members {
		if before, ok := old.Member(seat.ID); !ok || before.Session != seat.Session {
			t.clients[seat.Client] = append(t.clients[seat.Client], group)
		}
	}
}

func (t *Groups) leave(client wire.U128, group ecs.Entity) {
	list := t.clients[client]
	at := slices.Index(list, group)
	if list = slices.Delete(list, at, at+1); len(list) > 0 {
		t.clients[client] = list
	} else {
		delete(t.clients, client)
	}
}

// groupEvents emits the creation of a topic's groups.
func (c *Catalog) groupEvents(topic int, emit func(wire.Event) bool) bool {
	t := &c.Groups
	for row := range c.GroupsByID(topic) {
		if !emit(wire.Event{Kind: wire.EventGroupCreated, Seq: t.Created[row], Time: t.CreatedAt[row], Topic: uint64(t.Topic[row]),
			Group: uint64(t.Entity(row)), GroupID: t.ID[row], Name: c.Text(t.Name[row])}) {
			return false
		}
	}
	return true
}

// copyPlans gives the groups of an equal catalog the plans of this one, which its events do not tell.
func (c *Catalog) copyPlans(to *Catalog) {
	for row := range c.Groups.All {
		to.Groups.Plan[to.Groups.MustRow(c.Groups.Entity(row))] = c.Groups.Plan[row]
	}
	for client, groups := range c.Groups.clients {
		to.Groups.clients[client] = slices.Clone(groups)
	}
}

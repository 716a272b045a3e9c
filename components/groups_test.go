package components

import (
	"slices"
	"testing"

	"galgo/ecs"
	"galgo/wire"
)

func TestCatalogGroups(t *testing.T) {
	d := newDecider(1)
	c := d.catalog
	stream, topic := c.Streams.Entities.Take(), c.Topics.Entities.Take()
	d.event(wire.Event{Kind: wire.EventStreamCreated, Stream: uint64(stream), Name: []byte("s")})
	d.event(wire.Event{Kind: wire.EventTopicCreated, Stream: uint64(stream), Topic: uint64(topic), Name: []byte("t"), Partitions: d.some(2)})
	row := c.Topics.MustRow(topic)
	var groups []ecs.Entity
	for _, name := range []string{"a", "b", "c"} {
		group := c.Groups.Entities.Take()
		groups = append(groups, group)
		d.event(wire.Event{Kind: wire.EventGroupCreated, Topic: uint64(topic), Group: uint64(group), GroupID: c.Topics.GroupIDNext[row], Name: []byte(name)})
	}
	plan := &wire.GroupPlan{Generation: 1, Members: []wire.GroupSeat{{Client: wire.U128{Lo: 5}, Session: 6}}, Owners: []uint32{0, 0}}
	for _, group := range groups[1:] {
		d.event(wire.Event{Kind: wire.EventGroupJoined, Group: uint64(group), Plan: plan})
	}
	if got := c.GroupsOf(wire.U128{Lo: 5}); !slices.Equal(got, groups[1:]) {
		t.Errorf("groups of the member: got %v, want %v", got, groups[1:])
	}
	d.event(wire.Event{Kind: wire.EventGroupDeleted, Group: uint64(groups[2])})

	clone := c.Clone()
	for name, catalog := range map[string]*Catalog{"catalog": c, "clone": clone} {
		row := catalog.Topics.MustRow(topic)
		var ids []uint32
		for group := range catalog.GroupsByID(row) {
			ids = append(ids, catalog.Groups.ID[group])
		}
		if !slices.Equal(ids, []uint32{0, 1}) || catalog.Topics.GroupIDNext[row] != 3 {
			t.Errorf("%s: got groups %v, the next %d, want 0 and 1, then 3", name, ids, catalog.Topics.GroupIDNext[row])
		}
		named, ok := catalog.FindGroup(row, wire.IdentNamed([]byte("b")))
		if byID, ok2 := catalog.GroupByID(row, 1); !ok || !ok2 || named != byID || catalog.Groups.Plan[named] != plan {
			t.Errorf("%s: got group b in row %d by name, %d by id", name, named, byID)
		}
		if got := catalog.GroupsOf(wire.U128{Lo: 5}); !slices.Equal(got, groups[1:2]) {
			t.Errorf("%s: got groups of the member %v, want %v", name, got, groups[1:2])
		}
		if next := catalog.Groups.Entities.Take(); next.Index() != groups[2].Index() || next.Generation() != groups[2].Generation()+1 {
			t.Errorf("%s: got next entity %v after %v", name, next, groups[2])
		}
	}
	clone.Groups.Entities.Put(ecs.MakeEntity(groups[2].Index(), groups[2].Generation()+1))
	e := wire.Event{Kind: wire.EventTopicDeleted, Seq: d.seq + 1, Topic: uint64(topic)}
	clone.Apply(&e)
	if clone.Groups.Len() != 0 || len(clone.GroupsOf(wire.U128{Lo: 5})) != 0 {
		t.Errorf("after the topic: got %d groups, want none", clone.Groups.Len())
	}
}

func TestGroupReads(t *testing.T) {
	r := NewGroupReads()
	p, q := ecs.MakeEntity(1, 1), ecs.MakeEntity(2, 1)
	r.Read(p, 7, 100, 10)
	r.Read(p, 7, 100, 5)
	r.Read(p, 8, 100, 3)
	r.Read(q, 7, 100, 4)
	if got := r.Next(p, 7, 100); got != 10 {
		t.Errorf("read: got %d, want the highest, 10", got)
	}
	r.Read(p, 7, 101, 6)
	if a, b := r.Next(p, 7, 100), r.Next(p, 7, 101); a != 0 || b != 6 {
		t.Errorf("read by another: got %d and %d, want 0 and 6", a, b)
	}
	r.Forget(p, 7)
	if a, b := r.Next(p, 7, 101), r.Next(p, 8, 100); a != 0 || b != 3 {
		t.Errorf("forgotten group: got %d, other %d, want 0 and 3", a, b)
	}
	r.ForgetAll(p)
	if got := r.Next(p, 8, 100); got != 0 {
		t.Errorf("forgotten partition: got %d, want 0", got)
	}
	if got := testing.AllocsPerRun(100, func() { r.Read(q, 7, 100, 9) }); got != 0 {
		t.Errorf("allocations of a read: got %v, want 0", got)
	}
}

package components

import (
	"slices"

	"galgo/ecs"
)

// GroupReads is the State component of what consumer groups have polled of the partitions that this shard owns, and of the
// hand-overs that wait for it to be committed.
type GroupReads struct {
	of     map[ecs.Entity][]groupRead // by partition
	Leaves []Leave                    // partitions of this shard that are being handed over and not reported
	Looked uint64                     // Offsets.Orders when Leaves was last looked through
	Fresh  bool                       // Leaves has entries that were never looked at
}

// groupRead is how far the member who has a partition has polled it.
type groupRead struct {
	group   uint32 // id
	session uint64
	next    uint64 // the offset after the last message that it got
}

// Leave is a hand-over as the owner of the partition's messages sees it.
type Leave struct {
	Group     ecs.Entity
	Partition ecs.Entity
	GroupID   uint32
	ID        uint32 // of Partition
	Session   uint64 // of the member who gives it up
	Since     uint64 // generation
}

// NewGroupReads is an empty table.
func NewGroupReads() GroupReads { return GroupReads{of: map[ecs.Entity][]groupRead{}} }

// Read notes that a member got messages up to next. What another member got before counts no more.
func (r *GroupReads) Read(partition ecs.Entity, group uint32, session, next uint64) {
	list := r.of[partition]
	for i := range list {
		if list[i].group != group {
			continue
		}
		if list[i].session == session {
			next = max(next, list[i].next)
		}
		list[i].session, list[i].next = session, next
		return
	}
	r.of[partition] = append(list, groupRead{group, session, next})
}

// Next is the offset after the last message of a partition that a member got, 0 if it got none.
func (r *GroupReads) Next(partition ecs.Entity, group uint32, session uint64) uint64 {
	for _, read := range r.of[partition] {
		if read.group == group && read.session == session {
			return read.next
		}
	}
	return 0
}

// Forget drops what a group has polled of a partition.
func (r *GroupReads) Forget(partition ecs.Entity, group uint32) {
	list := r.of[partition]
	if list = slices.DeleteFunc(list, func(read groupRead) bool { return read.group == group }); len(list) > 0 {
		r.of[partition] = list
	} else {
		delete(r.of, partition)
	}
}

// ForgetAll drops what was polled of a partition.
func (r *GroupReads) ForgetAll(partition ecs.Entity) { delete(r.of, partition) }

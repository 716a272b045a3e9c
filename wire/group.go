package wire

import "encoding/binary"

// CreateConsumerGroup is the body of OpCreateConsumerGroup.
//
//	| stream ident | topic ident | name |
type CreateConsumerGroup struct {
	Stream, Topic Ident
	Name          []byte
}

// DecodeCreateConsumerGroup reads a body.
func DecodeCreateConsumerGroup(body []byte) (CreateConsumerGroup, Status) {
	r := bodyReader{src: body}
	c := CreateConsumerGroup{Stream: r.ident(), Topic: r.ident(), Name: r.name()}
	return c, r.status()
}

// AppendCreateConsumerGroup appends the encoding of c.
func AppendCreateConsumerGroup(dst []byte, c CreateConsumerGroup) []byte {
	return appendName(AppendIdent(AppendIdent(dst, c.Stream), c.Topic), c.Name)
}

// GroupRef is the body of CodeGetConsumerGroup, OpDeleteConsumerGroup, OpJoinConsumerGroup, OpLeaveConsumerGroup and
// CodeSyncConsumerGroup.
//
//	| stream ident | topic ident | group ident |
type GroupRef struct{ Stream, Topic, Group Ident }

// DecodeGroupRef reads a body. CodeSyncConsumerGroup never fails: there, a body that is undecodable is answered like a
// group that is missing, with an empty body.
func DecodeGroupRef(body []byte) (GroupRef, Status) {
	r := bodyReader{src: body}
	g := GroupRef{Stream: r.ident(), Topic: r.ident(), Group: r.ident()}
	return g, r.status()
}

// AppendGroupRef appends the encoding of g.
func AppendGroupRef(dst []byte, g GroupRef) []byte {
	return AppendIdent(AppendIdent(AppendIdent(dst, g.Stream), g.Topic), g.Group)
}

// Group is one consumer group in an answer. Source: protocol.md, 8.6.
//
//	| id u32 | partitions_count u32 | members_count u32 | name |
type Group struct {
	ID              uint32
	PartitionsCount uint32 // of the topic
	MembersCount    uint32
	Name            []byte
}

// AppendGroup appends the encoding of g. CodeGetConsumerGroups is answered with groups back to back.
func AppendGroup(dst []byte, g Group) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, g.ID)
	dst = binary.LittleEndian.AppendUint32(dst, g.PartitionsCount)
	dst = binary.LittleEndian.AppendUint32(dst, g.MembersCount)
	return appendName(dst, g.Name)
}

func (r *bodyReader) group() Group {
	return Group{ID: r.u32(), PartitionsCount: r.u32(), MembersCount: r.u32(), Name: r.name()}
}

// DecodeGroups reads groups that fill payload; ErrMalformed when they do not.
func DecodeGroups(payload []byte) ([]Group, error) {
	r := bodyReader{src: payload}
	var list []Group
	for len(r.src) > 0 && !r.bad {
		list = append(list, r.group())
	}
	return list, r.err()
}

// GroupMember is one member of a group in an answer.
//
//	| id u32 | partitions_count u32 | partition u32 × partitions_count |
type GroupMember struct {
	ID         uint32
	Partitions []uint32
}

// AppendGroupMember appends the encoding of m.
func AppendGroupMember(dst []byte, m GroupMember) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, m.ID)
	return appendPartitionIDs(dst, m.Partitions)
}

func appendPartitionIDs(dst []byte, ids []uint32) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(ids)))
	for _, id := range ids {
		dst = binary.LittleEndian.AppendUint32(dst, id)
	}
	return dst
}

func (r *bodyReader) partitionIDs() []uint32 {
	count := r.u32()
	ids := r.take(int(min(uint64(count)*4, uint64(len(r.src))+1))) // one more than there is: bad
	if len(ids) == 0 {
		return nil
	}
	list := make([]uint32, count)
	for i := range list {
		list[i] = binary.LittleEndian.Uint32(ids[i*4:])
	}
	return list
}

// GroupDetails is a group with its members.
type GroupDetails struct {
	Group
	Members []GroupMember // MembersCount of them
}

// AppendGroupDetails appends the encoding of d; MembersCount is taken from Members.
func AppendGroupDetails(dst []byte, d GroupDetails) []byte {
	d.MembersCount = uint32(len(d.Members))
	dst = AppendGroup(dst, d.Group)
	for _, m := range d.Members {
		dst = AppendGroupMember(dst, m)
	}
	return dst
}

// DecodeGroupDetails reads a payload that is not empty, which would mean that the group was not found; ErrMalformed when
// it is not one group and its members, exactly.
func DecodeGroupDetails(payload []byte) (GroupDetails, error) {
	r := bodyReader{src: payload}
	d := GroupDetails{Group: r.group()}
	for n := uint32(0); n < d.MembersCount && !r.bad; n++ {
		d.Members = append(d.Members, GroupMember{ID: r.u32(), Partitions: r.partitionIDs()})
	}
	return d, r.errAtEnd()
}

// Assignment answers CodeSyncConsumerGroup; the body is empty for a caller that is no member.
//
//	| generation u64 | count u32 | partition u32 × count |
type Assignment struct {
	Generation uint64
	Partitions []uint32 // may be none: more members than partitions
}

// AppendAssignment appends the encoding of a.
func AppendAssignment(dst []byte, a Assignment) []byte {
	return appendPartitionIDs(binary.LittleEndian.AppendUint64(dst, a.Generation), a.Partitions)
}

// DecodeAssignment reads a payload that is not empty; ErrMalformed when it is not one assignment, exactly.
func DecodeAssignment(payload []byte) (Assignment, error) {
	r := bodyReader{src: payload}
	a := Assignment{Generation: r.u64(), Partitions: r.partitionIDs()}
	return a, r.errAtEnd()
}

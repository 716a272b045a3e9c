package wire

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// GlobalGrants is what a user may do everywhere. The bits are in wire order. Source: protocol.md, 6.8 and 10.
type GlobalGrants uint16

const (
	GlobalManageServers GlobalGrants = 1 << iota
	GlobalReadServers
	GlobalManageUsers
	GlobalReadUsers
	GlobalManageStreams
	GlobalReadStreams
	GlobalManageTopics
	GlobalReadTopics
	GlobalPollMessages
	GlobalSendMessages

	globalGrantsCount = iota

	GlobalAll GlobalGrants = 1<<globalGrantsCount - 1
)

// StreamGrants is what a user may do in one stream. The bits are in wire order.
type StreamGrants uint8

const (
	StreamManageStream StreamGrants = 1 << iota
	StreamReadStream
	StreamManageTopics
	StreamReadTopics
	StreamPollMessages
	StreamSendMessages

	streamGrantsCount = iota
)

// TopicGrants is what a user may do in one topic. The bits are in wire order.
type TopicGrants uint8

const (
	TopicManageTopic TopicGrants = 1 << iota
	TopicReadTopic
	TopicPollMessages
	TopicSendMessages

	topicGrantsCount = iota
)

// Permissions is what a user may do. Streams and topics are named by id, in ascending order, each once; they need not
// exist.
//
//	| 10 × bool | has_streams bool | stream × at least 1, if set |
//	stream: | stream_id u32 | 6 × bool | has_topics bool | topic × at least 1, if set | has_next_stream bool |
//	topic:  | topic_id u32 | 4 × bool | has_next_topic bool |
type Permissions struct {
	Global  GlobalGrants
	Streams []StreamPermissions
}

// StreamPermissions is what a user may do in one stream and its topics.
type StreamPermissions struct {
	StreamID uint32
	Grants   StreamGrants
	Topics   []TopicPermissions
}

// TopicPermissions is what a user may do in one topic.
type TopicPermissions struct {
	TopicID uint32
	Grants  TopicGrants
}

// CheckPermissions reports whether block is a permissions block, exactly. It allocates nothing.
func CheckPermissions(block []byte) bool {
	r := bodyReader{src: block}
	r.permissions(nil)
	return r.errAtEnd() == nil
}

// DecodePermissions reads a block and brings it in order: ascending ids, and of entries with the same id the
// last. It returns ErrMalformed for what CheckPermissions does not accept. Nothing aliases block.
func DecodePermissions(block []byte) (Permissions, error) {
	r := bodyReader{src: block}
	var p Permissions
	r.permissions(&p)
	if err := r.errAtEnd(); err != nil {
		return Permissions{}, err
	}
	p.Streams = lastOfEach(p.Streams, func(s StreamPermissions) uint32 { return s.StreamID })
	for i := range p.Streams {
		p.Streams[i].Topics = lastOfEach(p.Streams[i].Topics, func(t TopicPermissions) uint32 { return t.TopicID })
	}
	return p, nil
}

// lastOfEach sorts list by id and keeps the last entry of each.
func lastOfEach[T any](list []T, id func(T) uint32) []T {
	slices.SortStableFunc(list, func(a, b T) int { return cmp.Compare(id(a), id(b)) })
	kept := list[:0]
	for i, entry := range list {
		if i+1 == len(list) || id(list[i+1]) != id(entry) {
			kept = append(kept, entry)
		}
	}
	return kept
}

// permissions reads a block into p, or walks it where p is nil.
func (r *bodyReader) permissions(p *Permissions) {
	global := GlobalGrants(r.grants(globalGrantsCount))
	if p != nil {
		p.Global = global
	}
	for more := r.flag(); more && !r.bad; more = r.flag() {
		stream := StreamPermissions{StreamID: r.u32(), Grants: StreamGrants(r.grants(streamGrantsCount))}
		for more := r.flag(); more && !r.bad; more = r.flag() {
			topic := TopicPermissions{TopicID: r.u32(), Grants: TopicGrants(r.grants(topicGrantsCount))}
			if p != nil {
				stream.Topics = append(stream.Topics, topic)
			}
		}
		if p != nil {
			p.Streams = append(p.Streams, stream)
		}
	}
}

// grants reads count bools into bits, the first into the lowest.
func (r *bodyReader) grants(count int) (bits uint16) {
	for i := range count {
		if r.flag() {
			bits |= 1 << i
		}
	}
	return bits
}

// AppendPermissions appends the encoding of p, whose entries are in order.
func AppendPermissions(dst []byte, p Permissions) []byte {
	dst = appendGrants(dst, uint16(p.Global), globalGrantsCount)
	dst = appendFlag(dst, len(p.Streams) > 0)
	for i, stream := range p.Streams {
		dst = binary.LittleEndian.AppendUint32(dst, stream.StreamID)
		dst = appendGrants(dst, uint16(stream.Grants), streamGrantsCount)
		dst = appendFlag(dst, len(stream.Topics) > 0)
		for j, topic := range stream.Topics {
			dst = binary.LittleEndian.AppendUint32(dst, topic.TopicID)
			dst = appendGrants(dst, uint16(topic.Grants), topicGrantsCount)
			dst = appendFlag(dst, j+1 < len(stream.Topics))
		}
		dst = appendFlag(dst, i+1 < len(p.Streams))
	}
	return dst
}

func appendGrants(dst []byte, bits uint16, count int) []byte {
	for i := range count {
		dst = appendFlag(dst, bits&(1<<i) != 0)
	}
	return dst
}

// InStream is the entry of a stream; false when there is none. It allocates nothing.
func (p *Permissions) InStream(streamID uint32) (entry *StreamPermissions, ok bool) {
	i, ok := slices.BinarySearchFunc(p.Streams, streamID, func(s StreamPermissions, id uint32) int { return cmp.Compare(s.StreamID, id) })
	if !ok {
		return nil, false
	}
	return &p.Streams[i], true
}

// InTopic is what the user may do in a topic by the topic's own entry. It allocates nothing.
func (s *StreamPermissions) InTopic(topicID uint32) TopicGrants {
	i, ok := slices.BinarySearchFunc(s.Topics, topicID, func(t TopicPermissions, id uint32) int { return cmp.Compare(t.TopicID, id) })
	if !ok {
		return 0
	}
	return s.Topics[i].Grants
}

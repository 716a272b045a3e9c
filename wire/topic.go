package wire

import "encoding/binary"

// PartitionsPerRequestMax is how many partitions one request may create or delete.
const PartitionsPerRequestMax = 1000

// CreateTopic is the body of OpCreateTopic.
//
//	| stream ident | partitions_count u32 | name | options |
type CreateTopic struct {
	Stream          Ident
	PartitionsCount uint32 // 0..=PartitionsPerRequestMax
	Name            []byte
	Options         []byte // a sound options block; ParseTopicOptions reads it
}

// DecodeCreateTopic reads a body. It returns what CheckOptions says of the options, and StatusTooManyPartitions above
// PartitionsPerRequestMax.
func DecodeCreateTopic(body []byte) (CreateTopic, Status) {
	r := bodyReader{src: body}
	c := CreateTopic{Stream: r.ident(), PartitionsCount: r.u32(), Name: r.name()}
	options, status := r.options()
	c.Options = options
	if status == StatusOK && c.PartitionsCount > PartitionsPerRequestMax {
		status = StatusTooManyPartitions
	}
	return c, status
}

// AppendCreateTopic appends the encoding of c.
func AppendCreateTopic(dst []byte, c CreateTopic) []byte {
	dst = AppendIdent(dst, c.Stream)
	dst = binary.LittleEndian.AppendUint32(dst, c.PartitionsCount)
	dst = appendName(dst, c.Name)
	return append(dst, c.Options...)
}

// UpdateTopic is the body of OpUpdateTopic. The name is mandatory: who changes options only repeats it.
//
//	| stream ident | topic ident | name | options |
type UpdateTopic struct {
	Stream, Topic Ident
	Name          []byte
	Options       []byte // a sound options block; UpdateTopicOptions reads it
}

// DecodeUpdateTopic reads a body. It returns what CheckOptions says of the options.
func DecodeUpdateTopic(body []byte) (UpdateTopic, Status) {
	r := bodyReader{src: body}
	u := UpdateTopic{Stream: r.ident(), Topic: r.ident(), Name: r.name()}
	options, status := r.options()
	u.Options = options
	return u, status
}

// AppendUpdateTopic appends the encoding of u.
func AppendUpdateTopic(dst []byte, u UpdateTopic) []byte {
	dst = AppendIdent(AppendIdent(dst, u.Stream), u.Topic)
	dst = appendName(dst, u.Name)
	return append(dst, u.Options...)
}

// TopicRef is the body of CodeGetTopic, OpDeleteTopic, OpPurgeTopic and CodeGetConsumerGroups.
//
//	| stream ident | topic ident |
type TopicRef struct{ Stream, Topic Ident }

// DecodeTopicRef reads a body.
func DecodeTopicRef(body []byte) (TopicRef, Status) {
	r := bodyReader{src: body}
	t := TopicRef{Stream: r.ident(), Topic: r.ident()}
	return t, r.status()
}

// AppendTopicRef appends the encoding of t.
func AppendTopicRef(dst []byte, t TopicRef) []byte {
	return AppendIdent(AppendIdent(dst, t.Stream), t.Topic)
}

// Topic is one topic in an answer. Source: protocol.md, 8.3.
//
//	| id u32 | created_at u64 | partitions_count u32 | message_expiry u64 | compression_algorithm u8
//	| max_topic_size u64 | size u64 | messages_count u64 | name | explicit opts32 | derived opts32 |
type Topic struct {
	ID                  uint32
	CreatedAt           uint64 // µs
	PartitionsCount     uint32
	MessageExpiryMicros uint64 // Never for no expiry
	Compression         Compression
	MaxTopicSize        uint64 // bytes; Unlimited for no limit
	Size                uint64 // bytes in all partitions
	MessagesCount       uint64
	Name                []byte
	ExplicitOptions     []byte // options block of what the client set, sorted by key
	DerivedOptions      []byte // options block of the server's defaults for the rest, sorted by key
}

// AppendTopic appends the encoding of t.
func AppendTopic(dst []byte, t Topic) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, t.ID)
	dst = binary.LittleEndian.AppendUint64(dst, t.CreatedAt)
	dst = binary.LittleEndian.AppendUint32(dst, t.PartitionsCount)
	dst = binary.LittleEndian.AppendUint64(dst, t.MessageExpiryMicros)
	dst = append(dst, byte(t.Compression))
	dst = binary.LittleEndian.AppendUint64(dst, t.MaxTopicSize)
	dst = binary.LittleEndian.AppendUint64(dst, t.Size)
	dst = binary.LittleEndian.AppendUint64(dst, t.MessagesCount)
	dst = appendName(dst, t.Name)
	dst = appendBlob32(dst, t.ExplicitOptions)
	return appendBlob32(dst, t.DerivedOptions)
}

func (r *bodyReader) topic() Topic {
	return Topic{
		ID:                  r.u32(),
		CreatedAt:           r.u64(),
		PartitionsCount:     r.u32(),
		MessageExpiryMicros: r.u64(),
		Compression:         Compression(r.u8()),
		MaxTopicSize:        r.u64(),
		Size:                r.u64(),
		MessagesCount:       r.u64(),
		Name:                r.name(),
		ExplicitOptions:     r.blob32(),
		DerivedOptions:      r.blob32(),
	}
}

// AppendTopicsCount appends what precedes the topics that answer CodeGetTopics, the only list with a count.
func AppendTopicsCount(dst []byte, count uint32) []byte {
	return binary.LittleEndian.AppendUint32(dst, count)
}

// DecodeTopics reads the payload of CodeGetTopics; ErrMalformed when it is not that many topics, exactly.
func DecodeTopics(payload []byte) ([]Topic, error) {
	r := bodyReader{src: payload}
	var list []Topic
	for count := r.u32(); count > 0 && !r.bad; count-- {
		list = append(list, r.topic())
	}
	return list, r.errAtEnd()
}

// TopicDetails is a topic with its partitions in ascending id.
type TopicDetails struct {
	Topic
	Partitions []Partition // PartitionsCount of them
}

// AppendTopicDetails appends the encoding of d; PartitionsCount is taken from Partitions.
func AppendTopicDetails(dst []byte, d TopicDetails) []byte {
	d.PartitionsCount = uint32(len(d.Partitions))
	dst = AppendTopic(dst, d.Topic)
	for _, p := range d.Partitions {
		dst = AppendPartition(dst, p)
	}
	return dst
}

// DecodeTopicDetails reads a payload that is not empty, which would mean that the topic was not found; ErrMalformed
// when it is not one topic and its partitions, exactly.
func DecodeTopicDetails(payload []byte) (TopicDetails, error) {
	r := bodyReader{src: payload}
	d := TopicDetails{Topic: r.topic()}
	for n := uint32(0); n < d.PartitionsCount && !r.bad; n++ {
		d.Partitions = append(d.Partitions, r.partition())
	}
	return d, r.errAtEnd()
}

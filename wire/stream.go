package wire

import "encoding/binary"

// CreateStream is the body of OpCreateStream.
//
//	| name | options, of which there are none |
type CreateStream struct{ Name []byte }

// DecodeCreateStream reads a body. It returns StatusUnsupportedOptionKey for any option, and what
// CheckOptions says of a block that is none.
func DecodeCreateStream(body []byte) (CreateStream, Status) {
	r := bodyReader{src: body}
	c := CreateStream{Name: r.name()}
	return c, r.noOptions()
}

// AppendCreateStream appends the encoding of c, without options.
func AppendCreateStream(dst []byte, c CreateStream) []byte { return appendName(dst, c.Name) }

// UpdateStream is the body of OpUpdateStream.
//
//	| stream ident | name | options, of which there are none |
type UpdateStream struct {
	Stream Ident
	Name   []byte
}

// DecodeUpdateStream reads a body; the statuses are those of DecodeCreateStream.
func DecodeUpdateStream(body []byte) (UpdateStream, Status) {
	r := bodyReader{src: body}
	u := UpdateStream{Stream: r.ident(), Name: r.name()}
	return u, r.noOptions()
}

// AppendUpdateStream appends the encoding of u, without options.
func AppendUpdateStream(dst []byte, u UpdateStream) []byte {
	return appendName(AppendIdent(dst, u.Stream), u.Name)
}

// DecodeStreamRef reads the body of CodeGetStream, OpDeleteStream, OpPurgeStream and CodeGetTopics: one identifier.
func DecodeStreamRef(body []byte) (Ident, Status) {
	id, _, status := DecodeIdent(body)
	return id, status
}

// Stream is one stream in an answer. Source: protocol.md, 8.1.
//
//	| id u32 | created_at u64 | topics_count u32 | size u64 | messages_count u64 | name | options opts32 |
type Stream struct {
	ID            uint32
	CreatedAt     uint64 // µs
	TopicsCount   uint32
	Size          uint64 // bytes
	MessagesCount uint64
	Name          []byte
	Options       []byte // an options block, empty
}

// AppendStream appends the encoding of s. CodeGetStreams is answered with streams in ascending id, back to back.
func AppendStream(dst []byte, s Stream) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, s.ID)
	dst = binary.LittleEndian.AppendUint64(dst, s.CreatedAt)
	dst = binary.LittleEndian.AppendUint32(dst, s.TopicsCount)
	dst = binary.LittleEndian.AppendUint64(dst, s.Size)
	dst = binary.LittleEndian.AppendUint64(dst, s.MessagesCount)
	dst = appendName(dst, s.Name)
	return appendBlob32(dst, s.Options)
}

func (r *bodyReader) stream() Stream {
	return Stream{
		ID:            r.u32(),
		CreatedAt:     r.u64(),
		TopicsCount:   r.u32(),
		Size:          r.u64(),
		MessagesCount: r.u64(),
		Name:          r.name(),
		Options:       r.blob32(),
	}
}

// DecodeStreams reads streams that fill payload; ErrMalformed when they do not.
func DecodeStreams(payload []byte) ([]Stream, error) {
	r := bodyReader{src: payload}
	var list []Stream
	for len(r.src) > 0 && !r.bad {
		list = append(list, r.stream())
	}
	return list, r.err()
}

// StreamDetails is a stream with its topics in ascending id.
type StreamDetails struct {
	Stream
	Topics []Topic // TopicsCount of them
}

// AppendStreamDetails appends the encoding of d; TopicsCount is taken from Topics.
func AppendStreamDetails(dst []byte, d StreamDetails) []byte {
	d.TopicsCount = uint32(len(d.Topics))
	dst = AppendStream(dst, d.Stream)
	for _, t := range d.Topics {
		dst = AppendTopic(dst, t)
	}
	return dst
}

// DecodeStreamDetails reads a payload that is not empty, which would mean that the stream was not found;
// ErrMalformed when it is not one stream and its topics, exactly.
func DecodeStreamDetails(payload []byte) (StreamDetails, error) {
	r := bodyReader{src: payload}
	d := StreamDetails{Stream: r.stream()}
	for n := uint32(0); n < d.TopicsCount && !r.bad; n++ {
		d.Topics = append(d.Topics, r.topic())
	}
	return d, r.errAtEnd()
}

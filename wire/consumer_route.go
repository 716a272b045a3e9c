package wire

import "encoding/binary"

// ConsumerSession names a session and what it has seen. It is the body of CodeAttachConsumerSession.
// Source: protocol.md, 7.9.
//
//	| client u128 | session u64 | metadata_watermark u64 |
type ConsumerSession struct {
	Client    U128
	Session   uint64
	Watermark uint64 // the highest committed metadata position that the client has seen
}

// DecodeConsumerSession reads a body.
func DecodeConsumerSession(body []byte) (ConsumerSession, Status) {
	r := bodyReader{src: body}
	s := r.consumerSession()
	return s, r.status()
}

// AppendConsumerSession appends the encoding of s.
func AppendConsumerSession(dst []byte, s ConsumerSession) []byte {
	dst = appendU128(dst, s.Client)
	dst = binary.LittleEndian.AppendUint64(dst, s.Session)
	return binary.LittleEndian.AppendUint64(dst, s.Watermark)
}

func (r *bodyReader) consumerSession() ConsumerSession {
	return ConsumerSession{Client: r.u128(), Session: r.u64(), Watermark: r.u64()}
}

// ConsumerRoute answers CodeGetPollRouting and CodeGetConsumerOffsetRouting: the caller's session and the node that
// serves the partition.
//
//	| consumer session | node |
type ConsumerRoute struct {
	ConsumerSession
	Node ClusterNode
}

// AppendConsumerRoute appends the encoding of c.
func AppendConsumerRoute(dst []byte, c ConsumerRoute) []byte {
	return AppendClusterNode(AppendConsumerSession(dst, c.ConsumerSession), c.Node)
}

// DecodeConsumerRoute reads a payload; ErrMalformed when it is not one, exactly.
func DecodeConsumerRoute(payload []byte) (ConsumerRoute, error) {
	r := bodyReader{src: payload}
	c := ConsumerRoute{ConsumerSession: r.consumerSession(), Node: r.clusterNode()}
	return c, r.errAtEnd()
}

package components

import (
	"galgo/ecs"
	"galgo/wire"
)

// RequestKind says what a Request asks for, and of whom.
type RequestKind uint8

const (
	// Of a partition's owner:
	RequestSend         RequestKind = iota + 1 // append Batch
	RequestPoll                                // messages by Strategy
	RequestStoreOffset                         // Offset for Consumer
	RequestDeleteOffset                        // of Consumer
	RequestGetOffset                           // of Consumer
	RequestTruncate                            // remove closed segments of which no message is at Offset or above
	RequestPropose                             // say which Count oldest closed segments may be removed
	// Of shard 0:
	RequestMetadata // a metadata operation; its frame is decoded there
	RequestOpen     // a session for User, whose credentials are verified
	RequestClose    // the end of a session: logout
	RequestHangup   // the end of a connection, with its session if it has one
	RequestExpire   // the end of a session that was silent for too long. It comes beside what the connection asks for, and is not answered
)

// Request is a fixed-size message to the shard that can answer: from a connection's home shard to a partition's owner or to shard 0.
// A connection has one under way at most, and one of RequestExpire. The frame's memory stays with the home shard, which does not touch it until the reply; a
// partition's owner stamps the batch in it, and may keep it: the reply says so.
type Request struct {
	Kind  RequestKind
	Home  uint8      // the shard that gets the reply
	Conn  ecs.Entity // the connection at its home shard
	Fence uint64     // seq that the receiver must have applied before it looks at the request
	Since uint64     // mono µs when it was routed: after 20 s of waiting it is refused

	Frame Span // the whole request frame
	Own   bool // it has memory of its own
	Batch Span // RequestSend: the batch in it, verified

	Partition   ecs.Entity // RequestSend to RequestGetOffset
	StreamID    uint32     // wire ids, for confirmations
	TopicID     uint32
	PartitionID uint32
	Consumer    ConsumerKey
	Strategy    wire.Strategy
	Count       uint32
	AutoCommit  bool
	Offset      uint64

	Client   wire.U128  // RequestOpen to RequestHangup, RequestMetadata: the client id bound to the connection
	Previous wire.U128  // RequestOpen: the client id whose session the connection gives up, or zero
	Session  uint64     // the session bound to the connection, or 0
	User     ecs.Entity // RequestOpen: who logs in. RequestMetadata: who is bound
	Plugin   bool       // RequestMetadata: a plugin asks, as User, without a session
}

// ConsumerKey is whose offset is meant: an individual consumer by its folded id, or a group by its id.
type ConsumerKey struct {
	Kind uint8 // 1 consumer, 2 group
	ID   uint32
}

// ReplyKind says what a Reply carries.
type ReplyKind uint8

const (
	ReplyStatus   ReplyKind = iota + 1 // Status, body empty (or an empty success)
	ReplySent                          // confirmation of a send
	ReplyBlock                         // a body prepared in the owner's memory
	ReplyOffset                        // body of GET_CONSUMER_OFFSET
	ReplyBody                          // a body of this shard's own making, in State.Bodies
	ReplyFrame                         // a whole frame, from shard 0
	ReplyOpened                        // Session and User are bound to the connection; Frame is the answer
	ReplyClosed                        // the session is over; Frame is the answer, if any
	ReplyProposed                      // to shard 0: what lies below Offset may be removed, in Epoch
	ReplyRelease                       // not a reply: Block was sent, its owner may free it
	ReplyEvict                         // not a reply: Session of Client on connection Conn is over, because of Reason
)

// Reply is a fixed-size message back to a connection's home shard.
type Reply struct {
	Kind   ReplyKind
	Status wire.Status
	Conn   ecs.Entity

	StreamID    uint32
	TopicID     uint32
	PartitionID uint32
	Offset      uint64 // base offset, or stored offset
	Current     uint64 // ReplyOffset: the partition's last offset
	Kept        bool   // of a send: the owner keeps the frame's memory
	Lead        uint16 // ReplySent: bytes to leave before the connection's next frame, so that it can be kept
	Epoch       uint64 // ReplyProposed: the partition's purge epoch

	Block   BlockRef
	Session uint64
	Client  wire.U128
	User    ecs.Entity
	Reason  wire.EvictionReason
	Frame   []byte // immutable
}

// BlockRef names a reply block of a shard and what is to be sent of it.
type BlockRef struct {
	Shard   uint8
	Row     uint32
	Span    Span   // the block's memory; vectors and frame header lie in it as Blocks says
	Frame   uint32 // where the frame header lies in Span
	Vectors uint32 // how many; 0: the bytes to send are Span from Frame on
	Bytes   uint64 // to be sent, frame header included
}

// ReportKind says what a shard reports to shard 0.
type ReportKind uint8

const (
	ReportApplied ReportKind = iota + 1 // Seq: every event up to it is applied
	ReportRemoved                       // Partition: its files are gone
	ReportClosed                        // Seq: so many of the shard's connections are closed since it started
	ReportDrained                       // Group, PartitionID, Seq: what was polled before the hand-over of generation Seq began is committed
)

// Report is what a shard tells shard 0 of itself. Reports are absolute, so that a later one covers an earlier one.
type Report struct {
	Kind      ReportKind
	Shard     uint8
	Seq       uint64
	Partition ecs.Entity

	Group       ecs.Entity // ReportDrained
	PartitionID uint32
}

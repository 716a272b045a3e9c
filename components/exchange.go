package components

import (
	"iter"
	"net/netip"
	"syscall"

	"galgo/ecs"
	"galgo/wire"
)

// Facts are what I/O found out, from the storage systems of a shard to its state systems: filled in Ingest and Drive, taken in Apply.
// A queue has room for what one tick can bring.
type Facts struct {
	Accepted    ecs.Queue[Accept]
	Frames      ecs.Queue[FrameIn]
	Broken      ecs.Queue[ecs.Entity] // connections whose socket failed, ended, or broke a rule
	Sent        ecs.Queue[Sent]
	Closed      ecs.Queue[ecs.Entity] // connections whose socket is closed and whose last operation returned
	Wrote       ecs.Queue[Wrote]
	Grown       ecs.Queue[Grown]
	Vouched     ecs.Queue[Vouched]
	Tails       ecs.Queue[TailRead]
	ColdReads   ecs.Queue[ColdRead]
	Removed     ecs.Queue[ecs.Entity] // partitions whose files are gone
	Control     ecs.Queue[ControlWritten]
	OffsetsDone ecs.Queue[OffsetsWritten]
	Jobs        ecs.Queue[JobDone]
}

// Any says whether there is a fact that is not taken yet: what is found out in Drive must not wait for something else to happen.
func (f *Facts) Any() bool {
	return f.Accepted.Len()+f.Frames.Len()+f.Broken.Len()+f.Sent.Len()+f.Closed.Len()+f.Wrote.Len()+f.Grown.Len()+f.Vouched.Len()+f.Tails.Len()+
		f.ColdReads.Len()+f.Removed.Len()+f.Control.Len()+f.OffsetsDone.Len()+f.Jobs.Len() > 0
}

// JobsOf takes the finished jobs of a kind, in order, and leaves the others where they are.
func (f *Facts) JobsOf(kind JobKind) iter.Seq[JobDone] {
	return func(yield func(JobDone) bool) {
		more := true
		for range f.Jobs.Len() {
			done := f.Jobs.Pop()
			if done.Kind != kind || !more {
				f.Jobs.Push(done)
				continue
			}
			more = yield(done)
		}
	}
}

// Accept is a connection that storage systems of shard 0 accepted.
type Accept struct {
	FD    int32
	Peer  netip.AddrPort
	Local netip.AddrPort
}

// FrameIn is a complete frame of a connection. Its memory is Storage's, and kept until Orders.Read.
type FrameIn struct {
	Conn  ecs.Entity
	Frame Span
	Own   bool // it has memory of its own, not a receive buffer
}

// Sent is a reply that is on its way, or will never be: its block can be freed.
type Sent struct {
	Conn  ecs.Entity
	Block BlockRef
}

// Wrote is a journal write that returned: bytes of the segment below To are in the file, or Err.
type Wrote struct {
	Partition ecs.Entity
	SegmentID uint64
	To        uint64
	Err       syscall.Errno
}

// Grown is a segment file that was made or grown, or Err. Allocated is how many bytes it has blocks for.
type Grown struct {
	Partition ecs.Entity
	SegmentID uint64
	Allocated uint64
	Err       syscall.Errno
}

// Vouched is a voucher that was written up to Position, or Err.
type Vouched struct {
	Partition ecs.Entity
	Segment   uint32 // row in Segments, as ordered
	SegmentID uint64
	Position  uint64
	Err       syscall.Errno
}

// TailRead is the last block of a log read back. Span is Storage's until Orders.FreeCold.
type TailRead struct {
	Partition ecs.Entity
	Span      Span
	Err       syscall.Errno
}

// ColdRead is what a cold read brought: the bytes of the segment from Position on. Span is Storage's until Orders.FreeCold; it
// is zero with Err.
type ColdRead struct {
	Slot     uint32 // row in Polls
	Memory   Span   // what is to be freed; Span is a piece of it
	Span     Span
	Position uint64
	Err      syscall.Errno
}

// ControlWritten is a control log write that returned: records below Number are durable, or Err.
type ControlWritten struct {
	Number uint64
	Err    syscall.Errno
}

// OffsetsWritten is an offset log write that returned: changes of order up to Order are written, or Err.
type OffsetsWritten struct {
	Order uint64
	Err   syscall.Errno
}

// JobKind says what a worker did.
type JobKind uint8

const (
	JobVerify   JobKind = iota + 1 // a password compared, for a connection
	JobStats                       // numbers of the machine read, for a connection
	JobSnapshot                    // a snapshot of the control log made: storage's own
	JobHash                        // a password hashed, for shard 0
	JobCollect                     // a system snapshot collected, for a connection
)

// JobDone is a job that a worker finished. What it found is where the job put it.
type JobDone struct {
	Kind JobKind
	Conn ecs.Entity
	Res  int32
}

// Orders are what state systems want done, from them to the storage systems of their shard: filled in Apply to Answer, taken in Drive and
// Egress. Sets name rows of Partitions; the details stand in its columns.
type Orders struct {
	Adopt    ecs.Queue[Adopt]
	Read     ecs.Queue[ecs.Entity] // connections whose request is answered: free the frame, read on
	Send     ecs.Queue[Send]
	Close    ecs.Queue[ecs.Entity]
	Refuse   ecs.Queue[int32] // sockets for which there is no row: close them
	Write    ecs.Bits         // partitions with sealed bytes
	Grow     ecs.Bits         // partitions whose append segment needs more blocks: GrowTo
	Make     ecs.Bits         // partitions whose next segment needs a file: MakeTo
	Vouch    ecs.Queue[VouchOrder]
	ReadTail ecs.Bits          // partitions whose last block is to be read back
	Unlink   ecs.Queue[Unlink] // files of removed partitions, in order
	Cold     ecs.Queue[ColdOrder]
	FreeCold ecs.Queue[Span]
	Index    ecs.Queue[IndexMark]
	Control  ControlOrder
	Offsets  OffsetsOrder
	Jobs     ecs.Queue[Job]

	Requests []ecs.Queue[Request] // by shard; own entry unused
	Replies  []ecs.Queue[Reply]   // by shard
	Events   ecs.Queue[*wire.Event]
	Reports  Reports
	Deal     []ecs.Queue[Dealt] // shard 0: new connections by shard
}

// Adopt hands a socket to the connection row made for it.
type Adopt struct {
	Conn ecs.Entity
	FD   int32
}

// Send is an answer to be sent.
type Send struct {
	Conn  ecs.Entity
	Block BlockRef
}

// IndexMark is a place that the sparse index should know: a record begins there, and everything up to it and the record itself
// is written.
type IndexMark struct {
	Partition ecs.Entity
	SegmentID uint64
	Since     uint64 // mono µs of the append
	Entry     wire.IndexEntry
}

// Unlink removes the log and the index of a segment. One with Last names no file: all of the partition's come before it, and In.Removed is told.
type Unlink struct {
	Partition ecs.Entity
	File      wire.SegmentFile
	Last      bool
}

// ColdOrder asks for bytes of a segment from the place of an offset (or of a time, with ByTime): from Position if it is known, else from where the index says.
type ColdOrder struct {
	Slot     uint32
	File     wire.SegmentFile
	Position uint64 // or NoPosition
	Offset   uint64
	Time     uint64
	ByTime   bool
	Size     uint32 // bytes wanted
	End      uint64 // position after the last byte that may be read
	Spare    bool   // where memory is short it is not worth waiting for: it is read ahead, or its poll has something to be answered with
}

// ControlOrder is the control log write wanted: one at a time.
type ControlOrder struct {
	Bytes  []byte // records, owned by Storage until ControlWritten
	Number uint64 // the record number after the last one
}

// OffsetsOrder is what the offset log is to be appended: one write at a time.
type OffsetsOrder struct {
	Records []byte // owned by Storage until OffsetsWritten
	Order   uint64
	Durable bool
}

// VouchOrder asks for a log to be synced and then for a voucher in its index.
type VouchOrder struct {
	Partition ecs.Entity
	Segment   uint32 // row in Segments, which stays until Vouched
	File      wire.SegmentFile
	Entry     wire.IndexEntry
	Names     uint64 // Names.Made when storage first looked at the order; 0: it has not
}

// Job is work for the worker queue.
type Job struct {
	Kind JobKind
	Conn ecs.Entity
	Run  func() int32
}

// Reports are what this shard has to tell shard 0: kept until there is room.
type Reports struct {
	Applied uint64 // to be told, 0 is nothing new
	Closed  uint64 // connections closed since the start
	News    bool   // Closed or Removed have something to be told
	Removed ecs.Queue[ecs.Entity]
	Drained ecs.Queue[Report]
}

// Dealt is a connection for another shard.
type Dealt struct {
	Accept
	ClientID uint32
}

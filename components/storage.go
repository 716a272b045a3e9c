package components

import (
	"sync/atomic"
	"syscall"

	"galgo/ecs"
	"galgo/wire"
)

// Storage is all Storage components of one shard: what the kernel touches. Storage systems alone change it.
type Storage struct {
	Memory *Memory
	Budget *Budget
	Arena  *Arena // receive frames, cold reads, vectors of writes

	Conns       ConnFiles
	Segments    SegmentFiles
	Inflight    Inflight
	Directory   Directory
	Disk        Disk
	Descriptors Descriptors
	Names       Names
	Listener    Listener
	Control     ControlFile
	Offsets     OffsetFile
	Colds       Colds
	WatchAt     uint64                // mono µs at which slow connections are looked for next
	One         Span                  // a word that holds 1, for socket options
	Zeros       Span                  // nothing but zeros, for the blocks behind a small write
	Hungry      ecs.Queue[ecs.Entity] // connections whose frame waits for memory, in turn
	Starving    ecs.Bits              // connection rows that wait for a receive buffer

	GrowDone  ecs.Queue[GrowStep]   // steps of making and growing logs that returned
	Vouching  Vouching              // by slot: vouchers under way
	VouchNext ecs.Queue[VouchOrder] // logs that are synced: the voucher comes next
	Writes    int                   // journal writes in flight
	Bulk      uint64                // bytes of the large ones among them, save those that do not return
	BulkAt    uint64                // mono µs at which one of these was begun, or returned
	WriteNext int                   // partition row at which starting writes goes on
	Indexing  int                   // operations on indexes in flight
	Gauges    *Gauges
	Pool      Pool
	Space     *Space

	Out *Facts
	In  *Orders
	Log Logger
}

// Alloc takes memory from the arena. Where there is none every shard is asked to give way, and whoever wants it tries again in a later tick.
func (st *Storage) Alloc(n uint32) (Span, bool) {
	span, ok := st.Arena.Alloc(n)
	if !ok {
		st.Arena.Refuse(n)
	}
	return span, ok
}

// Directory is where the shard's files are.
type Directory struct {
	Root        string // the data directory
	LogFD       int32  // descriptor of its directory of segments
	Direct      bool   // O_DIRECT is used
	RenameFlags uint32 // of renames to new names: RENAME_NOREPLACE, where the file system takes it
}

// Disk is what is known of the room on the filesystem.
type Disk struct {
	Reserve   uint64         // bytes that appends leave free
	Free      uint64         // bytes that were free at FreeAt; Space.Left knows what was taken since
	Grown     uint64         // Space.Grown just before
	Taken     uint64         // Space.Taken just after
	FreeAt    uint64         // mono µs
	FreeAlone bool           // nothing was in the pools when that was looked up
	ShortAt   uint64         // mono µs at which the pools were last asked to give way
	Asking    bool           // a worker is looking
	Found     *atomic.Uint64 // where it puts what it finds
}

// Descriptors counts those of segments and indexes.
type Descriptors struct {
	Max     int // that may be open
	Open    int
	Closing int // of them: the close is in flight
}

// Names counts names in the directory of segments, of which vouchers want to know that they are durable.
type Names struct {
	Made    uint64 // logs made or renamed; those of earlier runs count as one
	Synced  uint64 // of them, from the first: durable
	Syncing bool   // a sync of the directory for vouchers is in flight

	failed *atomic.Bool // one has failed, of whatever purpose and shard
}

// Failed says whether a sync of the directory has failed in this run. Then it is not known which names will be there after a loss of power, and no later
// sync tells: it may succeed without what the failed one gave up. So no other name is durable until the next start.
func (n *Names) Failed() bool { return n.failed.Load() }

// Fail notes that a sync has failed.
func (n *Names) Fail() { n.failed.Store(true) }

// The parts of a data directory, by name.
const (
	SegmentsDir = "segments" // every partition's segments and indexes, flat
	ControlDir  = "control"  // control log and snapshots
	OffsetsDir  = "offsets"  // offset logs
	RuntimeDir  = "runtime"  // current_config.toml
	LogsDir     = "logs"     // log files
	MarkerFile  = "GALGO"    // says that the directory is ours
)

// Receiving is how far a connection's next frame is.
type Receiving uint8

const (
	Stopped    Receiving = iota // nothing is asked of the socket
	Starved                     // would read, but no receive buffer is free
	Waiting                     // a receive for the start of a frame is in flight
	Reserving                   // the header is here; memory for the frame is not
	Collecting                  // a receive for the rest of the frame is in flight
	HandedOver                  // the frame is with the state systems
)

// ConnFiles is the Storage component of connections: one row each, the same as in Conns.
type ConnFiles struct {
	Conn      []ecs.Entity // None: the row is free
	FD        []int32
	Inflight  []uint32 // operations the kernel has for this socket
	State     []Receiving
	Header    []Span   // bytes received and not yet consumed: a piece of a receive buffer
	Buffer    []uint16 // that receive buffer's id, plus one
	Frame     []Span   // the frame being collected or handed over, when it has memory of its own
	Have      []uint32 // bytes of it that are here
	FrameOwn  []bool   // Frame is memory of the arena, and promised for
	HeaderOwn []bool   // Header is memory of the arena: it came in pieces
	Progress  []uint64 // mono µs of the last byte received, or of the accept
	Since     []uint64 // mono µs of the accept
	Greeted   []bool   // a complete frame has arrived
	Sending   []Send   // the answer being sent; Block.Bytes 0 is none
	SentOf    []uint64 // bytes of it that are sent
	PaceOf    []uint64 // bytes of it that were sent at PaceAt, by which its pace is judged
	PaceAt    []uint64 // mono µs
	Closing   []bool   // shut down; the descriptor is closed after the last completion
	Broken    []bool   // the state systems have been told
	Quick     []bool   // the rest of the frame is waited for with TCP_QUICKACK
}

// Grow makes room for rows.
func (c *ConnFiles) Grow(rows int) {
	c.Conn = ecs.Grow(c.Conn, rows)
	c.FD = ecs.Grow(c.FD, rows)
	c.Inflight = ecs.Grow(c.Inflight, rows)
	c.State = ecs.Grow(c.State, rows)
	c.Header = ecs.Grow(c.Header, rows)
	c.Buffer = ecs.Grow(c.Buffer, rows)
	c.Frame = ecs.Grow(c.Frame, rows)
	c.Have = ecs.Grow(c.Have, rows)
	c.FrameOwn = ecs.Grow(c.FrameOwn, rows)
	c.HeaderOwn = ecs.Grow(c.HeaderOwn, rows)
	c.Progress = ecs.Grow(c.Progress, rows)
	c.Greeted = ecs.Grow(c.Greeted, rows)
	c.Since = ecs.Grow(c.Since, rows)
	c.Sending = ecs.Grow(c.Sending, rows)
	c.SentOf = ecs.Grow(c.SentOf, rows)
	c.PaceOf = ecs.Grow(c.PaceOf, rows)
	c.PaceAt = ecs.Grow(c.PaceAt, rows)
	c.Closing = ecs.Grow(c.Closing, rows)
	c.Broken = ecs.Grow(c.Broken, rows)
	c.Quick = ecs.Grow(c.Quick, rows)
}

// Reset clears a row for a new connection.
func (c *ConnFiles) Reset(row int, conn ecs.Entity, fd int32, now uint64) {
	c.Conn[row], c.FD[row], c.Inflight[row], c.State[row] = conn, fd, 0, Stopped
	c.Header[row], c.Buffer[row], c.Frame[row], c.Have[row] = Span{}, 0, Span{}, 0
	c.FrameOwn[row], c.HeaderOwn[row] = false, false
	c.Progress[row], c.Since[row], c.Greeted[row] = now, now, false
	c.Sending[row], c.SentOf[row], c.PaceOf[row], c.PaceAt[row] = Send{}, 0, 0, 0
	c.Closing[row], c.Broken[row], c.Quick[row] = false, false, false
}

// Listener is the listening socket of shard 0.
type Listener struct {
	FD      int32 // -1: this shard does not listen
	Armed   bool  // a multishot accept is in flight
	RetryAt uint64
	Stopped bool
}

// SegmentFiles is the Storage component of segments that have a file open, or had lately. Rows are found by segment id. A row with
// nothing in flight may be dropped at any time: its descriptors are closed.
type SegmentFiles struct {
	ByID        map[uint64]uint32
	slots       ecs.Slots
	File        []wire.SegmentFile // zero: the row is free
	LogFD       []int32            // NoFD is closed
	IndexFD     []int32
	LogBusy     []bool     // the log is being opened, made or grown
	IndexBusy   []bool     // the index is being opened or appended to
	IndexDead   []bool     // an append came short: entries behind it would be off their grid, so there are none
	Fresh       []bool     // the log is being made: it stays open until it has its name and its blocks
	Recycled    []PoolFile // the file of the pool that becomes the log, while it does
	Inflight    []uint32
	Used        []uint64 // mono µs of the last use: the oldest is closed when descriptors run short
	Allocated   []uint64 // bytes the log has blocks for, as far as this row has made them
	Initialized []uint64 // bytes of the log whose blocks were written once, as far as this row knows
}

// NoFD is no descriptor.
const NoFD = -1

// Row finds or makes the row of a segment.
func (f *SegmentFiles) Row(file wire.SegmentFile) uint32 {
	if row, ok := f.ByID[file.SegmentID]; ok {
		return row
	}
	row, n := f.slots.Take(), f.slots.Cap()
	f.File = ecs.Grow(f.File, n)
	f.LogFD = ecs.Grow(f.LogFD, n)
	f.IndexFD = ecs.Grow(f.IndexFD, n)
	f.LogBusy = ecs.Grow(f.LogBusy, n)
	f.IndexBusy = ecs.Grow(f.IndexBusy, n)
	f.IndexDead = ecs.Grow(f.IndexDead, n)
	f.Fresh = ecs.Grow(f.Fresh, n)
	f.Recycled = ecs.Grow(f.Recycled, n)
	f.Inflight = ecs.Grow(f.Inflight, n)
	f.Used = ecs.Grow(f.Used, n)
	f.Allocated = ecs.Grow(f.Allocated, n)
	f.Initialized = ecs.Grow(f.Initialized, n)
	f.File[row], f.LogFD[row], f.IndexFD[row], f.LogBusy[row], f.IndexBusy[row] = file, NoFD, NoFD, false, false
	f.Inflight[row], f.Used[row], f.Allocated[row], f.IndexDead[row], f.Fresh[row] = 0, 0, 0, false, false
	f.Recycled[row], f.Initialized[row] = PoolFile{}, 0
	f.ByID[file.SegmentID] = row
	return row
}

// Drop frees a row whose descriptors are closed.
func (f *SegmentFiles) Drop(row uint32) {
	delete(f.ByID, f.File[row].SegmentID)
	f.File[row] = wire.SegmentFile{}
	f.slots.Put(row)
}

// GrowStep is a step of making or growing a log that returned, for the step after it.
type GrowStep struct {
	Kind      OpKind
	Row       uint32 // in SegmentFiles
	Partition uint64
	Have      uint64 // bytes allocated before
	Err       syscall.Errno
}

// Vouching is the table of vouchers under way, by in-flight slot.
type Vouching map[uint64]VouchOrder

// Put notes the order that a slot works for.
func (v Vouching) Put(slot uint64, order VouchOrder) { v[slot] = order }

// Take forgets and returns it.
func (v Vouching) Take(slot uint64) VouchOrder {
	order, ok := v[slot]
	if !ok {
		panic("components: no voucher under way for the slot")
	}
	delete(v, slot)
	return order
}

// ControlFile is the control log's open file, at shard 0.
type ControlFile struct {
	FD       int32
	DirFD    int32 // its directory
	Position uint64
	First    uint64 // number of the file's first record
	Next     uint64 // number of the next record
	Step     ControlStep
	Busy     bool // an operation is in flight
	Failed   bool

	Closed       bool // a file was closed since the last snapshot was begun
	Snapshotting bool // one is being made: there is no more than one at a time
}

// ControlStep is how far the control log is in going over to its next file.
type ControlStep uint8

const (
	ControlReady ControlStep = iota // records are appended
	ControlOpen                     // the next file is to be opened
	ControlHead                     // its head is to be written
	ControlSync                     // its directory entry is to be made durable
)

// OffsetFile is the shard's offset log.
type OffsetFile struct {
	FD       int32
	Position uint64
	Least    uint64         // bytes that it had when it was last written anew
	Rewrite  *OffsetRewrite // a job writes the log anew; nothing is appended meanwhile
	Busy     bool           // a write or a job is in flight
	Failed   bool
}

// OffsetRewrite is what a job that writes the offset log anew found, once it has completed.
type OffsetRewrite struct {
	FD       int32 // of the new log, -1 is none: the old one stands
	Position uint64
}

// Colds is the table of cold reads under way.
type Colds struct {
	slots ecs.Slots
	Order []ColdOrder
	Busy  []bool   // a read is in flight for it
	Index []uint64 // position of the index chunk being read
	Best  []uint64 // position in the log that the index has led to so far
	Live  ecs.Bits // rows in use
	Next  int      // row at which starting reads goes on
}

// Add takes a row.
func (c *Colds) Add(order ColdOrder) int {
	row, n := int(c.slots.Take()), c.slots.Cap()
	c.Order = ecs.Grow(c.Order, n)
	c.Busy = ecs.Grow(c.Busy, n)
	c.Index = ecs.Grow(c.Index, n)
	c.Best = ecs.Grow(c.Best, n)
	c.Order[row], c.Busy[row], c.Index[row], c.Best[row] = order, false, 0, wire.SegmentHeadSize
	c.Live.Set(row)
	return row
}

// Drop frees a row.
func (c *Colds) Drop(row int) {
	c.Live.Clear(row)
	c.slots.Put(uint32(row))
}

// Inflight is the table of operations that the kernel has: one slot each. A token names kind, generation and slot, so a late
// completion never meets a successor.
type Inflight struct {
	free       []uint32
	Kind       []OpKind
	generation []uint32
	Subject    []uint64 // a connection's or segment file's entity, or a row: the kind knows
	Span       []Span   // memory the operation holds
	Aux        []uint64 // what else its completion needs to know: the kind knows
	More       []uint64
	Size       []uint64
	Bulk       []uint64 // what of Storage.Bulk is this operation's
	last       uint32
}

// OpKind is what an operation in flight is for.
type OpKind uint8

// NewInflight is a table of max slots.
func NewInflight(max int) Inflight {
	n := Inflight{Kind: make([]OpKind, max), generation: make([]uint32, max), Subject: make([]uint64, max), Span: make([]Span, max), Aux: make([]uint64, max),
		More: make([]uint64, max), Size: make([]uint64, max), Bulk: make([]uint64, max)}
	for slot := max - 1; slot >= 0; slot-- {
		n.free = append(n.free, uint32(slot))
	}
	return n
}

// Free is how many slots are left.
func (n *Inflight) Free() int { return len(n.free) }

// Len is how many operations are in flight.
func (n *Inflight) Len() int { return len(n.Kind) - len(n.free) }

// Take gives a slot to an operation and returns its token.
func (n *Inflight) Take(kind OpKind, subject uint64) (slot uint32, token uint64) {
	slot = n.free[len(n.free)-1]
	n.free = n.free[:len(n.free)-1]
	n.Kind[slot], n.Subject[slot], n.Span[slot], n.Aux[slot], n.More[slot], n.Size[slot], n.Bulk[slot] = kind, subject, Span{}, 0, 0, 0, 0
	n.last = slot
	return slot, uint64(kind)<<56 | uint64(n.generation[slot]&0xFFFFFF)<<32 | uint64(slot)
}

// Slot finds the slot of a token, and false for one that is no longer in flight.
func (n *Inflight) Slot(token uint64) (slot uint32, ok bool) {
	slot = uint32(token)
	if int(slot) >= len(n.Kind) || n.generation[slot]&0xFFFFFF != uint32(token>>32)&0xFFFFFF || n.Kind[slot] != OpKind(token>>56) {
		return 0, false
	}
	return slot, true
}

// Last is the slot taken last.
func (n *Inflight) Last() uint32 { return n.last }

// Put frees a slot after its last completion.
func (n *Inflight) Put(slot uint32) {
	n.generation[slot]++
	n.Kind[slot], n.Span[slot] = 0, Span{}
	n.free = append(n.free, slot)
}

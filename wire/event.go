package wire

import (
	"encoding/binary"
	"fmt"
)

// EventKind is what happened. The codes are on disk and keep their meaning; those from 0x8000 on are never logged.
type EventKind uint16

const (
	EventEmpty      EventKind = 1 // nothing; takes the place of an event whose log write failed, in memory with the Partitions that it would have ended
	EventRunStarted EventKind = 2

	EventStreamCreated EventKind = 16
	EventStreamUpdated EventKind = 17
	EventStreamDeleted EventKind = 18

	EventTopicCreated EventKind = 32
	EventTopicUpdated EventKind = 33
	EventTopicDeleted EventKind = 34

	EventPartitionsCreated EventKind = 48
	EventPartitionsDeleted EventKind = 49

	EventSegmentsRemoved EventKind = 64
	EventPurged          EventKind = 65
	EventRemovalPending  EventKind = 66 // in snapshots: a removal whose owner has not reported it done
	EventRemovalDone     EventKind = 67

	EventUserCreated        EventKind = 80
	EventUserUpdated        EventKind = 81
	EventUserDeleted        EventKind = 82
	EventPasswordChanged    EventKind = 83
	EventPermissionsChanged EventKind = 84

	EventTokenCreated EventKind = 96
	EventTokenDeleted EventKind = 97

	EventGroupCreated EventKind = 112
	EventGroupDeleted EventKind = 113
	EventGroupIDNext  EventKind = 114 // in snapshots: the id the topic's next group gets

	EventEntityFreed EventKind = 128 // in snapshots: an entity on the free list

	EventSessionOpened EventKind = 0x8000
	EventSessionClosed EventKind = 0x8001
	EventGroupJoined   EventKind = 0x8002
	EventGroupLeft     EventKind = 0x8003
	EventGroupAssigned EventKind = 0x8004 // no member came or went, but partitions did
)

// eventNames are the names of all kinds, as the dump prints them.
var eventNames = map[EventKind]string{
	EventEmpty:              "Empty",
	EventRunStarted:         "RunStarted",
	EventStreamCreated:      "StreamCreated",
	EventStreamUpdated:      "StreamUpdated",
	EventStreamDeleted:      "StreamDeleted",
	EventTopicCreated:       "TopicCreated",
	EventTopicUpdated:       "TopicUpdated",
	EventTopicDeleted:       "TopicDeleted",
	EventPartitionsCreated:  "PartitionsCreated",
	EventPartitionsDeleted:  "PartitionsDeleted",
	EventSegmentsRemoved:    "SegmentsRemoved",
	EventPurged:             "Purged",
	EventRemovalPending:     "RemovalPending",
	EventRemovalDone:        "RemovalDone",
	EventUserCreated:        "UserCreated",
	EventUserUpdated:        "UserUpdated",
	EventUserDeleted:        "UserDeleted",
	EventPasswordChanged:    "PasswordChanged",
	EventPermissionsChanged: "PermissionsChanged",
	EventTokenCreated:       "TokenCreated",
	EventTokenDeleted:       "TokenDeleted",
	EventGroupCreated:       "GroupCreated",
	EventGroupDeleted:       "GroupDeleted",
	EventGroupIDNext:        "GroupIDNext",
	EventEntityFreed:        "EntityFreed",
	EventSessionOpened:      "SessionOpened",
	EventSessionClosed:      "SessionClosed",
	EventGroupJoined:        "GroupJoined",
	EventGroupLeft:          "GroupLeft",
	EventGroupAssigned:      "GroupAssigned",
}

// String returns the kind's name, or `EventKind(n)`.
func (k EventKind) String() string {
	if name, ok := eventNames[k]; ok {
		return name
	}
	return fmt.Sprintf("EventKind(%d)", uint16(k))
}

// Logged reports whether events of the kind go to the control log. Sessions and memberships do not: they end with
// the process. A kind that this build does not know is not logged either.
func (k EventKind) Logged() bool {
	var e Event
	return e.fields(k, &eventFields{reading: true})
}

// RunShift is where the run number begins in a sequence number, a segment's id, the number of a file in the pool and the order of a stored offset:
// run << RunShift | counter. Every start is a run, so no such number is ever given twice.
const RunShift = 40

// The values of Event.Durability.
const (
	DurabilityDefault uint8 = 0 // the server's default level
	DurabilityDurable uint8 = 1
)

// Event is one change of the catalog, or of sessions and memberships. Which fields a kind uses is written in the
// method fields, in their order on disk; the others are zero. Entities are index and generation in 64 bits, ids are
// those of the wire. Times are µs since the Unix epoch. Slices of a decoded event alias its source.
//
// In a snapshot each event keeps the Seq and Time of its first happening, since paths are named by the creating
// sequence and clients see the time: so partitions that were created apart stay in events apart.
type Event struct {
	Seq  uint64 // run << 40 | counter
	Time uint64 // µs
	Kind EventKind

	CompressionAlgorithm uint8 // 1 none, 2 gzip
	Durability           uint8 // of the topic's messages: DurabilityDefault or DurabilityDurable
	OffsetDurability     uint8 // of its stored offsets
	UserStatus           uint8 // as on the wire
	EntityKind           uint8 // of Entity; the numbers are those of the table that owns the free list

	Stream    uint64
	Topic     uint64
	Partition uint64
	Group     uint64
	User      uint64
	Entity    uint64 // EntityFreed: with the generation that its next owner gets

	StreamID    uint32
	TopicID     uint32
	PartitionID uint32 // PartitionsCreated and PartitionsDeleted: the id of the first of Partitions
	GroupID     uint32
	UserID      uint32
	Shards      uint32 // RunStarted: how many
	Shard       uint32 // SessionOpened: the home shard

	Run        uint64
	BootID     [16]byte // RunStarted: of the machine's boot
	CreatedSeq uint64   // the sequence that created the partition, as in its files' names
	Offset     uint64   // SegmentsRemoved: what lies below is gone
	Epoch      uint64   // Purged: the partition's new purge epoch
	Expiry     uint64   // TokenCreated: µs since the Unix epoch, 0 = never

	MessageExpiry uint64 // µs, the highest number = never
	MaxTopicSize  uint64 // bytes, the highest number = unlimited
	SegmentSize   uint64 // bytes

	Client     U128
	Session    uint64
	Connection uint64

	Name         []byte
	Explicit     []byte // option blocks (protocol.md, 6.7), without their u32 length
	Derived      []byte
	PasswordHash []byte
	Permissions  []byte // permissions block (protocol.md, 6.8); empty = the user has none
	TokenHash    []byte
	Partitions   Entities // in order of their ids

	Plan *GroupPlan // GroupJoined, GroupLeft and GroupAssigned: what is true of Group from now on
}

// fields walks the body of an event of kind k in its order on disk: it is the layout, for writing and reading alike.
// It returns false for a kind that is not logged.
func (e *Event) fields(k EventKind, f *eventFields) bool {
	switch k {
	case EventEmpty:
	case EventRunStarted:
		f.u64(&e.Run)
		f.raw(&e.BootID)
		f.u32(&e.Shards)
	case EventStreamCreated:
		f.u64(&e.Stream)
		f.u32(&e.StreamID)
		f.block(&e.Name)
	case EventStreamUpdated:
		f.u64(&e.Stream)
		f.block(&e.Name)
	case EventStreamDeleted:
		f.u64(&e.Stream)
	case EventTopicCreated:
		f.u64(&e.Stream)
		f.u64(&e.Topic)
		f.u32(&e.TopicID)
		f.u8(&e.CompressionAlgorithm)
		f.u8(&e.Durability)
		f.u8(&e.OffsetDurability)
		f.u64(&e.MessageExpiry)
		f.u64(&e.MaxTopicSize)
		f.u64(&e.SegmentSize)
		f.block(&e.Name)
		f.block(&e.Explicit)
		f.block(&e.Derived)
		f.entities(&e.Partitions)
	case EventTopicUpdated:
		f.u64(&e.Topic)
		f.u8(&e.CompressionAlgorithm)
		f.u64(&e.MessageExpiry)
		f.u64(&e.MaxTopicSize)
		f.block(&e.Name)
		f.block(&e.Explicit)
		f.block(&e.Derived)
	case EventTopicDeleted:
		f.u64(&e.Topic)
	case EventPartitionsCreated, EventPartitionsDeleted:
		f.u64(&e.Topic)
		f.u32(&e.PartitionID)
		f.entities(&e.Partitions)
	case EventSegmentsRemoved:
		f.u64(&e.Partition)
		f.u64(&e.Offset)
	case EventPurged:
		f.u64(&e.Partition)
		f.u64(&e.Epoch)
	case EventRemovalPending, EventRemovalDone:
		f.u64(&e.Partition)
		f.u64(&e.CreatedSeq)
		f.u32(&e.PartitionID)
	case EventUserCreated:
		f.u64(&e.User)
		f.u32(&e.UserID)
		f.u8(&e.UserStatus)
		f.block(&e.Name)
		f.block(&e.PasswordHash)
		f.block(&e.Permissions)
	case EventUserUpdated:
		f.u64(&e.User)
		f.u8(&e.UserStatus)
		f.block(&e.Name)
	case EventUserDeleted:
		f.u64(&e.User)
	case EventPasswordChanged:
		f.u64(&e.User)
		f.block(&e.PasswordHash)
	case EventPermissionsChanged:
		f.u64(&e.User)
		f.block(&e.Permissions)
	case EventTokenCreated:
		f.u64(&e.User)
		f.u64(&e.Expiry)
		f.block(&e.Name)
		f.block(&e.TokenHash)
	case EventTokenDeleted:
		f.u64(&e.User)
		f.block(&e.Name)
	case EventGroupCreated:
		f.u64(&e.Topic)
		f.u64(&e.Group)
		f.u32(&e.GroupID)
		f.block(&e.Name)
	case EventGroupDeleted:
		f.u64(&e.Group)
	case EventGroupIDNext:
		f.u64(&e.Topic)
		f.u32(&e.GroupID)
	case EventEntityFreed:
		f.u8(&e.EntityKind)
		f.u64(&e.Entity)
	default:
		return false
	}
	return true
}

const (
	// eventHeader is the size of an event's header, in bytes.
	eventHeader = 24
	// EventSizeMax is the size of the longest encoded event, in bytes. A request's body is smaller than half of it.
	EventSizeMax = 128 << 20
)

// AppendEvent appends the encoding of e, whose size is a multiple of 8. It is the same in control log and snapshot.
//
//	0              4          6           8     16     24
//	| size u32 (all) | kind u16 | flags u16 | Seq | Time | fields, zeros to a multiple of 8 |
//
// Numbers are little-endian; a byte string has a u32 length before it, a list of entities a u32 count. No flag is
// defined. An event that is not logged, or is longer than EventSizeMax, is our bug and panics.
func AppendEvent(dst []byte, e *Event) []byte {
	start := len(dst)
	var header [eventHeader]byte
	binary.LittleEndian.PutUint16(header[4:], uint16(e.Kind))
	binary.LittleEndian.PutUint64(header[8:], e.Seq)
	binary.LittleEndian.PutUint64(header[16:], e.Time)
	f := eventFields{bytes: append(dst, header[:]...)}
	if !e.fields(e.Kind, &f) {
		panic(fmt.Sprintf("wire: event %v (seq %d) is not logged", e.Kind, e.Seq))
	}
	dst = f.bytes
	for (len(dst)-start)%8 != 0 {
		dst = append(dst, 0)
	}
	size := len(dst) - start
	if size > EventSizeMax {
		panic(fmt.Sprintf("wire: event %v (seq %d) takes %d bytes, at most %d", e.Kind, e.Seq, size, EventSizeMax))
	}
	binary.LittleEndian.PutUint32(dst[start:], uint32(size))
	return dst
}

// DecodeEvent reads the event at the start of src and returns its size in bytes. The event aliases src. It returns
// ErrShort when src ends before the event, ErrVersion for a kind or a flag that is not known, and ErrMalformed; whoever
// calls it has checked a checksum over src, so none of them is a torn write.
func DecodeEvent(src []byte) (Event, int, error) {
	if len(src) < eventHeader {
		return Event{}, 0, ErrShort
	}
	size := int64(binary.LittleEndian.Uint32(src))
	if size%8 != 0 || size < eventHeader || size > EventSizeMax {
		return Event{}, 0, ErrMalformed
	}
	if size > int64(len(src)) {
		return Event{}, 0, ErrShort
	}
	kind := EventKind(binary.LittleEndian.Uint16(src[4:]))
	if flags := binary.LittleEndian.Uint16(src[6:]); flags != 0 {
		return Event{}, 0, fmt.Errorf("%w: flags %#x of event %v", ErrVersion, flags, kind)
	}
	e := Event{
		Kind: kind,
		Seq:  binary.LittleEndian.Uint64(src[8:]),
		Time: binary.LittleEndian.Uint64(src[16:]),
	}
	f := eventFields{bytes: src[eventHeader:size], reading: true}
	if !e.fields(kind, &f) {
		return Event{}, 0, fmt.Errorf("%w: event %v", ErrVersion, kind)
	}
	if f.short || len(f.bytes) >= 8 || !allZero(f.bytes) {
		return Event{}, 0, ErrMalformed
	}
	return e, int(size), nil
}

// eventFields carries the fields of an event to or from its bytes, so that one list of fields serves both ways.
type eventFields struct {
	bytes   []byte // written so far, or not yet read
	reading bool
	short   bool // reading: the bytes ended before the fields did
}

func (f *eventFields) u8(v *uint8) {
	if !f.reading {
		f.bytes = append(f.bytes, *v)
	} else if b := f.take(1); b != nil {
		*v = b[0]
	}
}

func (f *eventFields) u32(v *uint32) {
	if !f.reading {
		f.bytes = binary.LittleEndian.AppendUint32(f.bytes, *v)
	} else if b := f.take(4); b != nil {
		*v = binary.LittleEndian.Uint32(b)
	}
}

func (f *eventFields) u64(v *uint64) {
	if !f.reading {
		f.bytes = binary.LittleEndian.AppendUint64(f.bytes, *v)
	} else if b := f.take(8); b != nil {
		*v = binary.LittleEndian.Uint64(b)
	}
}

func (f *eventFields) raw(v *[16]byte) {
	if !f.reading {
		f.bytes = append(f.bytes, v[:]...)
	} else if b := f.take(16); b != nil {
		copy(v[:], b)
	}
}

func (f *eventFields) block(v *[]byte) {
	size := uint32(len(*v))
	f.u32(&size)
	if !f.reading {
		f.bytes = append(f.bytes, *v...)
	} else {
		*v = f.take(uint64(size))
	}
}

func (f *eventFields) entities(v *Entities) {
	count := uint32(v.Len())
	f.u32(&count)
	if !f.reading {
		f.bytes = append(f.bytes, (*v)[:8*v.Len()]...)
	} else {
		*v = f.take(8 * uint64(count))
	}
}

// take returns the next size bytes, and nil when there are none to return.
func (f *eventFields) take(size uint64) []byte {
	if uint64(len(f.bytes)) < size {
		f.bytes, f.short = nil, true
	}
	if f.short || size == 0 {
		return nil
	}
	b := f.bytes[:size:size]
	f.bytes = f.bytes[size:]
	return b
}

package wire

import (
	"bytes"
	"reflect"
	"testing"
)

func entitiesOf(entities ...uint64) Entities {
	var e Entities
	for _, entity := range entities {
		e = e.AppendEntity(entity)
	}
	return e
}

// testEvents holds one event of each logged kind, with every field that the kind has.
func testEvents() []*Event {
	events := []*Event{
		{Kind: EventEmpty},
		{Kind: EventRunStarted, Run: 2, BootID: [16]byte{1, 2, 3, 15: 16}, Shards: 4},
		{Kind: EventStreamCreated, Stream: 0x100000002, StreamID: 3, Name: []byte("orders")},
		{Kind: EventStreamUpdated, Stream: 0x100000002, Name: []byte("order")},
		{Kind: EventStreamDeleted, Stream: 0x100000002},
		{Kind: EventTopicCreated, Stream: 0x100000002, Topic: 0x200000003, TopicID: 4, CompressionAlgorithm: 2,
			Durability: DurabilityDurable, OffsetDurability: DurabilityDurable, MessageExpiry: 1<<64 - 1, MaxTopicSize: 5, SegmentSize: 6,
			Name: []byte("events"), Explicit: []byte{1, 2, 3}, Derived: []byte{4, 5}, Partitions: entitiesOf(7, 8, 9)},
		{Kind: EventTopicUpdated, Topic: 0x200000003, CompressionAlgorithm: 1, MessageExpiry: 5, MaxTopicSize: 1<<64 - 1,
			Name: []byte("event"), Explicit: []byte{1}, Derived: []byte{4}},
		{Kind: EventTopicDeleted, Topic: 0x200000003},
		{Kind: EventPartitionsCreated, Topic: 0x200000003, PartitionID: 3, Partitions: entitiesOf(10, 11)},
		{Kind: EventPartitionsDeleted, Topic: 0x200000003, PartitionID: 4, Partitions: entitiesOf(11)},
		{Kind: EventSegmentsRemoved, Partition: 7, Offset: 1000},
		{Kind: EventPurged, Partition: 7, Epoch: 2},
		{Kind: EventRemovalPending, Partition: 11, CreatedSeq: 1<<40 | 9, PartitionID: 4},
		{Kind: EventRemovalDone, Partition: 11, CreatedSeq: 1<<40 | 9, PartitionID: 4},
		{Kind: EventUserCreated, User: 12, UserID: 1, UserStatus: 1, Name: []byte("anna"), PasswordHash: []byte("$argon2id$"), Permissions: []byte{1, 0}},
		{Kind: EventUserUpdated, User: 12, UserStatus: 2, Name: []byte("ann")},
		{Kind: EventUserDeleted, User: 12},
		{Kind: EventPasswordChanged, User: 12, PasswordHash: []byte("$argon2id$2")},
		{Kind: EventPermissionsChanged, User: 12, Permissions: []byte{1, 1}},
		{Kind: EventTokenCreated, User: 12, Expiry: 99, Name: []byte("ci"), TokenHash: []byte("hash")},
		{Kind: EventTokenDeleted, User: 12, Name: []byte("ci")},
		{Kind: EventGroupCreated, Topic: 0x200000003, Group: 13, GroupID: 5, Name: []byte("workers")},
		{Kind: EventGroupDeleted, Group: 13},
		{Kind: EventGroupIDNext, Topic: 0x200000003, GroupID: 6},
		{Kind: EventEntityFreed, EntityKind: 3, Entity: 0x300000000},
	}
	for i, e := range events {
		e.Seq, e.Time = 2<<40|uint64(i), 1_700_000_000_000_000+uint64(i)
	}
	return events
}

func TestEventEachKind(t *testing.T) {
	seen := map[EventKind]bool{}
	for _, e := range testEvents() {
		seen[e.Kind] = true
		b := AppendEvent([]byte("x"), e)[1:]
		if len(b)%8 != 0 {
			t.Errorf("%v: got %d bytes, want a multiple of 8", e.Kind, len(b))
		}
		got, size, err := DecodeEvent(append(b, 1, 2, 3))
		wantError(t, err, nil)
		if size != len(b) || !reflect.DeepEqual(got, *e) {
			t.Errorf("%v: got %+v of %d bytes, want %+v of %d", e.Kind, got, size, *e, len(b))
		}
		for n := range b {
			_, _, err := DecodeEvent(b[:n])
			wantError(t, err, ErrShort)
		}
		// No field more, no field less.
		longer := append(bytes.Clone(b), make([]byte, 8)...)
		longer[0] += 8
		_, _, err = DecodeEvent(longer)
		wantError(t, err, ErrMalformed)
		if len(b) > eventHeader {
			shorter := bytes.Clone(b)
			shorter[0] -= 8
			_, _, err = DecodeEvent(shorter)
			wantError(t, err, ErrMalformed)
		}
	}
	for kind := range eventNames {
		if kind.Logged() != seen[kind] {
			t.Errorf("%v: got logged %v, want %v", kind, kind.Logged(), seen[kind])
		}
	}
}

func TestEventGolden(t *testing.T) {
	wantHex(t, AppendEvent(nil, testEvents()[5]), `80000000 2000 0000 0500000000020000 05401e18240a0600
		0200000001000000 0300000002000000 04000000 02 01 01
		ffffffffffffffff 0500000000000000 0600000000000000
		06000000 6576656e7473 03000000 010203 02000000 0405
		03000000 0700000000000000 0800000000000000 0900000000000000 000000000000`)
}

// A code, once given, keeps its meaning.
func TestEventKindCodes(t *testing.T) {
	for code, kind := range map[uint16]EventKind{
		1: EventEmpty, 2: EventRunStarted, 16: EventStreamCreated, 17: EventStreamUpdated, 18: EventStreamDeleted,
		32: EventTopicCreated, 33: EventTopicUpdated, 34: EventTopicDeleted, 48: EventPartitionsCreated, 49: EventPartitionsDeleted,
		64: EventSegmentsRemoved, 65: EventPurged, 66: EventRemovalPending, 67: EventRemovalDone,
		80: EventUserCreated, 81: EventUserUpdated, 82: EventUserDeleted, 83: EventPasswordChanged, 84: EventPermissionsChanged,
		96: EventTokenCreated, 97: EventTokenDeleted, 112: EventGroupCreated, 113: EventGroupDeleted, 114: EventGroupIDNext,
		128:    EventEntityFreed,
		0x8000: EventSessionOpened, 0x8001: EventSessionClosed, 0x8002: EventGroupJoined, 0x8003: EventGroupLeft, 0x8004: EventGroupAssigned,
	} {
		if uint16(kind) != code {
			t.Errorf("%v: got code %d, want %d", kind, uint16(kind), code)
		}
	}
	if got, want := EventKind(999).String(), "EventKind(999)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestEventNotLogged(t *testing.T) {
	for _, kind := range []EventKind{0, 3, EventSessionOpened, EventSessionClosed, EventGroupJoined, EventGroupLeft, EventGroupAssigned} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%v: got it encoded, want a panic", kind)
				}
			}()
			AppendEvent(nil, &Event{Kind: kind})
		}()
		b := AppendEvent(nil, &Event{Kind: EventEmpty})
		b[4], b[5] = byte(kind), byte(kind>>8)
		_, _, err := DecodeEvent(b)
		wantError(t, err, ErrVersion)
	}
	b := AppendEvent(nil, &Event{Kind: EventEmpty})
	b[6] = 1
	_, _, err := DecodeEvent(b)
	wantError(t, err, ErrVersion)
}

func TestEventMalformed(t *testing.T) {
	padded := AppendEvent(nil, &Event{Kind: EventStreamUpdated, Name: []byte("abc")})
	padded[len(padded)-1] = 1
	_, _, err := DecodeEvent(padded)
	wantError(t, err, ErrMalformed)
	for _, size := range []byte{0, 16, 25, 31} {
		b := AppendEvent(nil, &Event{Kind: EventEmpty})
		b[0] = size
		_, _, err := DecodeEvent(append(b, make([]byte, 64)...))
		wantError(t, err, ErrMalformed)
	}
	name := AppendEvent(nil, &Event{Kind: EventStreamUpdated, Name: []byte("abc")})
	copy(name[32:], "\xff\xff\xff\xff")
	_, _, err = DecodeEvent(name)
	wantError(t, err, ErrMalformed)
	count := AppendEvent(nil, &Event{Kind: EventPartitionsCreated, Partitions: entitiesOf(1)})
	copy(count[36:], "\x01\x00\x00\x20") // 8 times as many bytes wrap around 32 bits
	_, _, err = DecodeEvent(count)
	wantError(t, err, ErrMalformed)
}

func TestEntities(t *testing.T) {
	e := entitiesOf(5, 1<<63)
	if e.Len() != 2 || e.At(0) != 5 || e.At(1) != 1<<63 {
		t.Errorf("got %d entities %x, want 5 and 1<<63", e.Len(), []byte(e))
	}
	if n := Entities(nil).Len(); n != 0 {
		t.Errorf("got %d entities in none, want 0", n)
	}
}

func TestEventAllocatesNothing(t *testing.T) {
	event := testEvents()[5]
	var buffer []byte
	buffer = AppendEvent(buffer, event)
	wantAllocs(t, "AppendEvent, DecodeEvent, Logged", func() {
		buffer = AppendEvent(buffer[:0], event)
		if e, _, err := DecodeEvent(buffer); err != nil || !e.Kind.Logged() {
			t.Fatal(err)
		}
	})
}

func FuzzDecodeEvent(f *testing.F) {
	for _, e := range testEvents() {
		f.Add(AppendEvent(nil, e))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, size, err := DecodeEvent(b)
		if err != nil {
			return
		}
		if got := AppendEvent(nil, &e); !bytes.Equal(got, b[:size]) {
			t.Errorf("got %x, want %x", got, b[:size])
		}
	})
}

package components

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"galgo/ecs"
	"galgo/wire"
)

// decider makes up events as shard 0 would, and remembers in maps what there must be.
type decider struct {
	rng     *rand.Rand
	catalog *Catalog
	seq     uint64
	streams map[uint32]*modelStream
	users   map[uint32]*modelUser
	removed []ecs.Entity
	heads   map[ecs.Entity]modelHead
}

// modelHead is where a partition's log begins.
type modelHead struct{ epoch, removed uint64 }

type modelStream struct {
	name   string
	topics map[uint32]*modelTopic
}

type modelTopic struct {
	name       string
	partitions []ecs.Entity
}

func newDecider(seed uint64) *decider {
	return &decider{rng: rand.New(rand.NewPCG(seed, 1)), catalog: NewCatalog(), seq: 1 << wire.RunShift, streams: map[uint32]*modelStream{}, users: map[uint32]*modelUser{},
		heads: map[ecs.Entity]modelHead{}}
}

func (d *decider) event(e wire.Event) *wire.Event {
	d.seq++
	e.Seq, e.Time = d.seq, 1_000_000+d.seq
	d.catalog.Apply(&e)
	return &e
}

func (d *decider) some(n uint32) wire.Entities {
	var list wire.Entities
	for range n {
		list = list.AppendEntity(uint64(d.catalog.Partitions.Entities.Take()))
	}
	return list
}

func pick[V any](rng *rand.Rand, m map[uint32]V) (uint32, V, bool) {
	keys := slices.Sorted(maps.Keys(m))
	if len(keys) == 0 {
		var none V
		return 0, none, false
	}
	key := keys[rng.IntN(len(keys))]
	return key, m[key], true
}

func lowest[V any](m map[uint32]V) uint32 {
	for id := uint32(0); ; id++ {
		if _, taken := m[id]; !taken {
			return id
		}
	}
}

// next decides one random event, or returns nil where what was drawn has no object.
func (d *decider) next(t *testing.T) *wire.Event {
	c := d.catalog
	if d.rng.IntN(3) == 0 {
		return d.userEvent(t)
	}
	switch n := d.rng.IntN(20); {
	case n < 4:
		id := c.NextStreamID()
		if want := lowest(d.streams); id != want {
			t.Fatalf("next stream id: got %d, want %d", id, want)
		}
		s := &modelStream{name: fmt.Sprint("stream", d.seq), topics: map[uint32]*modelTopic{}}
		d.streams[id] = s
		return d.event(wire.Event{Kind: wire.EventStreamCreated, Stream: uint64(c.Streams.Entities.Take()), StreamID: id, Name: []byte(s.name)})
	case n < 6:
		id, s, ok := pick(d.rng, d.streams)
		if !ok {
			return nil
		}
		for _, topic := range s.topics {
			d.removed = append(d.removed, topic.partitions...)
		}
		delete(d.streams, id)
		row, _ := c.FindStream(wire.IdentOf(id))
		return d.event(wire.Event{Kind: wire.EventStreamDeleted, Stream: uint64(c.Streams.Entity(row))})
	case n == 19:
		if len(d.removed) == 0 {
			return nil
		}
		slices.Sort(d.removed)
		i := d.rng.IntN(len(d.removed))
		partition := d.removed[i]
		d.removed = slices.Delete(d.removed, i, i+1)
		r := c.Removals[partition]
		return d.event(wire.Event{Kind: wire.EventRemovalDone, Partition: uint64(partition), CreatedSeq: r.Created, PartitionID: r.ID})
	default:
		return d.topicEvent(t, n)
	}
}

func (d *decider) topicEvent(t *testing.T, n int) *wire.Event {
	c := d.catalog
	streamID, s, ok := pick(d.rng, d.streams)
	if !ok {
		return nil
	}
	streamRow, _ := c.FindStream(wire.IdentOf(streamID))
	if n < 11 {
		id := c.NextTopicID(streamRow)
		if want := lowest(s.topics); id != want {
			t.Fatalf("next topic id: got %d, want %d", id, want)
		}
		partitions := d.some(uint32(d.rng.IntN(4)))
		s.topics[id] = &modelTopic{name: fmt.Sprint("topic", d.seq), partitions: entityList(partitions)}
		return d.event(wire.Event{Kind: wire.EventTopicCreated, Stream: uint64(c.Streams.Entity(streamRow)),
			Topic: uint64(c.Topics.Entities.Take()), TopicID: id, Name: []byte(s.topics[id].name), Explicit: bytes.Repeat([]byte{1}, d.rng.IntN(40)),
			Derived: bytes.Repeat([]byte{2}, d.rng.IntN(400)), CompressionAlgorithm: 1, MessageExpiry: wire.Never, MaxTopicSize: wire.Unlimited,
			SegmentSize: 1 << 20, Durability: uint8(d.rng.IntN(2)), Partitions: partitions})
	}
	id, topic, ok := pick(d.rng, s.topics)
	if !ok {
		return nil
	}
	row, _ := c.FindTopic(streamRow, wire.IdentOf(id))
	entity := uint64(c.Topics.Entity(row))
	switch {
	case n < 13:
		d.removed = append(d.removed, topic.partitions...)
		delete(s.topics, id)
		return d.event(wire.Event{Kind: wire.EventTopicDeleted, Topic: entity})
	case n < 16:
		first, partitions := uint32(len(topic.partitions)), d.some(1+uint32(d.rng.IntN(3)))
		topic.partitions = append(topic.partitions, entityList(partitions)...)
		return d.event(wire.Event{Kind: wire.EventPartitionsCreated, Topic: entity, PartitionID: first, Partitions: partitions})
	}
	if len(topic.partitions) == 0 {
		return nil
	}
	if n == 18 {
		return d.headEvent(topic.partitions[d.rng.IntN(len(topic.partitions))])
	}
	keep := d.rng.IntN(len(topic.partitions))
	gone := topic.partitions[keep:]
	var list wire.Entities
	for _, partition := range gone {
		list = list.AppendEntity(uint64(partition))
	}
	d.removed = append(d.removed, gone...)
	topic.partitions = slices.Clone(topic.partitions[:keep])
	return d.event(wire.Event{Kind: wire.EventPartitionsDeleted, Topic: entity, PartitionID: uint32(keep), Partitions: list})
}

// headEvent purges a partition, or removes what it has at the beginning.
func (d *decider) headEvent(partition ecs.Entity) *wire.Event {
	head := d.heads[partition]
	if d.rng.IntN(2) == 0 {
		d.heads[partition] = modelHead{epoch: head.epoch + 1}
		return d.event(wire.Event{Kind: wire.EventPurged, Partition: uint64(partition), Epoch: head.epoch + 1})
	}
	below := uint64(d.rng.IntN(1000)) // less than what is removed already changes nothing
	d.heads[partition] = modelHead{head.epoch, max(head.removed, below)}
	return d.event(wire.Event{Kind: wire.EventSegmentsRemoved, Partition: uint64(partition), Offset: below})
}

func entityList(list wire.Entities) (entities []ecs.Entity) {
	for i := range list.Len() {
		entities = append(entities, ecs.Entity(list.At(i)))
	}
	return entities
}

// check compares a catalog with what there must be, through every way of finding it.
func (d *decider) check(t *testing.T, c *Catalog) {
	t.Helper()
	d.checkUsers(t, c)
	if c.Streams.Len() != len(d.streams) {
		t.Fatalf("streams: got %d, want %d", c.Streams.Len(), len(d.streams))
	}
	topics, partitions := 0, 0
	for id, s := range d.streams {
		row, ok := c.FindStream(wire.IdentOf(id))
		named, okNamed := c.FindStream(wire.IdentNamed([]byte(s.name)))
		if !ok || !okNamed || row != named || string(c.Text(c.Streams.Name[row])) != s.name {
			t.Fatalf("stream %d %q: got row %d by id, %d by name", id, s.name, row, named)
		}
		for topicID, topic := range s.topics {
			topics++
			row, ok := c.FindTopic(row, wire.IdentOf(topicID))
			named, okNamed := c.FindTopic(named, wire.IdentNamed([]byte(topic.name)))
			if !ok || !okNamed || row != named {
				t.Fatalf("topic %d %q: got row %d by id, %d by name", topicID, topic.name, row, named)
			}
			var got []ecs.Entity
			for partition := range c.PartitionsByID(row) {
				entity := c.Partitions.Entity(partition)
				got = append(got, entity)
				if head := (modelHead{c.Partitions.Epoch[partition], c.Partitions.Removed[partition]}); head != d.heads[entity] {
					t.Fatalf("partition %v: got %+v, want %+v", entity, head, d.heads[entity])
				}
			}
			if !slices.Equal(got, topic.partitions) {
				t.Fatalf("partitions of topic %d: got %v, want %v", topicID, got, topic.partitions)
			}
			partitions += len(got)
		}
	}
	if c.Topics.Len() != topics || c.Partitions.Len() != partitions || len(c.Removals) != len(d.removed) {
		t.Fatalf("topics, partitions, removals: got %d, %d, %d, want %d, %d, %d",
			c.Topics.Len(), c.Partitions.Len(), len(c.Removals), topics, partitions, len(d.removed))
	}
	if alive := c.Partitions.Entities.Len(); alive != partitions+len(d.removed) {
		t.Fatalf("partition entities alive: got %d, want %d", alive, partitions+len(d.removed))
	}
}

// snapshot is everything a catalog holds, in bytes.
func snapshot(c *Catalog) []byte {
	var b []byte
	for e := range c.Events {
		b = wire.AppendEvent(b, e)
	}
	return fmt.Appendf(b, "applied %d committed %d run %d boot %d", c.Applied, c.Committed, c.Run, c.BootFirst)
}

// restored is the catalog that a snapshot's bytes make.
func restored(t *testing.T, c *Catalog) *Catalog {
	t.Helper()
	var b []byte
	for e := range c.Events {
		b = wire.AppendEvent(b, e)
	}
	again := NewCatalog()
	for len(b) > 0 {
		e, n, err := wire.DecodeEvent(b)
		if err != nil {
			t.Fatalf("decode: got %v, want an event", err)
		}
		again.Restore(&e)
		b = b[n:]
	}
	again.Finish(c.Applied)
	return again
}

func TestCatalogsAreEqualAtEqualSeq(t *testing.T) {
	for seed := range uint64(20) {
		d := newDecider(seed)
		d.users = firstUsers()
		follower := NewCatalog()
		start := d.event(wire.Event{Kind: wire.EventRunStarted, Run: 1, BootID: [16]byte{byte(seed)}})
		root := d.event(wire.Event{Kind: wire.EventUserCreated, User: uint64(d.catalog.Users.Entities.Take()), UserID: RootID, UserStatus: 1,
			Name: []byte("iggy"), PasswordHash: []byte("hash")})
		follower.Apply(start)
		follower.Apply(root)
		for i := range 600 {
			e := d.next(t)
			if e == nil {
				continue
			}
			follower.Apply(e)
			if i%37 == 0 {
				d.check(t, d.catalog)
				d.check(t, follower)
				want := snapshot(d.catalog)
				if got := snapshot(follower); !bytes.Equal(got, want) {
					t.Fatalf("seed %d, seq %d: the follower's catalog differs", seed, e.Seq)
				}
				again := restored(t, follower)
				d.check(t, again)
				if got := snapshot(again); !bytes.Equal(got, want) {
					t.Fatalf("seed %d, seq %d: the restored catalog differs", seed, e.Seq)
				}
				// The next entities and ids come from what was restored: free lists and generations are part of it.
				d.catalog, follower = again, follower.Clone()
			}
		}
	}
}

func TestSuccessorOfAnIDIsAnotherEntity(t *testing.T) {
	c := NewCatalog()
	create := func(seq uint64) ecs.Entity {
		e := wire.Event{Seq: seq, Kind: wire.EventStreamCreated, Stream: uint64(c.Streams.Entities.Take()), StreamID: c.NextStreamID(), Name: []byte("a")}
		c.Apply(&e)
		return ecs.Entity(e.Stream)
	}
	first := create(1)
	c.Apply(&wire.Event{Seq: 2, Kind: wire.EventStreamDeleted, Stream: uint64(first)})
	second := create(3)
	if row, _ := c.FindStream(wire.IdentOf(0)); first == second || c.Streams.Entity(row) != second {
		t.Errorf("stream 0: got %v after %v, want a new generation", c.Streams.Entity(row), first)
	}
}

func TestEventsOutOfOrderPanic(t *testing.T) {
	c := NewCatalog()
	c.Apply(&wire.Event{Seq: 5, Kind: wire.EventEmpty})
	if c.Applied != 5 || c.Committed != 0 {
		t.Errorf("after an empty event: got applied %d and committed %d, want 5 and 0", c.Applied, c.Committed)
	}
	defer func() {
		if recover() == nil {
			t.Error("event 5 after event 5: got no panic, want one")
		}
	}()
	c.Apply(&wire.Event{Seq: 5, Kind: wire.EventEmpty})
}

func TestOwnersGoInTurn(t *testing.T) {
	const shards = 3
	begins := map[int]int{}
	for seq := range uint64(300) {
		first := Owner(1<<wire.RunShift|seq, 0, shards)
		begins[first]++
		for id := range uint32(10) {
			if got, want := Owner(1<<wire.RunShift|seq, id, shards), (first+int(id))%shards; got != want {
				t.Fatalf("owner of partition %d of topic %d: got %d, want %d", id, seq, got, want)
			}
		}
	}
	for shard := range shards {
		if begins[shard] < 50 {
			t.Errorf("topics that begin at shard %d: got %d of 300, want about 100", shard, begins[shard])
		}
	}
}

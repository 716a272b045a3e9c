package server_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"galgo/ecs"
	"galgo/systems/storage"
	"galgo/uring"
	"galgo/wire"
	"galgo/wire/client"
)

// groupMember is a consumer of group "g" of the topic "orders".
type groupMember struct {
	*client.Client
	t   *testing.T
	ref wire.GroupRef
}

func member(t *testing.T, c *client.Client, topic wire.Ident) groupMember {
	t.Helper()
	m := groupMember{c, t, wire.GroupRef{Stream: named("s"), Topic: topic, Group: named("g")}}
	if err := m.JoinGroup(m.ref); err != nil {
		t.Fatal(err)
	}
	return m
}

// assigned waits until the member has the partitions.
func (m groupMember) assigned(want ...uint32) {
	m.t.Helper()
	for give := time.Now().Add(20 * time.Second); ; {
		a, in, err := m.SyncGroup(m.ref)
		if err != nil {
			m.t.Fatal(err)
		}
		if in && slices.Equal(a.Partitions, want) {
			return
		}
		if time.Now().After(give) {
			m.t.Fatalf("assignment: got %+v, member %v, want %v", a, in, want)
		}
	}
}

func (m groupMember) key(partition uint32) wire.OffsetKey {
	return wire.OffsetKey{Consumer: wire.Consumer{Kind: wire.ConsumerGroup, Ident: m.ref.Group}, Stream: m.ref.Stream, Topic: m.ref.Topic,
		Partition: wire.OptionalPartition{Present: true, ID: partition}}
}

func (m groupMember) pollNext(partition uint32, count uint32, commit bool) client.Polled {
	m.t.Helper()
	key := m.key(partition)
	got, err := m.Poll(wire.PollMessages{Consumer: key.Consumer, Stream: key.Stream, Topic: key.Topic, Partition: key.Partition,
		Strategy: wire.Strategy{Kind: wire.PollNext}, Count: count, AutoCommit: commit})
	if err != nil {
		m.t.Fatal(err)
	}
	return got
}

func (m groupMember) wantResync(partition uint32) {
	m.t.Helper()
	if got := m.pollNext(partition, 1, false); got.PartitionID != wire.PartitionResync || got.Count != 0 || got.CurrentOffset != 0 {
		m.t.Fatalf("poll of partition %d, which another has: got %+v", partition, got.PollPrefix)
	}
}

func TestGroupOfThreeConsumers(t *testing.T) {
	for _, shards := range []int{1, 2} {
		s := start(t, setup{shards: shards})
		c := s.dial()
		orders := topic(t, c, "orders", 6)
		if g, err := c.CreateGroup(named("s"), orders, "g"); err != nil || g.ID != 0 || g.PartitionsCount != 6 || g.MembersCount != 0 {
			t.Fatalf("group: got %+v, %v", g, err)
		}
		var b wire.BatchBuilder
		for partition := range uint32(6) {
			send(t, c, orders, partition, batch(&b, 0, 30, 100), 0)
		}
		one := member(t, s.dial(), orders)
		one.assigned(0, 1, 2, 3, 4, 5)
		expect(t, one.pollNext(0, 10, true), 0, 10)
		expect(t, one.pollNext(5, 10, false), 0, 10) // and not committed
		two := member(t, s.dial(), orders)
		if a, _, err := two.SyncGroup(two.ref); err != nil || !slices.Equal(a.Partitions, []uint32{3, 4}) {
			t.Fatalf("right after joining: got %+v, %v, want what was free", a, err)
		}
		one.wantResync(5)
		two.wantResync(5)
		wantStatus(t, two.StoreOffset(two.key(5), 3), wire.StatusConsumerGroupPartitionNotOwned)
		if err := one.StoreOffset(one.key(5), 9); err != nil {
			t.Fatal(err)
		}
		two.assigned(3, 4, 5)
		expect(t, two.pollNext(5, 100, true), 10, 30)
		three := member(t, s.dial(), orders)
		three.assigned(2, 5)
		one.assigned(0, 1)
		two.assigned(3, 4)
		if me, err := three.Me(); err != nil || len(me.Groups) != 1 || me.Groups[0] != (wire.ClientGroup{}) || me.GroupsCount != 1 {
			t.Fatalf("groups of a member: got %+v, %v", me, err)
		}
		if stats, err := c.Stats(); err != nil || stats.ConsumerGroupsCount != 1 {
			t.Fatalf("groups in all: got %d, %v, want 1", stats.ConsumerGroupsCount, err)
		}
		_ = two.Close() // what two had goes round
		one.assigned(0, 2, 4)
		three.assigned(1, 3, 5)
		expect(t, one.pollNext(0, 100, true), 10, 30)
		if err := three.LeaveGroup(three.ref); err != nil {
			t.Fatal(err)
		}
		wantStatus(t, three.LeaveGroup(three.ref), wire.StatusConsumerGroupMemberNotFound)
		one.assigned(0, 1, 2, 3, 4, 5)
		if err := c.DeletePartitions(named("s"), orders, 2); err != nil {
			t.Fatal(err)
		}
		one.assigned(0, 1, 2, 3)
		if err := one.Logout(); err != nil {
			t.Fatal(err)
		}
		if g, found, err := c.Group(one.ref); err != nil || !found || g.MembersCount != 0 {
			t.Fatalf("group after the last member: got %+v, %v, %v", g, found, err)
		}
		s.stop()
	}
}

// Consumers that commit what they polled before they poll on see each message once, however often the partitions change hands.
func TestGroupSeesEachMessageOnce(t *testing.T) {
	const partitions, perPartition, consumers = 6, 300, 4
	s := start(t, setup{shards: 2})
	c := s.dial()
	orders := topic(t, c, "orders", partitions)
	if _, err := c.CreateGroup(named("s"), orders, "g"); err != nil {
		t.Fatal(err)
	}
	var seen [partitions][perPartition]atomic.Int32
	var left atomic.Int64
	left.Store(partitions * perPartition)
	var group sync.WaitGroup
	for n := range consumers {
		c := s.dial()
		group.Go(func() {
			random := rand.New(rand.NewPCG(uint64(n), 1))
			if err := consume(c, random, orders, &left, func(partition uint32, offset uint64) { seen[partition][offset].Add(1) }); err != nil {
				t.Errorf("consumer %d: got %v", n, err)
				left.Store(0)
			}
		})
	}
	var b wire.BatchBuilder
	for first := uint64(0); first < perPartition; first += 30 {
		for partition := range uint32(partitions) {
			send(t, c, orders, partition, batch(&b, first, 30, 100), first)
		}
	}
	group.Wait()
	for partition := range seen {
		for offset := range seen[partition] {
			if got := seen[partition][offset].Load(); got != 1 {
				t.Fatalf("message %d of partition %d: got it %d times, want 1", offset, partition, got)
			}
		}
	}
}

// consume joins, polls and commits for some rounds, and leaves, until nothing is left.
func consume(c *client.Client, random *rand.Rand, orders wire.Ident, left *atomic.Int64, saw func(partition uint32, offset uint64)) error {
	ref := wire.GroupRef{Stream: named("s"), Topic: orders, Group: named("g")}
	poll := wire.PollMessages{Consumer: wire.Consumer{Kind: wire.ConsumerGroup, Ident: ref.Group}, Stream: ref.Stream, Topic: orders,
		Strategy: wire.Strategy{Kind: wire.PollNext}, Count: 7}
	for left.Load() > 0 {
		if err := c.JoinGroup(ref); err != nil {
			return err
		}
		for range 1 + random.IntN(20) {
			a, in, err := c.SyncGroup(ref)
			if err != nil || !in {
				return fmt.Errorf("sync: member %v, %w", in, err)
			}
			for _, partition := range a.Partitions {
				poll.Partition = wire.OptionalPartition{Present: true, ID: partition}
				got, err := c.Poll(poll)
				if err != nil {
					return err
				}
				if got.Count == 0 {
					continue
				}
				last := uint64(0)
				for header, message := range got.All() {
					last = header.BaseOffset + uint64(message.OffsetDelta)
					saw(partition, last)
				}
				left.Add(-int64(got.Count))
				key := wire.OffsetKey{Consumer: poll.Consumer, Stream: poll.Stream, Topic: orders, Partition: poll.Partition}
				if err := c.StoreOffset(key, last); err != nil {
					return err
				}
			}
		}
		if err := c.LeaveGroup(ref); err != nil {
			return err
		}
	}
	return nil
}

func TestGroupsSurviveARestart(t *testing.T) {
	s := start(t, setup{shards: 2})
	c := s.dial()
	orders := topic(t, c, "orders", 2)
	for _, name := range []string{"lost", "g"} {
		if _, err := c.CreateGroup(named("s"), orders, name); err != nil {
			t.Fatal(err)
		}
	}
	var b wire.BatchBuilder
	send(t, c, orders, 1, batch(&b, 0, 30, 100), 0)
	m := member(t, c, orders)
	expect(t, m.pollNext(1, 7, true), 0, 7)
	if err := c.DeleteGroup(wire.GroupRef{Stream: named("s"), Topic: orders, Group: wire.IdentOf(0)}); err != nil {
		t.Fatal(err)
	}
	s.stop()
	s = start(t, setup{dir: s.dir, shards: 1})
	c = s.dial()
	list, err := c.Groups(named("s"), orders)
	if err != nil || len(list) != 1 || list[0].ID != 1 || list[0].MembersCount != 0 {
		t.Fatalf("groups: got %+v, %v, want g without members", list, err)
	}
	m = member(t, c, orders)
	expect(t, m.pollNext(1, 100, false), 7, 30)
	if err := c.DeleteGroup(m.ref); err != nil {
		t.Fatal(err)
	}
	if _, found, err := c.Offset(m.key(1)); err != nil || found {
		t.Fatalf("offset of a deleted group: got one, %v", err)
	}
	if g, err := c.CreateGroup(named("s"), orders, "g"); err != nil || g.ID != 2 {
		t.Fatalf("the next group: got %+v, %v, want id 2", g, err)
	}
	m = member(t, c, orders)
	expect(t, m.pollNext(1, 5, false), 0, 5)
}

func TestGroupRefusals(t *testing.T) {
	s := start(t, setup{})
	c := s.dial()
	orders := topic(t, c, "orders", 1)
	if _, err := c.CreateGroup(named("s"), orders, "g"); err != nil {
		t.Fatal(err)
	}
	m := groupMember{c, t, wire.GroupRef{Stream: named("s"), Topic: orders, Group: named("g")}}
	m.wantResync(0) // no member
	key := m.key(0)
	poll := wire.PollMessages{Consumer: key.Consumer, Stream: key.Stream, Topic: orders, Strategy: wire.Strategy{Kind: wire.PollNext}, Count: 1}
	_, err := c.Poll(poll)
	wantStatus(t, err, wire.StatusInvalidIdentifier) // no partition
	m.wantResync(9)                                  // nobody's, and a member's that has been deleted
	wantStatus(t, c.StoreOffset(key, 0), wire.StatusConsumerGroupPartitionNotOwned)
	wantStatus(t, c.DeleteOffset(key), wire.StatusConsumerGroupPartitionNotOwned)
	for _, test := range []struct {
		name string
		edit func(*wire.OffsetKey)
		want wire.Status
	}{
		{"no partition", func(k *wire.OffsetKey) { k.Partition = wire.OptionalPartition{} }, wire.StatusInvalidIdentifier},
		{"unknown partition", func(k *wire.OffsetKey) { k.Partition.ID = 9 }, wire.StatusPartitionNotFound},
		{"unknown topic", func(k *wire.OffsetKey) { k.Topic = named("x") }, wire.StatusResourceNotFound},
		{"unknown group by name", func(k *wire.OffsetKey) { k.Consumer.Ident = named("x") }, wire.StatusConsumerGroupNameNotFound},
		{"unknown group by number", func(k *wire.OffsetKey) { k.Consumer.Ident = wire.IdentOf(7) }, wire.StatusConsumerGroupIdNotFound},
	} {
		edited := key
		test.edit(&edited)
		t.Log(test.name)
		wantStatus(t, c.StoreOffset(edited, 0), test.want)
		wantStatus(t, c.DeleteOffset(edited), test.want)
	}
	unknown := key
	unknown.Consumer.Ident = named("x")
	if _, found, err := c.Offset(unknown); err != nil || found {
		t.Fatalf("offset of an unknown group: got one, %v", err)
	}
}

func TestSilentMemberIsEvicted(t *testing.T) {
	s := start(t, setup{env: []string{"GALGO_HEARTBEAT_INTERVAL=100ms"}})
	alone, c := s.dial(), s.dial()
	orders := topic(t, c, "orders", 2)
	if _, err := c.CreateGroup(named("s"), orders, "g"); err != nil {
		t.Fatal(err)
	}
	silent, heard := member(t, s.dial(), orders), member(t, s.dial(), orders)
	heard.assigned(0, 1) // it asks until the other is gone
	var evicted client.EvictionError
	if err := silent.Ping(); !errors.As(err, &evicted) || evicted.Reason != wire.EvictStaleClient {
		t.Errorf("silent member: got %v, want an eviction for silence", err)
	}
	if err := alone.Ping(); err != nil {
		t.Errorf("silent connection without a group: got %v, want it left alone", err)
	}
	if _, err := alone.Streams(); err != nil {
		t.Errorf("session without a group: got %v, want it left alone", err)
	}
}

// A crash in the middle of a group's deletion leaves what it stored. The next group of the same id, which is another one, does not get it.
func TestOffsetsOfAGroupThatIsGone(t *testing.T) {
	s := start(t, setup{})
	c := s.dial()
	orders := topic(t, c, "orders", 1)
	var b wire.BatchBuilder
	send(t, c, orders, 0, batch(&b, 0, 10, 10), 0)
	s.stop()
	files := uring.SystemFiles()
	dir, err := storage.OpenDirectory(files, s.dir, false, func([]byte) {}, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	partition := uint64(ecs.MakeEntity(0, 1))
	log, err := storage.RewriteOffsets(files, s.dir, dir.Secret(), 1, 9, []wire.OffsetRecord{
		{Partition: partition, Kind: wire.ConsumerGroup, Consumer: 0, Value: 7, Order: 1 << wire.RunShift},
		{Partition: partition, Kind: wire.ConsumerSingle, Consumer: 5, Value: 7, Order: 1<<wire.RunShift + 1}})
	if err = errors.Join(err, files.Close(log.FD), dir.Close()); err != nil {
		t.Fatal(err)
	}
	s = start(t, setup{dir: s.dir})
	c = s.dial()
	if group, err := c.CreateGroup(named("s"), orders, "g"); err != nil || group.ID != 0 {
		t.Fatalf("got group %+v, %v, want one of id 0", group, err)
	}
	for _, test := range []struct {
		consumer wire.Consumer
		found    bool
	}{{wire.Consumer{Kind: wire.ConsumerGroup, Ident: named("g")}, false}, {wire.Consumer{Kind: wire.ConsumerSingle, Ident: wire.IdentOf(5)}, true}} {
		key := wire.OffsetKey{Consumer: test.consumer, Stream: named("s"), Topic: orders, Partition: wire.OptionalPartition{Present: true}}
		if got, found, err := c.Offset(key); err != nil || found != test.found {
			t.Errorf("consumer of kind %d: got offset %+v, found %v, %v, want found %v", test.consumer.Kind, got, found, err, test.found)
		}
	}
}

package components

import (
	"iter"

	"galgo/ecs"
	"galgo/wire"
)

// Catalog is all metadata: who and what exists. Every shard has one and applies the same events to it in the same order, so
// equal Applied means equal catalogs. Shard 0 has a second one that is ahead by what is decided but not yet durable.
type Catalog struct {
	Applied   uint64 // seq of the last event applied
	Committed uint64 // seq of the last logged event applied: what replies carry as commit
	Run       uint64 // run number of this process's life
	BootFirst uint64 // the runs [BootFirst, Run] belong to the present boot of the machine
	bootID    [16]byte

	Streams    Streams
	Topics     Topics
	Partitions CatalogPartitions
	Users      Users
	Tokens     Tokens
	Groups     Groups
	Removals   Removals
	Sessions   map[wire.U128]Session // by client id: who is logged in. They end with the process and are in no snapshot

	text        ecs.Text // names, option blocks, password hashes
	streamNames ecs.Names
	topicNames  ecs.Names // parent: the stream's row
	groupNames  ecs.Names // parent: the topic's row
	userNames   ecs.Names
}

// Session is a login, as every shard knows it. What shard 0 alone knows of it is in Client.
type Session struct {
	Number uint64
	User   ecs.Entity
}

// The most rows that the catalog's tables may have. Sources: protocol.md, 9; what is not limited there has room enough.
const (
	streamsMax    = 1 << 20
	topicsMax     = 1 << 22
	partitionsMax = 1 << 24
	usersMax      = 1 << 20
)

// Streams is the catalog's table of streams. Text columns are read through the Catalog's methods.
type Streams struct {
	ecs.Rows
	Entities  ecs.Entities
	ID        []uint32 // wire id: lowest free first, reused
	CreatedAt []uint64 // µs
	Created   []uint64 // creating seq
	Name      []ecs.Span
	TopicIDs  []*ecs.IDs // ids in use below the stream

	IDs  ecs.IDs
	byID map[uint32]uint32 // wire id -> row
}

// Topics is the catalog's table of topics.
type Topics struct {
	ecs.Rows
	Entities    ecs.Entities
	Stream      []ecs.Entity
	ID          []uint32
	CreatedAt   []uint64 // µs
	Created     []uint64 // creating seq
	Name        []ecs.Span
	Options     []TopicOptions
	Explicit    []ecs.Span // options block: what the client chose
	Derived     []ecs.Span // options block: defaults of the rest
	Partitions  []uint32   // how many: ids are dense, 0 to Partitions-1
	GroupIDNext []uint32   // group ids are never reused

	byID map[uint64]uint32 // stream row, id -> row
}

// TopicOptions are the options that the engine itself looks at.
type TopicOptions struct {
	MessageExpiry    uint64 // µs; all ones is never
	MaxSize          uint64 // bytes; all ones is unlimited
	SegmentSize      uint64 // bytes
	Compression      uint8  // 1 none, 2 gzip: stored and echoed
	Persisted        bool   // durability=persisted
	OffsetsPersisted bool   // consumer_offset_durability=persisted
}

// CatalogPartitions is the catalog's table of partitions, the same on every shard. What only the owner knows of a partition is in
// Partitions.
type CatalogPartitions struct {
	ecs.Rows
	Entities  ecs.Entities
	Topic     []ecs.Entity
	ID        []uint32
	CreatedAt []uint64 // µs
	Created   []uint64 // creating seq: with ID it names the partition's files
	Epoch     []uint64 // how often it was purged
	Removed   []uint64 // messages below this offset were removed by request, in this epoch

	byID map[uint64]uint32 // topic row, id -> row
}

// Users is the catalog's table of users.
type Users struct {
	ecs.Rows
	Entities     ecs.Entities
	ID           []uint32
	CreatedAt    []uint64 // µs
	Created      []uint64 // creating seq
	Active       []bool
	Name         []ecs.Span
	PasswordHash []ecs.Span         // argon2id, in PHC string form
	Permissions  []ecs.Span         // permissions block; empty is none
	Grants       []wire.Permissions // what the block says, decoded
	Tokens       [][]uint32         // rows of Tokens, in order of their names

	IDs  ecs.IDs
	byID map[uint32]uint32
}

// Removal is a partition that is gone from the catalog while its files may not be. It stays until the owner has reported
// that they are, and its entity is not used again before.
type Removal struct {
	Partition ecs.Entity
	Created   uint64 // creating seq
	ID        uint32
}

// Removals holds every removal that is not reported done, by partition.
type Removals map[ecs.Entity]Removal

// RootID is the wire id of the root user.
const RootID = 0

// NewCatalog is an empty catalog.
func NewCatalog() *Catalog {
	c := &Catalog{Removals: Removals{}, Sessions: map[wire.U128]Session{}}
	c.Streams.Rows = ecs.NewRows(streamsMax)
	c.Topics.Rows = ecs.NewRows(topicsMax)
	c.Partitions.Rows = ecs.NewRows(partitionsMax)
	c.Users.Rows = ecs.NewRows(usersMax)
	c.streamNames = ecs.NewNames(func(row uint32) (uint64, []byte) { return 0, c.text.Get(c.Streams.Name[row]) })
	c.userNames = ecs.NewNames(func(row uint32) (uint64, []byte) { return 0, c.text.Get(c.Users.Name[row]) })
	c.topicNames = ecs.NewNames(func(row uint32) (uint64, []byte) {
		stream, _ := c.Streams.Row(c.Topics.Stream[row])
		return uint64(stream), c.text.Get(c.Topics.Name[row])
	})
	c.Groups = newGroups()
	c.groupNames = ecs.NewNames(c.groupKey)
	c.Streams.byID = map[uint32]uint32{}
	c.Topics.byID = map[uint64]uint32{}
	c.Partitions.byID = map[uint64]uint32{}
	c.Users.byID = map[uint32]uint32{}
	c.Tokens.byHash = map[TokenHash]uint32{}
	return c
}

func below(parent int, id uint32) uint64 { return uint64(parent)<<32 | uint64(id) }

// Text is what a text column's cell holds. The slice is good until the next event is applied.
func (c *Catalog) Text(s ecs.Span) []byte { return c.text.Get(s) }

// FindStream resolves an identifier.
func (c *Catalog) FindStream(id wire.Ident) (row int, ok bool) {
	if id.Kind == wire.IdentID {
		return lookup(c.Streams.byID, id.ID)
	}
	return c.StreamNamed(id.Name)
}

// StreamNamed finds a stream by name.
func (c *Catalog) StreamNamed(name []byte) (row int, ok bool) {
	return found(c.streamNames.Get(0, name))
}

// FindTopic resolves an identifier within a stream.
func (c *Catalog) FindTopic(stream int, id wire.Ident) (row int, ok bool) {
	if id.Kind == wire.IdentID {
		return lookup(c.Topics.byID, below(stream, id.ID))
	}
	return c.TopicNamed(stream, id.Name)
}

// TopicNamed finds a topic by name within a stream.
func (c *Catalog) TopicNamed(stream int, name []byte) (row int, ok bool) {
	return found(c.topicNames.Get(uint64(stream), name))
}

// PartitionByID finds a partition of a topic.
func (c *Catalog) PartitionByID(topic int, id uint32) (row int, ok bool) {
	return lookup(c.Partitions.byID, below(topic, id))
}

// FindUser resolves an identifier.
func (c *Catalog) FindUser(id wire.Ident) (row int, ok bool) {
	if id.Kind == wire.IdentID {
		return lookup(c.Users.byID, id.ID)
	}
	return c.UserNamed(id.Name)
}

// UserNamed finds a user by name.
func (c *Catalog) UserNamed(name []byte) (row int, ok bool) {
	return found(c.userNames.Get(0, name))
}

// NextStreamID is the lowest wire id that no stream has.
func (c *Catalog) NextStreamID() uint32 { return lowestFree(&c.Streams.IDs) }

// NextTopicID is the lowest wire id that no topic of the stream has.
func (c *Catalog) NextTopicID(stream int) uint32 { return lowestFree(c.Streams.TopicIDs[stream]) }

// lowestFree leaves the id free: the event that is decided with it takes it.
func lowestFree(ids *ecs.IDs) uint32 {
	id := ids.Take()
	ids.Put(id)
	return id
}

func lookup[K comparable](m map[K]uint32, key K) (row int, ok bool) {
	r, ok := m[key]
	return int(r), ok
}

func found(row uint32, ok bool) (int, bool) { return int(row), ok }

// StreamsByID yields stream rows in ascending wire id.
func (c *Catalog) StreamsByID(yield func(row int) bool) {
	for id := range c.Streams.IDs.All {
		if !yield(int(c.Streams.byID[id])) {
			return
		}
	}
}

// TopicsByID yields the topic rows of a stream in ascending wire id.
func (c *Catalog) TopicsByID(stream int) iter.Seq[int] {
	return func(yield func(row int) bool) {
		for id := range c.Streams.TopicIDs[stream].All {
			if !yield(int(c.Topics.byID[below(stream, id)])) {
				return
			}
		}
	}
}

// PartitionsByID yields the partition rows of a topic in ascending id.
func (c *Catalog) PartitionsByID(topic int) iter.Seq[int] {
	return func(yield func(row int) bool) {
		for id := range c.Topics.Partitions[topic] {
			if !yield(int(c.Partitions.byID[below(topic, id)])) {
				return
			}
		}
	}
}

// Owner is the shard that owns a partition: a pure function of the topic's creating seq, the partition's id and the number of
// shards, so that the partitions of a topic go to the shards in turn, and topics begin at different ones.
func Owner(topicSeq uint64, partitionID uint32, shards int) int {
	mixed := topicSeq * 0x9E3779B97F4A7C15 // multiplicative hashing, Knuth, TAOCP 3, 6.4: spreads consecutive numbers
	return int((mixed>>33 + uint64(partitionID)) % uint64(shards))
}

// OwnerOf is the shard that owns the partition in a catalog row.
func (c *Catalog) OwnerOf(partition, shards int) int {
	topic, ok := c.Topics.Row(c.Partitions.Topic[partition])
	if !ok {
		panic("components: partition without topic")
	}
	return Owner(c.Topics.Created[topic], c.Partitions.ID[partition], shards)
}

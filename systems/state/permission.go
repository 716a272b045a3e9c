package state

import (
	"galgo/components"
	"galgo/ecs"
	"galgo/wire"
)

// Action is what a user wants to do, as far as permissions tell actions apart. Source: protocol.md, 10.
type Action uint8

const (
	ReadServers   Action = iota + 1 // statistics, clients, snapshots
	ReadUsers                       // look at users other than oneself
	ManageUsers                     // create, change and delete users
	ManageStreams                   // create a stream
	ReadStreams                     // list streams
	ReadStream                      // look at a stream
	ManageStream                    // update, delete or purge a stream
	ReadTopics                      // list the topics of a stream
	ReadTopic                       // look at a topic; every command on its groups
	ManageTopics                    // create a topic
	ManageTopic                     // update, delete or purge a topic; change its partitions and segments
	PollMessages                    // and get, store or delete offsets
	SendMessages
)

// grants are permissions at each level, any one of which is enough.
type grants struct {
	global wire.GlobalGrants
	stream wire.StreamGrants // in the entry of the stream
	topic  wire.TopicGrants  // in the entry of the topic
}

// The grants that several actions share.
const (
	globalReadTopics = wire.GlobalManageStreams | wire.GlobalReadStreams | wire.GlobalManageTopics | wire.GlobalReadTopics
	globalManage     = wire.GlobalManageStreams | wire.GlobalManageTopics
	streamReadTopics = wire.StreamManageStream | wire.StreamReadStream | wire.StreamManageTopics | wire.StreamReadTopics
	streamManage     = wire.StreamManageStream | wire.StreamManageTopics
)

// sufficient is the table of protocol.md, 10.
var sufficient = [...]grants{
	ReadServers:   {global: wire.GlobalReadServers | wire.GlobalManageServers},
	ReadUsers:     {global: wire.GlobalReadUsers | wire.GlobalManageUsers},
	ManageUsers:   {global: wire.GlobalManageUsers},
	ManageStreams: {global: wire.GlobalManageStreams},
	ReadStreams:   {global: wire.GlobalManageStreams | wire.GlobalReadStreams},
	ReadStream:    {wire.GlobalManageStreams | wire.GlobalReadStreams, wire.StreamManageStream | wire.StreamReadStream, 0},
	ManageStream:  {wire.GlobalManageStreams, wire.StreamManageStream, 0},
	ReadTopics:    {globalReadTopics, streamReadTopics, 0},
	ReadTopic:     {globalReadTopics, streamReadTopics, wire.TopicManageTopic | wire.TopicReadTopic},
	ManageTopics:  {globalManage, streamManage, 0},
	ManageTopic:   {globalManage, streamManage, wire.TopicManageTopic},
	PollMessages: {globalReadTopics | wire.GlobalPollMessages, streamReadTopics | wire.StreamPollMessages,
		wire.TopicManageTopic | wire.TopicReadTopic | wire.TopicPollMessages},
	SendMessages: {globalManage | wire.GlobalSendMessages, streamManage | wire.StreamSendMessages, wire.TopicManageTopic | wire.TopicSendMessages},
}

// Allowed says whether a user may do something to a stream or topic; those that the action is not about are ecs.None. Root may do
// everything, a user who is gone nothing. It allocates nothing, and asks the catalog as this shard has applied it.
func Allowed(s *components.State, user ecs.Entity, action Action, stream, topic ecs.Entity) bool {
	return allowedIn(s.Catalog, user, action, stream, topic)
}

// may is Allowed for a metadata operation: it asks the catalog that the operation is decided on, which knows streams and topics that
// are not applied yet.
func (a *ask) may(s *components.State, action Action, stream, topic ecs.Entity) bool {
	return allowedIn(s.Control.Decided, a.user, action, stream, topic)
}

func allowedIn(c *components.Catalog, user ecs.Entity, action Action, stream, topic ecs.Entity) bool {
	row, ok := c.Users.Row(user)
	if !ok {
		return false
	}
	if c.Users.ID[row] == components.RootID {
		return true
	}
	held, enough := &c.Users.Grants[row], &sufficient[action]
	if held.Global&enough.global != 0 {
		return true
	}
	if enough.stream == 0 || len(held.Streams) == 0 {
		return false
	}
	streamRow, ok := c.Streams.Row(stream)
	if !ok {
		return false
	}
	below, ok := held.InStream(c.Streams.ID[streamRow])
	if !ok {
		return false
	}
	if below.Grants&enough.stream != 0 {
		return true
	}
	topicRow, ok := c.Topics.Row(topic)
	return ok && below.InTopic(c.Topics.ID[topicRow])&enough.topic != 0
}

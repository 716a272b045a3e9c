package state

import (
	"galgo/components"
	"galgo/ecs"
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

// Allowed says whether a user may do something to a stream or topic; those that the action is not about are ecs.None.
// Root may do everything, others nothing.
func Allowed(s *components.State, user ecs.Entity, _ Action, _, _ ecs.Entity) bool {
	row, ok := s.Catalog.Users.Row(user)
	return ok && s.Catalog.Users.ID[row] == components.RootID
}

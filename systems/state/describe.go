package state

import (
	"galgo/components"
	"galgo/wire"
)

// scratchMax is the size in bytes above which the memory of an answer is not kept for the next.
const scratchMax = 1 << 20

// Describe answers a non-replicated command from the catalog and the counters, which every shard has. The body lies in
// Scratch and is good until the next call; it is empty for what does not exist. Commands that are not served are answered
// StatusFeatureUnavailable. The router calls it for a connection with a session.
func Describe(s *components.State, row int) (answer []byte, status wire.Status) {
	if cap(s.Scratch) > scratchMax {
		s.Scratch = nil
	}
	describe := reads[s.Conns.Header[row].Code]
	if describe == nil {
		return nil, wire.StatusFeatureUnavailable
	}
	answer, status = describe(s.Scratch[:0], s, row, body(s, row))
	if answer != nil {
		s.Scratch = answer[:0]
	}
	switch {
	case status != wire.StatusOK:
		return nil, status
	case len(answer) > wire.FrameSizeMax-wire.FrameHeaderSize:
		return nil, wire.StatusCannotSerializeResource // no client takes a frame of that size
	}
	return answer, wire.StatusOK
}

// read appends the answer to a command of the connection in row. It returns dst even with a status.
type read func(dst []byte, s *components.State, row int, body []byte) ([]byte, wire.Status)

// reads lists the commands that the catalog answers.
var reads = map[wire.Code]read{
	wire.CodeGetStream:          describeStream,
	wire.CodeGetStreams:         describeStreams,
	wire.CodeGetTopic:           describeTopic,
	wire.CodeGetTopics:          describeTopics,
	wire.CodeGetClusterMetadata: describeCluster,
	wire.CodeDescribeOptions:    describeOptions,
	wire.CodeGetMe:              describeMe,
	wire.CodeGetClient:          describeClient,
	wire.CodeGetClients:         describeClients,
	wire.CodeGetUser:            describeUser,
	wire.CodeGetUsers:           describeUsers,

	wire.CodeGetPersonalAccessTokens: describeTokens,

	wire.CodeGetConsumerGroup:  describeGroup,
	wire.CodeGetConsumerGroups: describeGroups,
	wire.CodeSyncConsumerGroup: syncGroup,

	wire.CodeGetPollRouting:           describePollRoute,
	wire.CodeGetConsumerOffsetRouting: describeOffsetRoute,
	wire.CodeAttachConsumerSession:    attachSession,
}

// allowed is Allowed for the user of a connection.
func allowed(s *components.State, row int, action Action, stream, topic int) bool {
	streamEntity, topicEntity := entityAt(&s.Catalog.Streams.Rows, stream), entityAt(&s.Catalog.Topics.Rows, topic)
	return Allowed(s, s.Conns.User[row], action, streamEntity, topicEntity)
}

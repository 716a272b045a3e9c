package wire

import "strconv"

// Code is a command code. It travels in the request header of an OpNonReplicated request only; every other
// operation stands for its own. Source: protocol.md, 3.
type Code uint32

// Every command, by the name the protocol gives it.
const (
	CodePing                            Code = 1
	CodeGetStats                        Code = 10
	CodeGetSnapshot                     Code = 11
	CodeGetClusterMetadata              Code = 12
	CodeDescribeOptions                 Code = 13
	CodeAttachConsumerSession           Code = 14
	CodeGetMe                           Code = 20
	CodeGetClient                       Code = 21
	CodeGetClients                      Code = 22
	CodeGetUser                         Code = 31
	CodeGetUsers                        Code = 32
	CodeCreateUser                      Code = 33
	CodeDeleteUser                      Code = 34
	CodeUpdateUser                      Code = 35
	CodeUpdatePermissions               Code = 36
	CodeChangePassword                  Code = 37
	CodeLoginUser                       Code = 38
	CodeLogout                          Code = 39
	CodeRegister                        Code = 40
	CodeGetPersonalAccessTokens         Code = 41
	CodeCreatePersonalAccessToken       Code = 42
	CodeDeletePersonalAccessToken       Code = 43
	CodeLoginWithPersonalAccessToken    Code = 44
	CodeRegisterWithPersonalAccessToken Code = 45
	CodePollMessages                    Code = 100
	CodeSendMessages                    Code = 101
	CodeFlushUnsavedBuffer              Code = 102
	CodeGetPollRouting                  Code = 103
	CodePollMessagesOnPrimary           Code = 104
	CodeGetConsumerOffset               Code = 120
	CodeStoreConsumerOffset             Code = 121
	CodeDeleteConsumerOffset            Code = 122
	CodeGetConsumerOffsetRouting        Code = 123
	CodeGetStream                       Code = 200
	CodeGetStreams                      Code = 201
	CodeCreateStream                    Code = 202
	CodeDeleteStream                    Code = 203
	CodeUpdateStream                    Code = 204
	CodePurgeStream                     Code = 205
	CodeGetTopic                        Code = 300
	CodeGetTopics                       Code = 301
	CodeCreateTopic                     Code = 302
	CodeDeleteTopic                     Code = 303
	CodeUpdateTopic                     Code = 304
	CodePurgeTopic                      Code = 305
	CodeCreatePartitions                Code = 402
	CodeDeletePartitions                Code = 403
	CodeDeleteSegments                  Code = 503
	CodeGetConsumerGroup                Code = 600
	CodeGetConsumerGroups               Code = 601
	CodeCreateConsumerGroup             Code = 602
	CodeDeleteConsumerGroup             Code = 603
	CodeJoinConsumerGroup               Code = 604
	CodeLeaveConsumerGroup              Code = 605
	CodeSyncConsumerGroup               Code = 606
)

// CodeKind tells what becomes of a code in an OpNonReplicated request.
type CodeKind uint8

const (
	CodeUnknown     CodeKind = iota // no such command: StatusInvalidCommand
	CodeRead                        // has a handler
	CodeReplicated                  // has an operation of its own and must use it: StatusFeatureUnavailable
	CodeSession                     // register and logout, which have operations too: StatusInvalidCommand
	CodeLegacyLogin                 // EvictMalformedLogin, logged in or not
)

type codeInfo struct {
	name string
	kind CodeKind
	op   Operation
}

var codes = [...]codeInfo{
	CodePing:                            {"ping", CodeRead, OpNonReplicated},
	CodeGetStats:                        {"get_stats", CodeRead, OpNonReplicated},
	CodeGetSnapshot:                     {"get_snapshot", CodeRead, OpNonReplicated},
	CodeGetClusterMetadata:              {"get_cluster_metadata", CodeRead, OpNonReplicated},
	CodeDescribeOptions:                 {"describe_options", CodeRead, OpNonReplicated},
	CodeAttachConsumerSession:           {"attach_consumer_session", CodeRead, OpNonReplicated},
	CodeGetMe:                           {"get_me", CodeRead, OpNonReplicated},
	CodeGetClient:                       {"get_client", CodeRead, OpNonReplicated},
	CodeGetClients:                      {"get_clients", CodeRead, OpNonReplicated},
	CodeGetUser:                         {"get_user", CodeRead, OpNonReplicated},
	CodeGetUsers:                        {"get_users", CodeRead, OpNonReplicated},
	CodeCreateUser:                      {"create_user", CodeReplicated, OpCreateUser},
	CodeDeleteUser:                      {"delete_user", CodeReplicated, OpDeleteUser},
	CodeUpdateUser:                      {"update_user", CodeReplicated, OpUpdateUser},
	CodeUpdatePermissions:               {"update_permissions", CodeReplicated, OpUpdatePermissions},
	CodeChangePassword:                  {"change_password", CodeReplicated, OpChangePassword},
	CodeLoginUser:                       {"login_user", CodeLegacyLogin, OpNonReplicated},
	CodeLogout:                          {"logout", CodeSession, OpLogout},
	CodeRegister:                        {"register", CodeSession, OpRegister},
	CodeGetPersonalAccessTokens:         {"get_personal_access_tokens", CodeRead, OpNonReplicated},
	CodeCreatePersonalAccessToken:       {"create_personal_access_token", CodeReplicated, OpCreatePersonalAccessToken},
	CodeDeletePersonalAccessToken:       {"delete_personal_access_token", CodeReplicated, OpDeletePersonalAccessToken},
	CodeLoginWithPersonalAccessToken:    {"login_with_personal_access_token", CodeLegacyLogin, OpNonReplicated},
	CodeRegisterWithPersonalAccessToken: {"register_with_personal_access_token", CodeSession, OpRegister},
	CodePollMessages:                    {"poll_messages", CodeRead, OpNonReplicated},
	CodeSendMessages:                    {"send_messages", CodeReplicated, OpSendMessages},
	CodeFlushUnsavedBuffer:              {"flush_unsaved_buffer", CodeRead, OpNonReplicated},
	CodeGetPollRouting:                  {"get_poll_routing", CodeRead, OpNonReplicated},
	CodePollMessagesOnPrimary:           {"poll_messages_on_primary", CodeRead, OpNonReplicated},
	CodeGetConsumerOffset:               {"get_consumer_offset", CodeRead, OpNonReplicated},
	CodeStoreConsumerOffset:             {"store_consumer_offset", CodeReplicated, OpStoreConsumerOffset},
	CodeDeleteConsumerOffset:            {"delete_consumer_offset", CodeReplicated, OpDeleteConsumerOffset},
	CodeGetConsumerOffsetRouting:        {"get_consumer_offset_routing", CodeRead, OpNonReplicated},
	CodeGetStream:                       {"get_stream", CodeRead, OpNonReplicated},
	CodeGetStreams:                      {"get_streams", CodeRead, OpNonReplicated},
	CodeCreateStream:                    {"create_stream", CodeReplicated, OpCreateStream},
	CodeDeleteStream:                    {"delete_stream", CodeReplicated, OpDeleteStream},
	CodeUpdateStream:                    {"update_stream", CodeReplicated, OpUpdateStream},
	CodePurgeStream:                     {"purge_stream", CodeReplicated, OpPurgeStream},
	CodeGetTopic:                        {"get_topic", CodeRead, OpNonReplicated},
	CodeGetTopics:                       {"get_topics", CodeRead, OpNonReplicated},
	CodeCreateTopic:                     {"create_topic", CodeReplicated, OpCreateTopic},
	CodeDeleteTopic:                     {"delete_topic", CodeReplicated, OpDeleteTopic},
	CodeUpdateTopic:                     {"update_topic", CodeReplicated, OpUpdateTopic},
	CodePurgeTopic:                      {"purge_topic", CodeReplicated, OpPurgeTopic},
	CodeCreatePartitions:                {"create_partitions", CodeReplicated, OpCreatePartitions},
	CodeDeletePartitions:                {"delete_partitions", CodeReplicated, OpDeletePartitions},
	CodeDeleteSegments:                  {"delete_segments", CodeReplicated, OpDeleteSegments},
	CodeGetConsumerGroup:                {"get_consumer_group", CodeRead, OpNonReplicated},
	CodeGetConsumerGroups:               {"get_consumer_groups", CodeRead, OpNonReplicated},
	CodeCreateConsumerGroup:             {"create_consumer_group", CodeReplicated, OpCreateConsumerGroup},
	CodeDeleteConsumerGroup:             {"delete_consumer_group", CodeReplicated, OpDeleteConsumerGroup},
	CodeJoinConsumerGroup:               {"join_consumer_group", CodeReplicated, OpJoinConsumerGroup},
	CodeLeaveConsumerGroup:              {"leave_consumer_group", CodeReplicated, OpLeaveConsumerGroup},
	CodeSyncConsumerGroup:               {"sync_consumer_group", CodeRead, OpNonReplicated},
}

func (c Code) info() codeInfo {
	if int64(c) < int64(len(codes)) {
		return codes[c]
	}
	return codeInfo{}
}

// Kind tells what becomes of c in an OpNonReplicated request.
func (c Code) Kind() CodeKind { return c.info().kind }

// Operation is the operation a client sends c with, 0 for a code that does not exist.
func (c Code) Operation() Operation { return c.info().op }

// String returns the name in snake_case, or "code_N".
func (c Code) String() string {
	if name := c.info().name; name != "" {
		return name
	}
	return "code_" + strconv.FormatUint(uint64(c), 10)
}

package wire

import "strconv"

// Operation selects the handler of a request. Source: protocol.md, 3.
type Operation uint8

// The operations clients send, then those that only a reply carries.
const (
	OpRegister                  Operation = 1
	OpNonReplicated             Operation = 2 // the request header names a Code
	OpLogout                    Operation = 3
	OpCreateStream              Operation = 128
	OpUpdateStream              Operation = 129
	OpDeleteStream              Operation = 130
	OpPurgeStream               Operation = 131
	OpCreateTopic               Operation = 132
	OpUpdateTopic               Operation = 133
	OpDeleteTopic               Operation = 134
	OpPurgeTopic                Operation = 135
	OpCreatePartitions          Operation = 136
	OpDeletePartitions          Operation = 137
	OpDeleteSegments            Operation = 138
	OpCreateConsumerGroup       Operation = 139
	OpDeleteConsumerGroup       Operation = 140
	OpCreateUser                Operation = 141
	OpUpdateUser                Operation = 142
	OpDeleteUser                Operation = 143
	OpChangePassword            Operation = 144
	OpUpdatePermissions         Operation = 145
	OpCreatePersonalAccessToken Operation = 146
	OpDeletePersonalAccessToken Operation = 147
	OpJoinConsumerGroup         Operation = 148
	OpLeaveConsumerGroup        Operation = 149
	OpSendMessages              Operation = 160
	OpStoreConsumerOffset       Operation = 161
	OpDeleteConsumerOffset      Operation = 162

	OpCreateTopicWithAssignments      Operation = 64 // the reply to OpCreateTopic
	OpCreatePartitionsWithAssignments Operation = 65 // the reply to OpCreatePartitions
	OpTruncatePartition               Operation = 68 // the reply to OpDeleteSegments
)

// Plane tells how an operation is ordered.
type Plane uint8

const (
	PlaneNone          Plane = iota // no such request
	PlaneSession                    // register and logout
	PlaneNonReplicated              // reads and ping
	PlaneMetadata                   // numbered, deduplicated, in log order
	PlanePartition                  // belongs to one partition, not deduplicated
)

// operationInfo describes one operation. An entry without a name is no operation.
type operationInfo struct {
	name   string
	code   Code
	plane  Plane
	framed bool      // a successful or rejected reply body starts with a result section
	reply  Operation // the reply's operation where it differs from the request's
}

var operations = [256]operationInfo{
	OpRegister:                  {name: "register", code: CodeRegister, plane: PlaneSession, framed: true},
	OpNonReplicated:             {name: "non_replicated", plane: PlaneNonReplicated},
	OpLogout:                    {name: "logout", code: CodeLogout, plane: PlaneSession},
	OpCreateStream:              {name: "create_stream", code: CodeCreateStream, plane: PlaneMetadata, framed: true},
	OpUpdateStream:              {name: "update_stream", code: CodeUpdateStream, plane: PlaneMetadata, framed: true},
	OpDeleteStream:              {name: "delete_stream", code: CodeDeleteStream, plane: PlaneMetadata, framed: true},
	OpPurgeStream:               {name: "purge_stream", code: CodePurgeStream, plane: PlaneMetadata, framed: true},
	OpCreateTopic:               {name: "create_topic", code: CodeCreateTopic, plane: PlaneMetadata, framed: true, reply: OpCreateTopicWithAssignments},
	OpUpdateTopic:               {name: "update_topic", code: CodeUpdateTopic, plane: PlaneMetadata, framed: true},
	OpDeleteTopic:               {name: "delete_topic", code: CodeDeleteTopic, plane: PlaneMetadata, framed: true},
	OpPurgeTopic:                {name: "purge_topic", code: CodePurgeTopic, plane: PlaneMetadata, framed: true},
	OpCreatePartitions:          {name: "create_partitions", code: CodeCreatePartitions, plane: PlaneMetadata, framed: true, reply: OpCreatePartitionsWithAssignments},
	OpDeletePartitions:          {name: "delete_partitions", code: CodeDeletePartitions, plane: PlaneMetadata, framed: true},
	OpDeleteSegments:            {name: "delete_segments", code: CodeDeleteSegments, plane: PlaneMetadata, reply: OpTruncatePartition},
	OpCreateConsumerGroup:       {name: "create_consumer_group", code: CodeCreateConsumerGroup, plane: PlaneMetadata, framed: true},
	OpDeleteConsumerGroup:       {name: "delete_consumer_group", code: CodeDeleteConsumerGroup, plane: PlaneMetadata, framed: true},
	OpCreateUser:                {name: "create_user", code: CodeCreateUser, plane: PlaneMetadata, framed: true},
	OpUpdateUser:                {name: "update_user", code: CodeUpdateUser, plane: PlaneMetadata, framed: true},
	OpDeleteUser:                {name: "delete_user", code: CodeDeleteUser, plane: PlaneMetadata, framed: true},
	OpChangePassword:            {name: "change_password", code: CodeChangePassword, plane: PlaneMetadata, framed: true},
	OpUpdatePermissions:         {name: "update_permissions", code: CodeUpdatePermissions, plane: PlaneMetadata, framed: true},
	OpCreatePersonalAccessToken: {name: "create_personal_access_token", code: CodeCreatePersonalAccessToken, plane: PlaneMetadata, framed: true},
	OpDeletePersonalAccessToken: {name: "delete_personal_access_token", code: CodeDeletePersonalAccessToken, plane: PlaneMetadata, framed: true},
	OpJoinConsumerGroup:         {name: "join_consumer_group", code: CodeJoinConsumerGroup, plane: PlaneMetadata, framed: true},
	OpLeaveConsumerGroup:        {name: "leave_consumer_group", code: CodeLeaveConsumerGroup, plane: PlaneMetadata, framed: true},
	OpSendMessages:              {name: "send_messages", code: CodeSendMessages, plane: PlanePartition},
	OpStoreConsumerOffset:       {name: "store_consumer_offset", code: CodeStoreConsumerOffset, plane: PlanePartition, framed: true},
	OpDeleteConsumerOffset:      {name: "delete_consumer_offset", code: CodeDeleteConsumerOffset, plane: PlanePartition, framed: true},

	OpCreateTopicWithAssignments:      {name: "create_topic_with_assignments", framed: true},
	OpCreatePartitionsWithAssignments: {name: "create_partitions_with_assignments", framed: true},
	OpTruncatePartition:               {name: "truncate_partition", framed: true},
}

// Valid reports whether a client may send op.
func (op Operation) Valid() bool { return operations[op].plane != PlaneNone }

// Plane tells how op is ordered; PlaneNone for what a client may not send.
func (op Operation) Plane() Plane { return operations[op].plane }

// Metadata reports whether op is numbered, deduplicated and applied in log order (128..149).
func (op Operation) Metadata() bool { return operations[op].plane == PlaneMetadata }

// Partition reports whether op belongs to one partition (160..162).
func (op Operation) Partition() bool { return operations[op].plane == PlanePartition }

// Framed reports whether a reply that carries op and status 0 starts with a result section. It is the
// reply's operation that counts: OpDeleteSegments is not framed, its reply OpTruncatePartition is.
// A reply to OpRegister is framed unless its body is empty.
func (op Operation) Framed() bool { return operations[op].framed }

// ReplyOperation is what the reply to op carries: op itself, save for three substitutions. The one of
// OpDeleteSegments is needed, because a client would not strip the result section without it.
func (op Operation) ReplyOperation() Operation {
	if reply := operations[op].reply; reply != 0 {
		return reply
	}
	return op
}

// Code is the command code of op; 0 for OpNonReplicated and for what a client may not send.
// OpRegister gives CodeRegister for both kinds of credentials.
func (op Operation) Code() Code { return operations[op].code }

// String returns the name in snake_case, or "operation_N".
func (op Operation) String() string {
	if name := operations[op].name; name != "" {
		return name
	}
	return "operation_" + strconv.Itoa(int(op))
}

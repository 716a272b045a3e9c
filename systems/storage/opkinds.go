package storage

import "galgo/components"

// What an operation in flight is for.
const (
	OpAccept components.OpKind = iota + 1
	OpRecvStart
	OpRecvRest
	OpQuickAck
	OpSend
	OpShutdown
	OpCloseConn
	OpRefuse
	OpOpenLog
	OpAllocate
	OpTruncate
	OpSyncDir
	OpSyncNames
	OpWriteHead
	OpRename
	OpOpenIndex
	OpCloseFile
	OpWriteLog
	OpWriteIndex
	OpSyncLog
	OpWriteVoucher
	OpReadTail
	OpReadIndex
	OpReadLog
	OpRetire
	OpShrink
	OpFill
	OpJob
	OpFreeSpace
	OpControlOpen
	OpControlSyncDir
	OpControlWrite
	OpControlClose
	OpOffsetsWrite
	OpOffsetsRewrite
	OpOffsetsClose
)

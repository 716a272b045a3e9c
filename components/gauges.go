package components

import "sync/atomic"

// Gauges are the process's own numbers: any shard adds, GET_STATS and GET_SNAPSHOT read.
type Gauges struct {
	Connections   atomic.Int64  // open now
	Sessions      atomic.Int64  // bound now
	BytesRead     atomic.Uint64 // from partition files
	BytesWritten  atomic.Uint64 // to partition files
	Appended      atomic.Uint64 // messages since the start
	Faulted       atomic.Int64  // partitions in phase Faulted
	CutBytes      atomic.Uint64 // cut from torn tails at recovery
	LoginsRefused atomic.Uint64
	ReadOnly      atomic.Bool // metadata cannot be changed: the control log failed
}

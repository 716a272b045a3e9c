// Package state is the systems that decide: functions of *components.State that read facts and requests, change State, and leave orders and
// replies. They do no I/O, read no clock, and never wait: what cannot go on now keeps its place until a later tick.
//
// Where to look, in the order of a tick (systems/schedule.go has it in full):
//
//   - Connections: connections.go, login.go, sessions.go; their requests find their way in route.go.
//   - Metadata: shard 0 decides in control_decide.go by one command for each operation (decide_*.go), has it logged (control_write.go) and
//     published (control_publish.go); every shard applies it (apply_events.go); shard 0 answers (control_answer.go). Reads of metadata are answered
//     by any shard (describe_*.go).
//   - Messages: append.go puts batches into the journal, seal.go closes what is to be written, written.go acknowledges what was, marks.go has it indexed.
//     poll.go answers from memory (poll_hot.go) or from disk (poll_cold.go, read_ahead.go).
//   - Stored offsets: offsets.go. Groups: group_*.go. Removal: truncate.go, purge.go, partitions.go.
//
// Words: a partition is doomed when the catalog does not have it any more and its row stays for what is in flight; faulted when its storage has
// failed, and it is only read. A voucher says that a log is synced up to a position. To seal is to settle which bytes the next write covers.
//
// What it leaves to others: bytes and descriptors (systems/storage), the order of the systems and the way between shards (systems).
//
// The one invariant to keep in mind: acknowledged is visible, and visible is acknowledged, at the level that the topic promises. A partition's
// watermarks move in TakeWrites and AppendBatches, and nowhere else does a message become readable.
package state

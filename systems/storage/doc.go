// Package storage is the systems that do I/O: functions that read State through a view, own the components.Storage tables, and push to the ring.
// What an operation found out goes back to the state systems as a fact. Beside them stand the blocking parts of a start and of tools: opening a
// data directory, loading the control log and the offset logs, recovering partitions, repair.
//
// Where to look:
//
//   - Reap (reap.go) is where each operation in flight meets its completion; opkinds.go lists what they are for.
//   - Sockets: accept.go, receive.go, send.go, close.go.
//   - Logs: make.go and files.go make and grow them, write.go writes them, index.go writes indexes and vouchers, cold.go reads. Files that are not
//     needed any more go into the pool or away: pool_*.go. space.go keeps free room on the disk.
//   - Control log and offset logs: control_write.go, control_snapshot.go, offsets_write.go.
//   - A start: datadir.go, control_load.go, offsets_load.go, recover_*.go. repair.go cuts what recovery calls damaged.
//
// Words: an in-flight slot is an operation that the kernel has; its number is in the completion's token. A record is a batch with its seal, as it
// lies in a segment. A torn tail is what a crash left of the last write, and is cut; damage is bad bytes that were safe once, and stays, faulted.
// What the files look like is drawn in wire/files_doc.go.
//
// What it leaves to others: every decision. No function here gets a *components.State.
//
// The one invariant to keep in mind: from the push of an operation to its last completion its memory, its descriptor and its slot stay as they
// are, whatever happens to the partition or the connection meanwhile.
package storage

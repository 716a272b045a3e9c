// Package systems puts the engine together: the world of a shard, the order in which its systems run (schedule.go), and the mailboxes between
// shards. What the systems do is in systems/state (decide; write State; no I/O) and systems/storage (do I/O; write Storage;
// push to the ring).
//
// A tick is one pass through the schedule. It reads no clock, allocates nothing on the data path and never blocks: the same world, mailboxes,
// completions and time give the same result.
package systems

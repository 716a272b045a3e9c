// Package systems puts the engine together: the world of a shard, the order in which its systems run (schedule.go), the mailboxes between shards
// (mail.go), and plugins, which look at finished ticks and ask for what a client could ask for (plugin.go; retention.go is one). What the systems do is
// in systems/state (decide; write State; no I/O) and systems/storage (do I/O; write Storage; push to the ring).
//
// Words: a tick is one pass through the schedule; a stage is a part of it whose systems see the same facts; mail is what a tick has for other shards.
// A tick reads no clock, allocates nothing on the data path and never blocks: the same world, mailboxes, completions and time give the same result.
//
// What it leaves to others: who runs the ticks, and what is in the world before the first (systems/engine).
//
// The one invariant to keep in mind: between two systems nothing else runs. What a system finds true when it begins stays true until it returns, so
// there is no lock to forget.
package systems

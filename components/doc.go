// Package components is the tables of a shard: State, which state systems change, Storage, which storage systems change, and the views through
// which others read State. It holds data and its invariants. What is to be done with them is for the systems to say; it knows neither the ring nor
// the network.
//
// Words:
//
//   - The catalog is all metadata, of which every shard applies the same events. A partition's row in Catalog is there on every shard, its row in
//     Partitions on the one that owns it.
//   - A request goes from a connection's home shard to a partition's owner or to shard 0, a reply comes back, and reports tell shard 0 how far a
//     shard is (messages.go). Within a shard, orders go from the state systems to the storage systems, and facts come back (exchange.go).
//   - The journal is the newest part of each log, in memory: runs of memory, cut into extents, each of them a piece of a segment as it lies in the
//     file (journal.go). A block is an answer that is ready to be sent; it may point into the journal (blocks.go).
//   - A span is a piece of a slab. A shard's arena hands out units of 4 KiB in chunks of 64, and all arenas share one budget (memory.go, arena.go).
//   - The printer shows all this as text, the same for galgo-dump, tick scripts and golden files (dump.go).
//
// Shards share what Shared holds, and the events, plans and frames that are immutable once they are made; everything else belongs to one shard.
//
// The one invariant to keep in mind: a State is changed within a tick and in memory only. Who gets a StateView gets values by row, never a slice,
// and can change nothing.
package components

// Package sim is a uring.Host that simulates what stands behind a ring: kernel, disk, network and clock. It takes the very entries that
// shards fill, and everything it decides follows from one seed: two runs of the same program with the same seed do the same, which
// World.Hash proves.
//
// Words: a World is the machine and the network around it; it outlives processes. A Kernel is the Host of one process: World.Boot makes it,
// World.Kill ends it as SIGKILL does, World.PowerCut ends the machine under it. A Peer is a socket outside of the machine, where simulated
// clients sit. An event happens at a virtual time; time passes only by going to the next event, and by a little with each step.
//
// A World runs in one goroutine, in one of two ways:
//
//   - Blocking: a blocking Enter lets time pass until the shard has a completion. For tests of one shard at a time.
//   - Stepping: a blocking Enter only notes that the shard sleeps, and until when, and returns. World.Step runs one thing that can run, chosen
//     by the seed: the tick of a shard that is awake, or an event that is due.
//
// What a program owes the kernel is checked. The bytes of a write or send are hashed when it starts and when it completes, and a change in
// between panics; memory that waits for bytes is filled with poison meanwhile, and so are provided buffers once they are handed over. An
// address outside of every slab panics.
//
// The disk holds two states of everything: what a reader sees now, and what is known to be durable, with the changes between them in order.
// A sync, or a write that asks for it, makes changes durable; a power cut keeps, loses or tears the others sector by sector. A name is
// durable once its directory was synced: syncing the file is not enough. A move between two directories happens in whole or not at all,
// and is durable once both were synced.
//
// What goes wrong is set in Faults, at any time, and is counted and traced. A sleeping shard is roused by a wake, a completion or its time;
// what somebody put in its mailbox without waking it stays there.
//
// The one invariant to keep in mind: nothing here may depend on the order of a map, on an address or on real time.
package sim

// Package portable is a uring.Host by ordinary system calls, for kernels and containers without io_uring. It executes the same submission
// entries and passes the same conformance suite; it is slower, no more.
//
// How an entry runs depends on what it touches:
//
//   - Sockets: the call is tried at submission, without blocking. What is not ready waits in its descriptor's line, and one epoll set of the
//     shard, registered edge-triggered once for each descriptor, says when to try again.
//   - Files: a small pool of goroutines, shared by all shards, makes the call, so that a slow disk stops no socket. Several writes of one
//     shard run beside each other.
//   - Times: a heap, looked at with every Enter, that bounds how long the shard sleeps.
//
// Words: an operation is an entry that has been taken and is not done; a line holds the operations that wait for one direction of a
// descriptor, in order; a job is a file operation in the pool; arrivals are what other goroutines bring to a shard (jobs done, messages,
// notes of closed descriptors).
//
// A sleeping shard sits in epoll_wait and nowhere else; nothing polls by the clock. Where the words of a queue stand and what they mean is
// uring's; what entries mean is Linux's own (io_uring_enter(2)), with one addition: a close first completes what waits on the descriptor
// with ECANCELED and lets jobs on it end, so nothing ever touches a number's next owner.
//
// The one invariant to keep in mind: everything of a shard but its arrivals, its parking and its counters in the descriptor table belongs to
// the shard's thread.
package portable

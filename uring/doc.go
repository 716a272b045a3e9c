// Package uring is an io_uring binding in liburing's vocabulary, with a seam in the middle: the Ring fills submission entries in plain
// memory and reads completions from plain memory, and everything that touches the operating system stands behind a Host.
//
// Words: an Entry is an io_uring_sqe; a Completion is an io_uring_cqe; to push is to queue an entry, to submit is to hand the queued
// entries over, to reap is to take completions out. A Token is user_data. A Slab is memory off the Go heap; an Addr points into one.
// A shard is a goroutine locked to its OS thread that owns one Ring for life.
//
// Every address in an entry (buffers, paths, vectors, message headers, times) is an Addr inside a Slab of the same Host, never a Go
// pointer: the collector does not look inside rings and goroutine stacks move.
//
// The package leaves to its callers what a token means, who owns which bytes of a slab, and what to do about an error in a completion.
//
// The one invariant to keep in mind: from Push to the entry's last completion (the one without FlagMore) the memory it names belongs to
// the host, and the descriptor it names stays open.
package uring

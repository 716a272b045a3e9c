// Package conformance is the test suite that every uring.Host passes: what an entry does, what its completion says, and what Host promises.
// It uses nothing but Ring and Host, so that one suite judges the kernel, the portable host and the simulation alike.
//
// Tests whose names begin with concurrent_ run shards and goroutines beside each other; a host that lives in one goroutine skips them in its
// newHost, by t.Name().
package conformance

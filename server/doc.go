// Package server wires the engine to the world: configuration, placement, the data directory, the shards' threads, the listener, logging. It is
// the one place that knows everything, and the door for embedding: Start runs a server inside another program, Run is what the
// binary does.
//
// The one invariant to keep in mind: the address is bound and the directory is locked before anything on disk is touched, and nobody is accepted
// before everything is recovered. A start that fails for want of the address leaves no trace.
package server

// Package server wires the engine to the world: configuration, placement, the data directory, the shards' threads, the listener, logging. It is
// the one place that knows everything, and the door for embedding: Start runs a server inside another program, Run is what the
// binary does.
package server

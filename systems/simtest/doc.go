// Package simtest runs the engine in a simulated world: the production recovery, schedule and ticks of all shards over uring/sim, clients
// that speak the protocol, crashes, restarts with another number of shards, and a check of what was promised.
//
// A process is one life of the server, a client is a connection outside of it. One seed decides everything, and `go test -run Seeds -seed 7
// -seeds 1` plays one of them again.
//
// The one invariant to keep in mind: a message that was acknowledged at a level is there after every crash that the level survives, at the
// offset that was told, with its bytes, and no offset below it is missing.
package simtest

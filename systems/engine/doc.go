// Package engine puts a server's shards together on a Host: it recovers the data directory, makes the worlds, gives each what is on disk, and
// then turns them. The server does that on threads, a simulation in one goroutine; what happens is the same.
//
// Recover reads the directory and returns an Engine whose shards do not run yet. Each Shard is then set up, turned until it has ended, and
// torn down, all by the one who runs it. Where the address, the memory and the threads come from is left to the caller.
//
// The one invariant to keep in mind: nothing is accepted before every partition and every stored offset has its owner.
package engine

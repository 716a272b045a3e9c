// Package logging writes log lines: for people on a terminal, as JSON elsewhere and in files that rotate.
//
// Open makes the Log that everything outside the shards uses. A shard must not wait for a disk or a pipe, so it uses a *ring*: a
// bounded queue of *records*, which one writer goroutine hands to the Log. A full ring drops the record and counts it; the writer
// says how many were lost once there is room.
//
// A password that the server makes up for the root user is printed to standard error by the server itself. It must never come
// through here: log files are kept, shipped and read by others.
//
// The invariant to keep in mind: Ring.Log neither blocks nor allocates, whatever happens behind it.
package logging

// Package simtest runs the engine in a simulated world: the production recovery, schedule and ticks of all shards over uring/sim, clients
// that speak the protocol, faults of disk, network and time, crashes, restarts with another number of shards, and a check of what was
// promised. One seed decides everything.
//
// Words: a play is a seed's history. It has lives of the server with crashes between them; in a life there is weather, which is what goes
// wrong, and actors, who ask for one thing after the other. What they ask for comes in families: a file for each, which registers it and
// judges the answers. A new command is a new file, and one that no actor sends fails a test (commands_test.go).
//
// What is known is kept beside that: messages and offsets of topics that stay (messages_test.go, offset_test.go), what each actor's own topic
// holds, from which message on (successor_test.go; its kind in kind_test.go says when segments go: removal_test.go, retention_test.go), and
// histories of metadata for which an order has to exist that explains every answer (history_test.go; catalog_test.go and account_test.go have
// the models). Answers that never came, and storage errors, leave open whether something happened; the next life shows it, once.
//
// `just sim SEED` plays a seed. One that fails is made small, and its story is told.
//
// BenchmarkRequests says how fast that is. What bounds it are bytes: the few requests that fill segments, of 1 MiB at least, move nearly all of them,
// and each byte is copied some ten times on its way from a client to the durable disk and summed up four times, to see that nobody changes
// it meanwhile. Without those requests four times as many fit into a second; then nearly half of the time are the ticks of the shards.
//
// The one invariant to keep in mind: what was acknowledged at a level is there after every crash that the level survives, and nothing comes
// back that a client was told is gone.
package simtest

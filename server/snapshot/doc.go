// Package snapshot collects what helps to find out what is wrong with a server, packed into a ZIP file: the answer to GET_SNAPSHOT.
// It has nothing to do with the snapshots of a control log.
//
// Words: a *section* is one entry of the file, a text; a *collection* is the making of one file. Sections are named by
// wire.SnapshotType.
//
// A collection reads directories and files, takes seconds, and is run by a worker, never by a shard. One runs at a time.
//
// The invariant to keep in mind: no secret gets in. Of processes it names the program and never the command line, of the configuration it
// shows what `galgo config` shows, and it reads no file of the data directory but the logs.
package snapshot

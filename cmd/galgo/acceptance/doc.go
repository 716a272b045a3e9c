// Package acceptance tests the galgo binary from outside: it builds it, starts it on empty directories and free ports, talks to it
// over real sockets, ends it by signals, and starts it again. It holds tests only.
//
// Words. A server is one process of the binary; a restart is another process on the same directory. An acknowledged message is
// one whose send was answered with success. A span is a run of lines that one line of produce's report names.
//
// What it leaves to others: what one package promises is tested beside that package; here is what a user can see.
//
// The invariant to keep in mind: tests wait for events (a line of output, a reply, the end of a process), never for time to pass.
//
// The binary is built with the build tags of the tests, `invariants` and the race detector included. ACCEPTANCE_PYTHON names a Python
// interpreter that has the package apache-iggy; without it the test of that client is skipped, or fails where CI is true. ACCEPTANCE_IO
// sets the key io of the servers.
//
// TestCrash kills servers at random moments, and at those that chance seldom hits: changes of names in the directory. -crash.rounds says how
// often; what failed keeps its directory and says where. Tests of full disks and power cuts mount filesystems that are in files, which takes root; what
// they miss they say when they are skipped. -crash.cuts says how many power cuts there are.
package acceptance

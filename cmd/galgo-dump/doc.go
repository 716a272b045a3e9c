// Command galgo-dump prints what a data directory holds: tables, events, segments, offset logs. It reads and never writes, takes no lock, and works
// beside a running server, whose files may change under it. The exception is repair, which cuts damaged partitions and holds the lock.
//
// What is printed is for people and for tests: the printer is that of tick scripts and golden files. Whatever goes wrong is one line on standard
// error that begins with `galgo-dump:`, and the exit code is 1; where files are damaged, what is good is printed first.
package main

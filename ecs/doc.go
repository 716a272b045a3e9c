// Package ecs holds the plain parts that an engine of tables is made of: entities, rows, columns, bounded
// queues, bitsets, and a schedule of systems. It knows no domain: what an entity stands for, and what a
// column says about it, is the business of the packages above.
//
// # Words
//
// An [Entity] is an ID with a generation, given out by [Entities]; it may be kept. A row is the place of an
// entity in one table ([Rows]); it is good for one system call. A column is a slice indexed by row, and the
// columns of a table grow together ([Grow]). [Bits] is a set of rows, [Queue] a bounded first-in first-out
// ring, and [Lines] one such line per row over a shared pool. [Text] keeps names without pointers, [Names]
// finds rows by them. [SPSC] carries values between two threads. A system is a function, and [Schedule] runs
// systems stage by stage in the order in which they were added. A [Budget] says how much of a tick is left.
//
// # What it leaves to others
//
// Nothing here reads a clock, starts a goroutine, takes a lock or does I/O. Except for [SPSC], a value belongs
// to one goroutine at a time. There is no registry and no reflection: tables are structs known at compile time.
//
// # Full and wrong
//
// Sizes are settled at set-up. Where full is an answer a method says so with a bool; where the caller had to
// make sure of room first, full is a bug and panics with the values. Queues, lines, bitsets and rows do not
// allocate once they have reached their size. Sets in roaring bitmaps ([IDs], [Entities]) do when they change:
// they are for what is large and changes seldom.
//
// # The invariant to keep in mind
//
// A row does not move while its entity is in the table, and an entity of another generation never finds it.
package ecs

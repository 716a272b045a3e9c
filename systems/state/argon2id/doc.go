// Package argon2id is argon2id of golang.org/x/crypto in memory that is lent to it.
//
// argon2.IDKey makes its memory anew each time, which on a server that hashes passwords one after another is most of what the collector has to do,
// and pages new to the process for each. The package offers no other way in, and its compression function, in assembler, is not exported. So its
// steps are reached by their names: the same code, on other memory. Those names and their arguments are not promised to stay. A name that is gone
// does not link; arguments that are others give other keys, and the test compares them with IDKey's.
//
// The invariant to keep in mind: Key(scratch, ...) is argon2.IDKey(...), whatever is in scratch.
package argon2id

// Package echobench compares echo servers: each runs in a process of its own, the client in another, and they are measured in turns, so that
// what else the machine does falls on all of them alike. The ratio of the medians is what counts; the rates are those of the machine and the day.
//
// The processes are the test binary itself, told by the environment what to be: a package that compares calls Main in its TestMain.
package echobench

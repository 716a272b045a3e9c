// Command galgo is the server and its tools. `galgo serve` runs a server, and `galgo config` shows the configuration that serve would take and where
// each value comes from: these are flags, signals and one call into package server. `galgo produce` and `galgo consume` are clients, written here over
// package wire/client: they send lines of files as messages and print messages, and say exactly what was acknowledged.
//
// Whatever goes wrong is one line on standard error that begins with `galgo:`, and the exit code is 1.
package main

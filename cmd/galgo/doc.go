// Command galgo is the server and its tools: `galgo serve` runs a server, `galgo config` shows the configuration that serve would
// take and where each value comes from. It is flags, signals and one call into the packages that do the work.
//
// Whatever goes wrong is one line on standard error that begins with `galgo:`, and the exit code is 1.
package main

// Package client is a small blocking TCP client of the protocol in package wire, for the command line and for tests.
//
// Words. A request is one frame out; its reply is the one frame back. A request is refused when the server says so with a
// status, and broken when the connection or the protocol failed under it: then nobody knows whether the server
// executed it, the connection is over, and every later request returns the same error. Nothing is ever sent twice.
//
// What it leaves to others: TLS, reconnecting, following cluster metadata to another node. Raw reaches what has no method.
//
// The invariant to keep in mind: a client has one request under way. It is not safe for concurrent use, save Close.
// Slices in an answer alias the client's buffer and are good until the next request.
package client

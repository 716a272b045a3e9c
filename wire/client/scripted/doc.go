// Package scripted is a server for tests of clients: it reads requests from a loopback socket with the codecs of package
// wire and answers what the test's script says. It keeps no streams and knows no rules; what a real server does is tested
// with a real server.
package scripted

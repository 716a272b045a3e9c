package server

import "runtime/debug"

// Version is what the server calls itself to clients: the release of the protocol's server that it stands in for.
const Version = "0.9.0"

// release is set by the build with -ldflags "-X galgo/server.release=1.2.3".
var release string

// BuildVersion is the release of galgo, or what the build knows of its source.
func BuildVersion() string {
	if release != "" {
		return release
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// Package baseline measures what a Host does bare, with nothing of a server around it: frames in, frames out, blocks to disk, echoes. Its
// numbers stand beside a server's in one run, since a machine's own drift by more than what is being compared.
//
// Rates are megabytes (1e6 bytes) per second. Every function sets up shard 0 of the host it is given on a thread of its own and tears it
// down, so nothing else of that host may use the shard meanwhile.
package baseline

const (
	frameSize  = 1 << 20 // bytes of a frame and of a write
	sendFrames = 256     // frames that Send sends in turn
	firstCount = 64      // provided buffers that take the first bytes of a frame
	firstSize  = 8192    // bytes of each
)

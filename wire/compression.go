package wire

// Compression is what a topic's producers and consumers agreed on; a server stores and echoes it.
type Compression uint8

const (
	CompressionNone Compression = 1
	CompressionGzip Compression = 2
)

// String is the name options carry.
func (c Compression) String() string {
	if c == CompressionGzip {
		return "gzip"
	}
	return "none"
}

// Limits that mean none at all.
const (
	Never     uint64 = 1<<64 - 1 // of an expiry
	Unlimited uint64 = 1<<64 - 1 // of a size
)

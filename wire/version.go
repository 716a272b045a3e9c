package wire

// ProtocolVersion is the version spoken, 0.11.0, packed as major<<20 | minor<<10 | patch. ProtocolVersionMin is the
// lowest accepted: the same with patch 0. Source: protocol.md, 4.2.
const (
	ProtocolVersion    uint32 = 11 << 10
	ProtocolVersionMin uint32 = ProtocolVersion &^ (1<<10 - 1)
)

// AcceptsProtocol is the version gate: any patch of this minor version, from ProtocolVersionMin on.
func AcceptsProtocol(client uint32) bool {
	return client >= ProtocolVersionMin && client>>10 <= ProtocolVersion>>10
}

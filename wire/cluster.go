package wire

import "encoding/binary"

// NodeRole is what a node does in its cluster.
type NodeRole uint8

const (
	NodeLeader   NodeRole = 0
	NodeFollower NodeRole = 1
)

// NodeStatus is how a node is.
type NodeStatus uint8

const (
	NodeHealthy     NodeStatus = 0
	NodeStarting    NodeStatus = 1
	NodeStopping    NodeStatus = 2
	NodeUnreachable NodeStatus = 3
	NodeMaintenance NodeStatus = 4
	NodeUnknown     NodeStatus = 5
)

// The names a server without a cluster goes by; clients take any other cluster name for a cluster.
const (
	SingleClusterName = "single-node"
	SingleNodeName    = "iggy-node"
)

// ClusterNode is one node in an answer. Source: protocol.md, 8.11.
//
//	| name str32 | ip str32 | tcp u16 | quic u16 | http u16 | websocket u16 | role u8 | status u8 |
type ClusterNode struct {
	Name      string
	IP        string // address or host name, as clients can dial it
	TCP       uint16 // port; 0 for a transport that does not listen, here and below
	QUIC      uint16
	HTTP      uint16
	WebSocket uint16
	Role      NodeRole
	Status    NodeStatus
}

// AppendClusterNode appends the encoding of n.
func AppendClusterNode(dst []byte, n ClusterNode) []byte {
	dst = appendString32(appendString32(dst, n.Name), n.IP)
	for _, port := range [...]uint16{n.TCP, n.QUIC, n.HTTP, n.WebSocket} {
		dst = binary.LittleEndian.AppendUint16(dst, port)
	}
	return append(dst, byte(n.Role), byte(n.Status))
}

func (r *bodyReader) clusterNode() ClusterNode {
	n := ClusterNode{
		Name:      string(r.str32()),
		IP:        string(r.str32()),
		TCP:       r.u16(),
		QUIC:      r.u16(),
		HTTP:      r.u16(),
		WebSocket: r.u16(),
		Role:      NodeRole(r.u8()),
		Status:    NodeStatus(r.u8()),
	}
	if n.Role > NodeFollower || n.Status > NodeUnknown {
		r.bad = true
	}
	return n
}

// ClusterMetadata answers CodeGetClusterMetadata.
//
//	| name str32 | nodes_count u32 | node × nodes_count |
type ClusterMetadata struct {
	Name  string
	Nodes []ClusterNode // exactly one tells clients to stay where they are
}

// AppendClusterMetadata appends the encoding of m.
func AppendClusterMetadata(dst []byte, m ClusterMetadata) []byte {
	dst = appendString32(dst, m.Name)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(m.Nodes)))
	for _, n := range m.Nodes {
		dst = AppendClusterNode(dst, n)
	}
	return dst
}

// DecodeClusterMetadata reads a payload; ErrMalformed when it is not one, exactly.
func DecodeClusterMetadata(payload []byte) (ClusterMetadata, error) {
	r := bodyReader{src: payload}
	m := ClusterMetadata{Name: string(r.str32())}
	for count := r.u32(); count > 0 && !r.bad; count-- {
		m.Nodes = append(m.Nodes, r.clusterNode())
	}
	return m, r.errAtEnd()
}

package state

import (
	"galgo/components"
	"galgo/wire"
)

// describeCluster names this server as the only node, as the asking client can dial it. Source: protocol.md, 4.3 and 8.11.
func describeCluster(dst []byte, s *components.State, row int, _ []byte) ([]byte, wire.Status) {
	return wire.AppendClusterMetadata(dst, wire.ClusterMetadata{Name: wire.SingleClusterName, Nodes: []wire.ClusterNode{thisNode(s, row)}}), wire.StatusOK
}

func thisNode(s *components.State, row int) wire.ClusterNode {
	return wire.ClusterNode{Name: wire.SingleNodeName, IP: dialAddress(s, row), TCP: s.TCPAddress.Port(), QUIC: s.QUICPort, HTTP: s.HTTPPort,
		WebSocket: s.WebSocketPort, Role: wire.NodeLeader, Status: wire.NodeHealthy}
}

// dialAddress is where clients reach this server: where it was told, where it listens, or, if it listens everywhere, where the asking
// connection came in.
func dialAddress(s *components.State, row int) string {
	if s.AdvertisedAddress != "" {
		return s.AdvertisedAddress
	}
	bound := s.TCPAddress.Addr()
	if !bound.IsValid() || bound.IsUnspecified() {
		bound = s.Conns.Local[row].Addr()
	}
	return bound.Unmap().String()
}

func describeOptions(dst []byte, _ *components.State, _ int, body []byte) ([]byte, wire.Status) {
	scope, status := wire.DecodeDescribeOptions(body)
	if status != wire.StatusOK {
		return dst, status
	}
	return wire.AppendOptionCatalog(dst, scope), wire.StatusOK
}

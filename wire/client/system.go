package client

import "galgo/wire"

// get is a request that changes nothing: a code, a body, a payload.
func (c *Client) get(code wire.Code, frame []byte) ([]byte, error) {
	return c.exchange(wire.OpNonReplicated, code, frame, nil)
}

// decoded is what came of an answer: a payload that is none breaks the connection as a malformed frame does.
func decoded[T any](c *Client, code wire.Code, value T, err error) (T, error) {
	if err != nil {
		err = c.fail(code, err)
	}
	return value, err
}

// Ping asks for a sign of life; it needs no login.
func (c *Client) Ping() error {
	_, err := c.get(wire.CodePing, c.frame())
	return err
}

// Stats returns the server's counters.
func (c *Client) Stats() (wire.Stats, error) {
	payload, err := c.get(wire.CodeGetStats, c.frame())
	if err != nil {
		return wire.Stats{}, err
	}
	stats, err := wire.DecodeStats(payload)
	return decoded(c, wire.CodeGetStats, stats, err)
}

// Me returns what the server knows of this connection.
func (c *Client) Me() (wire.ClientDetails, error) {
	payload, err := c.get(wire.CodeGetMe, c.frame())
	if err != nil {
		return wire.ClientDetails{}, err
	}
	me, err := wire.DecodeClientDetails(payload)
	return decoded(c, wire.CodeGetMe, me, err)
}

// ClusterMetadata returns the nodes of the cluster.
func (c *Client) ClusterMetadata() (wire.ClusterMetadata, error) {
	payload, err := c.get(wire.CodeGetClusterMetadata, c.frame())
	if err != nil {
		return wire.ClusterMetadata{}, err
	}
	metadata, err := wire.DecodeClusterMetadata(payload)
	return decoded(c, wire.CodeGetClusterMetadata, metadata, err)
}

// DescribeOptions returns the option catalog of a scope.
func (c *Client) DescribeOptions(scope wire.OptionScope) ([]wire.OptionEntry, error) {
	payload, err := c.get(wire.CodeDescribeOptions, wire.AppendDescribeOptions(c.frame(), scope))
	if err != nil {
		return nil, err
	}
	catalog, err := wire.DecodeOptionCatalog(payload)
	return decoded(c, wire.CodeDescribeOptions, catalog, err)
}

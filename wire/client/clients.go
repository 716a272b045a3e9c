package client

import "galgo/wire"

// Client returns what the server knows of a connection; false when there is none of that number.
func (c *Client) Client(id uint32) (details wire.ClientDetails, found bool, err error) {
	payload, err := c.get(wire.CodeGetClient, wire.AppendGetClient(c.frame(), id))
	if err != nil || len(payload) == 0 {
		return details, false, err
	}
	details, err = wire.DecodeClientDetails(payload)
	details, err = decoded(c, wire.CodeGetClient, details, err)
	return details, err == nil, err
}

// Clients returns all connections by number.
func (c *Client) Clients() ([]wire.Client, error) {
	payload, err := c.get(wire.CodeGetClients, c.frame())
	if err != nil {
		return nil, err
	}
	list, err := wire.DecodeClients(payload)
	return decoded(c, wire.CodeGetClients, list, err)
}

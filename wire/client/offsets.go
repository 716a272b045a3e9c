package client

import "galgo/wire"

// StoreOffset stores the offset of the last message a consumer is done with.
func (c *Client) StoreOffset(key wire.OffsetKey, offset uint64) error {
	store := wire.StoreConsumerOffset{OffsetKey: key, Offset: offset, Ack: wire.AckQuorum}
	_, err := c.exchange(wire.OpStoreConsumerOffset, 0, wire.AppendStoreConsumerOffset(c.frame(), store), nil)
	return err
}

// Offset returns what a consumer stored; false when that is nothing.
func (c *Client) Offset(key wire.OffsetKey) (stored wire.StoredOffset, found bool, err error) {
	payload, err := c.get(wire.CodeGetConsumerOffset, wire.AppendOffsetKey(c.frame(), key))
	if err != nil || len(payload) == 0 {
		return stored, false, err
	}
	stored, err = wire.DecodeStoredOffset(payload)
	stored, err = decoded(c, wire.CodeGetConsumerOffset, stored, err)
	return stored, err == nil, err
}

// DeleteOffset forgets what a consumer stored.
func (c *Client) DeleteOffset(key wire.OffsetKey) error {
	forget := wire.DeleteConsumerOffset{OffsetKey: key, Ack: wire.AckQuorum}
	_, err := c.exchange(wire.OpDeleteConsumerOffset, 0, wire.AppendDeleteConsumerOffset(c.frame(), forget), nil)
	return err
}

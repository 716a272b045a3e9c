package client

import "galgo/wire"

// Stream returns a stream and its topics; false when there is none of that name.
func (c *Client) Stream(stream wire.Ident) (details wire.StreamDetails, found bool, err error) {
	payload, err := c.get(wire.CodeGetStream, wire.AppendIdent(c.frame(), stream))
	if err != nil || len(payload) == 0 {
		return details, false, err
	}
	details, err = wire.DecodeStreamDetails(payload)
	details, err = decoded(c, wire.CodeGetStream, details, err)
	return details, err == nil, err
}

// Streams returns all streams in ascending id.
func (c *Client) Streams() ([]wire.Stream, error) {
	payload, err := c.get(wire.CodeGetStreams, c.frame())
	if err != nil {
		return nil, err
	}
	list, err := wire.DecodeStreams(payload)
	return decoded(c, wire.CodeGetStreams, list, err)
}

// CreateStream makes a stream. A name that is taken is StatusStreamNameAlreadyExists.
func (c *Client) CreateStream(name string) (wire.StreamDetails, error) {
	frame := wire.AppendCreateStream(c.frame(), wire.CreateStream{Name: []byte(name)})
	payload, err := c.exchange(wire.OpCreateStream, 0, frame, nil)
	if err != nil {
		return wire.StreamDetails{}, err
	}
	details, err := wire.DecodeStreamDetails(payload)
	return decoded(c, wire.CodeCreateStream, details, err)
}

// UpdateStream gives a stream another name.
func (c *Client) UpdateStream(stream wire.Ident, name string) error {
	frame := wire.AppendUpdateStream(c.frame(), wire.UpdateStream{Stream: stream, Name: []byte(name)})
	_, err := c.exchange(wire.OpUpdateStream, 0, frame, nil)
	return err
}

// DeleteStream deletes a stream and all in it.
func (c *Client) DeleteStream(stream wire.Ident) error {
	_, err := c.exchange(wire.OpDeleteStream, 0, wire.AppendIdent(c.frame(), stream), nil)
	return err
}

// PurgeStream removes all messages and stored offsets in a stream.
func (c *Client) PurgeStream(stream wire.Ident) error {
	_, err := c.exchange(wire.OpPurgeStream, 0, wire.AppendIdent(c.frame(), stream), nil)
	return err
}

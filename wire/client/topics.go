package client

import "galgo/wire"

// Topic returns a topic and its partitions; false when stream or topic is missing.
func (c *Client) Topic(stream, topic wire.Ident) (details wire.TopicDetails, found bool, err error) {
	payload, err := c.get(wire.CodeGetTopic, wire.AppendTopicRef(c.frame(), wire.TopicRef{Stream: stream, Topic: topic}))
	if err != nil || len(payload) == 0 {
		return details, false, err
	}
	details, err = wire.DecodeTopicDetails(payload)
	details, err = decoded(c, wire.CodeGetTopic, details, err)
	return details, err == nil, err
}

// Topics returns the topics of a stream in ascending id, none when the stream is missing.
func (c *Client) Topics(stream wire.Ident) ([]wire.Topic, error) {
	payload, err := c.get(wire.CodeGetTopics, wire.AppendIdent(c.frame(), stream))
	if err != nil {
		return nil, err
	}
	list, err := wire.DecodeTopics(payload)
	return decoded(c, wire.CodeGetTopics, list, err)
}

// CreateTopic makes a topic. A name that is taken is StatusTopicNameAlreadyExists.
func (c *Client) CreateTopic(t wire.CreateTopic) (wire.TopicDetails, error) {
	payload, err := c.exchange(wire.OpCreateTopic, 0, wire.AppendCreateTopic(c.frame(), t), nil)
	if err != nil {
		return wire.TopicDetails{}, err
	}
	details, err := wire.DecodeTopicDetails(payload)
	return decoded(c, wire.CodeCreateTopic, details, err)
}

// UpdateTopic changes a topic's name and those of its options that may change.
func (c *Client) UpdateTopic(u wire.UpdateTopic) error {
	_, err := c.exchange(wire.OpUpdateTopic, 0, wire.AppendUpdateTopic(c.frame(), u), nil)
	return err
}

// DeleteTopic deletes a topic and all in it.
func (c *Client) DeleteTopic(stream, topic wire.Ident) error {
	frame := wire.AppendTopicRef(c.frame(), wire.TopicRef{Stream: stream, Topic: topic})
	_, err := c.exchange(wire.OpDeleteTopic, 0, frame, nil)
	return err
}

// PurgeTopic removes all messages and stored offsets of a topic: offsets begin at 0 again.
func (c *Client) PurgeTopic(stream, topic wire.Ident) error {
	frame := wire.AppendTopicRef(c.frame(), wire.TopicRef{Stream: stream, Topic: topic})
	_, err := c.exchange(wire.OpPurgeTopic, 0, frame, nil)
	return err
}

// DeleteSegments removes up to count of the oldest closed segments of a partition, as far as every stored offset has passed them.
func (c *Client) DeleteSegments(d wire.DeleteSegments) error {
	_, err := c.exchange(wire.OpDeleteSegments, 0, wire.AppendDeleteSegments(c.frame(), d), nil)
	return err
}

// CreatePartitions adds count partitions to a topic.
func (c *Client) CreatePartitions(stream, topic wire.Ident, count uint32) error {
	return c.changePartitions(wire.OpCreatePartitions, stream, topic, count)
}

// DeletePartitions deletes the count partitions with the highest ids, and all in them.
func (c *Client) DeletePartitions(stream, topic wire.Ident, count uint32) error {
	return c.changePartitions(wire.OpDeletePartitions, stream, topic, count)
}

func (c *Client) changePartitions(op wire.Operation, stream, topic wire.Ident, count uint32) error {
	change := wire.ChangePartitions{Stream: stream, Topic: topic, Count: count}
	_, err := c.exchange(op, 0, wire.AppendChangePartitions(c.frame(), change), nil)
	return err
}

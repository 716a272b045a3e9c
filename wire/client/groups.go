package client

import "galgo/wire"

// Group returns a consumer group and its members; false when the topic has none of that name.
func (c *Client) Group(group wire.GroupRef) (details wire.GroupDetails, found bool, err error) {
	payload, err := c.get(wire.CodeGetConsumerGroup, wire.AppendGroupRef(c.frame(), group))
	if err != nil || len(payload) == 0 {
		return details, false, err
	}
	details, err = wire.DecodeGroupDetails(payload)
	details, err = decoded(c, wire.CodeGetConsumerGroup, details, err)
	return details, err == nil, err
}

// Groups returns the consumer groups of a topic in ascending id.
func (c *Client) Groups(stream, topic wire.Ident) ([]wire.Group, error) {
	payload, err := c.get(wire.CodeGetConsumerGroups, wire.AppendTopicRef(c.frame(), wire.TopicRef{Stream: stream, Topic: topic}))
	if err != nil {
		return nil, err
	}
	list, err := wire.DecodeGroups(payload)
	return decoded(c, wire.CodeGetConsumerGroups, list, err)
}

// CreateGroup makes a consumer group. A name that is taken is StatusConsumerGroupNameAlreadyExists.
func (c *Client) CreateGroup(stream, topic wire.Ident, name string) (wire.GroupDetails, error) {
	create := wire.CreateConsumerGroup{Stream: stream, Topic: topic, Name: []byte(name)}
	payload, err := c.exchange(wire.OpCreateConsumerGroup, 0, wire.AppendCreateConsumerGroup(c.frame(), create), nil)
	if err != nil {
		return wire.GroupDetails{}, err
	}
	details, err := wire.DecodeGroupDetails(payload)
	return decoded(c, wire.CodeCreateConsumerGroup, details, err)
}

// DeleteGroup deletes a consumer group with its members and stored offsets.
func (c *Client) DeleteGroup(group wire.GroupRef) error {
	return c.changeGroup(wire.OpDeleteConsumerGroup, group)
}

// JoinGroup makes this client a member, which it may be already.
func (c *Client) JoinGroup(group wire.GroupRef) error {
	return c.changeGroup(wire.OpJoinConsumerGroup, group)
}

// LeaveGroup ends the membership. For who has none it is StatusConsumerGroupMemberNotFound.
func (c *Client) LeaveGroup(group wire.GroupRef) error {
	return c.changeGroup(wire.OpLeaveConsumerGroup, group)
}

func (c *Client) changeGroup(op wire.Operation, group wire.GroupRef) error {
	_, err := c.exchange(op, 0, wire.AppendGroupRef(c.frame(), group), nil)
	return err
}

// SyncGroup returns the partitions that this client may poll for a group; false when it is no member.
func (c *Client) SyncGroup(group wire.GroupRef) (assignment wire.Assignment, member bool, err error) {
	payload, err := c.get(wire.CodeSyncConsumerGroup, wire.AppendGroupRef(c.frame(), group))
	if err != nil || len(payload) == 0 {
		return assignment, false, err
	}
	assignment, err = wire.DecodeAssignment(payload)
	assignment, err = decoded(c, wire.CodeSyncConsumerGroup, assignment, err)
	return assignment, err == nil, err
}

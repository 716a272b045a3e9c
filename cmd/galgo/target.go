package main

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"galgo/wire"
	"galgo/wire/client"

	"github.com/spf13/cobra"
)

// target is the topic that a client command works on, by name.
type target struct{ streamName, topicName string }

func addTargetFlags(c *cobra.Command) *target {
	t := &target{}
	c.Flags().StringVar(&t.streamName, "stream", "", "`name` of the stream")
	c.Flags().StringVar(&t.topicName, "topic", "", "`name` of the topic")
	for _, name := range []string{"stream", "topic"} {
		if err := c.MarkFlagRequired(name); err != nil {
			panic(err)
		}
	}
	return t
}

// check says whether the names are names.
func (t *target) check() error {
	for _, given := range []struct{ flag, name string }{{"stream", t.streamName}, {"topic", t.topicName}} {
		if len(given.name) == 0 || len(given.name) > 255 || !utf8.ValidString(given.name) {
			return fmt.Errorf("flag --%s: a name is 1 to 255 bytes of UTF-8", given.flag)
		}
	}
	return nil
}

func (t *target) stream() wire.Ident { return wire.IdentNamed([]byte(t.streamName)) }
func (t *target) topic() wire.Ident  { return wire.IdentNamed([]byte(t.topicName)) }

// errNoTarget is a stream or topic that does not exist.
var errNoTarget = errors.New("does not exist")

// find returns the topic, or errNoTarget wrapped with what it is that does not exist.
func (t *target) find(c *client.Client) (wire.TopicDetails, error) {
	details, found, err := c.Topic(t.stream(), t.topic())
	if err != nil || found {
		return details, err
	}
	if _, found, err = c.Stream(t.stream()); err != nil {
		return details, err
	}
	if !found {
		return details, fmt.Errorf("stream %q %w", t.streamName, errNoTarget)
	}
	return details, fmt.Errorf("topic %q of stream %q %w", t.topicName, t.streamName, errNoTarget)
}

// partition lists the one partition of the topic with that id.
func (t *target) partition(topic wire.TopicDetails, id uint32) ([]wire.Partition, error) {
	for i, p := range topic.Partitions {
		if p.ID == id {
			return topic.Partitions[i : i+1], nil
		}
	}
	return nil, fmt.Errorf("topic %q of stream %q has no partition %d", t.topicName, t.streamName, id)
}

// create makes stream and topic, as far as they are missing. Somebody else may make them at the same time.
func (t *target) create(c *client.Client, partitions uint32, durability string) error {
	if _, err := t.find(c); !errors.Is(err, errNoTarget) {
		return err
	}
	_, err := c.CreateStream(t.streamName)
	if err = unless(err, wire.StatusStreamNameAlreadyExists); err != nil {
		return fmt.Errorf("create stream %q: %w", t.streamName, err)
	}
	request := wire.CreateTopic{Stream: t.stream(), PartitionsCount: partitions, Name: []byte(t.topicName)}
	if durability != "" {
		key := wire.StringValue([]byte(wire.OptionDurability.String()))
		request.Options = wire.AppendPair(nil, key, wire.StringValue([]byte(durability)))
	}
	_, err = c.CreateTopic(request)
	if err = unless(err, wire.StatusTopicNameAlreadyExists); err != nil {
		return fmt.Errorf("create topic %q: %w", t.topicName, err)
	}
	return nil
}

// unless is err, or nil for a refusal with status.
func unless(err error, status wire.Status) error {
	var refused client.StatusError
	if errors.As(err, &refused) && refused.Status == status {
		return nil
	}
	return err
}

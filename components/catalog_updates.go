package components

import (
	"fmt"

	"galgo/ecs"
	"galgo/wire"
)

func (c *Catalog) updateStream(e *wire.Event) {
	t := &c.Streams
	row, ok := t.Row(ecs.Entity(e.Stream))
	if !ok {
		panic(fmt.Sprintf("components: event %d for stream %v, which is gone", e.Seq, ecs.Entity(e.Stream)))
	}
	c.rename(&c.streamNames, 0, uint32(row), &t.Name[row], e.Name)
}

func (c *Catalog) updateTopic(row int, e *wire.Event) {
	t := &c.Topics
	stream, _ := c.Streams.Row(t.Stream[row])
	c.rename(&c.topicNames, uint64(stream), uint32(row), &t.Name[row], e.Name)
	options := &t.Options[row]
	options.MessageExpiry, options.MaxSize, options.Compression = e.MessageExpiry, e.MaxTopicSize, e.CompressionAlgorithm
	c.replaceText(&t.Explicit[row], e.Explicit)
	c.replaceText(&t.Derived[row], e.Derived)
}

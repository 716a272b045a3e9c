package simtest

import (
	"fmt"

	"galgo/wire"
)

var _ = register(family{name: "send", weight: 40, act: send})

// send sends a batch to a data topic, partitioned in one of the three ways.
func send(a *actor) {
	m := &a.p.messages
	t := m.topics[a.rng.IntN(len(m.topics))]
	count := 1 + a.rng.IntN(12)
	to, target := partitioning(a, t)
	b, bytes := m.build(t, count)
	if target >= 0 {
		b.partition = t.partitions[target]
	}
	prefix := wire.AppendSendMessages(nil, wire.SendMessages{Stream: wire.IdentNamed(dataStream), Topic: t.ident(), MessagesCount: uint32(count), Partitioning: to})
	a.ask(wire.OpSendMessages, 0, append(prefix, bytes...), func(got answer) { m.acknowledged(b, got) },
		"send messages [%d,+%d) to %s, partitioning %d/%d", b.first, count, t.name, to.Kind, target)
}

// partitioning chooses one, and says which partition it means; -1: the server's choice.
func partitioning(a *actor, t *dataTopic) (wire.Partitioning, int) {
	switch a.rng.IntN(4) {
	case 0:
		return wire.Partitioning{Kind: wire.PartitionBalanced}, -1
	case 1:
		key := fmt.Appendf(nil, "key %d", a.rng.IntN(20))
		return wire.Partitioning{Kind: wire.PartitionKeyed, Key: key}, int(wire.KeyPartition(key, uint32(len(t.partitions))))
	}
	n := a.rng.IntN(len(t.partitions))
	return wire.Partitioning{Kind: wire.PartitionNumbered, ID: uint32(n)}, n
}

package main

import (
	"errors"
	"fmt"

	"galgo/wire"

	"github.com/spf13/cobra"
)

// partitionChoice says how lines find their partition.
type partitionChoice struct {
	partition uint32
	key       string
	keyBy     string
	fixed     wire.Partitioning // unless byPath
	byPath    bool              // each file's path is the key of its lines
}

func addPartitionChoiceFlags(c *cobra.Command) *partitionChoice {
	p := &partitionChoice{}
	c.Flags().Uint32Var(&p.partition, "partition", 0, "send everything to the partition with this `id`")
	c.Flags().StringVar(&p.key, "key", "", "send everything to the partition of this `key`")
	c.Flags().StringVar(&p.keyBy, "key-by", "", "`path`: each file's path is the key of its lines, so they stay in order")
	c.MarkFlagsMutuallyExclusive("partition", "key", "key-by")
	return p
}

// resolve settles the choice after the flags are parsed. Without any of them the server spreads batches over all partitions.
func (p *partitionChoice) resolve(c *cobra.Command) error {
	switch {
	case c.Flags().Changed("partition"):
		p.fixed = wire.Partitioning{Kind: wire.PartitionNumbered, ID: p.partition}
	case c.Flags().Changed("key"):
		if len(p.key) == 0 || len(p.key) > pathSizeMax {
			return errors.New("flag --key: a key is 1 to 255 bytes")
		}
		p.fixed = wire.Partitioning{Kind: wire.PartitionKeyed, Key: []byte(p.key)}
	case c.Flags().Changed("key-by"):
		if p.keyBy != "path" {
			return fmt.Errorf("flag --key-by: %q, want path", p.keyBy)
		}
		p.byPath = true
	default:
		p.fixed = wire.Partitioning{Kind: wire.PartitionBalanced}
	}
	return nil
}

// of is the partitioning of a file's lines.
func (p *partitionChoice) of(path string) wire.Partitioning {
	if p.byPath {
		return wire.Partitioning{Kind: wire.PartitionKeyed, Key: keyOfPath(path)}
	}
	return p.fixed
}

// keyOfPath is the message key of a path: the path, or the end of one that is too long. Paths that end alike then share
// a partition, which every key does with others anyway.
func keyOfPath(path string) []byte {
	return []byte(path[max(0, len(path)-pathSizeMax):])
}

package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"galgo/components"
	"galgo/systems/storage"
	"galgo/uring"
)

// options are the flags that all commands have.
type options struct {
	durability string
	shards     int
}

// newRootCommand builds the command tree. What is worth knowing beside the dump goes to stderr.
func newRootCommand(stderr io.Writer) *cobra.Command {
	var o options
	root := &cobra.Command{
		Use:   "galgo-dump",
		Short: "Print what a data directory of galgo holds",
		Long: "Prints tables, events, segments and offset logs of a data directory. It reads and never writes, and takes no lock: a server may run\n" +
			"on the directory meanwhile. Damage is printed with what is good, and then the exit code is 1. The one exception is repair, which\n" +
			"cuts damaged partitions, and which no server may run beside.\n\n" +
			"A sequence number, a segment id and the order of a stored offset are printed as run/counter.",
		Example: "  galgo-dump tables local_data\n" +
			"  galgo-dump events local_data\n" +
			"  galgo-dump segments local_data --partition orders/eu/0 --records\n" +
			"  galgo-dump offsets local_data\n" +
			"  galgo-dump repair local_data --cut --dry-run",
		SilenceUsage:       true,
		SilenceErrors:      true,
		DisableSuggestions: true,
	}
	root.PersistentFlags().StringVar(&o.durability, "durability", components.LevelWritten.String(),
		"the server's durability.default, which says what a crash may take: memory, written or durable")
	root.PersistentFlags().IntVar(&o.shards, "shards", 1, "number of shards for which the owner of each partition is shown")
	root.AddCommand(newTablesCommand(&o, stderr), newEventsCommand(&o, stderr), newSegmentsCommand(&o, stderr), newOffsetsCommand(&o, stderr), newRepairCommand(&o, stderr))
	return root
}

func newTablesCommand(o *options, stderr io.Writer) *cobra.Command {
	return &cobra.Command{
		Use:     "tables DIR",
		Short:   "Print users, streams, topics, partitions and stored offsets, as a server would recover them",
		Example: "  galgo-dump tables local_data --durability memory",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			d, err := open(args[0], o, stderr)
			if err != nil {
				return err
			}
			return d.tables(components.NewPrinter(c.OutOrStdout()), o.shards)
		},
	}
}

func newEventsCommand(o *options, stderr io.Writer) *cobra.Command {
	return &cobra.Command{
		Use:     "events DIR",
		Short:   "Print the control log: snapshots, and every event that is still in a file",
		Example: "  galgo-dump events local_data",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			d, err := open(args[0], o, stderr)
			if err != nil {
				return err
			}
			return d.events(components.NewPrinter(c.OutOrStdout()))
		},
	}
}

func newSegmentsCommand(o *options, stderr io.Writer) *cobra.Command {
	var partition string
	var records bool
	c := &cobra.Command{
		Use:   "segments DIR",
		Short: "Print the segments of partitions with their heads and indexes, and records if asked",
		Example: "  galgo-dump segments local_data\n" +
			"  galgo-dump segments local_data --partition orders/eu/0 --records\n" +
			"  galgo-dump segments local_data --partition 0/2/0",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			d, err := open(args[0], o, stderr)
			if err != nil {
				return err
			}
			return d.segments(components.NewPrinter(c.OutOrStdout()), partition, records)
		},
	}
	c.Flags().StringVar(&partition, "partition", "", "only this one: STREAM/TOPIC/ID, streams and topics by name or id")
	c.Flags().BoolVar(&records, "records", false, "print every record, checked")
	return c
}

func newOffsetsCommand(o *options, stderr io.Writer) *cobra.Command {
	return &cobra.Command{
		Use:     "offsets DIR",
		Short:   "Print the offset logs: every change of a stored offset that is still in a file",
		Example: "  galgo-dump offsets local_data",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			d, err := open(args[0], o, stderr)
			if err != nil {
				return err
			}
			return d.offsets(components.NewPrinter(c.OutOrStdout()))
		},
	}
}

func newRepairCommand(o *options, stderr io.Writer) *cobra.Command {
	var partition string
	var cut, dryRun bool
	c := &cobra.Command{
		Use:   "repair DIR --cut",
		Short: "Cut damaged partitions where the damage begins, and keep what is removed",
		Long: "A server serves what is good of a damaged partition and takes no messages for it. This is the way out: the log is cut where the damage\n" +
			"begins, and what lies behind is lost to clients. It is kept in the folder " + storage.RemovedDir + " of the data directory. No server may run on the\n" +
			"directory. What will be done is printed before it is done; a dry run only prints it.",
		Example: "  galgo-dump repair local_data --cut --dry-run\n" +
			"  galgo-dump repair local_data --cut --partition orders/eu/0",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if !cut {
				return errors.New("repair: --cut is missing: it is the one way to repair, and takes messages away")
			}
			d, err := openQuietly(args[0], o, stderr)
			if err != nil {
				return err
			}
			return d.repair(components.NewPrinter(c.OutOrStdout()), partition, dryRun)
		},
	}
	c.Flags().BoolVar(&cut, "cut", false, "cut damaged partitions at the damage")
	c.Flags().BoolVar(&dryRun, "dry-run", false, "say what would be done, and change nothing")
	c.Flags().StringVar(&partition, "partition", "", "only this one: STREAM/TOPIC/ID, streams and topics by name or id")
	return c
}

// open opens a data directory for a command that reads, and says when a server runs there.
func open(root string, o *options, stderr io.Writer) (*directory, error) {
	d, err := openQuietly(root, o, stderr)
	if err != nil {
		return nil, err
	}
	if process, ok := serverOn(d.root); ok {
		d.note(fmt.Sprintf("a server runs on %s (process %d): the dump is of files that change", root, process))
	}
	return d, nil
}

func openQuietly(root string, o *options, stderr io.Writer) (*directory, error) {
	level, ok := levelOf(o.durability)
	if !ok {
		return nil, fmt.Errorf("--durability: got %q, want memory, written or durable", o.durability)
	}
	if o.shards < 1 {
		return nil, fmt.Errorf("--shards: got %d, want 1 at least", o.shards)
	}
	d, err := openDirectory(uring.SystemFiles(), root, level)
	if err != nil {
		return nil, err
	}
	d.note = func(text string) { say(stderr, text) }
	return d, nil
}

func levelOf(name string) (components.Level, bool) {
	for _, level := range []components.Level{components.LevelMemory, components.LevelWritten, components.LevelDurable} {
		if level.String() == name {
			return level, true
		}
	}
	return 0, false
}

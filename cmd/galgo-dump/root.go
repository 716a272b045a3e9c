package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"galgo/components"
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
		Long: "Prints tables, events and segments of a data directory. It reads and never writes, and takes no lock: a server may run on the\n" +
			"directory meanwhile. Damage is printed with what is good, and then the exit code is 1.\n\n" +
			"A sequence number, a segment id and the order of a stored offset are printed as run/counter.",
		Example: "  galgo-dump tables local_data\n" +
			"  galgo-dump events local_data\n" +
			"  galgo-dump segments local_data --partition orders/eu/0 --records",
		SilenceUsage:       true,
		SilenceErrors:      true,
		DisableSuggestions: true,
	}
	root.PersistentFlags().StringVar(&o.durability, "durability", components.LevelWritten.String(),
		"the server's durability.default, which says what a crash may take: memory, written or durable")
	root.PersistentFlags().IntVar(&o.shards, "shards", 1, "number of shards for which the owner of each partition is shown")
	root.AddCommand(newTablesCommand(&o, stderr), newEventsCommand(&o, stderr), newSegmentsCommand(&o, stderr))
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

// open opens a data directory for a command.
func open(root string, o *options, stderr io.Writer) (*directory, error) {
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
	if process, ok := serverOn(d.root); ok {
		d.note(fmt.Sprintf("a server runs on %s (process %d): the dump is of files that change", root, process))
	}
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

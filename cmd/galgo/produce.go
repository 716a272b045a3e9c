package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"slices"
	"strings"
	"sync"

	"galgo/wire"
	"galgo/wire/client"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
)

// produceCommand is what the flags of produce say.
type produceCommand struct {
	endpoint    *endpoint
	target      *target
	choice      *partitionChoice
	create      bool
	partitions  uint32
	durability  string
	batch       uint32
	source      bool
	report      string
	filesFrom   string
	connections int
}

func newProduceCommand() *cobra.Command {
	p := &produceCommand{}
	c := &cobra.Command{
		Use:   "produce [FILE]...",
		Short: "Send lines of files or standard input as messages",
		Long: "Sends each line of the files, or of standard input, as one message. A line ends at \\n, which is not sent; nothing else is\n" +
			"changed. An empty line is a message without payload, and a last line without \\n is a line.\n\n" +
			"Nothing is sent twice. If something was not acknowledged the exit code is not 0, and what was refused, what is\n" +
			"unknown and where sending stopped is said. A batch is sent when it has --batch messages or 1 MiB, or after 10 ms\n" +
			"without more lines. SIGINT and SIGTERM end it behind the batch under way.\n\n" + endpointHelp + "\n\n" + reportHelp,
		Example: `  echo hello | galgo produce --stream logs --topic app --create
  galgo produce --stream logs --topic app --key-by path --source --report sent.tsv *.log
  find /var/log -name '*.log' | galgo produce --stream logs --topic app --key-by path --connections 4 --files-from -`,
	}
	p.endpoint = addEndpointFlags(c)
	p.target = addTargetFlags(c)
	p.choice = addPartitionChoiceFlags(c)
	flags := c.Flags()
	flags.SortFlags = false
	flags.BoolVar(&p.create, "create", false, "create stream and topic if they do not exist")
	flags.Uint32Var(&p.partitions, "partitions", 1, "partitions of the topic that --create makes")
	flags.StringVar(&p.durability, "durability", "", "when a send to the topic that --create makes is acknowledged: `replicated|persisted` (default: the server's)")
	flags.Uint32Var(&p.batch, "batch", 1000, "`messages` of a batch at most")
	flags.BoolVar(&p.source, "source", false, "give each message the user headers file (String) and line (Uint64, from 1)")
	flags.StringVar(&p.report, "report", "", "`file` that lists what was acknowledged")
	flags.StringVar(&p.filesFrom, "files-from", "", "`file` that lists further files, one a line; - is standard input")
	flags.IntVar(&p.connections, "connections", 1, "connections to share the files; all lines of a file go over one")
	c.RunE = func(c *cobra.Command, files []string) error {
		ctx, stop := signal.NotifyContext(c.Context(), unix.SIGINT, unix.SIGTERM)
		defer stop()
		context.AfterFunc(ctx, stop) // a second signal ends the process
		return p.run(ctx, c, files)
	}
	return c
}

// check judges the flags that nothing else does.
func (p *produceCommand) check(c *cobra.Command) error {
	switch {
	case p.batch == 0:
		return errors.New("flag --batch: at least 1")
	case p.connections < 1 || p.connections > connectionsMax:
		return fmt.Errorf("flag --connections: 1 to %d", connectionsMax)
	case !p.create && (c.Flags().Changed("partitions") || c.Flags().Changed("durability")):
		return errors.New("flags --partitions and --durability go with --create")
	case p.partitions < 1 || p.partitions > wire.PartitionsPerRequestMax:
		return fmt.Errorf("flag --partitions: 1 to %d", wire.PartitionsPerRequestMax)
	case p.durability != "" && p.durability != wire.DurabilityReplicated.String() && p.durability != wire.DurabilityPersisted.String():
		return fmt.Errorf("flag --durability: %q, want %s or %s", p.durability, wire.DurabilityReplicated, wire.DurabilityPersisted)
	}
	if err := p.target.check(); err != nil {
		return err
	}
	return p.choice.resolve(c)
}

func (p *produceCommand) run(ctx context.Context, c *cobra.Command, files []string) (err error) {
	if err := p.check(c); err != nil {
		return err
	}
	paths, err := listInputs(files, p.filesFrom, c.InOrStdin())
	if err != nil {
		return err
	}
	if p.source {
		for _, path := range paths {
			if err := checkSourcePath(path); err != nil {
				return err
			}
		}
	}
	p.endpoint.resolve()
	shares := sharePaths(paths, p.connections)
	producers, err := p.connect(ctx, len(shares))
	for _, producer := range producers {
		defer func() { _ = producer.client.Close() }()
	}
	if err != nil {
		return err
	}
	var written *report
	if p.report != "" {
		if written, err = createReport(p.report); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, written.close()) }()
	}
	shown := showProgress(c.ErrOrStderr())
	for _, producer := range producers {
		producer.report, producer.progress = written, shown
	}
	failed := runAll(ctx, producers, shares, c.InOrStdin())
	shown.end()
	return summarize(producers, failed)
}

// connect makes a producer for each connection, once the topic is there. Those it made are returned beside an error.
func (p *produceCommand) connect(ctx context.Context, count int) (producers []*producer, err error) {
	run := randomRun()
	for connection := range count {
		conn, err := p.endpoint.dial(ctx)
		if err != nil {
			return producers, err
		}
		producers = append(producers, &producer{
			client: conn, stream: p.target.stream(), topic: p.target.topic(), choice: p.choice,
			countMax: int(p.batch), ids: newMessageIDs(run, connection), withSource: p.source,
		})
		if connection == 0 {
			if err := p.prepare(conn); err != nil {
				return producers, err
			}
		}
	}
	return producers, nil
}

// prepare sees to it that there is a topic to send to, and the partition that was named.
func (p *produceCommand) prepare(conn *client.Client) error {
	if p.create {
		if err := p.target.create(conn, p.partitions, p.durability); err != nil {
			return err
		}
	}
	topic, err := p.target.find(conn)
	switch {
	case errors.Is(err, errNoTarget):
		return fmt.Errorf("%w; --create makes it", err)
	case err == nil && p.choice.fixed.Kind == wire.PartitionNumbered:
		_, err = p.target.partition(topic, p.choice.partition)
	}
	return err
}

// sharePaths deals the paths out to at most count connections, by hash, so that in every run a file has the same one.
// Shares without a file are left out, save the only one.
func sharePaths(paths []string, count int) [][]string {
	shares := make([][]string, count)
	for _, path := range paths {
		at := wire.KeyPartition([]byte(path), uint32(count))
		shares[at] = append(shares[at], path)
	}
	used := slices.DeleteFunc(shares, func(share []string) bool { return len(share) == 0 })
	if len(used) == 0 {
		return make([][]string, 1)
	}
	return used
}

// runAll runs the producers until each has sent its share or one has failed, and returns what each says.
func runAll(ctx context.Context, producers []*producer, shares [][]string, stdin io.Reader) []error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failed := make([]error, len(producers))
	var running sync.WaitGroup
	for i, producer := range producers {
		running.Go(func() {
			if failed[i] = producer.run(ctx, shares[i], stdin); failed[i] != nil {
				cancel()
			}
		})
	}
	running.Wait()
	return failed
}

// summarize is nil when all lines were acknowledged, and else says how many were, and of each connection that failed, why and
// what is with the rest.
func summarize(producers []*producer, failed []error) error {
	acknowledged, whys := uint64(0), make([]string, 0, 1)
	for i, producer := range producers {
		acknowledged += producer.acknowledged
		if failed[i] == nil {
			continue
		}
		why := failed[i].Error()
		if len(producers) > 1 {
			why = fmt.Sprintf("connection %d: %s", i+1, why)
		}
		whys = append(whys, why)
	}
	if len(whys) == 0 {
		return nil
	}
	return fmt.Errorf("%s lines acknowledged; %s", humanize.Comma(int64(acknowledged)), strings.Join(whys, "; "))
}

package main

import (
	"bufio"
	"context"
	"errors"
	"os/signal"
	"time"

	"galgo/wire"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
)

// consumeCommand is what the flags of consume say.
type consumeCommand struct {
	endpoint  *endpoint
	target    *target
	partition uint32
	from      string
	consumer  string
	follow    bool
	count     uint64
	withMeta  bool
}

func newConsumeCommand() *cobra.Command {
	s := &consumeCommand{}
	c := &cobra.Command{
		Use:   "consume",
		Short: "Print messages of a topic",
		Long: "Prints the payload of each message and \\n. Messages of one partition come in order; partitions take turns.\n\n" +
			"It ends at the end that the topic had at the start, after --count messages, or never with --follow, until SIGINT or\n" +
			"SIGTERM. With --consumer the offset of what was printed is stored under that name, and `--from next` goes on\n" +
			"behind it; what was printed and not stored when the program was killed comes again.\n\n" + messageJSONHelp + "\n\n" + endpointHelp,
		Example: `  galgo consume --stream logs --topic app
  galgo consume --stream logs --topic app --from 15m --follow
  galgo consume --stream logs --topic app --partition 2 --from 1000 --count 10 --with-meta
  galgo consume --stream logs --topic app --consumer archive >> archive.log`,
		Args: cobra.NoArgs,
	}
	s.endpoint = addEndpointFlags(c)
	s.target = addTargetFlags(c)
	flags := c.Flags()
	flags.SortFlags = false
	flags.Uint32Var(&s.partition, "partition", 0, "only the partition with this `id` (default: all)")
	flags.StringVar(&s.from, "from", "", "where to start: `first|last|next|OFFSET|TIME`, a time as in RFC 3339 or an age such as 15m; last is the last message,\n"+
		"or the last --count, of each partition (default: next with --consumer, else first)")
	flags.StringVar(&s.consumer, "consumer", "", "store offsets under this `name`")
	flags.BoolVar(&s.follow, "follow", false, "do not end at the end, wait for more")
	flags.Uint64Var(&s.count, "count", 0, "end after so many `messages`, and wait for them")
	flags.BoolVar(&s.withMeta, "with-meta", false, "print messages as JSON, with everything around the payload")
	c.RunE = func(c *cobra.Command, _ []string) error {
		ctx, stop := signal.NotifyContext(c.Context(), unix.SIGINT, unix.SIGTERM)
		defer stop()
		context.AfterFunc(ctx, stop) // a second signal ends the process
		signal.Ignore(unix.SIGPIPE)  // a reader that has enough is no failure: the write says EPIPE
		return s.run(ctx, c)
	}
	return c
}

func (s *consumeCommand) run(ctx context.Context, c *cobra.Command) error {
	if err := s.target.check(); err != nil {
		return err
	}
	from, err := s.start(c)
	if err != nil {
		return err
	}
	s.endpoint.resolve()
	conn, err := s.endpoint.dial(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	topic, err := s.target.find(conn)
	if err != nil {
		return err
	}
	partitions := topic.Partitions
	if c.Flags().Changed("partition") {
		if partitions, err = s.target.partition(topic, s.partition); err != nil {
			return err
		}
	}
	// Output on a terminal and a line that redraws itself do not mix.
	shownOn := c.ErrOrStderr()
	if isTerminal(c.OutOrStdout()) {
		shownOn = nil
	}
	consumer := consumer{
		client:   conn,
		key:      wire.OffsetKey{Consumer: s.identity(), Stream: s.target.stream(), Topic: s.target.topic()},
		store:    s.consumer != "",
		bounded:  !s.follow && s.count == 0,
		countMax: s.count,
		withMeta: s.withMeta,
		out:      bufio.NewWriterSize(c.OutOrStdout(), outputSize),
		progress: showProgress(shownOn),
	}
	defer consumer.progress.end()
	if err := consumer.locate(partitions, from); err != nil {
		return err
	}
	err = consumer.run(ctx)
	if errors.Is(err, unix.EPIPE) && errors.As(err, new(outputError)) {
		return nil
	}
	return err
}

// start settles where to begin.
func (s *consumeCommand) start(c *cobra.Command) (startpoint, error) {
	if c.Flags().Changed("count") && s.count == 0 {
		return startpoint{}, errors.New("flag --count: at least 1")
	}
	if len(s.consumer) > 255 {
		return startpoint{}, errors.New("flag --consumer: a name is at most 255 bytes")
	}
	if s.from == "" {
		if s.consumer != "" {
			return startpoint{kind: startNext}, nil
		}
		return startpoint{kind: startFirst}, nil
	}
	from, err := parseStart(s.from, time.Now())
	if err == nil && from.kind == startNext && s.consumer == "" {
		err = errors.New("flag --from: next goes with --consumer")
	}
	return from, err
}

// identity is who polls. Without a name it is a number, which matters to nobody as nothing is stored under it.
func (s *consumeCommand) identity() wire.Consumer {
	if s.consumer == "" {
		return wire.Consumer{Kind: wire.ConsumerSingle, Ident: wire.IdentOf(1)}
	}
	return wire.Consumer{Kind: wire.ConsumerSingle, Ident: wire.IdentNamed([]byte(s.consumer))}
}

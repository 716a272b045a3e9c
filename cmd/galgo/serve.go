package main

import (
	"context"
	"os/signal"

	"galgo/server"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
)

// runServer runs a server until ctx is done; tests of the command line put something quicker in its place.
var runServer = server.Run

func newServeCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "serve",
		Short: "Run a server",
		Long: "Runs a server until SIGINT or SIGTERM, which end it in good order; a second one ends it at once.\n\n" +
			configHelp + "\n`galgo config` with the same flags shows the result.",
		Args: cobra.NoArgs,
	}
	flags := addConfigFlags(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		effective, err := flags.load()
		if err != nil {
			return err
		}
		ctx, stop := signal.NotifyContext(c.Context(), unix.SIGINT, unix.SIGTERM)
		defer stop()
		context.AfterFunc(ctx, stop) // from then on a signal does what it does by default: it ends the process
		return runServer(ctx, effective)
	}
	return c
}

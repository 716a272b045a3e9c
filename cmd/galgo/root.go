package main

import (
	"galgo/server"

	"github.com/spf13/cobra"
)

// newRootCommand builds the command tree. Errors are left to run, which prints them as one line.
func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:                "galgo",
		Short:              "Message streaming server for clients of Apache Iggy",
		Version:            server.BuildVersion(),
		SilenceUsage:       true,
		SilenceErrors:      true,
		DisableSuggestions: true,
	}
	root.SetVersionTemplate("galgo {{.Version}}\n")
	root.AddCommand(
		newServeCommand(),
		newProduceCommand(),
		newConsumeCommand(),
		newConfigCommand(),
		newVersionCommand(),
	)
	return root
}

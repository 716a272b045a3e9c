package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newConfigCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "config",
		Short: "Print the effective configuration, and where each value comes from",
		Long: "Prints every key with the value that `galgo serve` would take with the same flags and environment, and where it comes\n" +
			"from. What stands out goes to standard error. The output is a configuration file; secrets are masked and in comments.\n\n" + configHelp,
		Args: cobra.NoArgs,
	}
	flags := addConfigFlags(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		effective, err := flags.load()
		if err != nil {
			return err
		}
		for _, notice := range effective.Notices {
			kind := "info"
			if notice.Warn {
				kind = "warning"
			}
			fmt.Fprintf(c.ErrOrStderr(), "galgo: %s: %s\n", kind, notice.Text)
		}
		return effective.Show(c.OutOrStdout())
	}
	return c
}

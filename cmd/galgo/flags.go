package main

import (
	"cmp"
	"os"
	"strings"

	"galgo/server/config"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// configHelp is the part of the help of serve and config on where a value comes from.
const configHelp = `A value comes from the first of: flag, GALGO_ environment name, IGGY_ environment name, configuration file, default.
An environment name is the key in capitals with underscores for dots, as in GALGO_DURABILITY_DEFAULT; keys that Iggy does not have
take GALGO_ only.`

// flagText is the value of a flag as it was written, and what the help shows in its place.
type flagText struct{ text, shown string }

func (f *flagText) Set(text string) error {
	f.text = text
	return nil
}

func (f *flagText) String() string { return f.text }
func (f *flagText) Type() string   { return f.shown }

// configFlags are the flags that decide the configuration. Those of single keys come from config.Keys and are texts here, so that
// a bad value gets the same message whether a flag or an environment name brought it.
type configFlags struct {
	set     *pflag.FlagSet
	sources config.Sources
}

// addConfigFlags gives c the flags. Call load on the result once they are parsed.
func addConfigFlags(c *cobra.Command) *configFlags {
	f := &configFlags{set: c.Flags()}
	f.set.SortFlags = false
	f.set.StringVar(&f.sources.File, "config", "", "configuration file, TOML (default: IGGY_CONFIG_PATH, then core/server/config.toml if it exists)")
	for i := range config.Keys {
		if k := &config.Keys[i]; k.Flag != "" {
			f.set.Var(&flagText{k.Default, cmp.Or(strings.Join(k.Choices, "|"), "string")}, k.Flag, k.Help+" ("+k.Path+")")
		}
	}
	f.set.BoolVar(&f.sources.WithDefaultRootCredentials, "with-default-root-credentials", false,
		"name the first user iggy with the password iggy, unless IGGY_ROOT_USERNAME and IGGY_ROOT_PASSWORD say otherwise")
	f.set.BoolVarP(&f.sources.Fresh, "fresh", "f", false, "delete what is in the data directory before the start, if it is one of galgo")
	f.set.Uint8("replica-id", 0, "accepted for test harnesses; without meaning on a single node")
	return f
}

// load finds the effective configuration from the parsed flags and the process's environment.
func (f *configFlags) load() (*config.Config, error) {
	s := f.sources
	s.Environ = os.Environ()
	s.Flags = map[string]string{}
	f.set.Visit(func(flag *pflag.Flag) { s.Flags[flag.Name] = flag.Value.String() })
	return config.Load(s)
}

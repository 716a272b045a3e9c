package main

import (
	"os"
	"strings"

	"galgo/server/config"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

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
			help := k.Help + " (" + k.Path + ")"
			if len(k.Choices) > 0 {
				help += ": `" + strings.Join(k.Choices, "|") + "`" // pflag shows what is quoted instead of the type
			}
			f.set.String(k.Flag, k.Default, help)
		}
	}
	f.set.BoolVar(&f.sources.WithDefaultRootCredentials, "with-default-root-credentials", false,
		"name the first user iggy with the password iggy, unless IGGY_ROOT_USERNAME and IGGY_ROOT_PASSWORD say otherwise")
	f.set.BoolVarP(&f.sources.Fresh, "fresh", "f", false, "delete the data directory before the start")
	f.set.Uint8Var(&f.sources.ReplicaID, "replica-id", 0, "accepted for test harnesses; without meaning on a single node")
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

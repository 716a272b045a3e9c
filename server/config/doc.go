// Package config finds out how the server is to run, and says where each value came from.
//
// Words: a *key* is a dotted path such as tcp.address; a *setting* is a key with its effective value and its *origin* (a flag,
// an environment name, a line of a file, or the default); a *notice* is a line for the operator that does not stop the start; a
// *problem* does stop it.
//
// One table, keys.go, declares every key: how it is written, its default, what it means, which flag sets it and which field of
// Config it fills. Reading files, environment names, flags, `galgo config` and runtime/current_config.toml all follow that table,
// so a key that is not in it exists nowhere.
//
// Precedence: flag > GALGO_ > IGGY_ > file > default. Where a key has an older name below `system`, the new name wins over the
// old one of the same source. RUST_LOG beats logging.level whoever sets it.
//
// The package reads files and nothing else: it opens no data directory, starts no logger and looks at no machine (that is
// placement). The invariant to keep in mind: a secret leaves this package only in its field of Config, never in a printed line.
package config

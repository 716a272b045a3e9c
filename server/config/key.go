package config

import (
	"strings"
	"time"
)

// Use says what a key does here.
type Use uint8

// What a key does here.
const (
	Used    Use = iota
	Ignored     // a known key of the reference server without meaning here: accepted, with one info line for all of them
	Refused     // a switch that is not built: false is accepted, true stops the start with Key.Help
)

// Key declares one configuration key. A path that ends in ".*" stands for every key below it.
type Key struct {
	Path     string
	Kind     Kind
	Default  string // as it would stand in an environment variable
	Auto     bool   // the word "auto" is allowed
	Required bool   // an empty text is not a value
	Choices  []string
	Ours     bool // unknown to the reference server: no IGGY_ name
	Use      Use
	Flag     string // the flag of `galgo serve` that sets it, without dashes
	Help     string // one line; for Refused, the reason
	bounds   bounds
	fill     func(*Config, Value)
}

// Setting is a key with its effective value; a secret's is masked. A Free key has a setting only when given, and the value means
// nothing.
type Setting struct {
	Key    *Key
	Value  Value
	Origin string // "flag --data", "GALGO_PATH", "IGGY_PATH in .env", "config.toml:12" or "default"
}

// isTree says whether k stands for every key below its path.
func (k *Key) isTree() bool { return strings.HasSuffix(k.Path, ".*") }

// covers says whether path is k, or below it when k is a tree.
func (k *Key) covers(path string) bool {
	if k.isTree() {
		return strings.HasPrefix(path, k.Path[:len(k.Path)-1])
	}
	return k.Path == path
}

// oldTables lists what stood below `system` before the reference server 0.9.0; the old names are still read.
var oldTables = []string{"path", "runtime.", "logging.", "encryption.", "memory_pool.", "sharding.", "partition.validate_checksum"}

// hasOldName says whether path may also be written below `system`.
func hasOldName(path string) bool {
	for _, table := range oldTables {
		if path == table || strings.HasSuffix(table, ".") && strings.HasPrefix(path, table) {
			return true
		}
	}
	return false
}

// findKey returns the key that path names, and whether it is the old name of that key. It prefers a key to a tree around it.
func findKey(path string) (k *Key, old bool) {
	if k := findNew(path); k != nil {
		return k, false
	}
	if rest, ok := strings.CutPrefix(path, "system."); ok && hasOldName(rest) {
		return findNew(rest), true
	}
	return nil, false
}

func findNew(path string) *Key {
	var tree *Key
	for i := range Keys {
		k := &Keys[i]
		if k.covers(path) {
			if !k.isTree() {
				return k
			}
			tree = k
		}
	}
	return tree
}

// isTable says whether some key can stand below path.
func isTable(path string) bool {
	rest, isOld := strings.CutPrefix(path+".", "system.")
	for i := range Keys {
		k := &Keys[i]
		if strings.HasPrefix(k.Path, path+".") || k.covers(path+".") {
			return true
		}
		if isOld && hasOldName(k.Path) && (strings.HasPrefix(k.Path, rest) || k.covers(rest)) {
			return true
		}
	}
	return false
}

// envName is the environment name of path without its IGGY_ or GALGO_.
func envName(path string) string {
	return strings.ToUpper(strings.ReplaceAll(path, ".", "_"))
}

// findEnv returns the key that an environment name without its prefix stands for, and whether it is the old name of that key.
func findEnv(name string) (k *Key, old bool) {
	if k := findEnvNew(name); k != nil {
		return k, false
	}
	if rest, ok := strings.CutPrefix(name, "SYSTEM_"); ok {
		if k := findEnvNew(rest); k != nil && hasOldName(k.Path) {
			return k, true
		}
	}
	return nil, false
}

func findEnvNew(name string) *Key {
	var tree *Key
	for i := range Keys {
		k := &Keys[i]
		if k.isTree() {
			if strings.HasPrefix(name, envName(k.Path[:len(k.Path)-1])) {
				tree = k
			}
		} else if envName(k.Path) == name {
			return k
		}
	}
	return tree
}

// The rest of this file says how a value of each kind reaches its field.

func text(field func(*Config) *string) func(*Config, Value) {
	return func(c *Config, v Value) { *field(c) = v.Written }
}

func toggle(field func(*Config) *bool) func(*Config, Value) {
	return func(c *Config, v Value) { *field(c) = v.Toggle }
}

func count(field func(*Config) *int) func(*Config, Value) {
	return func(c *Config, v Value) { *field(c) = int(v.Count) }
}

func size(field func(*Config) *uint64) func(*Config, Value) {
	return func(c *Config, v Value) { *field(c) = v.Size }
}

func duration(field func(*Config) *time.Duration) func(*Config, Value) {
	return func(c *Config, v Value) { *field(c) = v.Duration }
}

func list(field func(*Config) *[]string) func(*Config, Value) {
	return func(c *Config, v Value) { *field(c) = v.List }
}

func choice[T ~string](field func(*Config) *T) func(*Config, Value) {
	return func(c *Config, v Value) { *field(c) = T(v.Written) }
}

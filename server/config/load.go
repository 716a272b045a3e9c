package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// defaultFile is where the reference server looks for its configuration, relative to the working directory.
const defaultFile = "core/server/config.toml"

// Sources is where a configuration comes from.
type Sources struct {
	Flags                      map[string]string // text by flag name without dashes, of the flags that were given
	Environ                    []string          // "NAME=value", as os.Environ gives it
	File                       string            // flag --config, or ""
	Fresh                      bool              // flag --fresh
	WithDefaultRootCredentials bool              // flag --with-default-root-credentials
}

// Problems are what stops the start, in the order files, environment, flags, values. Each names its key and where it came from.
type Problems []string

// Error joins the problems into one line.
func (p Problems) Error() string { return strings.Join(p, "; ") }

// rank orders what gives a key its value: the higher one wins.
type rank uint8

const (
	fromDefault rank = iota
	fromFileOld      // the key's name below `system`
	fromFile
	fromIggyOld
	fromIggy
	fromGalgo
	fromFilter // RUST_LOG
	fromFlag
)

// offer is a value that some source gives to a key.
type offer struct {
	rank   rank
	value  raw
	origin string
}

// loader gathers offers, problems and notices on the way to a Config.
type loader struct {
	config      *Config
	variables   map[string]variable
	offers      map[*Key]offer
	ignored     []string // origins and paths of keys without meaning that were given
	unknownIggy []string
	problems    Problems
}

// Load finds the effective configuration. The error is a Problems when the configuration is wrong, and wraps the file's error
// when a file cannot be read or is not in its format; both are one line.
func Load(s Sources) (*Config, error) {
	l := loader{
		config: &Config{Fresh: s.Fresh},
		offers: make(map[*Key]offer, len(Keys)),
	}
	var err error
	if l.variables, err = readEnviron(s.Environ); err != nil {
		return nil, err
	}
	if err := l.file(s.File); err != nil {
		return nil, err
	}
	l.environ()
	l.filter()
	l.flags(s.Flags)
	l.settle()
	l.root(s.WithDefaultRootCredentials)
	l.check()
	l.notices()
	if len(l.problems) > 0 {
		return nil, l.problems
	}
	return l.config, nil
}

func (l *loader) problem(format string, args ...any) {
	l.problems = append(l.problems, fmt.Sprintf(format, args...))
}

func (l *loader) notice(warn bool, format string, args ...any) {
	l.config.Notices = append(l.config.Notices, Notice{Warn: warn, Text: fmt.Sprintf(format, args...)})
}

// offer takes o for k unless k has one as good. What is given below a tree is one offer for the tree.
func (l *loader) offer(k *Key, o offer) {
	if have, ok := l.offers[k]; !ok || o.rank > have.rank {
		l.offers[k] = o
	}
}

// file reads the configuration file: named if it is not empty, else that of IGGY_CONFIG_PATH, else the default one if it exists.
func (l *loader) file(named string) error {
	name := named
	if name == "" {
		name = l.variables[envConfigFile].value
	}
	explicit := name != ""
	if !explicit {
		name = defaultFile
	}
	entries, err := readFile(name)
	if errors.Is(err, fs.ErrNotExist) && !explicit {
		return nil
	}
	if err != nil {
		return err
	}
	l.config.ConfigFile = name
	badTable := "\x00" // no path starts with it
	for i, entry := range entries {
		if strings.HasPrefix(entry.path, badTable) {
			continue // its table was reported
		}
		origin := name + ":" + strconv.Itoa(entry.line)
		k, old := findKey(entry.path)
		known := k != nil
		if entry.isTable {
			known = isTable(entry.path)
		}
		switch {
		case known && entry.isTable:
		case known && old:
			l.offer(k, offer{fromFileOld, entry.value, origin})
		case known:
			l.offer(k, offer{fromFile, entry.value, origin})
		case entry.isTable && (isRefusedTable(entry.path) && i+1 < len(entries) && strings.HasPrefix(entries[i+1].path, entry.path+".")):
			// What stands in the table is refused key by key, each with its own replacement.
		case findRefused(entry.path) != "":
			l.problem("%s (%s): %s", entry.path, origin, findRefused(entry.path))
		case entry.isTable:
			l.problem("unknown table [%s] (%s)", entry.path, origin)
			badTable = entry.path + "."
		default:
			l.problem("unknown key %s (%s)", entry.path, origin)
		}
	}
	return nil
}

// environ reads the IGGY_ and GALGO_ names, in alphabetical order so that messages come in the same order each time.
func (l *loader) environ() {
	for _, full := range slices.Sorted(maps.Keys(l.variables)) {
		prefix, name, _ := strings.Cut(full, "_")
		if prefix != "IGGY" && prefix != "GALGO" || slices.Contains(ownNames, full) || isSister(full) {
			continue
		}
		v := l.variables[full]
		origin, value := v.origin(full), raw{text: v.value}
		k, old := findEnv(name)
		switch reason := findRefusedEnv(name); {
		case k == nil && reason != "":
			l.problem("%s: %s", origin, reason)
		case prefix == "GALGO" && (k == nil || old):
			l.problem("unknown environment name %s", origin)
		case prefix == "GALGO":
			l.offer(k, offer{fromGalgo, value, origin})
		case k == nil || k.Ours:
			l.unknownIggy = append(l.unknownIggy, origin)
		case old:
			l.offer(k, offer{fromIggyOld, value, origin})
		default:
			l.offer(k, offer{fromIggy, value, origin})
		}
	}
}

// filter takes the level of RUST_LOG. A filter that is none is a warning: the name belongs to every program of that language.
func (l *loader) filter() {
	v := l.variables[envFilter]
	if v.value == "" {
		return
	}
	k, _ := findKey("logging.level")
	switch level, ok := ParseLevel(v.value); {
	case !ok:
		l.notice(true, "%s = %q is not a log filter and is ignored: %s", v.origin(envFilter), v.value, k.want())
	case level != "":
		l.offer(k, offer{fromFilter, raw{text: level}, v.origin(envFilter)})
	}
}

func (l *loader) flags(given map[string]string) {
	for i := range Keys {
		k := &Keys[i]
		if value, ok := given[k.Flag]; ok && k.Flag != "" {
			l.offer(k, offer{fromFlag, raw{text: value}, "flag --" + k.Flag})
		}
	}
}

// settle parses the best offer of each key and fills the Config.
func (l *loader) settle() {
	for i := range Keys {
		k := &Keys[i]
		o, given := l.offers[k]
		if !given {
			if k.Kind == Free {
				continue
			}
			o = offer{value: raw{text: k.Default}, origin: "default"}
		}
		v, err := k.parse(o.value)
		switch {
		case err != nil && !given:
			panic(fmt.Sprintf("config: default of %s: %v", k.Path, err))
		case err != nil:
			l.problem("%s = %s (%s): %v", k.Path, k.shown(o.value), o.origin, err)
			continue
		}
		if k.fill != nil {
			k.fill(l.config, v)
		}
		if k.Kind == Secret && v.Written != "" {
			v.Written = masked
		}
		l.config.Settings = append(l.config.Settings, Setting{Key: k, Value: v, Origin: o.origin})
		switch {
		case k.Use == Refused && v.Toggle:
			l.problem("%s = true (%s): %s", k.Path, o.origin, k.Help)
		case k.Use == Ignored && given:
			l.ignored = append(l.ignored, k.Path+" ("+o.origin+")")
		}
	}
}

// shown is r in a message: masked if it is a secret.
func (k *Key) shown(r raw) string {
	switch {
	case k.Kind == Secret:
		return masked
	case r.isList:
		return listLiteral(r.list)
	}
	return quote(r.text)
}

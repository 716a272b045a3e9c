package config

import (
	"strings"

	"galgo/wire"
)

// root takes the credentials for the first creation of the root user: both or neither.
func (l *loader) root(withDefaults bool) {
	username, password := l.variables[envRootUsername].value, l.variables[envRootPassword].value
	if withDefaults && username == "" {
		username = "iggy"
	}
	if withDefaults && password == "" {
		password = "iggy"
	}
	switch {
	case username == "" && password == "":
		return
	case username == "":
		l.problem("%s is set without %s: give both or neither", envRootPassword, envRootUsername)
	case password == "":
		l.problem("%s is set without %s: give both or neither", envRootUsername, envRootPassword)
	case len(username) < wire.UsernameSizeMin || len(username) > wire.UsernameSizeMax: // nobody could log in
		l.problem("%s has %d bytes, want %d to %d", envRootUsername, len(username), wire.UsernameSizeMin, wire.UsernameSizeMax)
	case len(password) < wire.PasswordSizeMin || len(password) > wire.PasswordSizeMax:
		l.problem("%s has %d bytes, want %d to %d", envRootPassword, len(password), wire.PasswordSizeMin, wire.PasswordSizeMax)
	}
	l.config.Root = Credentials{Username: username, Password: password}
}

// check looks at what single values cannot show, and at what is not built.
func (l *loader) check() {
	c := l.config
	for _, listener := range c.Listeners() {
		if listener.Built && listener.Enabled {
			return
		}
	}
	l.problem("tcp.enabled = false (%s): no listener would be left", l.originOf("tcp.enabled"))
}

func (l *loader) originOf(path string) string {
	k, _ := findKey(path)
	if o, given := l.offers[k]; given {
		return o.origin
	}
	return "default"
}

// notices says what was read past, one line for each kind.
func (l *loader) notices() {
	if len(l.unknownIggy) > 0 {
		l.notice(true, "unknown environment names are ignored: %s", strings.Join(l.unknownIggy, ", "))
	}
	if len(l.ignored) > 0 {
		l.notice(false, "known keys without meaning in this server: %s", strings.Join(l.ignored, ", "))
	}
	var missing []string
	for _, listener := range l.config.Listeners() {
		if listener.Enabled && !listener.Built {
			missing = append(missing, listener.Name+" ("+listener.Address+")")
		}
	}
	if len(missing) > 0 {
		l.notice(true, "enabled but not built into this server, so nothing listens there: %s", strings.Join(missing, ", "))
	}
}

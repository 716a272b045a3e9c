package config

import "strings"

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
	case len(username) < 3 || len(username) > 50: // protocol.md, 8: names that can log in
		l.problem("%s has %d bytes, want 3 to 50", envRootUsername, len(username))
	case len(password) < 3 || len(password) > 100:
		l.problem("%s has %d bytes, want 3 to 100", envRootPassword, len(password))
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

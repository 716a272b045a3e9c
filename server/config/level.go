package config

import (
	"slices"
	"strings"
)

var levels = []string{"trace", "debug", "info", "warn", "error", "off", "none"}

// ParseLevel reads a log filter such as "info" or "warn,galgo=debug" and returns the level for everything, or "" when the
// filter names targets only: there is one level here, so targets are read past. A bare word that is no level makes it not ok.
func ParseLevel(filter string) (level string, ok bool) {
	for part := range strings.SplitSeq(filter, ",") {
		part = strings.ToLower(strings.TrimSpace(part))
		_, levelOfTarget, isTarget := strings.Cut(part, "=")
		switch {
		case isTarget && !slices.Contains(levels, levelOfTarget):
			return "", false
		case isTarget:
		case !slices.Contains(levels, part):
			return "", false
		default:
			level = part
		}
	}
	return level, true
}

package config

import (
	"bufio"
	"fmt"
	"io"
)

// masked stands for a secret that is set.
const masked = "********"

// Show prints every setting and its origin to w, one `key = value  # origin` a line, which is TOML: a secret that is set, and a
// key whose value is not looked at, stand in comments.
func (c *Config) Show(w io.Writer) error {
	lines := make([]string, len(c.Settings))
	width := 0
	for i, s := range c.Settings {
		switch {
		case s.Key.Kind == Free:
			lines[i] = "# " + s.Key.Path + " is ignored"
		case s.Key.Kind == Secret && s.Value.Written != "":
			lines[i] = "# " + s.Key.Path + " = " + s.Value.Written
		default:
			lines[i] = s.Key.Path + " = " + s.Key.literal(s.Value)
		}
		width = max(width, len(lines[i]))
	}
	width = min(width, 64) // a long list should not push every comment off the screen
	out := bufio.NewWriter(w)
	for i, s := range c.Settings {
		fmt.Fprintf(out, "%-*s  # %s\n", width, lines[i], s.Origin)
	}
	return out.Flush()
}

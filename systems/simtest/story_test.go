package simtest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// story is what happened, for people: what clients asked and got, what the disk and the network did, crashes. It keeps the end.
type story struct{ lines []string }

const storyMax = 100_000

// tell adds a line, when somebody listens.
func (p *play) tell(format string, args ...any) {
	if p.story != nil {
		p.story.add(p.clock() + "  " + fmt.Sprintf(format, args...))
	}
}

func (s *story) add(line string) {
	if len(s.lines) == storyMax {
		s.lines = slices.Delete(s.lines, 0, storyMax/2)
	}
	s.lines = append(s.lines, line)
}

// Write takes the World's trace and keeps the faults that change something.
func (s *story) Write(line []byte) (int, error) {
	at, rest, _ := bytes.Cut(bytes.TrimSpace(line), []byte(" "))
	if name, ok := bytes.CutPrefix(rest, []byte("fault ")); ok && !slices.Contains(dull, string(name)) {
		var micros uint64
		_, _ = fmt.Sscan(string(at), &micros)
		s.add(fmt.Sprintf("%.6f s      %s", float64(micros-1_000_000_000)/1e6, name))
	}
	return len(line), nil
}

// dull are faults that only delay.
var dull = []string{"split", "short send", "late", "pause", "spurious wake", "few entries taken", "slow", "stall", "slow read"}

// tail is the last lines.
func (s *story) tail(n int) string { return strings.Join(s.lines[max(len(s.lines)-n, 0):], "\n") }

package engine

import (
	"fmt"
	"slices"
	"testing"

	"galgo/components"
)

// said keeps log lines.
type said []string

func (s *said) Log(_ components.LogLevel, message string, fields ...components.LogField) {
	*s = append(*s, fmt.Sprint(message, fields))
}

// A recovery that takes long says how far it is, every five seconds; one that does not says nothing.
func TestProgress(t *testing.T) {
	var got said
	p := progress{of: 100, said: 1_000_000}
	for i := range uint64(100) {
		p.done(1_000_000+i*130_000, &got)
	}
	var want said
	for _, done := range []uint64{40, 79} { // at 5.07 and 10.14 s
		want.Log(components.LogInfo, "recovering partitions", components.Num("done", done), components.Num("of", 100))
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

package main

import (
	"fmt"
	"strconv"
)

// span is lines of one file that lie next to each other. A batch is made of spans.
type span struct {
	path  string
	first uint64 // line number, from 1
	count uint64 // at least 1
}

func (s span) last() uint64 { return s.first + s.count - 1 }

// place names a line of a file.
func place(path string, line uint64) string { return path + ":" + strconv.FormatUint(line, 10) }

// describeSpans says how many lines spans are and where they begin and end. There is at least one.
func describeSpans(spans []span) string {
	count := uint64(0)
	for _, s := range spans {
		count += s.count
	}
	end := spans[len(spans)-1]
	return fmt.Sprintf("%d lines, %s to %s", count, place(spans[0].path, spans[0].first), place(end.path, end.last()))
}

package acceptance

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// span is a line of produce's report: lines of one file that were acknowledged at offsets that follow each other.
type span struct {
	pass          int // number of the run of produce
	partition     uint32
	offset, count uint64
	path          string
	first         uint64 // line number of the first, from 1
}

func (s span) end() uint64 { return s.offset + s.count }

// parseSpan reads a line of a report.
func parseSpan(pass int, line string) (span, error) {
	fields := strings.Split(line, "\t")
	if len(fields) != 6 {
		return span{}, fmt.Errorf("report: %d fields in %q, want 6", len(fields), line)
	}
	var numbers [6]uint64
	for i, field := range fields {
		if i == 3 {
			continue
		}
		var err error
		if numbers[i], err = strconv.ParseUint(field, 10, 64); err != nil {
			return span{}, fmt.Errorf("report: %q: %w", line, err)
		}
	}
	s := span{pass, uint32(numbers[0]), numbers[1], numbers[2], fields[3], numbers[4]}
	if s.count == 0 || numbers[5] != s.first+s.count-1 {
		return s, fmt.Errorf("report: %q: %d lines from %d do not end at %d", line, s.count, s.first, numbers[5])
	}
	return s, nil
}

// ledger holds what was acknowledged in all passes.
type ledger struct {
	spans [][]span // by partition, by offset once sorted
	acked []map[string]uint64
}

func newLedger(partitions int) *ledger { return &ledger{spans: make([][]span, partitions)} }

// pass begins the next run of produce and returns its number.
func (l *ledger) pass() int {
	l.acked = append(l.acked, map[string]uint64{})
	return len(l.acked) - 1
}

// add enters what a report says. The lines of a file are acknowledged in order, without a gap.
func (l *ledger) add(s span) error {
	if want := l.acked[s.pass][s.path] + 1; s.first != want {
		return fmt.Errorf("%s:%d: acknowledged in pass %d as offset %d of partition %d where line %d is next", s.path, s.first, s.pass, s.offset, s.partition, want)
	}
	if int(s.partition) >= len(l.spans) {
		return fmt.Errorf("%s:%d: acknowledged in partition %d of %d", s.path, s.first, s.partition, len(l.spans))
	}
	l.acked[s.pass][s.path] += s.count
	l.spans[s.partition] = append(l.spans[s.partition], s)
	return nil
}

// sort orders the spans by offset and checks that no offset was given twice, and that a file's lines have offsets in their order.
func (l *ledger) sort(t *testing.T) {
	t.Helper()
	for partition, spans := range l.spans {
		slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.offset, b.offset) })
		for i := 1; i < len(spans); i++ {
			if before, s := spans[i-1], spans[i]; s.offset < before.end() {
				t.Fatalf("partition %d: offset %d acknowledged for %s:%d (pass %d) and for %s:%d (pass %d)", partition, s.offset,
					before.path, before.first+s.offset-before.offset, before.pass, s.path, s.first, s.pass)
			}
		}
		type file struct {
			pass int
			path string
		}
		next := map[file]uint64{}
		for _, s := range spans {
			of := file{s.pass, s.path}
			if next[of] != s.first-1 {
				t.Fatalf("%s:%d: offset %d of partition %d comes behind line %d (pass %d)", s.path, s.first, s.offset, partition, next[of], s.pass)
			}
			next[of] += s.count
		}
	}
}

// checkComplete checks that a pass had every line of every file acknowledged.
func (l *ledger) checkComplete(t *testing.T, pass int, lines map[string]uint64) {
	t.Helper()
	for path, want := range lines {
		if got := l.acked[pass][path]; got != want {
			t.Fatalf("%s: got %d lines acknowledged, want %d", path, got, want)
		}
	}
}

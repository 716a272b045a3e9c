package main

import (
	"testing"
	"time"
)

func TestParseStart(t *testing.T) {
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	micros := func(at time.Time) uint64 { return uint64(at.UnixMicro()) }
	for text, want := range map[string]startpoint{
		"first":                       {kind: startFirst},
		"last":                        {kind: startLast},
		"next":                        {kind: startNext},
		"0":                           {startOffset, 0},
		"18446744073709551615":        {startOffset, 1<<64 - 1},
		"15m":                         {startTime, micros(now.Add(-15 * time.Minute))},
		"1h30m":                       {startTime, micros(now.Add(-90 * time.Minute))},
		"2026-01-30T10:00:00Z":        {startTime, micros(now.Add(-26 * time.Hour))},
		"2026-01-31T13:00:00+01:00":   {startTime, micros(now)},
		"2026-01-31T12:00:00.000001Z": {startTime, micros(now) + 1},
		"1960-01-01T00:00:00Z":        {startTime, 0},
	} {
		if got, err := parseStart(text, now); err != nil || got != want {
			t.Errorf("%s: got %+v, %v, want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "First", "-1", "-5m", "yesterday", "2026-01-30", "18446744073709551616"} {
		if got, err := parseStart(text, now); err == nil {
			t.Errorf("%q: got %+v, want an error", text, got)
		}
	}
}

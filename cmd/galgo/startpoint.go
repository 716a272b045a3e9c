package main

import (
	"fmt"
	"strconv"
	"time"
)

// startKind is the kind of place where consume begins.
type startKind uint8

const (
	startFirst  startKind = iota // the earliest message retained
	startLast                    // the last message, or the last --count of each partition
	startNext                    // behind what the consumer stored; the earliest where it stored nothing
	startOffset                  // value is an offset
	startTime                    // value is µs since the Unix epoch
)

// startpoint is where consume begins in each partition.
type startpoint struct {
	kind  startKind
	value uint64
}

// parseStart reads the value of --from: first, last, next, an offset, a time as in RFC 3339, or an age before now.
func parseStart(text string, now time.Time) (startpoint, error) {
	switch text {
	case "first":
		return startpoint{kind: startFirst}, nil
	case "last":
		return startpoint{kind: startLast}, nil
	case "next":
		return startpoint{kind: startNext}, nil
	}
	if offset, err := strconv.ParseUint(text, 10, 64); err == nil {
		return startpoint{startOffset, offset}, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		age, err := time.ParseDuration(text)
		if err != nil || age < 0 {
			return startpoint{}, fmt.Errorf("flag --from: %q is not first, last, next, an offset, a time such as 2026-01-31T12:00:00Z or an age such as 15m", text)
		}
		at = now.Add(-age)
	}
	return startpoint{startTime, uint64(max(0, at.UnixMicro()))}, nil
}

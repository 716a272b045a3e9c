package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

var durationUnits = map[string]time.Duration{
	"ns": time.Nanosecond, "us": time.Microsecond, "µs": time.Microsecond,
	"ms": time.Millisecond, "msec": time.Millisecond,
	"s": time.Second, "sec": time.Second, "second": time.Second, "seconds": time.Second,
	"m": time.Minute, "min": time.Minute, "minute": time.Minute, "minutes": time.Minute,
	"h": time.Hour, "hr": time.Hour, "hour": time.Hour, "hours": time.Hour,
	"d": 24 * time.Hour, "day": 24 * time.Hour, "days": 24 * time.Hour,
	"w": 7 * 24 * time.Hour, "week": 7 * 24 * time.Hour, "weeks": 7 * 24 * time.Hour,
}

// ParseDuration reads "30 s", "1h 30m", "7 days" or "0". "none", "disabled" and "unlimited" are 0, as they are to the
// reference server. A number other than 0 needs a unit: nobody guesses the same one.
func ParseDuration(text string) (time.Duration, error) {
	rest := strings.TrimSpace(text)
	switch rest {
	case "0", "none", "disabled", "unlimited":
		return 0, nil
	case "":
		return 0, fmt.Errorf("duration %q is empty", text)
	}
	sum := 0.0
	for rest != "" {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789."))
		number, err := strconv.ParseFloat(rest[:digits], 64)
		if err != nil {
			return 0, fmt.Errorf("duration %q: a number should stand before %q", text, rest)
		}
		rest = strings.TrimLeft(rest[digits:], " ")
		letters := strings.IndexAny(rest, " 0123456789.")
		if letters < 0 {
			letters = len(rest)
		}
		unit, ok := durationUnits[rest[:letters]]
		if !ok {
			return 0, fmt.Errorf("duration %q: unknown unit %q", text, rest[:letters])
		}
		rest = strings.TrimLeft(rest[letters:], " ")
		sum += number * float64(unit)
	}
	if sum >= math.MaxInt64 {
		return 0, fmt.Errorf("duration %q is too long", text)
	}
	return time.Duration(math.Round(sum)), nil
}

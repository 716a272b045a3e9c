package config

import (
	"testing"
	"time"
)

func TestParseSize(t *testing.T) {
	for text, want := range map[string]uint64{
		"64 MiB": 64 << 20, "64MiB": 64 << 20, "2 MB": 2_000_000, "4096": 4096, "0": 0, "1200 B": 1200, "1.5 KiB": 1536,
		"4 GiB": 4 << 30, "unlimited": 0, "18446744073709551615": 1<<64 - 1,
	} {
		if got, err := ParseSize(text); err != nil || got != want {
			t.Errorf("ParseSize(%q): got %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "MiB", "1,5 GB", "-1", "5 parsecs", "99999999 TiB"} {
		if got, err := ParseSize(text); err == nil {
			t.Errorf("ParseSize(%q): got %d, want an error", text, got)
		}
	}
	for bytes, want := range map[uint64]string{0: "0 B", 1000: "1000 B", 1536: "1536 B", 64 << 20: "64 MiB", 3 << 40: "3 TiB", 5 << 50: "5120 TiB"} {
		if got := FormatSize(bytes); got != want {
			t.Errorf("FormatSize(%d): got %q, want %q", bytes, got, want)
		}
		if back, err := ParseSize(want); err != nil || back != bytes {
			t.Errorf("ParseSize(%q): got %d, %v, want %d", want, back, err, bytes)
		}
	}
}

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"30 s": 30 * time.Second, "30s": 30 * time.Second, "1 m": time.Minute, "1h 30m": 90 * time.Minute, "1h30m": 90 * time.Minute,
		"0": 0, "0 s": 0, "7 days": 168 * time.Hour, "50 ms": 50 * time.Millisecond, "10 µs": 10 * time.Microsecond, "1.5 h": 90 * time.Minute,
		"none": 0,
	} {
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("ParseDuration(%q): got %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "30", "s", "30 parsecs", "-1 s", "1..2 s", "1e9 h", "999999 weeks"} {
		if got, err := ParseDuration(text); err == nil {
			t.Errorf("ParseDuration(%q): got %v, want an error", text, got)
		}
	}
}

func TestReserve(t *testing.T) {
	for _, test := range []struct {
		reserve     Reserve
		total, want uint64
	}{
		{Reserve{Auto: true}, 100 << 30, 1 << 30},
		{Reserve{Auto: true}, 1000, 50},
		{Reserve{Size: 7}, 1000, 7},
		{Reserve{}, 1000, 0},
	} {
		if got := test.reserve.Of(test.total); got != test.want {
			t.Errorf("%+v of %d: got %d, want %d", test.reserve, test.total, got, test.want)
		}
	}
}

func TestPoolSize(t *testing.T) {
	for _, test := range []struct {
		size        PoolSize
		total, want uint64
	}{
		{PoolSize{Auto: true}, 1 << 40, 4 << 30},
		{PoolSize{Auto: true}, 1000, 50},
		{PoolSize{Size: 7}, 1000, 7},
		{PoolSize{}, 1000, 0},
	} {
		if got := test.size.Of(test.total); got != test.want {
			t.Errorf("%+v of %d: got %d, want %d", test.size, test.total, got, test.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"1h 30m", "64 MiB", "warn,a=debug", "[::1]:0", "a, b", "\"\\\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for i := range Keys {
			v, err := Keys[i].parse(raw{text: text})
			if err == nil && Keys[i].literal(v) == "" {
				t.Errorf("%s = %q: got an empty literal, want some", Keys[i].Path, text)
			}
		}
	})
}

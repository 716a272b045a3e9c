package main

import (
	"context"
	"os"
	"strings"
	"testing"

	"galgo/server/config"
)

// execute runs args in an empty directory, without the caller's IGGY_ and GALGO_ names.
func execute(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for _, line := range os.Environ() {
		if name, value, _ := strings.Cut(line, "="); strings.HasPrefix(name, "IGGY_") || strings.HasPrefix(name, "GALGO_") || name == "RUST_LOG" {
			t.Setenv(name, value) // restores it
			os.Unsetenv(name)
		}
	}
	var out, err strings.Builder
	code = run(args, &out, &err)
	return code, out.String(), err.String()
}

func TestMistakesAreOneLine(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"serve", "--shrads=2"}, "unknown flag: --shrads"},
		{[]string{"serve", "--shards=none"}, "flag --shards"},
		{[]string{"serve", "--pin=maybe"}, "auto, on or off"},
		{[]string{"serve", "--io", "epoll"}, "auto, io_uring or portable"},
		{[]string{"serve", "--replica-id=256"}, "--replica-id"},
		{[]string{"serve", "--config=/nowhere/c.toml"}, "/nowhere/c.toml"},
		{[]string{"serve", "now"}, "now"},
		{[]string{"sevre"}, "unknown command"},
		{[]string{"config", "--memory=1"}, "flag --memory"},
	} {
		code, stdout, stderr := execute(t, test.args...)
		if code == 0 || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.HasPrefix(stderr, "galgo: ") || !strings.Contains(stderr, test.want) {
			t.Errorf("%q: got code %d, %q and %q, want one line with %q", test.args, code, stdout, stderr, test.want)
		}
	}
}

func TestServeTakesTheEffectiveConfiguration(t *testing.T) {
	var got *config.Config
	before := runServer
	defer func() { runServer = before }()
	runServer = func(_ context.Context, c *config.Config) error { got = c; return nil }
	code, _, stderr := execute(t, "serve", "--data", "d", "--tcp-address=127.0.0.1:0", "--shards=2", "--memory", "100 MB", "--pin=off",
		"--direct=off", "--io=io_uring", "--nice", "-5", "--with-default-root-credentials", "-f", "--replica-id", "3")
	if code != 0 {
		t.Fatalf("got code %d and %q, want 0", code, stderr)
	}
	if got.Path != "d" || got.TCP.Address != "127.0.0.1:0" || got.Shards != 2 || got.Memory != 100_000_000 || got.Pin != config.PinOff ||
		got.Direct != config.DirectOff || got.IO != config.IOUring || got.Nice != -5 || got.Root.Password != "iggy" || !got.Fresh {
		t.Errorf("got %+v, want what the flags say", got)
	}
}

func TestConfigShowsOrigins(t *testing.T) {
	code, stdout, stderr := execute(t, "config", "--data=d")
	if code != 0 || !strings.Contains(stdout, "path = \"d\"") || !strings.Contains(stdout, "# flag --data\n") || !strings.Contains(stdout, "# default\n") {
		t.Errorf("got code %d, %q, want the path and its origin", code, stdout)
	}
	if !strings.HasPrefix(stderr, "galgo: warning: enabled but not built") {
		t.Errorf("got %q on standard error, want the notices", stderr)
	}
}

func TestVersion(t *testing.T) {
	for _, args := range [][]string{{"version"}, {"--version"}} {
		if code, stdout, _ := execute(t, args...); code != 0 || !strings.HasPrefix(stdout, "galgo ") || strings.Count(stdout, "\n") != 1 {
			t.Errorf("%q: got code %d and %q, want galgo and its version", args, code, stdout)
		}
	}
}

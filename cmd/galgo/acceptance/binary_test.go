package acceptance

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"galgo/ecs"
	_ "galgo/server" // what the binary is made of: when it changes, results of these tests are not taken from the cache
)

// galgo is the path of the galgo that the tests run.
var galgo string

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	if users := os.Getenv(loginUsers); users != "" {
		return logInMany(users, os.Getenv(loginAddress))
	}
	if os.Getenv(burnAll) != "" {
		return burn()
	}
	if err := lookAtSources(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	dir, err := os.MkdirTemp("", "galgo-acceptance-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	galgo = filepath.Join(dir, "galgo")
	args := []string{"build", "-o", galgo}
	if ecs.Invariants {
		args = append(args, "-tags=invariants")
	}
	if raceEnabled {
		args = append(args, "-race")
	}
	if out, err := exec.Command("go", append(args, "galgo/cmd/galgo")...).CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build galgo: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// lookAtSources looks at the sources of the command, which this package cannot import: the go command notes which files a test has looked at, and runs it
// again when they have changed.
func lookAtSources() error {
	names, err := filepath.Glob("../*.go")
	for _, name := range names {
		if _, err := os.Stat(name); err != nil {
			return err
		}
	}
	return err
}

// environ is the environment of this process without what would configure the one under test, and with more.
func environ(more ...string) []string {
	var kept []string
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "GALGO_") && !strings.HasPrefix(variable, "IGGY_") && !strings.HasPrefix(variable, "RUST_LOG=") {
			kept = append(kept, variable)
		}
	}
	return append(kept, more...)
}

// result is how a command ended.
type result struct {
	code           int
	stdout, stderr string
}

// run runs a command of the binary to its end.
func run(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	return runWith(t, nil, stdin, args...)
}

// runWith is run with more environment variables.
func runWith(t *testing.T, env []string, stdin string, args ...string) result {
	t.Helper()
	var stdout, stderr strings.Builder
	c := exec.CommandContext(t.Context(), galgo, args...)
	c.Env, c.Stdin, c.Stdout, c.Stderr = environ(env...), strings.NewReader(stdin), &stdout, &stderr
	c.Dir = t.TempDir() // no .env of this tree
	_ = c.Run()         // the exit code says it
	return result{c.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

package acceptance

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

const pythonClient = "../../../testdata/acceptance/python_client.py"

// The released Python client, which is the released Rust client inside, does all that it can do with this server.
func TestPythonClient(t *testing.T) {
	python := os.Getenv("ACCEPTANCE_PYTHON")
	if python == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("ACCEPTANCE_PYTHON is not set; .ci/run sets it")
		}
		t.Skip("ACCEPTANCE_PYTHON names no Python with apache-iggy")
	}
	for _, shards := range []int{1, 2} {
		t.Run(fmt.Sprintf("%d shards", shards), func(t *testing.T) {
			t.Parallel()
			runPythonClient(t, python, shards)
		})
	}
}

// runPythonClient runs the program and restarts the server where it asks for that.
func runPythonClient(t *testing.T, python string, shards int) {
	s := start(t, options{shards: shards})
	program := exec.CommandContext(t.Context(), python, pythonClient, s.address)
	var stderr strings.Builder
	program.Stderr = &stderr
	answers, err := program.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	wishes, err := program.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	restarts := 0
	for lines := bufio.NewScanner(wishes); lines.Scan(); restarts++ {
		switch lines.Text() {
		case "restart SIGTERM":
			s.stop(t)
		case "restart SIGKILL":
			s.kill(t)
		default:
			t.Fatalf("standard output: got %q, want a wish", lines.Text())
		}
		s = start(t, options{dir: s.dir, address: s.address, shards: shards})
		if _, err := fmt.Fprintln(answers, strings.TrimPrefix(lines.Text(), "restart ")); err != nil {
			t.Fatal(err)
		}
	}
	if err := program.Wait(); err != nil {
		t.Fatalf("got %v, want success:\n%s", err, &stderr)
	}
	if restarts != 2 {
		t.Errorf("restarts: got %d, want 2", restarts)
	}
	s.stop(t)
}

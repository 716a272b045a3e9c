package placement

import (
	"os"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"
)

// TestSetNice lowers the priority of a process of its own, since nobody without privileges gets it back.
func TestSetNice(t *testing.T) {
	const name = "GALGO_TEST_NICE"
	if os.Getenv(name) == "" {
		child := exec.Command(os.Args[0], "-test.run=^TestSetNice$")
		child.Env = append(os.Environ(), name+"=1")
		if out, err := child.CombinedOutput(); err != nil {
			t.Fatalf("got %v, want success:\n%s", err, out)
		}
		return
	}
	if err := SetNice(19); err != nil {
		t.Fatal(err)
	}
	// The system call answers 20 - nice.
	if got, err := unix.Getpriority(unix.PRIO_PROCESS, 0); err != nil || got != 1 {
		t.Errorf("got priority %d, %v, want 1, which is nice 19", got, err)
	}
}

package placement

import (
	"os"
	"os/exec"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// inChild runs a test in a process of its own, since nobody without privileges gets a priority back, and says whether this is that process.
func inChild(t *testing.T) bool {
	t.Helper()
	const name = "GALGO_TEST_NICE"
	if os.Getenv(name) != "" {
		return true
	}
	child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	child.Env = append(os.Environ(), name+"=1")
	if out, err := child.CombinedOutput(); err != nil {
		t.Fatalf("got %v, want success:\n%s", err, out)
	}
	return false
}

// niceOf is the priority of a thread, 0 for this one.
func niceOf(t *testing.T, id int) int {
	t.Helper()
	level, err := unix.Getpriority(unix.PRIO_PROCESS, id)
	if err != nil {
		t.Fatal(err)
	}
	return 20 - level
}

func TestSetNice(t *testing.T) {
	if !inChild(t) {
		return
	}
	if err := SetNice(19); err != nil {
		t.Fatal(err)
	}
	if got := niceOf(t, 0); got != 19 {
		t.Errorf("got nice %d, want 19", got)
	}
}

func TestPrefer(t *testing.T) {
	if !inChild(t) {
		return
	}
	before, over := niceOf(t, 0), make(chan struct{})
	defer close(over)
	locked := func(name string) int {
		id := make(chan int)
		go func() {
			runtime.LockOSThread()
			NameThread(name)
			id <- unix.Gettid()
			<-over
		}()
		return <-id
	}
	preferred, other := locked("preferred-0"), locked("other-0")
	if err := Prefer("none", "preferred-"); err != nil {
		t.Fatal(err)
	}
	if got := niceOf(t, preferred); got != before {
		t.Errorf("preferred thread: got nice %d, want %d", got, before)
	}
	want := min(before+othersNice, 19)
	if got := niceOf(t, other); got != want {
		t.Errorf("another thread: got nice %d, want %d", got, want)
	}
	for range 50 { // more than there are threads
		if got := niceOf(t, locked("later")); got != want {
			t.Errorf("a thread that was started later: got nice %d, want %d", got, want)
		}
	}
}

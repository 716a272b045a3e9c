package placement

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// PinThread binds the calling OS thread to cpu for good. The caller has locked its goroutine to the thread before.
func PinThread(cpu int) error {
	var set unix.CPUSet
	set.Set(cpu)
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("pin to core %d: %w", cpu, err)
	}
	return nil
}

// NameThread names the calling thread, as tools like top and perf show it: the first 15 bytes. Where that is not allowed it keeps its name.
func NameThread(name string) {
	if text, err := unix.BytePtrFromString(name); err == nil {
		_ = unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(text)), 0, 0, 0)
	}
}

// OnMainThread says whether the caller runs on the thread whose name is that of the process.
func OnMainThread() bool { return unix.Gettid() == unix.Getpid() }

// SetNice gives every thread of the process the priority nice, -20 to 19; threads made later inherit it. Linux keeps it by
// thread, and the Go runtime has several from the start. Call it before the shards start. A negative one needs CAP_SYS_NICE or
// RLIMIT_NICE, and the error is EACCES or EPERM without.
func SetNice(nice int) error {
	return eachThread(func(id int, name string) error {
		// ESRCH: the thread ended since it was listed.
		if err := unix.Setpriority(unix.PRIO_PROCESS, id, nice); err != nil && err != unix.ESRCH {
			return fmt.Errorf("nice %d: %w", nice, err)
		}
		return nil
	})
}

// othersNice is how much lower than that of preferred threads the priority of the others is.
const othersNice = 10

// Prefer makes the kernel prefer the threads whose names begin with one of prefixes to all others of the process: shards are asked for answers
// that take microseconds, and the collector, or a thousand passwords to be hashed, must not be in their way. It is for good, and for threads that
// the Go runtime starts later as well: they inherit from those that start them, and it starts none from a locked thread.
func Prefer(prefixes ...string) error {
	level, err := unix.Getpriority(unix.PRIO_PROCESS, 0) // it answers 20 - nice
	if err != nil {
		return fmt.Errorf("priority of the process: %w", err)
	}
	nice := min(20-level+othersNice, 19)
	for changed := true; changed; { // a thread may be started meanwhile by one whose turn was still to come
		changed = false
		err := eachThread(func(id int, name string) error {
			if slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
				return nil
			}
			level, err := unix.Getpriority(unix.PRIO_PROCESS, id)
			if err == nil && 20-level < nice {
				changed = true
				err = unix.Setpriority(unix.PRIO_PROCESS, id, nice)
			}
			if err != nil && err != unix.ESRCH { // it has ended
				return fmt.Errorf("priority of thread %q: %w", name, err)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// eachThread goes through the threads of the process. One that ends meanwhile may have no name.
func eachThread(do func(id int, name string) error) error {
	const threads = "/proc/self/task"
	list, err := os.ReadDir(threads)
	if err != nil {
		return fmt.Errorf("threads of the process: %w", err)
	}
	for _, thread := range list {
		id, err := strconv.Atoi(thread.Name())
		if err != nil {
			continue
		}
		name, _ := os.ReadFile(filepath.Join(threads, thread.Name(), "comm"))
		if err := do(id, strings.TrimSpace(string(name))); err != nil {
			return err
		}
	}
	return nil
}

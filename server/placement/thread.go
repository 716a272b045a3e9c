package placement

import (
	"fmt"
	"os"
	"strconv"

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

// SetNice gives every thread of the process the priority nice, -20 to 19; threads made later inherit it. Linux keeps it by
// thread, and the Go runtime has several from the start. Call it before the shards start. A negative one needs CAP_SYS_NICE or
// RLIMIT_NICE, and the error is EACCES or EPERM without.
func SetNice(nice int) error {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return fmt.Errorf("nice %d: %w", nice, err)
	}
	for _, thread := range threads {
		id, err := strconv.Atoi(thread.Name())
		if err != nil {
			continue
		}
		// ESRCH: the thread ended since it was listed.
		if err := unix.Setpriority(unix.PRIO_PROCESS, id, nice); err != nil && err != unix.ESRCH {
			return fmt.Errorf("nice %d: %w", nice, err)
		}
	}
	return nil
}

package conformance

import (
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// limiter is a host that keeps the limits of its process itself, as the simulation does. Of the others the system does.
type limiter interface {
	// LimitFileSize makes files end at so many bytes: what goes beyond is cut off, and what begins there fails with EFBIG. 0: no limit.
	LimitFileSize(bytes uint64)
	// LimitDescriptors lets so many more descriptors be made. Below 0: no limit.
	LimitDescriptors(more int)
}

// limitFileSize bounds files until the test ends.
func (f *fixture) limitFileSize(bytes uint64) {
	f.Helper()
	if l, ok := f.host.(limiter); ok {
		l.LimitFileSize(bytes)
		return
	}
	signal.Ignore(unix.SIGXFSZ) // which would end the process
	f.setLimit(unix.RLIMIT_FSIZE, bytes)
}

// limitDescriptors lets one more descriptor be made until lift is called.
func (f *fixture) limitDescriptors() (lift func()) {
	f.Helper()
	if l, ok := f.host.(limiter); ok {
		l.LimitDescriptors(1)
		return func() { l.LimitDescriptors(-1) }
	}
	free, err := os.Open(os.DevNull)
	f.check(err)
	lowest := uint64(free.Fd())
	f.check(free.Close())
	return f.setLimit(unix.RLIMIT_NOFILE, lowest+1)
}

// setLimit lowers a limit of the process until the test ends, or until lift is called.
func (f *fixture) setLimit(which int, to uint64) (lift func()) {
	f.Helper()
	var before unix.Rlimit
	f.check(unix.Getrlimit(which, &before))
	f.check(unix.Setrlimit(which, &unix.Rlimit{Cur: min(to, before.Max), Max: before.Max}))
	lift = func() { f.check(unix.Setrlimit(which, &before)) }
	f.Cleanup(lift)
	return lift
}

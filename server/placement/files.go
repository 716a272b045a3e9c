package placement

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// RaiseFiles lifts the soft limit of open descriptors to the hard one and returns the limit in force, also beside an error.
func RaiseFiles() (limit uint64, err error) {
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
		return 0, fmt.Errorf("descriptor limit: %w", err)
	}
	if l.Cur == l.Max {
		return l.Cur, nil
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: l.Max, Max: l.Max}); err != nil {
		return l.Cur, fmt.Errorf("descriptor limit: raise %d to %d: %w", l.Cur, l.Max, err)
	}
	return l.Max, nil
}

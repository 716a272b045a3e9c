package uring

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"
)

func TestSetupErrorsTellWhetherAnotherHostShouldBeTried(t *testing.T) {
	for errno, want := range map[unix.Errno]bool{
		unix.ENOSYS: true, unix.EPERM: true, unix.EACCES: true, unix.EINVAL: true, unix.ENOMEM: true, unix.EMFILE: false,
	} {
		err := setupError(errno)
		if got := errors.Is(err, ErrUnsupported); got != want {
			t.Errorf("%v: got unsupported %v, want %v", errno, got, want)
		}
		if !errors.Is(err, errno) {
			t.Errorf("got %v, want it to wrap %v", err, errno)
		}
	}
}

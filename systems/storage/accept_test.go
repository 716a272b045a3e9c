package storage

import (
	"syscall"
	"testing"

	"galgo/uring"
)

// Accepting rests where the process has nothing left to accept with, and goes on at once after what only one connection met.
func TestAcceptingRests(t *testing.T) {
	for errno, want := range map[syscall.Errno]uint64{
		syscall.EMFILE: acceptPauseMicros, syscall.ENFILE: acceptPauseMicros, syscall.ENOMEM: acceptPauseMicros, syscall.ECONNABORTED: 0, syscall.ECANCELED: 0,
	} {
		v, st := idleStorage(t)
		st.Listener.FD, st.Listener.Armed = 3, true
		slot, _ := take(st, OpAccept, 0)
		accepted(v, st, nil, slot, &uring.Completion{Res: -int32(errno)})
		if got := NextAccept(st); got != want || st.Listener.Armed || st.Inflight.Len() != 0 {
			t.Errorf("%v: got a rest until %d, armed %v, %d slots, want one until %d, not armed, none", errno, got, st.Listener.Armed, st.Inflight.Len(), want)
		}
		if want > 0 {
			AcceptConns(v, st, nil) // which does not touch the ring before that
		}
	}
}

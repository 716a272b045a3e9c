package storage

import (
	"net/netip"
	"syscall"

	"galgo/components"
	"galgo/uring"
)

// acceptPauseMicros is how long accepting rests when the process has no descriptors or memory left.
const acceptPauseMicros = 100_000

// AcceptConns keeps one multishot accept armed on the shard that listens.
// Reads Stopping. Writes Listener, Inflight. Drives the ring.
func AcceptConns(v components.StateView, st *components.Storage, io *IO) {
	l := &st.Listener
	if l.FD < 0 {
		return
	}
	if v.Stopping() {
		if !l.Stopped && l.Armed && st.Inflight.Free() > 0 {
			l.Stopped = true
			_, token := take(st, OpRefuse, 0)
			io.Ring.Push(uring.CancelFD(l.FD, token))
		}
		return
	}
	if l.Armed || st.Inflight.Free() == 0 || v.Now().MonoMicros < l.RetryAt {
		return
	}
	_, token := take(st, OpAccept, 0)
	io.Ring.Push(uring.AcceptMultishot(l.FD, syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, token))
	l.Armed = true
}

// NextAccept is when accepting goes on after a pause; 0 is no pause.
func NextAccept(st *components.Storage) uint64 {
	if st.Listener.FD < 0 || st.Listener.Armed {
		return 0
	}
	return st.Listener.RetryAt
}

func accepted(v components.StateView, st *components.Storage, io *IO, slot uint32, c *uring.Completion) {
	if !c.More() {
		st.Inflight.Put(slot)
		st.Listener.Armed = false
	}
	if c.Res < 0 {
		switch errno := errnoOf(c.Res); errno {
		case syscall.ECANCELED, syscall.ECONNABORTED, syscall.EINTR, syscall.EAGAIN:
		default:
			st.Listener.RetryAt = v.Now().MonoMicros + acceptPauseMicros
			st.Log.Log(components.LogWarn, "accepting connections rests", components.Num("errno", uint64(errno)))
		}
		return
	}
	local, peer, err := io.Ring.Host().SockNames(c.Res)
	if err != nil || st.Out.Accepted.Free() == 0 {
		st.In.Refuse.TryPush(c.Res)
		return
	}
	accept := components.Accept{FD: c.Res}
	accept.Local, _ = netip.ParseAddrPort(local)
	accept.Peer, _ = netip.ParseAddrPort(peer)
	st.Out.Accepted.Push(accept)
}

// RefuseConns closes sockets that no shard has room for.
func RefuseConns(st *components.Storage, io *IO) {
	for st.In.Refuse.Len() > 0 && st.Inflight.Free() > 0 {
		_, token := take(st, OpRefuse, 0)
		io.Ring.Push(uring.Close(st.In.Refuse.Pop(), token))
	}
}

package sim

import (
	"net/netip"
	"slices"
	"syscall"

	"galgo/uring"
)

// socket is one end of a connection, or a listener.
type socket struct {
	k             *Kernel // nil for a Peer's
	w             *World
	state         socketState
	local, remote netip.AddrPort
	in, out       *pipe
	pending       []*socket // of a listener: connected, not accepted

	err       syscall.Errno // what the next operation is told, once
	broken    bool          // reset
	shutRead  bool
	shutWrite bool // the end of the stream is on its way
	closed    bool
	silent    bool // what arrives vanishes without an answer
	abort     bool // close resets: SO_LINGER of no time

	readers   []*op // receives and accepts, in order
	writers   []*op // sends, in order
	polls     []*op
	connector *op
	changed   func() // a Peer's owner
	telling   bool   // an event that calls changed is on its way
}

type socketState uint8

const (
	fresh socketState = iota
	listening
	connecting
	established
)

const (
	pollIn  = uring.POLLIN
	pollOut = uring.POLLOUT
)

func (n *network) newSocket(k *Kernel) *socket {
	s := &socket{k: k, w: n.world}
	if k != nil {
		n.sockets = append(n.sockets, s)
	}
	return s
}

// connected tells a client how its request went.
func (s *socket) connected(errno syscall.Errno) {
	if s.closed || s.state != connecting {
		return
	}
	if s.state = established; errno != 0 {
		s.state, s.remote, s.err = fresh, netip.AddrPort{}, errno
	}
	if o := s.connector; o != nil {
		s.connector, s.err = nil, 0
		o.finish(failed(errno))
	}
	s.serve(pollIn | pollOut)
}

// close ends a socket that nobody holds any more.
func (s *socket) close() {
	if s.closed {
		return
	}
	s.w.net.sockets = slices.DeleteFunc(s.w.net.sockets, func(other *socket) bool { return other == s })
	for _, p := range s.pending {
		p.abort = true
		p.close()
	}
	s.pending = nil
	if s.out != nil && !s.broken {
		switch {
		case s.abort || len(s.in.inbox) > 0:
			s.out.put(segment{kind: segmentReset})
		case !s.shutWrite:
			s.out.put(segment{kind: segmentEnd})
		}
	}
	s.closed = true
}

// vanish ends a socket without a word to the other side.
func (s *socket) vanish() {
	s.closed = true
	for _, p := range s.pending {
		p.vanish()
	}
}

// readiness is what poll reports.
func (s *socket) readiness() uint32 {
	m := uint32(0)
	switch s.state {
	case listening:
		if len(s.pending) > 0 {
			m |= uring.POLLIN
		}
		return m
	case established:
	default:
		return uring.POLLOUT | uring.POLLHUP
	}
	if len(s.in.inbox) > 0 || s.ended() {
		m |= uring.POLLIN
	}
	if s.ended() {
		m |= uring.POLLRDHUP
	}
	if s.out.room() > 0 || s.broken || s.shutWrite {
		m |= uring.POLLOUT
	}
	if s.err != 0 {
		m |= uring.POLLERR
	}
	if s.broken || s.ended() && s.shutWrite {
		m |= uring.POLLHUP
	}
	return m
}

// ended reports whether no further bytes will come.
func (s *socket) ended() bool { return s.in.ended || s.shutRead || s.broken }

// serve goes on with the operations that wait. Cause is what may have become possible, as poll has it.
func (s *socket) serve(cause uint32) {
	if s.changed != nil {
		s.tell()
		return
	}
	s.servePolls(cause)
	s.serveLine(&s.readers)
	s.serveLine(&s.writers)
}

func (s *socket) serveLine(line *[]*op) {
	for len(*line) > 0 {
		o := (*line)[0]
		r, done := o.try()
		if !done {
			return
		}
		*line = slices.Delete(*line, 0, 1)
		o.finish(r)
	}
}

func (s *socket) servePolls(cause uint32) {
	ready := s.readiness()
	for _, o := range slices.Clone(s.polls) {
		if o.state != opWaiting {
			continue
		}
		if o.e.Len&uring.PollMultishot == 0 {
			if mask := o.wanted(ready); mask != 0 {
				s.polls = remove(s.polls, o)
				o.finish(result{res: int32(mask)})
			}
			continue
		}
		if mask := o.wanted(ready & (cause | uring.POLLERR | uring.POLLHUP | uring.POLLRDHUP)); mask != 0 {
			o.more(result{res: int32(mask)})
		}
	}
}

// wanted is what of ready a poll is to be told.
func (o *op) wanted(ready uint32) uint32 {
	return ready & (o.e.OpFlags | uring.POLLERR | uring.POLLHUP)
}

// more completes an operation that goes on.
func (o *op) more(r result) {
	o.s.post(uring.Completion{UserData: o.e.UserData, Res: r.res, Flags: r.flags | uring.FlagMore})
}

func remove(line []*op, o *op) []*op {
	return slices.DeleteFunc(line, func(other *op) bool { return other == o })
}

// leaveLine takes a cancelled operation out of where it waits.
func (o *op) leaveLine() {
	s := o.held.socket
	s.readers, s.writers, s.polls = remove(s.readers, o), remove(s.writers, o), remove(s.polls, o)
	if s.connector == o {
		s.connector = nil
	}
}

// takeError returns the error that waits to be told.
func (s *socket) takeError() syscall.Errno {
	err := s.err
	s.err = 0
	return err
}

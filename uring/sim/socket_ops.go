package sim

import (
	"encoding/binary"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"

	"galgo/uring"
)

// onSocket returns the socket of an operation. It returns nil when the operation has ended because there is none.
func (o *op) onSocket() *socket {
	if o.held.socket == nil {
		o.finish(failed(syscall.ENOTSOCK))
	}
	return o.held.socket
}

// join puts an operation in a line and tries it, at once or a moment later. One that does not wait does not stand in line either.
func (o *op) join(line *[]*op) {
	s, w := o.held.socket, o.s.k.world
	impatient := o.e.Opcode != uring.OpAccept && o.e.OpFlags&unix.MSG_DONTWAIT != 0
	if impatient && len(*line) > 0 {
		o.finish(failed(syscall.EAGAIN))
		return
	}
	o.state = opWaiting
	*line = append(*line, o)
	if !impatient && w.fault(FaultLate, w.o.Faults.Late) {
		o.s.k.after(1+w.below(200), func() { s.serveLine(line) })
		return
	}
	s.serveLine(line)
}

// try goes on with an operation in a line: it returns whether it is done.
func (o *op) try() (result, bool) {
	switch o.e.Opcode {
	case uring.OpAccept:
		return o.tryAccept()
	case uring.OpRecv:
		return o.tryRecv()
	}
	return o.trySend()
}

func (o *op) startRecv() {
	s := o.onSocket()
	if s == nil {
		return
	}
	selects := o.e.Flags&uring.EntryBufferSelect != 0
	if selects && o.e.IoPrio&uring.IoPrioPollFirst == 0 && !o.s.hasBuffer(o.e.BufGroup) {
		o.finish(failed(syscall.ENOBUFS)) // the buffer is looked for before the bytes
		return
	}
	if o.e.OpFlags&unix.MSG_PEEK == 0 {
		o.poison()
	}
	o.join(&s.readers)
}

func (o *op) tryRecv() (result, bool) {
	s := o.held.socket
	if s.state != established {
		return failed(syscall.ENOTCONN), true
	}
	if o.e.Flags&uring.EntryBufferSelect != 0 {
		return o.tryRecvSelect()
	}
	peek := o.e.OpFlags&unix.MSG_PEEK != 0
	got := o.fillBuffers(peek)
	all := o.e.OpFlags&unix.MSG_WAITALL != 0 && !peek
	switch {
	case o.want == 0, o.done == o.want, got > 0 && !all:
		return result{res: int32(o.done), flags: s.nonempty()}, true
	case o.done > 0 && (s.err != 0 || s.ended()):
		return result{res: int32(o.done)}, true
	case s.err != 0:
		return failed(s.takeError()), true
	case s.ended():
		return result{}, true
	case o.e.OpFlags&unix.MSG_DONTWAIT != 0:
		if o.done > 0 {
			return result{res: int32(o.done)}, true
		}
		return failed(syscall.EAGAIN), true
	}
	return result{}, false
}

// fillBuffers takes what has arrived.
func (o *op) fillBuffers(peek bool) int {
	got, skip := 0, o.done
	for _, b := range o.buffers {
		if skip >= len(b) {
			skip -= len(b)
			continue
		}
		n := o.held.socket.in.take(b[skip:], peek)
		got += n
		if n < len(b)-skip {
			break
		}
		skip = 0
	}
	o.done += got
	return got
}

// nonempty is the flag that says that more bytes have arrived than were taken.
func (s *socket) nonempty() uint32 {
	if len(s.in.inbox) > 0 {
		return uring.FlagNonempty
	}
	return 0
}

func (o *op) tryRecvSelect() (result, bool) {
	s := o.held.socket
	for {
		switch {
		case len(s.in.inbox) > 0:
			b, id, errno := o.s.takeBuffer(o.e.BufGroup, o.e.Len)
			if errno != 0 {
				return failed(errno), true
			}
			n := s.in.take(b, false)
			r := result{res: int32(n), flags: uring.FlagBuffer | uint32(id)<<16 | s.nonempty()}
			if o.e.IoPrio&uring.IoPrioRecvMultishot == 0 {
				return r, true
			}
			o.more(r)
			continue
		case s.err != 0:
			return failed(s.takeError()), true
		case s.ended():
			return result{}, true
		case o.e.OpFlags&unix.MSG_DONTWAIT != 0:
			return failed(syscall.EAGAIN), true
		}
		return result{}, false
	}
}

func (o *op) startSend() {
	s := o.onSocket()
	if s == nil {
		return
	}
	if o.e.Opcode == uring.OpSendmsg && len(o.buffers) == 0 && o.want == 0 && s.state == established && !s.broken && !s.shutWrite {
		o.finish(result{})
		return
	}
	o.seal()
	o.join(&s.writers)
}

func (o *op) trySend() (result, bool) {
	s, w := o.held.socket, o.s.k.world
	all := o.e.OpFlags&unix.MSG_WAITALL != 0
	for {
		switch {
		case s.state != established || s.shutWrite || s.broken && s.err == 0:
			return o.partly(syscall.EPIPE), true
		case s.err != 0 && o.done > 0:
			return result{res: int32(o.done)}, true
		case s.err != 0:
			return failed(s.takeError()), true
		case o.done == o.want:
			return result{res: int32(o.done)}, true
		}
		n := min(s.out.room(), o.want-o.done)
		if n == 0 {
			if o.e.OpFlags&unix.MSG_DONTWAIT != 0 {
				return o.partly(syscall.EAGAIN), true
			}
			return result{}, false
		}
		if n > 1 && w.fault(FaultShortSend, w.o.Faults.ShortSend) {
			n = 1 + int(w.below(uint64(n)-1))
		}
		s.out.send(o.copyOut(n))
		if o.done += n; !all {
			return result{res: int32(o.done)}, true
		}
	}
}

// partly is the result of an operation that cannot go on: what it has done, or the error when that is nothing.
func (o *op) partly(errno syscall.Errno) result {
	if o.done > 0 {
		return result{res: int32(o.done)}
	}
	return failed(errno)
}

// copyOut copies the next n bytes that are to be sent.
func (o *op) copyOut(n int) []byte {
	data, skip := make([]byte, 0, n), o.done
	for _, b := range o.buffers {
		if skip >= len(b) {
			skip -= len(b)
			continue
		}
		data = append(data, b[skip:min(len(b), skip+n-len(data))]...)
		if skip = 0; len(data) == n {
			break
		}
	}
	return data
}

func (o *op) startAccept() {
	if s := o.onSocket(); s != nil {
		o.join(&s.readers)
	}
}

func (o *op) tryAccept() (result, bool) {
	s, k := o.held.socket, o.s.k
	for {
		if s.state != listening || s.shutRead {
			return failed(syscall.EINVAL), true
		}
		if len(s.pending) == 0 {
			return result{}, false
		}
		connection := s.pending[0]
		fd, errno := k.open(&file{socket: connection})
		if errno != 0 {
			return failed(errno), true // the connection waits on
		}
		s.pending = s.pending[1:]
		if o.e.IoPrio&uring.IoPrioAcceptMultishot == 0 {
			return result{res: fd}, true
		}
		o.more(result{res: fd})
	}
}

func (o *op) startPoll() {
	s := o.held.socket
	if s == nil { // files are always ready
		o.finish(result{res: int32(o.wanted(uring.POLLIN | uring.POLLOUT))})
		return
	}
	o.state = opWaiting
	mask := o.wanted(s.readiness())
	switch {
	case mask == 0:
	case o.e.Len&uring.PollMultishot != 0:
		o.more(result{res: int32(mask)})
	default:
		o.finish(result{res: int32(mask)})
		return
	}
	s.polls = append(s.polls, o)
}

func (o *op) startShutdown() {
	s := o.onSocket()
	if s == nil {
		return
	}
	how := o.e.Len
	switch {
	case how > uring.SHUT_RDWR:
		o.finish(failed(syscall.EINVAL))
		return
	case s.state == listening:
	case s.state != established || s.broken:
		o.finish(failed(syscall.ENOTCONN))
		return
	}
	if how != uring.SHUT_WR {
		s.shutRead = true
	}
	if how != uring.SHUT_RD && !s.shutWrite && s.out != nil {
		s.shutWrite = true
		s.out.put(segment{kind: segmentEnd})
	}
	o.finish(result{})
	s.serve(pollIn | pollOut)
}

func (o *op) startSocket() {
	k := o.s.k
	if o.e.FD != uring.AF_INET && o.e.FD != uring.AF_INET6 || o.e.Off&0xF != uring.SOCK_STREAM {
		o.finish(failed(syscall.EAFNOSUPPORT))
		return
	}
	s := k.world.net.newSocket(k)
	fd, errno := k.open(&file{socket: s})
	if errno != 0 {
		s.close()
		o.finish(failed(errno))
		return
	}
	o.finish(result{res: fd})
}

func (o *op) startConnect() {
	s := o.onSocket()
	if s == nil {
		return
	}
	switch s.state {
	case established:
		o.finish(failed(syscall.EISCONN))
		return
	case connecting:
		o.finish(failed(syscall.EALREADY))
		return
	case listening:
		o.finish(failed(syscall.EINVAL))
		return
	}
	to, ok := parseSockAddr(o.address)
	if !ok {
		o.finish(failed(syscall.EINVAL))
		return
	}
	n := &o.s.k.world.net
	s.local = netip.AddrPortFrom(to.Addr(), n.nextPort())
	s.connector, o.state = o, opWaiting
	n.connect(s, to)
}

// parseSockAddr reads struct sockaddr_in or sockaddr_in6.
func parseSockAddr(b []byte) (netip.AddrPort, bool) {
	if len(b) < 16 {
		return netip.AddrPort{}, false
	}
	port := binary.BigEndian.Uint16(b[2:])
	switch family := binary.NativeEndian.Uint16(b); {
	case family == uring.AF_INET:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[4:8])), port), true
	case family == uring.AF_INET6 && len(b) >= 28:
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte(b[8:24])).Unmap(), port), true
	}
	return netip.AddrPort{}, false
}

// startOption takes the socket options that make a difference here, and those that are known and make none.
func (o *op) startOption() {
	s := o.onSocket()
	if s == nil {
		return
	}
	level, option := uint32(o.e.Addr), uint32(o.e.Addr>>32)
	value := o.s.k.bytes(uring.Addr(o.e.Addr3), uint64(o.e.SpliceFD))
	errno := syscall.Errno(0)
	switch {
	case len(value) < 4:
		errno = syscall.EINVAL
	case level == uring.SOL_SOCKET && option == uring.SO_LINGER:
		if len(value) < 8 {
			errno = syscall.EINVAL
			break
		}
		s.abort = binary.NativeEndian.Uint32(value) != 0 && binary.NativeEndian.Uint32(value[4:]) == 0
	case level == uring.SOL_SOCKET && (option == uring.SO_RCVBUF || option == uring.SO_SNDBUF || option == uring.SO_KEEPALIVE):
	case level == uring.IPPROTO_TCP && option >= uring.TCP_NODELAY && option <= unix.TCP_USER_TIMEOUT:
	default:
		errno = syscall.ENOPROTOOPT
	}
	o.finish(failed(errno))
}

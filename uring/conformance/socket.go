package conformance

import (
	"syscall"

	"galgo/uring"
)

// socketTests are about connections.
var socketTests = map[string]func(*fixture){
	"accept_and_connect":        acceptAndConnect,
	"connect_refused":           connectRefused,
	"accept_multishot":          acceptMultishot,
	"accept_without_room":       acceptWithoutRoom,
	"receive_does_not_wait":     receiveDoesNotWait,
	"receive_peeks":             receivePeeks,
	"send_message_waits":        sendMessageWaits,
	"send_message_is_short":     sendMessageShort,
	"shutdown_errors":           shutdownErrors,
	"cancel_a_chain":            cancelChain,
	"receive_what_is_there":     receiveWhatIsThere,
	"receive_waits_for_all":     receiveWaitsForAll,
	"end_of_stream":             endOfStream,
	"end_of_stream_while_all":   endOfStreamWhileAll,
	"send_is_short_when_full":   sendShort,
	"send_waits_for_all":        sendWaitsForAll,
	"send_message":              sendMessage,
	"send_to_a_closed_peer":     sendToClosed,
	"poll_first":                pollFirst,
	"poll":                      poll,
	"poll_multishot":            pollMultishot,
	"cancel_receive":            cancelReceive,
	"cancel_descriptor":         cancelDescriptor,
	"shutdown_ends_a_receive":   shutdownEndsReceive,
	"socket_option":             socketOption,
	"link_across_a_connection":  linkAcross,
	"receive_after_peer_resets": receiveAfterReset,
}

func (f *fixture) closeAll(fds ...int32) {
	f.Helper()
	for _, fd := range fds {
		f.closeFD(fd)
	}
}

func acceptAndConnect(f *fixture) {
	client, server := f.pair()
	f.send(client, "to the server")
	f.wantBytes([]byte(f.receive(server, 13)), "to the server")
	f.send(server, "and back")
	f.wantBytes([]byte(f.receive(client, 8)), "and back")
	f.closeAll(client, server)
}

func connectRefused(f *fixture) {
	listener, address := f.listen()
	f.closeFD(listener)
	client, connect := f.dial(address)
	f.wantErrno(f.wait(connect), syscall.ECONNREFUSED)
	f.closeFD(client)
}

func acceptMultishot(f *fixture) {
	listener, address := f.listen()
	accept := func(t uring.Token) uring.Entry {
		return uring.AcceptMultishot(listener, uring.SOCK_CLOEXEC|uring.SOCK_NONBLOCK, t)
	}
	for range 2 { // the second time over proves that it can be armed again
		armed := f.push(accept)
		for range 5 {
			client, connect := f.dial(address)
			f.want(f.wait(connect), 0)
			c := f.wait(armed)
			if c.Res < 0 || !c.More() {
				f.Fatalf("got result %d, flags %#x, want a descriptor with more to come", c.Res, c.Flags)
			}
			f.send(client, "hello")
			f.wantBytes([]byte(f.receive(c.Res, 5)), "hello")
			f.closeAll(client, c.Res)
		}
		f.want(f.do(func(t uring.Token) uring.Entry { return uring.Cancel(armed, t) }), 0)
		c := f.wait(armed)
		f.wantErrno(c, syscall.ECANCELED)
		if c.More() {
			f.Fatalf("got flags %#x, want no more to come", c.Flags)
		}
	}
	if got := f.ring.Inflight(); got != 0 {
		f.Fatalf("got %d in flight, want 0", got)
	}
	f.closeFD(listener)
}

// acceptWithoutRoom: where no descriptor is left accepting ends, the connection waits, and is there once accepting goes on.
func acceptWithoutRoom(f *fixture) {
	listener, address := f.listen()
	clients, connects := [2]int32{}, [2]uring.Token{}
	for i := range clients {
		clients[i], connects[i] = f.dial(address)
		f.want(f.wait(connects[i]), 0)
	}
	lift := f.limitDescriptors()
	accept := func(t uring.Token) uring.Entry { return uring.AcceptMultishot(listener, uring.SOCK_CLOEXEC, t) }
	armed := f.push(accept)
	first := f.wait(armed)
	if first.Res < 0 || !first.More() {
		f.Fatalf("got result %d (%v), flags %#x, want the last descriptor and more to come", first.Res, first.Errno(), first.Flags)
	}
	c := f.wait(armed)
	f.wantErrno(c, syscall.EMFILE)
	if c.More() {
		f.Fatalf("got flags %#x, want no more to come", c.Flags)
	}
	lift()
	armed = f.push(accept)
	second := f.wait(armed)
	if second.Res < 0 || !second.More() {
		f.Fatalf("got result %d (%v), flags %#x, want the connection that waited", second.Res, second.Errno(), second.Flags)
	}
	f.send(clients[1], "hello")
	f.wantBytes([]byte(f.receive(second.Res, 5)), "hello")
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Cancel(armed, t) }), 0)
	f.wantErrno(f.wait(armed), syscall.ECANCELED)
	f.closeAll(clients[0], clients[1], first.Res, second.Res, listener)
}

func receiveDoesNotWait(f *fixture) {
	client, server := f.pair()
	into, b := f.buffer(10)
	receive := func(t uring.Token) uring.Entry { return uring.Recv(server, into, 10, uring.MSG_DONTWAIT, t) }
	f.wantErrno(f.do(receive), syscall.EAGAIN)
	other, _ := f.buffer(10)
	waiting := f.push(func(t uring.Token) uring.Entry { return uring.Recv(server, other, 10, 0, t) })
	f.settle()
	f.wantErrno(f.do(receive), syscall.EAGAIN) // nor does it stand in line
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Cancel(waiting, t) }), 0)
	f.wantErrno(f.wait(waiting), syscall.ECANCELED)
	f.send(client, "some")
	f.ok(func(t uring.Token) uring.Entry { return uring.PollAdd(server, uring.POLLIN, false, t) })
	f.want(f.do(receive), 4)
	f.wantBytes(b[:4], "some")
	f.closeAll(client, server)
}

func receivePeeks(f *fixture) {
	client, server := f.pair()
	f.send(client, "twice")
	f.ok(func(t uring.Token) uring.Entry { return uring.PollAdd(server, uring.POLLIN, false, t) })
	into, b := f.buffer(10)
	for _, flags := range []uint32{uring.MSG_PEEK, 0} {
		f.want(f.do(func(t uring.Token) uring.Entry { return uring.Recv(server, into, 10, flags, t) }), 5)
		f.wantBytes(b[:5], "twice")
	}
	f.closeAll(client, server)
}

// vectored makes a message header of a text in pieces of 1 MiB and an odd one.
func (f *fixture) vectored(text string) uring.Addr {
	const piece = 1 << 20
	a, _ := f.bytes(text)
	count := (len(text) + piece - 1) / piece
	off := f.take(uint64(count)*16 + 56)
	for i := range f.slab.Iovecs(off, count) {
		f.slab.Iovecs(off, count)[i] = uring.Iovec{Base: a + uring.Addr(i*piece), Len: uint64(min(piece, len(text)-i*piece))}
	}
	header := off + uint64(count)*16
	*f.slab.Msghdr(header) = uring.Msghdr{Iov: f.slab.Addr(off), IovCount: uint64(count)}
	return f.slab.Addr(header)
}

func sendMessageWaits(f *fixture) {
	client, server := f.pair()
	text := pattern(16<<20 + 77)
	header := f.vectored(text)
	into, b := f.buffer(len(text))
	send := f.push(func(t uring.Token) uring.Entry { return uring.Sendmsg(client, header, uring.MSG_WAITALL, t) })
	if f.settle(); f.has(send) {
		f.Fatal("got a completion before anyone received, want none")
	}
	// Header and vectors are the caller's again.
	clear(f.slab.At(header, 56))
	receive := f.push(func(t uring.Token) uring.Entry {
		return uring.Recv(server, into, uint32(len(text)), uring.MSG_WAITALL, t)
	})
	f.want(f.wait(send), int32(len(text)))
	f.want(f.wait(receive), int32(len(text)))
	f.wantBytes(b, text)
	f.closeAll(client, server)
}

func sendMessageShort(f *fixture) {
	client, server := f.pair()
	text := pattern(16 << 20)
	header := f.vectored(text)
	sent := f.ok(func(t uring.Token) uring.Entry { return uring.Sendmsg(client, header, uring.MSG_DONTWAIT, t) })
	if sent == 0 || sent >= int32(len(text)) {
		f.Fatalf("got %d bytes sent, want fewer than %d", sent, len(text))
	}
	f.wantBytes([]byte(f.receive(server, int(sent))), text[:sent])
	f.closeAll(client, server)
}

func shutdownErrors(f *fixture) {
	fd := f.ok(func(t uring.Token) uring.Entry {
		return uring.Socket(uring.AF_INET, uring.SOCK_STREAM|uring.SOCK_CLOEXEC, 0, t)
	})
	into, _ := f.buffer(10)
	f.wantErrno(f.do(func(t uring.Token) uring.Entry { return uring.Recv(fd, into, 10, 0, t) }), syscall.ENOTCONN)
	f.wantErrno(f.do(func(t uring.Token) uring.Entry { return uring.Shutdown(fd, uring.SHUT_RDWR, t) }), syscall.ENOTCONN)
	f.wantErrno(f.do(func(t uring.Token) uring.Entry { return uring.Shutdown(fd, 9, t) }), syscall.EINVAL)
	file, _ := f.file("no-socket", "x")
	f.wantErrno(f.do(func(t uring.Token) uring.Entry { return uring.Shutdown(file, uring.SHUT_RDWR, t) }), syscall.ENOTSOCK)
	f.wantErrno(f.do(func(t uring.Token) uring.Entry { return uring.Recv(file, into, 10, 0, t) }), syscall.ENOTSOCK)
	f.closeAll(fd, file)
}

// cancelChain: what is behind a cancelled operation in its chain is cancelled with it.
func cancelChain(f *fixture) {
	client, server := f.pair()
	into, _ := f.buffer(10)
	receive := f.push(func(t uring.Token) uring.Entry { return uring.Recv(server, into, 10, 0, t).Link() })
	next := f.push(func(t uring.Token) uring.Entry { return uring.Nop(t).Link() })
	last := f.push(uring.Nop)
	f.settle()
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Cancel(receive, t) }), 0)
	for _, t := range []uring.Token{receive, next, last} {
		f.wantErrno(f.wait(t), syscall.ECANCELED)
	}
	f.closeAll(client, server)
}

func receiveWhatIsThere(f *fixture) {
	client, server := f.pair()
	into, b := f.buffer(100)
	receive := f.push(func(t uring.Token) uring.Entry { return uring.Recv(server, into, 100, 0, t) })
	f.settle()
	if f.has(receive) {
		f.Fatal("got a completion before any byte, want none")
	}
	f.send(client, "some")
	f.want(f.wait(receive), 4)
	f.wantBytes(b[:4], "some")
	f.send(client, "more than asked for")
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Recv(server, into, 4, 0, t) }), 4)
	f.wantBytes(b[:4], "more")
	f.closeAll(client, server)
}

func receiveWaitsForAll(f *fixture) {
	client, server := f.pair()
	text := pattern(1 << 20)
	into, b := f.buffer(len(text))
	receive := f.push(func(t uring.Token) uring.Entry {
		return uring.Recv(server, into, uint32(len(text)), uring.MSG_WAITALL, t)
	})
	for i := 0; i < len(text); i += len(text) / 4 {
		if f.settle(); f.has(receive) {
			f.Fatalf("got a completion after %d of %d bytes, want none", i, len(text))
		}
		f.send(client, text[i:i+len(text)/4])
	}
	f.want(f.wait(receive), int32(len(text)))
	f.wantBytes(b, text)
	f.closeAll(client, server)
}

func endOfStream(f *fixture) {
	client, server := f.pair()
	f.send(client, "last")
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Shutdown(client, uring.SHUT_WR, t) }), 0)
	f.wantBytes([]byte(f.receive(server, 4)), "last")
	into, _ := f.buffer(10)
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Recv(server, into, 10, 0, t) }), 0)
	f.send(server, "still open") // the other direction
	f.wantBytes([]byte(f.receive(client, 10)), "still open")
	f.closeAll(client, server)
}

func endOfStreamWhileAll(f *fixture) {
	client, server := f.pair()
	into, b := f.buffer(100)
	receive := f.push(func(t uring.Token) uring.Entry { return uring.Recv(server, into, 100, uring.MSG_WAITALL, t) })
	next := f.push(uring.Nop)
	f.want(f.wait(next), 0)
	f.send(client, "half")
	f.closeFD(client)
	f.want(f.wait(receive), 4)
	f.wantBytes(b[:4], "half")
	f.closeFD(server)
}

func sendShort(f *fixture) {
	client, server := f.pair()
	text := pattern(32 << 20) // more than socket buffers take
	a, n := f.bytes(text)
	sent := f.ok(func(t uring.Token) uring.Entry { return uring.Send(client, a, n, uring.MSG_DONTWAIT, t) })
	if sent == 0 || sent >= int32(n) {
		f.Fatalf("got %d bytes sent, want fewer than %d", sent, n)
	}
	for { // fill up
		c := f.do(func(t uring.Token) uring.Entry {
			return uring.Send(client, a+uring.Addr(sent), n-uint32(sent), uring.MSG_DONTWAIT, t)
		})
		if c.Errno() == syscall.EAGAIN {
			break
		}
		if c.Res <= 0 {
			f.Fatalf("got result %d (%v), want bytes or EAGAIN", c.Res, c.Errno())
		}
		sent += c.Res
	}
	f.wantBytes([]byte(f.receive(server, int(sent))), text[:sent])
	f.closeAll(client, server)
}

func sendWaitsForAll(f *fixture) {
	client, server := f.pair()
	text := pattern(16 << 20)
	a, n := f.bytes(text)
	into, b := f.buffer(len(text))
	send := f.push(func(t uring.Token) uring.Entry { return uring.Send(client, a, n, uring.MSG_WAITALL, t) })
	if f.settle(); f.has(send) {
		f.Fatal("got a completion before anyone received, want none")
	}
	receive := f.push(func(t uring.Token) uring.Entry { return uring.Recv(server, into, n, uring.MSG_WAITALL, t) })
	f.want(f.wait(send), int32(n))
	f.want(f.wait(receive), int32(n))
	f.wantBytes(b, text)
	f.closeAll(client, server)
}

func sendMessage(f *fixture) {
	client, server := f.pair()
	one, n1 := f.bytes("vectored ")
	two, n2 := f.bytes("send")
	off := f.take(2*16 + 56)
	iov := f.slab.Iovecs(off, 2)
	iov[0], iov[1] = uring.Iovec{Base: one, Len: uint64(n1)}, uring.Iovec{Base: two, Len: uint64(n2)}
	*f.slab.Msghdr(off + 32) = uring.Msghdr{Iov: f.slab.Addr(off), IovCount: 2}
	f.want(f.do(func(t uring.Token) uring.Entry {
		return uring.Sendmsg(client, f.slab.Addr(off+32), uring.MSG_WAITALL, t)
	}), 13)
	f.wantBytes([]byte(f.receive(server, 13)), "vectored send")
	f.closeAll(client, server)
}

func sendToClosed(f *fixture) {
	client, server := f.pair()
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Shutdown(client, uring.SHUT_WR, t) }), 0)
	a, n := f.bytes("too late")
	f.wantErrno(f.do(func(t uring.Token) uring.Entry { return uring.Send(client, a, n, 0, t) }), syscall.EPIPE)
	f.closeAll(client, server)
}

func pollFirst(f *fixture) {
	client, server := f.pair()
	into, b := f.buffer(10)
	receive := f.push(func(t uring.Token) uring.Entry { return uring.Recv(server, into, 10, 0, t).PollFirst() })
	f.settle()
	f.send(client, "polled")
	f.want(f.wait(receive), 6)
	f.wantBytes(b[:6], "polled")
	f.closeAll(client, server)
}

func poll(f *fixture) {
	client, server := f.pair()
	if got := f.ok(func(t uring.Token) uring.Entry { return uring.PollAdd(client, uring.POLLOUT, false, t) }); got&uring.POLLOUT == 0 {
		f.Fatalf("got mask %#x, want POLLOUT", got)
	}
	armed := f.push(func(t uring.Token) uring.Entry { return uring.PollAdd(server, uring.POLLIN, false, t) })
	if f.settle(); f.has(armed) {
		f.Fatal("got a completion before any byte, want none")
	}
	f.send(client, "x")
	c := f.wait(armed)
	if c.Res&uring.POLLIN == 0 || c.More() {
		f.Fatalf("got mask %#x, flags %#x, want POLLIN and no more to come", c.Res, c.Flags)
	}
	f.closeAll(client, server)
}

func pollMultishot(f *fixture) {
	client, server := f.pair()
	armed := f.push(func(t uring.Token) uring.Entry { return uring.PollAdd(server, uring.POLLIN, true, t) })
	f.settle()
	for range 3 {
		f.send(client, "x")
		c := f.wait(armed)
		if c.Res&uring.POLLIN == 0 || !c.More() {
			f.Fatalf("got mask %#x, flags %#x, want POLLIN and more to come", c.Res, c.Flags)
		}
		f.receive(server, 1)
	}
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Cancel(armed, t) }), 0)
	for {
		if c := f.wait(armed); !c.More() {
			f.wantErrno(c, syscall.ECANCELED)
			break
		}
	}
	f.closeAll(client, server)
}

func cancelReceive(f *fixture) {
	client, server := f.pair()
	into, b := f.buffer(10)
	receive := f.push(func(t uring.Token) uring.Entry { return uring.Recv(server, into, 10, 0, t) })
	f.settle()
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Cancel(receive, t) }), 0)
	f.wantErrno(f.wait(receive), syscall.ECANCELED)
	f.send(client, "after") // nothing of it went to the cancelled receive
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Recv(server, into, 10, 0, t) }), 5)
	f.wantBytes(b[:5], "after")
	f.closeAll(client, server)
}

func cancelDescriptor(f *fixture) {
	client, server := f.pair()
	one, _ := f.buffer(10)
	two, _ := f.buffer(10)
	first := f.push(func(t uring.Token) uring.Entry { return uring.Recv(server, one, 10, 0, t) })
	second := f.push(func(t uring.Token) uring.Entry { return uring.PollAdd(server, uring.POLLIN, true, t) })
	other := f.push(func(t uring.Token) uring.Entry { return uring.Recv(client, two, 10, 0, t) })
	f.settle()
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.CancelFD(server, t) }), 2)
	f.wantErrno(f.wait(first), syscall.ECANCELED)
	f.wantErrno(f.wait(second), syscall.ECANCELED)
	if f.settle(); f.has(other) {
		f.Fatal("got a completion on another descriptor, want none")
	}
	f.send(server, "alive")
	f.want(f.wait(other), 5)
	f.closeAll(client, server)
}

func shutdownEndsReceive(f *fixture) {
	client, server := f.pair()
	into, _ := f.buffer(10)
	receive := f.push(func(t uring.Token) uring.Entry { return uring.Recv(server, into, 10, 0, t) })
	f.settle()
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Shutdown(server, uring.SHUT_RDWR, t) }), 0)
	f.want(f.wait(receive), 0)
	f.closeAll(client, server)
}

func socketOption(f *fixture) {
	if !f.host.Supports(uring.OpSetSockOpt) {
		f.Skip("the host has no setsockopt operation")
	}
	client, server := f.pair()
	a, b := f.buffer(4)
	b[0] = 1
	f.want(f.do(func(t uring.Token) uring.Entry {
		return uring.SetSockOpt(client, uring.IPPROTO_TCP, uring.TCP_QUICKACK, a, 4, t)
	}), 0)
	f.want(f.do(func(t uring.Token) uring.Entry {
		return uring.SetSockOpt(client, uring.IPPROTO_TCP, uring.TCP_NODELAY, a, 4, t)
	}), 0)
	c := f.do(func(t uring.Token) uring.Entry { return uring.SetSockOpt(client, uring.IPPROTO_TCP, 9999, a, 4, t) })
	f.wantErrno(c, syscall.ENOPROTOOPT)
	f.closeAll(client, server)
}

func linkAcross(f *fixture) {
	client, server := f.pair()
	into, b := f.buffer(4)
	reply, n := f.bytes("pong")
	receive := f.push(func(t uring.Token) uring.Entry { return uring.Recv(server, into, 4, uring.MSG_WAITALL, t).Link() })
	answer := f.push(func(t uring.Token) uring.Entry { return uring.Send(server, reply, n, uring.MSG_WAITALL, t) })
	f.settle()
	if f.has(answer) {
		f.Fatal("got the second of a chain before the first, want none")
	}
	f.send(client, "ping")
	f.wantBytes([]byte(f.receive(client, 4)), "pong")
	f.want(f.wait(receive), 4)
	f.want(f.wait(answer), 4)
	f.wantBytes(b, "ping")
	f.closeAll(client, server)
}

func receiveAfterReset(f *fixture) {
	client, server := f.pair()
	f.send(server, "never read")
	into, _ := f.buffer(10)
	// Wait for the bytes: closing with unread bytes resets the connection.
	f.ok(func(t uring.Token) uring.Entry { return uring.PollAdd(client, uring.POLLIN, false, t) })
	receive := f.push(func(t uring.Token) uring.Entry { return uring.Recv(server, into, 10, 0, t) })
	f.settle()
	f.closeFD(client)
	f.wantErrno(f.wait(receive), syscall.ECONNRESET)
	f.closeFD(server)
}

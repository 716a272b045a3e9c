package sim_test

import (
	"fmt"
	"syscall"

	"galgo/uring"
)

// steps are what a program is made of: each makes an operation or some, and prints their results.
var steps = []func(p *program){
	(*program).open, (*program).close, (*program).write, (*program).write, (*program).durableWrite, (*program).append, (*program).readFile,
	(*program).readFile, (*program).writev, (*program).readv, (*program).fallocate, (*program).truncate, (*program).fsync, (*program).rename,
	(*program).rename, (*program).unlink, (*program).mkdir, (*program).stat, (*program).chain, (*program).send, (*program).sendMessage,
	(*program).receiveSelect, (*program).receiveMultishot, (*program).poll, (*program).cancel, (*program).timeout, (*program).connection,
	(*program).options, (*program).message,
}

func (p *program) step() {
	clear(p.slab.Bytes(intoAt, dataMax))
	steps[p.rng.IntN(len(steps))](p)
}

func (p *program) path() uring.Addr { return p.slab.PutPath(pathAt, p.name()) }

func (p *program) into() uring.Addr { return p.slab.Addr(intoAt) }

func (p *program) open() {
	flags := []uint32{
		uring.O_RDWR, uring.O_RDWR | uring.O_CREAT, uring.O_RDWR | uring.O_CREAT | uring.O_EXCL, uring.O_RDONLY, uring.O_WRONLY | uring.O_CREAT | uring.O_TRUNC,
		uring.O_RDONLY | uring.O_DIRECTORY, uring.O_RDWR | uring.O_CREAT | uring.O_DSYNC, uring.O_RDWR | uring.O_APPEND,
	}[p.rng.IntN(8)]
	at, path := int32(uring.AtCWD), p.path()
	if p.rng.IntN(4) == 0 { // relative to a file, which is a directory or none
		at, path = p.file(), p.slab.PutPath(pathAt, "f1")
	}
	c := p.do(uring.Openat(at, path, flags|uring.O_CLOEXEC, 0o644, 0))[0]
	if c.Res >= 0 {
		p.files = append(p.files, c.Res)
		c.Res = 0
	}
	p.print("open", c)
}

func (p *program) close() {
	fd := p.file()
	p.print("close", p.do(uring.Close(fd, 0))...)
	for i := range p.files {
		if p.files[i] == fd {
			p.files[i] = noFile
		}
	}
}

func (p *program) write() {
	fd, n, position := p.file(), p.size(), uint64(p.size())
	p.print("write", p.do(uring.Write(fd, p.data(n), n, position, 0, 0))...)
}

func (p *program) durableWrite() {
	fd, n, position := p.file(), p.size(), uint64(p.size())
	p.print("durable write", p.do(uring.Write(fd, p.data(n), n, position, uring.RWF_DSYNC, 0))...)
}

// append goes by the descriptor's own position, and reads back there.
func (p *program) append() {
	fd, n := p.file(), p.size()
	p.print("write on", p.do(uring.Write(fd, p.data(n), n, uring.PositionCurrent, 0, 0))...)
	p.read("read on", p.do(uring.Read(fd, p.into(), n, uring.PositionCurrent, 0, 0))...)
}

func (p *program) readFile() {
	fd, n, position := p.file(), p.size(), uint64(p.size())
	p.read("read", p.do(uring.Read(fd, p.into(), n, position, 0, 0))...)
}

// vectors makes three vectors of n bytes at a, the middle one empty.
func (p *program) vectors(a uring.Addr, n uint32) uring.Addr {
	iov := p.slab.Iovecs(iovAt, 3)
	iov[0], iov[1], iov[2] = uring.Iovec{Base: a, Len: uint64(n / 3)}, uring.Iovec{Base: a + 7}, uring.Iovec{Base: a + uring.Addr(n/3), Len: uint64(n - n/3)}
	return p.slab.Addr(iovAt)
}

func (p *program) writev() {
	fd, n, position := p.file(), p.size(), uint64(p.size())
	p.print("writev", p.do(uring.Writev(fd, p.vectors(p.data(n), n), 3, position, 0, 0))...)
}

func (p *program) readv() {
	fd, n, position := p.file(), p.size(), uint64(p.size())
	p.read("readv", p.do(uring.Readv(fd, p.vectors(p.into(), n), 3, position, 0, 0))...)
}

func (p *program) fallocate() {
	fd, n, position := p.file(), p.size(), uint64(p.size())
	mode := []uint32{0, uring.FALLOC_FL_KEEP_SIZE, uring.FALLOC_FL_PUNCH_HOLE | uring.FALLOC_FL_KEEP_SIZE}[p.rng.IntN(3)]
	p.print("fallocate", p.do(uring.Fallocate(fd, mode, position, uint64(n), 0))...)
}

func (p *program) truncate() {
	fd, size := p.file(), uint64(p.size())
	if p.host.Supports(uring.OpFtruncate) {
		p.print("truncate", p.do(uring.Ftruncate(fd, size, 0))...)
	}
}

func (p *program) fsync() {
	p.print("fsync", p.do(uring.Fsync(p.file(), p.rng.IntN(2) == 0, 0))...)
}

func (p *program) rename() {
	from, to := p.path(), p.slab.PutPath(pathAt+8192, p.name())
	flags := uint32(p.rng.IntN(2) * uring.RENAME_NOREPLACE)
	p.print("rename", p.do(uring.Renameat(uring.AtCWD, from, uring.AtCWD, to, flags, 0))...)
}

func (p *program) unlink() {
	flags := uint32(p.rng.IntN(2) * uring.AT_REMOVEDIR)
	p.print("unlink", p.do(uring.Unlinkat(uring.AtCWD, p.path(), flags, 0))...)
}

func (p *program) mkdir() {
	p.print("mkdir", p.do(uring.Mkdirat(uring.AtCWD, p.path(), 0o755, 0))...)
}

// stat asks by name or by descriptor.
func (p *program) stat() {
	at, path, flags := int32(uring.AtCWD), p.path(), uint32(0)
	if p.rng.IntN(2) == 0 {
		at, path, flags = p.file(), p.slab.PutPath(pathAt, ""), uring.AT_EMPTY_PATH
	}
	c := p.do(uring.Statx(at, path, flags, uring.STATX_BASIC_STATS, p.into(), 0))
	if r := p.slab.StatxResult(intoAt); c[0].Res == 0 {
		fmt.Fprintf(&p.out, "mode %o ", r.Mode&0o170000)
		if r.Mode&0o170000 == 0o100000 {
			fmt.Fprintf(&p.out, "size %d links %d ", r.Size, r.Links)
		}
	}
	p.print("stat", c...)
}

func (p *program) chain() {
	fd, n, position := p.file(), min(p.size(), 4096), uint64(p.size())
	first := uring.Write(fd, p.data(n), n, position, 0, 0).Link()
	if p.rng.IntN(2) == 0 {
		first = uring.Read(fd, p.into(), p.size(), position, 0, 0).HardLink()
	}
	p.read("chain", p.do(first, uring.Fsync(fd, true, 0).Link(), uring.Read(fd, p.into(), n, position, 0, 0))...)
}

const heldMax = 16 << 10 // what a connection holds anyhow

func (p *program) send() {
	n := min(p.size(), heldMax)
	p.print("send", p.do(uring.Send(p.client, p.data(n), n, uring.MSG_WAITALL, 0))...)
	if n > 0 {
		p.read("receive", p.do(uring.Recv(p.server, p.into(), n, uring.MSG_WAITALL, 0))...)
	}
	p.print("empty", p.do(uring.Recv(p.server, p.into(), 10, uring.MSG_DONTWAIT, 0))...)
}

func (p *program) sendMessage() {
	n := 1 + min(p.size(), heldMax)
	*p.slab.Msghdr(iovAt + 1024) = uring.Msghdr{Iov: p.vectors(p.data(n), n), IovCount: 3}
	p.print("send message", p.do(uring.Sendmsg(p.server, p.slab.Addr(iovAt+1024), uring.MSG_WAITALL, 0))...)
	p.read("receive", p.do(uring.Recv(p.client, p.into(), n, uring.MSG_WAITALL, 0))...)
}

// gather puts what a completion brought in a provided buffer behind what is there.
func (p *program) gather(c uring.Completion, got uint32) uint32 {
	if id, ok := uring.BufferID(c.Flags); ok {
		copy(p.slab.Bytes(intoAt+uint64(got), uint64(c.Res)), p.slab.At(p.buffers.Buffer(id), uint64(c.Res)))
		p.buffers.Recycle(id)
		return got + uint32(c.Res)
	}
	return got
}

// receiveSelect takes bytes in pieces, whose sizes are the host's own.
func (p *program) receiveSelect() {
	n := 1 + min(p.size(), heldMax)
	p.print("send", p.do(uring.Send(p.client, p.data(n), n, uring.MSG_WAITALL, 0))...)
	for got := uint32(0); got < n; {
		c := p.do(uring.RecvSelect(p.server, p.buffers.Group(), 0, 0, 0))[0]
		if c.Res <= 0 {
			p.print("receive select", c)
			break
		}
		got = p.gather(c, got)
	}
	fmt.Fprintf(&p.out, "%x received\n", hashOf(p.slab.Bytes(intoAt, uint64(n))))
}

// receiveMultishot does so with one entry, and again whenever buffers were short; then it cancels it.
func (p *program) receiveMultishot() {
	const sent, armed, cancelled = 1, 2, 3
	n := 1 + min(p.size(), heldMax)
	p.push(uring.RecvMultishot(p.server, p.buffers.Group(), 0), armed)
	p.push(uring.Send(p.client, p.data(n), n, uring.MSG_WAITALL, 0), sent)
	got, active, begun, pending := uint32(0), true, false, 2
	var results [cancelled + 1]uring.Completion // which comes first is the host's own
	for pending > 0 || !begun {
		for _, c := range p.reap() {
			if !c.More() {
				results[c.Token()] = c
				pending--
			}
			if c.Token() == armed {
				got, active = p.gather(c, got), c.More()
			}
		}
		switch {
		case got < n && !active:
			p.push(uring.RecvMultishot(p.server, p.buffers.Group(), 0), armed)
			active = true
			pending++
		case got == n && !begun && active:
			p.push(uring.CancelFD(p.server, 0), cancelled)
			begun = true
			pending++
		case got == n && !begun: // it ended by itself with the last bytes
			begun = true
		}
	}
	p.print("send", results[sent])
	// Whether buffers were short with the last bytes is the host's own too.
	if count := results[cancelled].Res; results[cancelled].UserData != 0 && (count == 1) != (results[armed].Errno() == syscall.ECANCELED) {
		p.t.Fatalf("got %v after a cancellation that stopped %d, want ECANCELED when it stopped one", results[armed].Errno(), count)
	}
	fmt.Fprintf(&p.out, "%x received\n", hashOf(p.slab.Bytes(intoAt, uint64(n))))
}

// poll waits for readiness that comes, and asks for what is there.
func (p *program) poll() {
	p.print("writable", p.do(uring.PollAdd(p.client, uring.POLLOUT|uring.POLLIN, false, 0))...)
	p.print("readable", p.do(uring.PollAdd(p.server, uring.POLLIN, false, 0), uring.Send(p.client, p.data(1), 1, 0, 0))...)
	p.print("both", p.do(uring.PollAdd(p.server, uring.POLLIN|uring.POLLOUT, false, 0))...)
	p.print("receive", p.do(uring.Recv(p.server, p.into(), 10, 0, 0))...)
}

// cancel cancels what waits, and what does not.
func (p *program) cancel() {
	*p.slab.Timespec(timeAt) = uring.TimespecMicros(3600e6)
	waits := []uring.Entry{
		uring.Recv(p.server, p.into(), 10, 0, 0), uring.PollAdd(p.server, uring.POLLIN, true, 0), uring.Accept(p.listener, 0, 0),
		uring.AcceptMultishot(p.listener, 0, 0), uring.Timeout(p.slab.Addr(timeAt), 0, 0), uring.Recv(p.server, p.into(), 10, uring.MSG_WAITALL, 0).PollFirst(),
	}[p.rng.IntN(6)]
	switch p.rng.IntN(4) {
	case 0:
		p.print("cancel", p.do(waits, uring.Cancel(1, 0))...)
	case 1:
		p.print("cancel with what is behind", p.do(waits.Link(), uring.Nop(0), uring.Cancel(1, 0))...)
	case 2:
		p.print("cancel nothing", p.do(uring.Cancel(99, 0), uring.CancelFD(p.client, 0))...)
	default:
		p.print("cancel by descriptor", p.do(uring.Recv(p.server, p.into(), 1, 0, 0), uring.PollAdd(p.server, uring.POLLIN, false, 0), uring.CancelFD(p.server, 0))...)
	}
}

func (p *program) timeout() {
	*p.slab.Timespec(timeAt) = uring.TimespecMicros(200)
	*p.slab.Timespec(timeAt + 16) = uring.TimespecMicros(3600e6)
	short, long := p.slab.Addr(timeAt), p.slab.Addr(timeAt+16)
	switch p.rng.IntN(4) {
	case 0:
		p.print("timeout", p.do(uring.Timeout(short, 0, 0))...)
	case 1:
		p.print("past", p.do(uring.Timeout(short, uring.TimeoutAbsolute, 0))...)
	case 2:
		p.print("bounded", p.do(uring.Recv(p.server, p.into(), 10, 0, 0).Link(), uring.LinkTimeout(short, 0, 0).Link(), uring.Nop(0))...)
	default:
		p.print("in time", p.do(uring.Nop(0).Link(), uring.LinkTimeout(long, 0, 0).Link(), uring.Nop(0))...)
	}
}

// connection makes one, ends one direction, and closes it.
func (p *program) connection() {
	client, server := p.pair()
	p.print("connection", uring.Completion{Res: min(client, 0)}, uring.Completion{Res: min(server, 0)})
	p.print("shutdown", p.do(uring.Shutdown(client, uint32(p.rng.IntN(2)*2), 0))...) // SHUT_RD or SHUT_RDWR
	p.print("after", p.do(uring.Recv(client, p.into(), 1, 0, 0))...)
	p.print("closed", p.do(uring.Close(client, 0))...)
	p.print("end", p.do(uring.Recv(server, p.into(), 1, 0, 0))...)
	p.print("closed", p.do(uring.Close(server, 0))...)
	p.print("no domain", p.do(uring.Socket(77, uring.SOCK_STREAM, 0, 0))...)
	p.print("no socket", p.do(uring.Recv(noFile, p.into(), 1, 0, 0), uring.Shutdown(noFile, 0, 0), uring.Accept(noFile, 0, 0))...)
	p.print("no listener", p.do(uring.Accept(p.client, 0, 0))...)
}

func (p *program) options() {
	if !p.host.Supports(uring.OpSetSockOpt) {
		return
	}
	b := p.slab.Bytes(dataAt, 8)
	clear(b)
	b[0] = byte(p.rng.IntN(2))
	at := p.slab.Addr(dataAt)
	p.print("options", p.do(uring.SetSockOpt(p.client, uring.IPPROTO_TCP, uring.TCP_NODELAY, at, 4, 0),
		uring.SetSockOpt(p.client, uring.IPPROTO_TCP, 9999, at, 4, 0), uring.SetSockOpt(p.client, uring.IPPROTO_TCP, uring.TCP_QUICKACK, at, 4, 0))...)
}

// message sends one to the ring beside.
func (p *program) message() {
	p.print("message", p.do(uring.MsgRing(p.host.PeerFD(1), int32(p.rng.IntN(100)), uring.TokenMessage|5, 0))...)
	var some [4]uring.Completion
	if err := p.peer.Enter(true, 0); err != nil {
		p.t.Fatal(err)
	}
	p.print("arrived", some[:p.peer.Reap(some[:])]...)
}

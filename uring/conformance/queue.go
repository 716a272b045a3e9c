package conformance

import (
	"fmt"
	"strings"
	"syscall"

	"galgo/uring"
)

// queueTests are about the queues themselves: order, room, chains, messages, closing.
var queueTests = map[string]func(*fixture){
	"nop":                               nop,
	"enter_without_work_is_free":        enterWithoutWork,
	"push_submits_when_full":            pushWhenFull,
	"completion_overflow_loses_nothing": completionOverflow,
	"link_runs_in_order":                linkInOrder,
	"link_breaks_on_failure":            linkBreaks,
	"link_breaks_on_short_read":         linkBreaksShort,
	"hard_link_survives_failure":        hardLink,
	"cancel_without_target":             cancelWithoutTarget,
	"message_between_rings":             messageBetweenRings,
	"message_to_a_closed_ring":          messageToClosed,
	"close_with_operations_in_flight":   closeInFlight,
	"close_submits_what_was_pushed":     closeSubmits,
	"set_up_again_after_close":          setUpAgain,
	"unknown_operation_panics":          unknownPanics,
}

func nop(f *fixture) {
	c := f.do(uring.Nop)
	f.want(c, 0)
	if c.More() {
		f.Fatalf("got flags %#x, want none", c.Flags)
	}
	if got := f.ring.Inflight(); got != 0 {
		f.Fatalf("got %d in flight, want 0", got)
	}
}

func enterWithoutWork(f *fixture) {
	f.settle() // whatever the host arms
	before := f.ring.Stats().Enters
	for range 10 {
		f.settle()
	}
	if got := f.ring.Stats().Enters - before; got != 0 {
		f.Fatalf("got %d enters, want 0", got)
	}
}

func pushWhenFull(f *fixture) {
	const count = 1000 // the queue holds 64
	tokens := make([]uring.Token, count)
	for i := range tokens {
		tokens[i] = f.push(uring.Nop)
	}
	if f.ring.Stats().Full == 0 {
		f.Fatal("got no full queue, want one")
	}
	for _, t := range tokens {
		f.want(f.wait(t), 0)
	}
}

func completionOverflow(f *fixture) {
	const count = 500
	f.check(f.ring.Close())
	f.ring = f.newRing(0, uring.Params{Entries: 8, CQEntries: 16})
	tokens := make([]uring.Token, count)
	for i := range tokens {
		tokens[i] = f.push(uring.Nop)
		if i%8 == 7 {
			f.check(f.ring.Enter(false, 0)) // without reaping
		}
	}
	for _, t := range tokens {
		f.want(f.wait(t), 0)
	}
	if len(f.got) != 0 {
		f.Fatalf("got %d more completions, want none", len(f.got))
	}
}

func linkInOrder(f *fixture) {
	fd, _ := f.file("linked", "")
	text, n := f.bytes("written, synced, read")
	into, b := f.buffer(int(n))
	write := f.push(func(t uring.Token) uring.Entry { return uring.Write(fd, text, n, 0, 0, t).Link() })
	sync := f.push(func(t uring.Token) uring.Entry { return uring.Fsync(fd, true, t).Link() })
	read := f.push(func(t uring.Token) uring.Entry { return uring.Read(fd, into, n, 0, 0, t) })
	f.want(f.wait(read), int32(n))
	f.want(f.wait(write), int32(n))
	f.want(f.wait(sync), 0)
	f.wantBytes(b, "written, synced, read")
	f.closeFD(fd)
}

func linkBreaks(f *fixture) {
	missing := f.path(f.temp() + "/missing")
	first := f.push(func(t uring.Token) uring.Entry {
		return uring.Openat(uring.AtCWD, missing, uring.O_RDONLY, 0, t).Link()
	})
	second := f.push(func(t uring.Token) uring.Entry { return uring.Nop(t).Link() })
	third := f.push(uring.Nop)
	after := f.push(uring.Nop) // not of the chain
	f.wantErrno(f.wait(first), syscall.ENOENT)
	f.wantErrno(f.wait(second), syscall.ECANCELED)
	f.wantErrno(f.wait(third), syscall.ECANCELED)
	f.want(f.wait(after), 0)
}

func linkBreaksShort(f *fixture) {
	fd, _ := f.file("short", "ten bytes.")
	into, b := f.buffer(100)
	read := f.push(func(t uring.Token) uring.Entry { return uring.Read(fd, into, 100, 0, 0, t).Link() })
	next := f.push(uring.Nop)
	f.want(f.wait(read), 10)
	f.wantErrno(f.wait(next), syscall.ECANCELED)
	f.wantBytes(b[:10], "ten bytes.")
	f.closeFD(fd)
}

func hardLink(f *fixture) {
	missing := f.path(f.temp() + "/missing")
	first := f.push(func(t uring.Token) uring.Entry {
		return uring.Openat(uring.AtCWD, missing, uring.O_RDONLY, 0, t).HardLink()
	})
	second := f.push(uring.Nop)
	f.wantErrno(f.wait(first), syscall.ENOENT)
	f.want(f.wait(second), 0)
}

func cancelWithoutTarget(f *fixture) {
	c := f.do(func(t uring.Token) uring.Entry { return uring.Cancel(uring.Token(1), t) })
	f.wantErrno(c, syscall.ENOENT)
}

func messageBetweenRings(f *fixture) {
	peer := f.newRing(1, uring.Params{Entries: 8})
	if f.host.PeerFD(1) < 0 {
		f.Fatalf("got peer descriptor %d, want one", f.host.PeerFD(1))
	}
	message := uring.TokenMessage | 42
	for i := range int32(3) {
		c := f.do(func(t uring.Token) uring.Entry { return uring.MsgRing(f.host.PeerFD(1), 7+i, message, t) })
		f.want(c, 0)
		var got [4]uring.Completion
		f.check(peer.Enter(true, 0))
		if n := peer.Reap(got[:]); n != 1 || got[0].Token() != message || got[0].Res != 7+i {
			f.Fatalf("got %v, want one completion {%#x %d}", got[:n], uint64(message), 7+i)
		}
	}
	// A wake is swallowed, and ends a blocking enter all the same.
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.MsgRing(f.host.PeerFD(1), 0, uring.TokenWake, t) }), 0)
	f.check(peer.Enter(true, 0))
	var got [4]uring.Completion
	if n := peer.Reap(got[:]); n != 0 {
		f.Fatalf("got %v, want nothing", got[:n])
	}
	if peer.Stats().Wakes == 0 {
		f.Fatal("got no wake counted, want one")
	}
	f.check(peer.Close())
}

func messageToClosed(f *fixture) {
	peer := f.newRing(1, uring.Params{Entries: 8})
	fd := f.host.PeerFD(1)
	f.check(peer.Close())
	if got := f.host.PeerFD(1); got != -1 {
		f.Fatalf("got peer descriptor %d, want -1", got)
	}
	c := f.do(func(t uring.Token) uring.Entry { return uring.MsgRing(fd, 0, uring.TokenMessage, t) })
	if c.Res >= 0 {
		f.Fatalf("got result %d, want an error", c.Res)
	}
	f.host.Wake(1)
	f.ring.WakePeer(1)
}

func closeInFlight(f *fixture) {
	client, server := f.pair()
	listener, _ := f.listen()
	into, _ := f.buffer(1 << 20)
	text, _ := f.buffer(1 << 20)
	long := f.timespec(3600e6)
	fd, _ := f.file("in-flight", "")
	f.push(func(t uring.Token) uring.Entry { return uring.Recv(client, into, 1<<20, uring.MSG_WAITALL, t) })
	f.push(func(t uring.Token) uring.Entry { return uring.Recv(server, into, 100, 0, t).Link() })
	f.push(uring.Nop) // waits behind the link
	f.push(func(t uring.Token) uring.Entry { return uring.AcceptMultishot(listener, uring.SOCK_CLOEXEC, t) })
	f.push(func(t uring.Token) uring.Entry { return uring.Timeout(long, 0, t) })
	f.push(func(t uring.Token) uring.Entry { return uring.PollAdd(server, uring.POLLIN, true, t) })
	f.push(func(t uring.Token) uring.Entry { return uring.Fallocate(fd, 0, 0, 1<<20, t) })
	f.settle()
	f.push(func(t uring.Token) uring.Entry { return uring.Write(fd, text, 1<<20, 0, uring.RWF_DSYNC, t) })
	if f.ring.Inflight() == 0 {
		f.Fatal("got nothing in flight, want something")
	}
	f.check(f.ring.Close())
	if got := f.ring.Inflight(); got != 0 {
		f.Fatalf("got %d in flight after close, want 0", got)
	}
	f.ring = nil
	for _, fd := range []int32{client, server, listener, fd} {
		f.check(f.host.CloseFD(fd))
	}
}

func closeSubmits(f *fixture) {
	peer := f.newRing(1, uring.Params{Entries: 8})
	f.push(func(t uring.Token) uring.Entry { return uring.MsgRing(f.host.PeerFD(1), 7, uring.TokenMessage, t) })
	f.check(f.ring.Close())
	f.ring = nil
	var got [4]uring.Completion
	f.check(peer.Enter(false, 0))
	if n := peer.Reap(got[:]); n != 1 || got[0].Res != 7 {
		f.Fatalf("got %v, want the message", got[:n])
	}
	f.check(peer.Close())
}

func setUpAgain(f *fixture) {
	for range 3 {
		f.check(f.ring.Close())
		f.ring = f.newRing(0, uring.Params{})
		f.want(f.do(uring.Nop), 0)
	}
}

// unknownPanics: an entry that no constructor makes is a bug of whoever made it, and must not pass for something that failed.
func unknownPanics(f *fixture) {
	defer func() {
		if got := fmt.Sprint(recover()); !strings.Contains(got, "opcode 200") || !strings.Contains(got, "0x2a") {
			f.Fatalf("got %q, want a panic with the operation and its token", got)
		}
		f.want(f.do(uring.Nop), 0) // nothing was queued
	}()
	f.ring.Push(uring.Entry{Opcode: 200, FD: -1, UserData: 42})
}

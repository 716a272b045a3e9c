package conformance

import (
	"syscall"

	"galgo/uring"
)

// timeTests are about timeouts and the clock.
var timeTests = map[string]func(*fixture){
	"timeout":                      timeout,
	"timeout_absolute":             timeoutAbsolute,
	"timeout_cancelled":            timeoutCancelled,
	"link_timeout_stops":           linkTimeoutStops,
	"link_timeout_comes_too_late":  linkTimeoutLate,
	"link_timeout_in_a_chain":      linkTimeoutChain,
	"timeouts_come_in_order":       timeoutsInOrder,
	"enter_waits_until":            enterWaitsUntil,
	"enter_does_not_wait_for_past": enterPast,
	"clock":                        clock,
}

func timeout(f *fixture) {
	_, before := f.host.Clock()
	ts := f.timespec(20_000)
	f.wantErrno(f.do(func(t uring.Token) uring.Entry { return uring.Timeout(ts, 0, t) }), syscall.ETIME)
	f.wantPassed(before, 20_000)
}

// wantPassed checks that so much time has passed at least; how much more is the machine's business.
func (f *fixture) wantPassed(before, micros uint64) {
	f.Helper()
	// A microsecond is lost where both readings are rounded down, and the host may read its clock a little apart from the kernel's timers.
	const slack = 100
	if _, now := f.host.Clock(); now+slack < before+micros {
		f.Fatalf("got %d µs passed, want at least %d", now-before, micros)
	}
}

func timeoutAbsolute(f *fixture) {
	_, before := f.host.Clock()
	ts := f.timespec(before + 20_000)
	f.wantErrno(f.do(func(t uring.Token) uring.Entry { return uring.Timeout(ts, uring.TimeoutAbsolute, t) }), syscall.ETIME)
	f.wantPassed(before, 20_000)
	past := f.timespec(before)
	f.wantErrno(f.do(func(t uring.Token) uring.Entry { return uring.Timeout(past, uring.TimeoutAbsolute, t) }), syscall.ETIME)
}

func timeoutCancelled(f *fixture) {
	long := f.timespec(3600e6)
	waiting := f.push(func(t uring.Token) uring.Entry { return uring.Timeout(long, 0, t) })
	f.settle()
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Cancel(waiting, t) }), 0)
	f.wantErrno(f.wait(waiting), syscall.ECANCELED)
}

func linkTimeoutStops(f *fixture) {
	client, server := f.pair()
	into, _ := f.buffer(10)
	ts := f.timespec(10_000)
	receive := f.push(func(t uring.Token) uring.Entry { return uring.Recv(server, into, 10, 0, t).Link() })
	bound := f.push(func(t uring.Token) uring.Entry { return uring.LinkTimeout(ts, 0, t) })
	f.wantErrno(f.wait(receive), syscall.ECANCELED)
	f.wantErrno(f.wait(bound), syscall.ETIME)
	f.closeAll(client, server)
}

func linkTimeoutLate(f *fixture) {
	client, server := f.pair()
	into, _ := f.buffer(10)
	long := f.timespec(3600e6)
	receive := f.push(func(t uring.Token) uring.Entry { return uring.Recv(server, into, 10, 0, t).Link() })
	bound := f.push(func(t uring.Token) uring.Entry { return uring.LinkTimeout(long, 0, t) })
	f.send(client, "in time")
	f.want(f.wait(receive), 7)
	f.wantErrno(f.wait(bound), syscall.ECANCELED)
	f.closeAll(client, server)
}

// linkTimeoutChain: an operation that its timeout stopped breaks the chain behind both.
func linkTimeoutChain(f *fixture) {
	client, server := f.pair()
	into, _ := f.buffer(10)
	ts := f.timespec(10_000)
	receive := f.push(func(t uring.Token) uring.Entry { return uring.Recv(server, into, 10, 0, t).Link() })
	bound := f.push(func(t uring.Token) uring.Entry { return uring.LinkTimeout(ts, 0, t).Link() })
	next := f.push(uring.Nop)
	f.wantErrno(f.wait(receive), syscall.ECANCELED)
	f.wantErrno(f.wait(bound), syscall.ETIME)
	f.wantErrno(f.wait(next), syscall.ECANCELED)

	f.send(client, "there")
	ts = f.timespec(3600e6)
	receive = f.push(func(t uring.Token) uring.Entry { return uring.Recv(server, into, 10, 0, t).Link() })
	bound = f.push(func(t uring.Token) uring.Entry { return uring.LinkTimeout(ts, 0, t).Link() })
	next = f.push(uring.Nop)
	f.want(f.wait(receive), 5)
	f.wantErrno(f.wait(bound), syscall.ECANCELED)
	f.want(f.wait(next), 0)
	f.closeAll(client, server)
}

func timeoutsInOrder(f *fixture) {
	var tokens []uring.Token
	for _, micros := range []uint64{30_000, 10_000, 20_000} {
		ts := f.timespec(micros)
		tokens = append(tokens, f.push(func(t uring.Token) uring.Entry { return uring.Timeout(ts, 0, t) }))
	}
	for len(f.got) < len(tokens) {
		f.enter(true, 0)
	}
	for i, want := range []uring.Token{tokens[1], tokens[2], tokens[0]} {
		if got := f.got[i].Token(); got != want {
			f.Fatalf("got %v, want the shortest first", f.got)
		}
	}
}

func enterWaitsUntil(f *fixture) {
	_, before := f.host.Clock()
	until := before + 20_000
	for now := before; now < until; _, now = f.host.Clock() {
		f.enter(true, until)
	}
	if len(f.got) != 0 {
		f.Fatalf("got %v, want nothing", f.got)
	}
}

func enterPast(f *fixture) {
	f.settle()
	_, now := f.host.Clock()
	f.enter(true, now)
	f.enter(true, 1)
}

func clock(f *fixture) {
	wall, mono := f.host.Clock()
	if wall == 0 || mono == 0 {
		f.Fatalf("got wall %d, mono %d, want both above 0", wall, mono)
	}
	for range 1000 {
		_, next := f.host.Clock()
		if next < mono {
			f.Fatalf("got monotonic time %d after %d, want no step back", next, mono)
		}
		mono = next
	}
}

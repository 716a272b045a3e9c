package simtest

import (
	"bytes"

	"galgo/wire"
)

var (
	_ = register(family{name: "repeat", weight: 3, act: repeat})
	_ = register(family{name: "leave", weight: 2, act: leave})
)

// repeat asks for the last metadata change again, under the same number: the answer is the same, byte for byte, and nothing happens twice.
func repeat(a *actor) {
	c := a.c
	if len(c.answered) == 0 || !c.remembers {
		ping(a)
		return
	}
	before := c.answered
	h, err := wire.DecodeReplyHeader(before)
	if err != nil || h.Status != wire.StatusOK { // refused before it was taken: not remembered by the server
		ping(a)
		return
	}
	if r, _ := wire.DecodeRequestHeader(c.request); r.Operation == wire.OpCreatePersonalAccessToken { // its secret is told once
		ping(a)
		return
	}
	a.p.tell("%s asks again", c.name)
	c.send(c.request, func(got answer) {
		switch {
		case got.gone():
		case got.status == wire.StatusRequestAlreadyApplied:
			a.p.note("repeated request known")
		case !bytes.Equal(before, c.answered):
			a.p.fail("%s: a repeated request: got other bytes than the first time:\n%x\n%x", c.name, c.answered, before)
		default:
			a.p.note("repeated request answered alike")
		}
		a.later()
	})
}

// leave ends the connection, in one of the ways there are.
func leave(a *actor) {
	switch a.rng.IntN(4) {
	case 0:
		a.ask(wire.OpLogout, 0, nil, func(got answer) {
			if !got.gone() && !got.ok() {
				a.p.fail("logout: got %v, want ok", got)
			}
			a.c.hangUp()
		}, "log out")
		return
	case 1:
		a.c.peer.Reset()
		a.c.end(answer{lost: true})
	case 2:
		a.c.peer.Vanish()
		a.c.end(answer{lost: true})
		a.p.note("client vanished")
	default:
		a.c.hangUp()
	}
	a.later()
}

package simtest

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"

	"galgo/wire"
)

// actor is somebody who asks for one thing after the other, over one connection at a time.
type actor struct {
	p     *play
	id    int
	rng   *rand.Rand
	c     *client
	dials int
	doing string // the request at hand
	rests bool   // it has an answer to everything and asks for nothing more
	over  bool   // the life is over

	then   func()  // what it does next, when that is settled
	second *client // a connection for one purpose
	made   int     // users and tokens, for names of their own
	own    ownTopic
	turns  int // changes of own topics that were asked for
}

// family is a kind of requests. Each has a file of its own, which registers it; act asks for one thing and calls a.done with the answer
// that it has judged.
type family struct {
	name   string
	weight int
	act    func(a *actor)
}

var (
	families []family
	weights  int
)

// register adds a family to those that actors draw from.
func register(f family) bool {
	families = append(families, f)
	slices.SortFunc(families, func(a, b family) int { return cmp.Compare(a.name, b.name) })
	weights += f.weight
	return true
}

// act does the next thing.
func (a *actor) act() {
	if a.over {
		return
	}
	if a.p.resting {
		a.rests = true
		return
	}
	if a.c == nil || a.c.over {
		a.connect()
		return
	}
	if then := a.then; then != nil {
		a.then = nil
		then()
		return
	}
	if a.curious() {
		a.p.done["successor"]++
		a.intrude()
		return
	}
	if (a.p.recycling || a.p.bulky && a.id == 0) && a.rng.IntN(3) > 0 {
		a.p.done["successor"]++
		a.doing = "successor"
		useOwn(a)
		return
	}
	n := a.rng.IntN(weights)
	for i := range families {
		if n -= families[i].weight; n < 0 {
			a.p.done[families[i].name]++
			a.doing = families[i].name
			families[i].act(a)
			return
		}
	}
}

// connect dials and logs in as root.
func (a *actor) connect() {
	a.dials++
	a.c = a.p.dial(fmt.Sprintf("c%d.%d", a.id, a.dials))
	a.doing = "login"
	a.c.login(passwordOf(user, password), func(got answer) {
		if !got.ok() && !got.lost {
			a.p.fail("%s: login of root: got %v, want a session", a.c.name, got)
		}
		a.later()
	})
}

// ask sends a request, and tells of it.
func (a *actor) ask(op wire.Operation, code wire.Code, body []byte, judge func(answer), format string, args ...any) {
	if a.p.story != nil {
		a.doing = fmt.Sprintf(format, args...)
		a.p.tell("%s asks to %s", a.c.name, a.doing)
	}
	c := a.c
	c.ask(op, code, body, func(got answer) {
		if a.p.story != nil {
			a.p.tell("%s gets %v", c.name, got)
		}
		if got.evicted == wire.EvictStaleClient {
			a.p.note("stale client evicted")
		}
		judge(got)
		if !a.over {
			a.later()
		}
	})
}

// always are the writes that change something whenever they succeed, and so have a place of their own in the log.
var always = []wire.Operation{wire.OpCreateStream, wire.OpDeleteStream, wire.OpCreateTopic, wire.OpDeleteTopic, wire.OpCreatePartitions, wire.OpDeletePartitions,
	wire.OpCreateConsumerGroup, wire.OpDeleteConsumerGroup, wire.OpCreateUser, wire.OpDeleteUser, wire.OpCreatePersonalAccessToken, wire.OpDeletePersonalAccessToken}

// write is ask for metadata.
func (a *actor) write(op wire.Operation, body []byte, judge func(answer), format string, args ...any) {
	a.ask(op, 0, body, func(got answer) {
		if got.ok() && slices.Contains(always, op) {
			a.p.logged(got.header.Op, a.c.name)
		}
		judge(got)
	}, format, args...)
}

// logged takes the place in the log of a write: none is seen twice.
func (p *play) logged(seq uint64, who string) {
	if other, taken := p.writeOps[seq]; taken {
		p.fail("%s: got sequence %x for a write, which %s got before", who, seq, other)
	}
	p.writeOps[seq] = who
}

// later goes on in a moment, and now and then after a while.
func (a *actor) later() {
	wait := uint64(a.rng.IntN(300))
	switch {
	case a.p.weather.name == "lull" && a.rng.IntN(30) == 0:
		wait = uint64(a.rng.IntN(45_000_000))
	case a.rng.IntN(200) == 0:
		wait = uint64(a.rng.IntN(2_500_000))
	case a.rng.IntN(4) > 0:
		wait = 0
	}
	if wait == 0 && a.p.w != nil {
		wait = 1 // not within the answer
	}
	a.p.w.After(wait, a.act)
}

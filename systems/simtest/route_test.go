package simtest

import "galgo/wire"

var _ = register(family{name: "route", weight: 5, act: askForRoute})

// askForRoute asks where a partition is served, as clients of a cluster do before a poll that commits, and may go on as these do: on a second
// connection that stands for the first.
func askForRoute(a *actor) {
	p, c := a.p, a.c
	t := a.partition()
	code, body := wire.CodeGetPollRouting, pollBody(single(8), t, wire.Strategy{Kind: wire.PollNext}, 1, true)
	if a.rng.IntN(2) == 0 {
		code, body = wire.CodeGetConsumerOffsetRouting, wire.AppendOffsetKey(nil, t.offsetKey(8))
	}
	seen := c.commit
	a.ask(wire.OpNonReplicated, code, body, func(got answer) {
		if got.gone() {
			return
		}
		route, err := wire.DecodeConsumerRoute(got.payload)
		switch {
		case !got.ok() || err != nil:
			p.fail("%s: got %v, error %v, want a route", code, got, err)
		case route.Client != c.id || route.Session != c.session:
			p.fail("%s: got session %x of client %x, want its own: %x of %x", code, route.Session, route.Client, c.session, c.id)
		case route.Watermark < seen:
			p.fail("%s: got watermark %x, and commit %x before", code, route.Watermark, seen)
		case route.Node.Name != wire.SingleNodeName:
			p.fail("%s: got node %q, want this one", code, route.Node.Name)
		}
		a.then = func() {
			if a.c != c { // it was lost meanwhile
				a.later()
				return
			}
			a.visit(func(second *client) { deputy{a, second, t, route.ConsumerSession}.enter() })
		}
	}, "%s of %s", code, t)
}

// deputy is a second connection that polls with the group memberships of the first.
type deputy struct {
	a       *actor
	c       *client
	t       *dataPartition
	session wire.ConsumerSession
}

func (d deputy) enter() {
	p := d.a.p
	d.c.login(passwordOf(user, password), func(got answer) {
		if !got.ok() {
			if !got.lost {
				p.fail("login of a deputy: got %v, want a session", got)
			}
			d.c.hangUp()
			return
		}
		d.poll(single(9), wire.Strategy{Kind: wire.PollFirst}, func(got answer) {
			if got.status != wire.StatusUnauthenticated {
				p.fail("%s with nothing attached: got %v, want status %d", wire.CodePollMessagesOnPrimary, got, wire.StatusUnauthenticated)
			}
			d.attach()
		})
	})
}

// attach makes the connection stand for the first, or for one that never was.
func (d deputy) attach() {
	p, session := d.a.p, d.session
	stranger := d.a.rng.IntN(4) == 0
	if stranger {
		session.Session++
	}
	d.ask(wire.CodeAttachConsumerSession, wire.AppendConsumerSession(nil, session), func(got answer) {
		switch {
		case got.status == wire.StatusStaleClient && stranger:
			p.note("stranger not attached")
			d.c.hangUp()
		case got.status == wire.StatusStaleClient:
			d.ended("attach")
		case stranger || !got.ok():
			p.fail("attach session %x, which is there: %v: got %v", session.Session, !stranger, got)
		default:
			p.note("session attached")
			d.follow(3)
		}
	})
}

// follow polls as a consumer of its own, and for the group, to which the first connection may belong.
func (d deputy) follow(left int) {
	if left == 0 {
		d.c.hangUp()
		return
	}
	p, visible := d.a.p, d.t.visible
	consumer, strategy, exact := single(9), wire.Strategy{Kind: wire.PollFirst}, true
	if left%2 == 0 {
		consumer, strategy, exact = wire.Consumer{Kind: wire.ConsumerGroup, Ident: group}, wire.Strategy{Kind: wire.PollNext}, false
	}
	d.poll(consumer, strategy, func(got answer) {
		switch prefix, _, err := wire.DecodePollPrefix(got.payload); {
		case got.status == wire.StatusStaleClient:
			d.ended("poll")
			return
		case got.ok() && err == nil && !exact && prefix.PartitionID == wire.PartitionResync:
			p.note("group poll of a deputy refused: not the owner")
		default:
			judgePoll(p, d.t, visible, strategy, pollAsDeputy, 0, exact, got)
		}
		d.follow(left - 1)
	})
}

// pollAsDeputy is how many messages a deputy polls.
const pollAsDeputy = 5

func (d deputy) poll(consumer wire.Consumer, strategy wire.Strategy, judge func(answer)) {
	d.ask(wire.CodePollMessagesOnPrimary, pollBody(consumer, d.t, strategy, pollAsDeputy, false), judge)
}

// ask asks over the second connection; without an answer the visit is over.
func (d deputy) ask(code wire.Code, body []byte, judge func(answer)) {
	p := d.a.p
	p.tell("%s, who stands for %s, asks to %s", d.c.name, d.a.c.name, code)
	d.c.ask(wire.OpNonReplicated, code, body, func(got answer) {
		p.tell("%s gets %v", d.c.name, got)
		if got.gone() {
			d.c.hangUp()
			return
		}
		judge(got)
	})
}

// ended takes the answer that the first session is over: so it has to be.
func (d deputy) ended(what string) {
	p, first := d.a.p, d.a.c
	p.note("attached session ended")
	if first.over {
		d.c.hangUp()
		return
	}
	first.ask(wire.OpNonReplicated, wire.CodeGetMe, nil, func(got answer) {
		if got.ok() {
			p.fail("%s for session %x: got refused as over, and it is there", what, d.session.Session)
		}
		d.c.hangUp()
	})
}

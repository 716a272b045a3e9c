package simtest

import (
	"fmt"

	"galgo/wire"
)

var _ = register(family{name: "permission", weight: 4, act: usePermissions})

// usePermissions makes a user with some grants, does things as that user, changes the grants, and does them again. Only this actor knows
// the user, so each answer follows from the grants.
func usePermissions(a *actor) {
	p := a.p
	a.made++ // a name that was refused may be taken all the same
	name := fmt.Sprintf("guest-%d-%d-%d", p.life, a.id, a.made)
	grants := wire.GlobalGrants(a.rng.Uint32() & 0x3FF)
	create := wire.AppendCreateUser(nil, wire.CreateUser{Username: []byte(name), Password: []byte("secret"), Status: wire.UserActive, Permissions: wire.AppendPermissions(nil, wire.Permissions{Global: grants})})
	a.write(wire.OpCreateUser, create, func(got answer) {
		p.mustWrite(got, "create user")
		if !got.ok() {
			return
		}
		a.then = func() {
			a.visit(func(c *client) { guest{a, c, name, grants}.enter() })
		}
	}, "create user %s with grants %#x", name, grants)
}

// guest is a user with grants, on a connection of its own.
type guest struct {
	a      *actor
	c      *client
	name   string
	grants wire.GlobalGrants
}

func (g guest) enter() {
	p := g.a.p
	g.c.login(passwordOf(g.name, "secret"), func(got answer) {
		if !got.ok() {
			if !got.lost {
				p.fail("login of %s: got %v, want a session", g.name, got)
			}
			g.c.hangUp()
			return
		}
		g.try(3, g.regrant)
	})
}

// regrant changes the grants while the guest is there, and lets it go on: whatever shard it is on knows of the change once that is answered.
func (g guest) regrant() {
	g.grants = wire.GlobalGrants(g.a.rng.Uint32() & 0x3FF)
	body := wire.AppendUpdatePermissions(nil, wire.UpdatePermissions{User: wire.IdentNamed([]byte(g.name)), Permissions: wire.AppendPermissions(nil, wire.Permissions{Global: g.grants})})
	g.change(wire.OpUpdatePermissions, body, func() { g.try(3, g.erase) })
}

// erase deletes the guest while it is there: nothing that it asks for is done any more.
func (g guest) erase() {
	g.change(wire.OpDeleteUser, wire.AppendIdent(nil, wire.IdentNamed([]byte(g.name))), func() {
		g.c.ask(wire.OpNonReplicated, wire.CodeGetMe, nil, func(got answer) {
			if !got.gone() && got.status != wire.StatusUnauthenticated {
				g.a.p.fail("%s, who is deleted: got %v, want unauthenticated", g.name, got)
			}
			g.a.p.note("deleted user refused")
			g.c.hangUp()
		})
	})
}

// change asks the actor's own connection for a change of the guest. Where it is not certain the visit is over.
func (g guest) change(op wire.Operation, body []byte, done func()) {
	p, c := g.a.p, g.a.c
	if c.over || g.c.over {
		g.c.hangUp()
		return
	}
	p.tell("%s asks to %s %s, grants %#x", c.name, op, g.name, g.grants)
	c.ask(op, 0, body, func(got answer) {
		p.tell("%s gets %v", c.name, got)
		p.mustWrite(got, op.String())
		if !got.ok() || g.c.over {
			g.c.hangUp()
			return
		}
		done()
	})
}

// try does a few things that need grants, and then what comes next.
func (g guest) try(left int, next func()) {
	switch {
	case g.c.over:
		return
	case left == 0:
		next()
		return
	}
	p := g.a.p
	t := g.a.partition()
	type attempt struct {
		what  string
		op    wire.Operation
		code  wire.Code
		body  []byte
		needs wire.GlobalGrants
	}
	attempts := []attempt{
		{"poll", wire.OpNonReplicated, wire.CodePollMessages, pollBody(single(2), t, wire.Strategy{Kind: wire.PollFirst}, 1, false),
			wire.GlobalPollMessages | wire.GlobalManageTopics | wire.GlobalReadTopics | wire.GlobalManageStreams | wire.GlobalReadStreams},
		{"list users", wire.OpNonReplicated, wire.CodeGetUsers, nil, wire.GlobalManageUsers | wire.GlobalReadUsers},
		{"list streams", wire.OpNonReplicated, wire.CodeGetStreams, nil, wire.GlobalManageStreams | wire.GlobalReadStreams},
		{"read statistics", wire.OpNonReplicated, wire.CodeGetStats, nil, wire.GlobalManageServers | wire.GlobalReadServers},
		{"delete a stream that is not there", wire.OpDeleteStream, 0, wire.AppendIdent(nil, wire.IdentNamed([]byte("nowhere"))), 0},
		{"delete partitions", wire.OpDeletePartitions, 0, wire.AppendChangePartitions(nil, wire.ChangePartitions{Stream: wire.IdentNamed(dataStream), Topic: t.topic.ident(), Count: 900}),
			wire.GlobalManageStreams | wire.GlobalManageTopics},
		{"send", wire.OpSendMessages, 0, nil, wire.GlobalSendMessages | wire.GlobalManageStreams | wire.GlobalManageTopics},
	}
	n := g.a.rng.IntN(len(attempts))
	at := attempts[n]
	var sent *batch
	if at.what == "send" {
		var bytes []byte
		sent, bytes = p.messages.build(t.topic, 1)
		sent.partition = t
		prefix := wire.AppendSendMessages(nil, wire.SendMessages{Stream: wire.IdentNamed(dataStream), Topic: t.topic.ident(), MessagesCount: 1,
			Partitioning: wire.Partitioning{Kind: wire.PartitionNumbered, ID: t.id}})
		at.body = append(prefix, bytes...)
	}
	p.tell("%s, who is %s, asks to %s", g.c.name, g.name, at.what)
	g.c.ask(at.op, at.code, at.body, func(got answer) {
		p.tell("%s gets %v", g.c.name, got)
		allowed := g.grants&at.needs != 0
		switch {
		case sent != nil && (allowed || got.gone()):
			p.messages.acknowledged(sent, got)
		case got.gone():
		case at.op.Metadata() && got.status == wire.StatusCannotWriteToFile: // before anything was asked of the catalog
			p.mustWrite(got, at.what)
		case at.needs == 0: // absent answers as absent, whoever asks
			p.mustWrite(got, at.what, wire.StatusStreamIdNotFound)
		case !allowed && got.status != wire.StatusUnauthorized:
			p.fail("%s with grants %#x: got %v, want unauthorized", at.what, g.grants, got)
		case allowed && got.status == wire.StatusUnauthorized:
			p.fail("%s with grants %#x: got unauthorized, want it done", at.what, g.grants)
		default:
			if !allowed {
				p.note("permission refused")
			}
			if sent != nil {
				sent.gone = true
			}
		}
		g.try(left-1, next)
	})
}

package simtest

import (
	"fmt"

	"github.com/anishathalye/porcupine"

	"galgo/wire"
)

var _ = register(family{name: "account", weight: 8, act: changeAccount})

// accountState is the two users of a slot.
type accountState struct{ users [2]userState }

type userState struct {
	there    bool
	inactive bool
	password int
}

// accountCall is what is asked for, by numbers of names and passwords.
type accountCall struct {
	op       wire.Operation // of a write; OpRegister is a login
	code     wire.Code      // of a read
	user     int
	rename   int // the new name; -1: the old one
	inactive bool
	password int // the one that is given
	fresh    int // and the new one
}

func userName(slot, n int) []byte { return fmt.Appendf(nil, "user%d%c", slot, 'a'+n) }
func passwordNumber(n int) string { return fmt.Sprintf("password %d", n) }
func statusOf(inactive bool) wire.UserStatus {
	if inactive {
		return wire.UserInactive
	}
	return wire.UserActive
}

// changeAccount asks for one change of a user, for a look, or for a login.
func changeAccount(a *actor) {
	p := a.p
	slot := a.rng.IntN(slotsMax)
	in := accountCall{user: a.rng.IntN(2), rename: a.rng.IntN(3) - 1, inactive: a.rng.IntN(4) == 0, password: a.rng.IntN(2), fresh: a.rng.IntN(2)}
	name := userName(slot, in.user)
	ident := wire.IdentNamed(name)
	var body []byte
	switch n := a.rng.IntN(12); {
	case n < 3:
		in.op, body = wire.OpCreateUser, wire.AppendCreateUser(nil, wire.CreateUser{Username: name, Password: []byte(passwordNumber(in.password)), Status: statusOf(in.inactive)})
	case n < 4:
		in.op, body = wire.OpDeleteUser, wire.AppendIdent(nil, ident)
	case n < 6:
		update := wire.UpdateUser{User: ident, HasStatus: true, Status: statusOf(in.inactive)}
		if in.rename >= 0 {
			update.Username = userName(slot, in.rename)
		}
		in.op, body = wire.OpUpdateUser, wire.AppendUpdateUser(nil, update)
	case n < 7:
		in.op, body = wire.OpChangePassword, wire.AppendChangePassword(nil, wire.ChangePassword{User: ident, Current: []byte(passwordNumber(in.password)), New: []byte(passwordNumber(in.fresh))})
	case n < 10:
		in.code, body = wire.CodeGetUser, wire.AppendIdent(nil, ident)
	default:
		in.op = wire.OpRegister
	}
	text := in.text(slot)
	switch {
	case in.op == wire.OpRegister:
		a.visit(func(c *client) {
			about := p.accounts.begin(p, slot, everywhere, in, text)
			c.login(passwordOf(string(name), passwordNumber(in.password)), func(got answer) {
				p.tell("%s gets %v for: %s", c.name, got, text)
				p.loggedIn(about, got)
				c.hangUp()
			})
		})
	case in.op == 0:
		about := p.accounts.begin(p, slot, a.c.shard, in, text)
		a.ask(wire.OpNonReplicated, in.code, body, func(got answer) { about.finish(p, got) }, "%s", text)
	default:
		about := p.accounts.begin(p, slot, everywhere, in, text)
		a.write(in.op, body, func(got answer) {
			about.finish(p, got)
			if got.status == wire.StatusCannotWriteToFile {
				p.mustWrite(got, text)
			}
		}, "%s", text)
	}
}

// loggedIn takes the answer to a login: a session, or the eviction that says no.
func (p *play) loggedIn(about *call, got answer) {
	switch {
	case got.evicted == wire.EvictInvalidCredentials:
		about.finish(p, answer{status: wire.StatusInvalidCredentials})
	case got.evicted != 0 && got.evicted != wire.EvictSessionError:
		p.fail("%s: got %v, want a session or eviction %d", about.text, got, wire.EvictInvalidCredentials)
	case got.ok():
		about.finish(p, answer{})
	}
}

// visit lets an actor do something over a second connection, which is there only for that. It goes on when that one is over.
func (a *actor) visit(do func(*client)) {
	a.dials++
	c := a.p.dial(fmt.Sprintf("c%d.%d", a.id, a.dials))
	a.second = c
	do(c)
	a.awaitSecond()
}

// awaitSecond goes on with the next thing once the second connection is over, and what was asked over the first meanwhile is answered.
func (a *actor) awaitSecond() {
	if a.over {
		return
	}
	if !a.second.over || a.c.reply != nil {
		a.p.w.After(200, a.awaitSecond)
		return
	}
	a.second = nil
	a.later()
}

func (in accountCall) text(slot int) string {
	name := in.code.String()
	if in.op != 0 {
		name = in.op.String()
	}
	return fmt.Sprintf("%s %s, name %d, inactive %v, password %d, new %d", name, userName(slot, in.user), in.rename, in.inactive, in.password, in.fresh)
}

func accountModel(int) porcupine.NondeterministicModel {
	return modelOf(accountState.apply)
}

// apply says what a call does: the state after it, the status, and a check of the payload.
func (s accountState) apply(in accountCall) (after accountState, status wire.Status, check func([]byte) bool) {
	after = s
	u := &after.users[in.user]
	switch {
	case in.op == wire.OpRegister:
		if u.there && !u.inactive && u.password == in.password {
			return s, wire.StatusOK, nil
		}
		return s, wire.StatusInvalidCredentials, nil
	case in.op == wire.OpCreateUser:
		if u.there {
			return s, wire.StatusUserAlreadyExists, nil
		}
		*u = userState{there: true, inactive: in.inactive, password: in.password}
	case in.code == wire.CodeGetUser:
		want := *u
		return s, wire.StatusOK, func(payload []byte) bool {
			if !want.there {
				return len(payload) == 0
			}
			got, err := wire.DecodeUserDetails(payload)
			return err == nil && got.Status == statusOf(want.inactive)
		}
	case !u.there:
		return s, wire.StatusResourceNotFound, nil
	case in.op == wire.OpDeleteUser:
		*u = userState{}
	case in.op == wire.OpUpdateUser:
		if in.rename >= 0 && in.rename != in.user && after.users[in.rename].there {
			return s, wire.StatusUserAlreadyExists, nil
		}
		u.inactive = in.inactive
		if in.rename >= 0 {
			moved := *u
			*u = userState{}
			after.users[in.rename] = moved
		}
	case in.op == wire.OpChangePassword:
		if u.password != in.password {
			return s, wire.StatusInvalidCredentials, nil
		}
		u.password = in.fresh
	default:
		panic(fmt.Sprintf("simtest: no model of %s %s", in.op, in.code))
	}
	return after, wire.StatusOK, nil
}

package simtest

import (
	"fmt"

	"galgo/wire"
)

var _ = register(family{name: "token", weight: 4, act: useToken})

// useToken makes a personal access token, logs in with it, deletes it, and finds that it opens nothing any more.
func useToken(a *actor) {
	p := a.p
	a.made++
	name := fmt.Sprintf("token-%d-%d-%d", p.life, a.id, a.made)
	create := wire.AppendCreatePersonalAccessToken(nil, wire.CreatePersonalAccessToken{Name: []byte(name), ExpiryMicros: 0})
	a.write(wire.OpCreatePersonalAccessToken, create, func(got answer) {
		p.mustWrite(got, "create token", wire.StatusPersonalAccessTokensLimitReached)
		if !got.ok() {
			return
		}
		token, err := wire.DecodeToken(got.payload)
		if err != nil {
			p.fail("token: %v", err)
		}
		secret := wire.AppendTokenCredentials(nil, wire.TokenCredentials{Token: append([]byte(nil), token...)})
		a.then = func() {
			a.visit(func(c *client) {
				c.login(secret, func(got answer) {
					if !got.ok() && !got.lost {
						p.fail("login with a token: got %v, want a session", got)
					}
					c.hangUp()
					a.then = func() { dropToken(a, name, secret) }
				})
			})
		}
	}, "create token %s", name)
}

func dropToken(a *actor, name string, secret []byte) {
	p := a.p
	if a.c.over {
		a.later()
		return
	}
	a.write(wire.OpDeletePersonalAccessToken, wire.AppendDeletePersonalAccessToken(nil, []byte(name)), func(got answer) {
		p.mustWrite(got, "delete token")
		if !got.ok() {
			return
		}
		a.then = func() {
			a.visit(func(c *client) {
				c.login(secret, func(got answer) {
					if !got.lost && got.evicted != wire.EvictInvalidToken {
						p.fail("login with a deleted token: got %v, want eviction %d", got, wire.EvictInvalidToken)
					}
					p.note("deleted token refused")
					c.hangUp()
				})
			})
		}
	}, "delete token %s", name)
}

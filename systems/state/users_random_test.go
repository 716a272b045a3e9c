package state

import (
	"math/rand/v2"
	"testing"

	"galgo/components"
	"galgo/wire"
)

// Random requests about users, tokens and names over random delays of disk, workers, events and reports, with users who are deleted
// while they are logged in: everybody is answered, catalogs agree, no entity and no session leaks.
func TestRandomUserRequests(t *testing.T) {
	for seed := range uint64(3) {
		w := newWorld(t, 3)
		rng := rand.New(rand.NewPCG(seed, 3))
		conns := []*testConn{w.root(0, 1), w.root(1, 2), w.root(2, 3), w.root(2, 4)}
		conns[0].must(wire.OpCreateStream, streamBody("s0"))
		conns[0].must(wire.OpCreateTopic, topicBody("s0", "t", 1))
		waiting := map[*testConn]bool{}
		name := func() string { return []string{"anna", "bert", "carl"}[rng.IntN(3)] }
		stream := func() string { return []string{"s0", "s1"}[rng.IntN(2)] }
		guest, guests := w.conn(1), 0
		guestWaits := false
		for range 250 {
			w.frames %= 4 << 20
			for guest.answered() {
				if r := guest.reply(); r.Kind != components.ReplyEvict || r.Session == 0 { // else it lost a session meanwhile
					guestWaits = false
				}
			}
			if !guestWaits && guest.s.Conns.Session[guest.row()] == 0 && rng.IntN(4) == 0 {
				guests++
				guest.beginLogin(uint64(100+guests), name(), testPassword)
				guestWaits = true
			}
			for _, c := range conns {
				if waiting[c] {
					if waiting[c] = !c.answered(); !waiting[c] {
						result(t, c.reply())
					}
					continue
				}
				waiting[c] = true
				switch rng.IntN(12) {
				case 0, 1:
					c.ask(wire.OpCreateUser, userBody(name(), testPassword, global(wire.GlobalGrants(rng.IntN(1024)))))
				case 2, 3:
					c.ask(wire.OpDeleteUser, userRef(name()))
				case 4:
					c.ask(wire.OpUpdateUser, wire.AppendUpdateUser(nil, wire.UpdateUser{User: named(name()), Username: []byte(name())}))
				case 5:
					c.ask(wire.OpUpdatePermissions, permissionsBody(name(), global(wire.GlobalGrants(rng.IntN(1024)))))
				case 6, 7:
					c.ask(wire.OpCreatePersonalAccessToken, tokenBody(name(), 1+rng.Uint64N(3000)))
				case 8:
					c.ask(wire.OpDeletePersonalAccessToken, tokenRef(name()))
				case 9:
					c.ask(wire.OpUpdateStream, updateStreamBody(stream(), stream()))
				case 10:
					c.ask(wire.OpUpdateTopic, wire.AppendUpdateTopic(nil, wire.UpdateTopic{Stream: named(stream()), Topic: wire.IdentOf(0), Name: []byte(name())}))
				case 11:
					c.ask(wire.OpChangePassword, passwordBody(name(), testPassword, testPassword))
				}
			}
			w.held = nil
			if rng.IntN(3) > 0 {
				w.held = []*components.State{w.shards[1+rng.IntN(2)]}
			}
			w.idle = rng.IntN(3) > 0
			if rng.IntN(40) == 0 {
				w.now.MonoMicros += 2_000_000
			}
			w.tick()
			if w.writes > 0 && rng.IntN(3) == 0 {
				w.wrote(0)
			}
		}
		w.held, w.idle = nil, false
		w.settle()
		for _, c := range conns {
			if waiting[c] && !c.answered() {
				t.Errorf("seed %d: a client got no answer", seed)
			}
		}
		if guestWaits && !guest.answered() {
			t.Errorf("seed %d: the guest got no answer", seed)
		}
		sessions := len(conns)
		if guest.s.Conns.Session[guest.row()] != 0 {
			sessions++
		}
		if got := w.control().Clients.Len(); got != sessions || len(w.control().Hashings) != 0 || w.control().Orphans != nil {
			t.Errorf("seed %d: got %d sessions, %d hashings, %d orphans, want %d, 0, 0", seed, got, len(w.control().Hashings), len(w.control().Orphans), sessions)
		}
		if c := w.shards[2].Catalog; c.Users.Entities.Len() != c.Users.Len() {
			t.Errorf("seed %d: got %d user entities alive, want %d", seed, c.Users.Entities.Len(), c.Users.Len())
		}
		w.noLeak()
	}
}

func TestClients(t *testing.T) {
	w := newWorld(t, 2)
	root, second, silent := w.root(0, 1), w.conn(1), w.conn(1)
	second.login(2, "second")
	body, status := root.read(wire.CodeGetClients, nil)
	list, err := wire.DecodeClients(body)
	if err != nil || status != wire.StatusOK || len(list) != 3 || list[0].UserID != 0 || list[1].UserID != 1 || list[2].UserID != wire.NoUser ||
		string(list[2].Address) != "10.0.0.9:4000" {
		t.Fatalf("clients: got %+v, %v, status %d", list, err, status)
	}
	me, _ := second.read(wire.CodeGetMe, nil)
	me = append([]byte(nil), me...)
	id := second.s.Conns.ClientID[second.row()]
	if body, status := root.read(wire.CodeGetClient, wire.AppendGetClient(nil, id)); status != wire.StatusOK || string(body) != string(me) {
		t.Errorf("GET_CLIENT of second: got %x, status %d, want GET_ME's %x", body, status, me)
	}
	if body, status := root.read(wire.CodeGetClient, wire.AppendGetClient(nil, 99)); status != wire.StatusOK || len(body) != 0 {
		t.Errorf("GET_CLIENT of nobody: got %d bytes, status %d, want none", len(body), status)
	}
	for id, want := range map[uint32]wire.Status{id: wire.StatusUnauthorized, 99: wire.StatusOK} {
		if _, status := second.read(wire.CodeGetClient, wire.AppendGetClient(nil, id)); status != want {
			t.Errorf("GET_CLIENT %d without rights: got status %d, want %d", id, status, want)
		}
	}
	// A deleted user is nobody, and a logout shows.
	root.must(wire.OpDeleteUser, userRef("second"))
	root.ask(wire.OpLogout, nil)
	w.settle()
	for _, present := range silent.s.Presence.List() {
		if got := clientOf(silent.s, &present).UserID; got != wire.NoUser {
			t.Errorf("client %d: got user %d, want none", present.ClientID, got)
		}
	}
}

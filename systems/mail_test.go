package systems

import (
	"testing"

	"galgo/components"
	"galgo/ecs"
	"galgo/uring"
)

// mailWorld is the State and mailboxes of two shards, and a ring to wake the other with.
func mailWorld(t *testing.T) (states [2]*components.State, mail [2]*Mail, rings [2]*uring.Ring) {
	t.Helper()
	if err := uring.Probe(); err != nil {
		t.Skip(err)
	}
	host := uring.NewKernel()
	shared := components.NewShared(16 << 20)
	shared.Memory.Add(make([]byte, 4<<20), 0)
	post := NewPost(&components.Config{Shards: 2, ConnectionsMax: 64})
	for i := range states {
		cfg := &components.Config{Shard: i, Shards: 2, ConnectionsMax: 64, ClientsMax: 4}
		facts, orders := components.NewExchange(cfg)
		states[i] = components.NewState(cfg, shared, components.NewArena(shared.Memory, 0, shared.Budget, nil), components.NewCatalog(), facts, orders)
		mail[i] = post.Of(i, shared.Budget)
		ring, err := uring.NewRing(host, i, uring.Params{Entries: 8})
		if err != nil {
			t.Fatal(err)
		}
		rings[i] = ring
		t.Cleanup(func() { _ = ring.Close() })
	}
	return states, mail, rings
}

func TestMailAllocatesNothing(t *testing.T) {
	states, mail, rings := mailWorld(t)
	load := func() {
		for range 10 {
			states[1].Ask(0, components.Request{Kind: components.RequestSend})
			states[0].Answer(1, components.Reply{Kind: components.ReplySent})
		}
		states[1].Out.Reports.Applied = 5
		for i := range states {
			mail[i].Publish(states[i], rings[i])
		}
		for i := range states {
			mail[i].Take(states[i])
		}
		if got := states[0].Requests.Len(); got != 10 || states[1].Replies.Len() != 10 || states[0].Reports.Len() != 1 {
			t.Fatalf("mail: got %d requests, %d replies, %d reports, want 10, 10, 1", got, states[1].Replies.Len(), states[0].Reports.Len())
		}
		states[0].Requests.Clear()
		states[1].Replies.Clear()
		states[0].Reports.Clear()
	}
	load()
	if got := testing.AllocsPerRun(100, load); got != 0 {
		t.Errorf("a tick's mail: got %v allocations, want 0", got)
	}
}

// More reports than there is room for stay with who reports, which stays awake for them, and all arrive.
func TestReportsWaitForRoom(t *testing.T) {
	states, mail, rings := mailWorld(t)
	s := states[1]
	var entities ecs.Entities
	total := 0
	for s.Out.Reports.Removed.Free() > 0 {
		s.Out.Reports.Removed.Push(entities.Take())
		total++
	}
	s.Out.Reports.News = true
	got := 0
	for tick := 0; got < total; tick++ {
		s.Deadline = 0
		mail[1].Publish(s, rings[1])
		if s.Out.Reports.Removed.Len() > 0 && s.Deadline == 0 {
			t.Fatal("reports that found no room: got a shard that sleeps")
		}
		mail[0].Take(states[0])
		for states[0].Reports.Len() > 0 && tick%3 == 2 { // shard 0 is behind
			if states[0].Reports.Pop().Kind == components.ReportRemoved {
				got++
			}
		}
		if tick > 1000 {
			t.Fatalf("reports: got %d, want %d", got, total)
		}
	}
}

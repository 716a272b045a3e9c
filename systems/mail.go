package systems

import (
	"fmt"
	"math/bits"
	"slices"

	"galgo/components"
	"galgo/ecs"
	"galgo/uring"
	"galgo/wire"
)

// Mailbox is the rings from one shard to another. A ring of requests holds two for each connection at the sender, one of replies
// three: an answer, the release of a block and the notice of a lost session. Full is our bug.
type Mailbox struct {
	Events   *ecs.SPSC[*wire.Event] // from shard 0
	Requests *ecs.SPSC[components.Request]
	Replies  *ecs.SPSC[components.Reply]
	Reports  *ecs.SPSC[components.Report] // to shard 0
	Dealt    *ecs.SPSC[components.Dealt]  // from shard 0
}

// Post is the mailboxes between all shards, by sender and receiver.
type Post [][]*Mailbox

// NewPost makes the mailboxes of a process.
func NewPost(cfg *components.Config) Post {
	post := make(Post, cfg.Shards)
	conns := cfg.ShardConnectionsMax() + components.PluginsMax
	for from := range post {
		post[from] = make([]*Mailbox, cfg.Shards)
		for to := range post[from] {
			if from == to {
				continue
			}
			box := &Mailbox{Requests: ring[components.Request](2*conns + 1), Replies: ring[components.Reply](3*conns + 2)}
			if from == 0 {
				box.Events = ring[*wire.Event](2 * components.EventsMax())
				box.Dealt = ring[components.Dealt](conns)
			}
			if to == 0 {
				box.Reports = ring[components.Report](1024)
			}
			post[from][to] = box
		}
	}
	return post
}

// ring makes a ring for at least n values.
func ring[T any](n int) *ecs.SPSC[T] { return ecs.NewSPSC[T](1 << bits.Len(uint(n-1))) }

// Mail is one shard's side of the Post.
type Mail struct {
	Budget *components.Budget
	shard  int
	in     []*Mailbox // by sender; nil for the shard itself
	out    []*Mailbox // by receiver
}

// Of is the side of one shard.
func (p Post) Of(shard int, budget *components.Budget) *Mail {
	m := &Mail{Budget: budget, shard: shard, out: p[shard]}
	for from := range p {
		m.in = append(m.in, p[from][shard])
	}
	return m
}

// From is the mailbox from a shard to this one; nil from itself. It is for tests that look at what is under way.
func (m *Mail) From(shard int) *Mailbox { return m.in[shard] }

// Waiting says whether something is in a mailbox for this shard: what a parking shard looks at last.
func (m *Mail) Waiting() bool { return slices.ContainsFunc(m.in, (*Mailbox).holds) }

// Delivered says whether other shards have taken everything that this one has put into their mailboxes.
func (m *Mail) Delivered() bool { return !slices.ContainsFunc(m.out, (*Mailbox).holds) }

// holds says whether something is in the mailbox. There is none from a shard to itself.
func (b *Mailbox) holds() bool {
	return b != nil && (!b.Requests.Empty() || !b.Replies.Empty() || b.Events != nil && !b.Events.Empty() ||
		b.Dealt != nil && !b.Dealt.Empty() || b.Reports != nil && !b.Reports.Empty())
}

// Take moves everything that has arrived into the queues of the State. Nothing waits inside a ring.
func (m *Mail) Take(s *components.State) {
	for from, box := range m.in {
		if box == nil {
			continue
		}
		if box.Events != nil {
			for s.Events.Free() > 0 {
				event, ok := box.Events.TryPop()
				if !ok {
					break
				}
				s.Events.Push(event)
			}
		}
		drain(box.Requests, s.Take)
		drain(box.Replies, s.Replies.Push)
		if box.Dealt != nil {
			drain(box.Dealt, s.Dealt.Push)
		}
		if box.Reports != nil {
			for s.Reports.Free() > 0 { // the one that may wait: whoever reports keeps what finds no room
				report, ok := box.Reports.TryPop()
				if !ok {
					break
				}
				if int(report.Shard) != from {
					panic(fmt.Sprintf("systems: shard %d reports as shard %d", from, report.Shard))
				}
				s.Reports.Push(report)
			}
		}
	}
}

func drain[T any](ring *ecs.SPSC[T], take func(T)) {
	for {
		v, ok := ring.TryPop()
		if !ok {
			return
		}
		take(v)
	}
}

// Publish moves what this tick has for other shards into their mailboxes, and wakes those that sleep with the next Enter.
func (m *Mail) Publish(s *components.State, kernel *uring.Ring) {
	for s.Out.Events.Len() > 0 {
		event := s.Out.Events.Pop()
		for to, box := range m.out {
			if box != nil {
				post(box.Events, event, to)
			}
		}
	}
	if m.report(s); s.Out.Reports.Applied > 0 || s.Out.Reports.News || s.Out.Reports.Drained.Len() > 0 {
		s.WakeAt(s.Now.MonoMicros + retryMicros) // there was no room
	}
	for to, box := range m.out {
		if box == nil {
			continue
		}
		for q := &s.Out.Requests[to]; q.Len() > 0; {
			post(box.Requests, q.Pop(), to)
		}
		for q := &s.Out.Replies[to]; q.Len() > 0; {
			post(box.Replies, q.Pop(), to)
		}
		if box.Dealt != nil {
			for q := &s.Out.Deal[to]; q.Len() > 0; {
				post(box.Dealt, q.Pop(), to)
			}
		}
		if box.holds() {
			kernel.WakePeer(to)
		}
	}
}

// WakeAll wakes every shard that sleeps with the next Enter.
func (m *Mail) WakeAll(kernel *uring.Ring) {
	for to, box := range m.out {
		if box != nil {
			kernel.WakePeer(to)
		}
	}
}

func post[T any](ring *ecs.SPSC[T], v T, to int) {
	if !ring.TryPush(v) {
		panic(fmt.Sprintf("systems: the mailbox to shard %d is full", to))
	}
}

// report tells shard 0 how far this shard is. What finds no room stays for the next tick: reports are absolute.
func (m *Mail) report(s *components.State) {
	r := &s.Out.Reports
	tell := func(report components.Report) bool {
		report.Shard = uint8(m.shard)
		if m.shard == 0 {
			return s.Reports.TryPush(report)
		}
		return m.out[0].Reports.TryPush(report)
	}
	for r.Drained.Len() > 0 && tell(*r.Drained.Front()) { // before Applied: shard 0 knows then that there are no more
		r.Drained.Pop()
	}
	if r.Applied > 0 && tell(components.Report{Kind: components.ReportApplied, Seq: r.Applied}) {
		r.Applied = 0
	}
	if !r.News {
		return
	}
	if !tell(components.Report{Kind: components.ReportClosed, Seq: r.Closed}) {
		return
	}
	for r.Removed.Len() > 0 {
		if !tell(components.Report{Kind: components.ReportRemoved, Partition: *r.Removed.Front()}) {
			return
		}
		r.Removed.Pop()
	}
	r.News = false
	if m.shard == 0 {
		s.WakeAt(s.Now.MonoMicros) // shard 0 told itself: the next tick takes it
	}
}

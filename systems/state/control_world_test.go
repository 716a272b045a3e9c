package state

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"syscall"
	"testing"

	"galgo/components"
	"galgo/ecs"
	"galgo/wire"
)

// world is all shards of a server without storage: what shard 0 writes is written when the test says so.
type world struct {
	t      *testing.T
	shards []*components.State
	now    ecs.Time
	frames uint64 // bytes of the slab in use
	held   []*components.State
	got    []delivered
	writes int    // control log writes handed over and not returned
	conns  uint32 // connections made
	drawn  uint64 // random numbers handed out
	idle   bool   // the workers do nothing
}

// delivered is a reply that reached its home shard.
type delivered struct {
	home  int
	reply components.Reply
}

type quiet struct{}

func (quiet) Log(components.LogLevel, string, ...components.LogField) {}

const (
	testRun      = 3
	testPassword = "secret"
	testClean    = 60_000_000 // µs between looks for expired tokens
)

// testHash is made once: hashing is slow on purpose.
var testHash = HashPassword([]byte(testPassword), []byte("0123456789abcdef"), 0, nil)

// newWorld is a server of so many shards with the users root, second and inactive, all with testPassword.
func newWorld(t *testing.T, shards int) *world {
	t.Helper()
	catalog := components.NewCatalog()
	seq := uint64(testRun) << wire.RunShift
	apply := func(e wire.Event) {
		seq++
		e.Seq, e.Time = seq, 1
		catalog.Apply(&e)
	}
	apply(wire.Event{Kind: wire.EventRunStarted, Run: testRun})
	for id, name := range []string{"root", "second", "inactive"} {
		status := uint8(1)
		if name == "inactive" {
			status = 2
		}
		apply(wire.Event{Kind: wire.EventUserCreated, User: uint64(catalog.Users.Entities.Take()), UserID: uint32(id), UserStatus: status,
			Name: []byte(name), PasswordHash: testHash})
	}
	w := &world{t: t, now: ecs.Time{WallMicros: 1_000_000, MonoMicros: 1_000_000}}
	shared := components.NewShared(64 << 20)
	shared.Memory.Add(make([]byte, 8<<20), 0)
	for shard := range shards {
		cfg := &components.Config{Shard: shard, Shards: shards, Run: testRun, Secret: 7, FrameMax: wire.FrameSizeMax, PartitionsMax: 5000,
			ClientsMax: 8, ConnectionsMax: 64, OffsetsMax: 16, TokensMax: 3, TokenCleanMicros: testClean, ServerVersion: "0.9.0", TCPAddress: netip.MustParseAddrPort("127.0.0.1:8090")}
		facts, orders := components.NewExchange(cfg)
		s := components.NewState(cfg, shared, components.NewArena(shared.Memory, 0, shared.Budget, nil), catalog.Clone(), facts, orders)
		s.Log, s.Random = quiet{}, w.random
		w.shards = append(w.shards, s)
	}
	w.control().Resume(catalog, testRun, 100)
	return w
}

func (w *world) control() *components.Control { return w.shards[0].Control }

// conn makes a connection whose home is shard.
func (w *world) conn(shard int) *testConn {
	s := w.shards[shard]
	w.conns++
	entity, row := s.Conns.Insert(w.conns, netip.MustParseAddrPort("10.0.0.9:4000"), netip.MustParseAddrPort("10.0.0.1:8090"))
	announce(s, row)
	return &testConn{w: w, s: s, entity: entity}
}

// random hands out numbers that come once.
func (w *world) random(b []byte) {
	w.drawn++
	clear(b)
	binary.LittleEndian.PutUint64(b, w.drawn)
}

// tick runs the control plane of every shard once, in the order of the stages, and then carries messages between them.
func (w *world) tick() {
	w.now.WallMicros += 10
	w.now.MonoMicros += 10
	for _, s := range w.shards {
		s.Now = w.now
		TakeControlWritten(s)
		PublishEvents(s)
		ApplyEvents(s)
		DrainGroups(s)
		TakeReports(s)
		FinishLogins(s)
		FinishHashes(s)
		DecideControl(s)
		TakeRequests(s)
		SealControl(s)
		AnswerControl(s)
	}
	if s := w.shards[0]; len(s.Out.Control.Bytes) > 0 {
		w.writes++
		if w.writes > 1 {
			w.t.Fatalf("control log writes in flight: got %d, want 1", w.writes)
		}
		w.checkRecords(s.Out.Control)
		s.Out.Control = components.ControlOrder{}
	}
	w.carry()
}

// checkRecords reads what is to be written as recovery would.
func (w *world) checkRecords(order components.ControlOrder) {
	w.t.Helper()
	first := order.Number
	for n := 0; n < len(order.Bytes); first-- {
		_, size, err := wire.DecodeEvent(order.Bytes[n:])
		if err != nil {
			w.t.Fatalf("record: got %v, want an event", err)
		}
		n += size + 24
	}
	file := append(wire.AppendControlLogHead(nil, first, w.shards[0].Secret), order.Bytes...)
	reader, err := wire.NewControlReader(file, w.shards[0].Secret)
	for number := first; number < order.Number; number++ {
		if err == nil {
			_, _, err = reader.Next()
		}
		if err != nil {
			w.t.Fatalf("record %d: got %v, want it to be read", number, err)
		}
	}
}

func (w *world) carry() {
	for from, s := range w.shards {
		for to := range w.shards {
			for to != from && s.Out.Requests[to].Len() > 0 {
				w.shards[to].Take(s.Out.Requests[to].Pop())
			}
			for to != from && s.Out.Replies[to].Len() > 0 {
				w.shards[to].Replies.Push(s.Out.Replies[to].Pop())
			}
		}
		for !w.idle && s.Out.Jobs.Len() > 0 {
			job := s.Out.Jobs.Pop()
			s.In.Jobs.Push(components.JobDone{Kind: job.Kind, Conn: job.Conn, Res: job.Run()})
		}
		if reports := &s.Out.Reports; !w.holds(s) {
			for reports.Drained.Len() > 0 {
				w.shards[0].Reports.Push(reports.Drained.Pop())
			}
			if reports.Applied != 0 {
				w.shards[0].Reports.Push(components.Report{Kind: components.ReportApplied, Shard: uint8(from), Seq: reports.Applied})
				reports.Applied = 0
			}
			for reports.Removed.Len() > 0 {
				w.shards[0].Reports.Push(components.Report{Kind: components.ReportRemoved, Shard: uint8(from), Partition: reports.Removed.Pop()})
			}
		}
	}
	for events := &w.shards[0].Out.Events; events.Len() > 0; {
		e := events.Pop()
		for _, s := range w.shards[1:] {
			s.Events.Push(e)
		}
	}
	for home, s := range w.shards {
		for s.Replies.Len() > 0 {
			w.deliver(home, s.Replies.Pop())
		}
	}
}

func (w *world) holds(s *components.State) bool {
	for _, held := range w.held {
		if held == s {
			return true
		}
	}
	return false
}

// deliver does what a home shard does with a reply of shard 0.
func (w *world) deliver(home int, r components.Reply) {
	if r.Conn == components.ControlConn {
		w.control().Proposed = &r
		return
	}
	c := &w.shards[home].Conns
	row := c.MustRow(r.Conn)
	switch {
	case r.Kind == components.ReplyOpened:
		bind(w.shards[home], row, r.Client, r.Session, r.User)
	case r.Kind == components.ReplyClosed, r.Kind == components.ReplyEvict && r.Session != 0 && r.Session == c.Session[row]:
		unbind(w.shards[home], row)
	}
	w.got = append(w.got, delivered{home, r})
}

// wrote lets the control log write in flight return.
func (w *world) wrote(err syscall.Errno) {
	w.t.Helper()
	if w.writes == 0 {
		w.t.Fatal("control log writes in flight: got 0, want 1")
	}
	w.writes--
	w.shards[0].In.Control.Push(components.ControlWritten{Number: w.control().Record, Err: err})
}

// settle ticks until nothing moves any more, with a disk that never fails.
func (w *world) settle() {
	for range 12 {
		w.tick()
		if w.writes > 0 {
			w.wrote(0)
		}
	}
	if c := w.control(); len(w.held) == 0 && (c.Pending.Len() != 0 || c.Written != 0 || c.Published != 0 || c.Applied != 0 || c.Writing != 0) {
		w.t.Fatalf("control at rest: got pending %d, written %d, published %d, applied %d, writing %d, want zeros",
			c.Pending.Len(), c.Written, c.Published, c.Applied, c.Writing)
	}
}

// frame puts a request into memory.
func (w *world) frame(header wire.RequestHeader, body []byte) components.Span {
	header.Size, header.Command = uint32(wire.FrameHeaderSize+len(body)), wire.FrameRequest
	bytes := append(wire.AppendRequestHeader(nil, header), body...)
	span := components.Span{Len: uint32(len(bytes)), Off: w.frames}
	w.frames += components.AlignUp(uint64(len(bytes)))
	copy(w.shards[0].Memory.Bytes(span), bytes)
	return span
}

// testConn is a connection, and what its client remembers.
type testConn struct {
	w       *world
	s       *components.State
	entity  ecs.Entity
	client  wire.U128
	session uint64
	number  uint64
}

func (c *testConn) row() int { return c.s.Conns.MustRow(c.entity) }

// hold makes a frame the request at hand.
func (c *testConn) hold(header wire.RequestHeader, body []byte) {
	row := c.row()
	c.s.Conns.Header[row], c.s.Conns.Frame[row] = header, c.w.frame(header, body)
	c.s.Conns.Step[row] = components.Away
}

// beginLogin sends a Register request.
func (c *testConn) beginLogin(client uint64, user, password string) {
	c.client, c.session, c.number = wire.U128{Lo: client}, 0, 0
	c.hold(wire.RequestHeader{Client: c.client, Operation: wire.OpRegister}, wire.AppendRegister(nil, wire.Register{
		ProtocolVersion: wire.ProtocolVersion, SDKName: []byte("go-sdk"), SDKVersion: []byte("0.9.0"),
		Credentials: wire.AppendPasswordCredentials(nil, wire.PasswordCredentials{Username: []byte(user), Password: []byte(password)})}))
	beginLogin(c.s, c.row())
}

// login logs in and takes the session over.
func (c *testConn) login(client uint64, user string) components.Reply {
	c.w.t.Helper()
	c.beginLogin(client, user, testPassword)
	c.w.settle()
	r := c.reply()
	if r.Kind == components.ReplyOpened {
		c.session = r.Session
	}
	return r
}

// root is a connection of root.
func (w *world) root(shard int, client uint64) *testConn {
	w.t.Helper()
	c := w.conn(shard)
	if r := c.login(client, "root"); r.Kind != components.ReplyOpened {
		w.t.Fatalf("login: got reply of kind %d, want a session", r.Kind)
	}
	return c
}

// ask sends the next metadata operation.
func (c *testConn) ask(op wire.Operation, body []byte) {
	c.number++
	c.askAs(wire.RequestHeader{Client: c.client, Operation: op, Session: c.session, Request: c.number, RequestChecksum: wire.BodyChecksum(body)}, body)
}

func (c *testConn) askAs(header wire.RequestHeader, body []byte) {
	c.hold(header, body)
	kind := components.RequestMetadata
	if header.Operation == wire.OpLogout {
		kind = components.RequestClose
	}
	r := controlRequest(c.s, c.row(), kind)
	r.Since = c.w.now.MonoMicros
	c.s.Ask(0, r)
}

// hangUp ends the connection.
func (c *testConn) hangUp() {
	r := controlRequest(c.s, c.row(), components.RequestHangup)
	r.Frame, r.Since = components.Span{}, c.w.now.MonoMicros
	c.s.Ask(0, r)
}

// answered says whether there is a reply to be taken.
func (c *testConn) answered() bool {
	for _, d := range c.w.got {
		if d.home == c.s.Shard && d.reply.Conn == c.entity {
			return true
		}
	}
	return false
}

// reply takes the connection's oldest reply.
func (c *testConn) reply() components.Reply {
	c.w.t.Helper()
	for i, d := range c.w.got {
		if d.home == c.s.Shard && d.reply.Conn == c.entity {
			c.w.got = append(c.w.got[:i:i], c.w.got[i+1:]...)
			return d.reply
		}
	}
	c.w.t.Fatalf("connection %v: got no reply, want one", c.entity)
	return components.Reply{}
}

// do sends a metadata operation and returns its payload, or what it was refused with.
func (c *testConn) do(op wire.Operation, body []byte) (payload []byte, status wire.Status) {
	c.w.t.Helper()
	c.ask(op, body)
	c.w.settle()
	return result(c.w.t, c.reply())
}

// must is do for what cannot be refused.
func (c *testConn) must(op wire.Operation, body []byte) []byte {
	c.w.t.Helper()
	payload, status := c.do(op, body)
	if status != wire.StatusOK {
		c.w.t.Fatalf("%v: got status %d, want 0", op, status)
	}
	return payload
}

// result reads a reply as a client does.
func result(t *testing.T, r components.Reply) (payload []byte, status wire.Status) {
	t.Helper()
	if r.Kind == components.ReplyStatus {
		return nil, r.Status
	}
	if r.Kind != components.ReplyFrame {
		t.Fatalf("reply: got kind %d, want a frame", r.Kind)
	}
	header, err := wire.DecodeReplyHeader(r.Frame)
	if err != nil || int(header.Size) != len(r.Frame) {
		t.Fatalf("reply header: got %v with size %d of %d bytes", err, header.Size, len(r.Frame))
	}
	if header.Status != wire.StatusOK {
		return nil, header.Status
	}
	payload, status, err = wire.DecodeResult(r.Frame[wire.FrameHeaderSize:])
	if err != nil {
		t.Fatalf("result section: got %v", err)
	}
	return payload, status
}

func header(t *testing.T, r components.Reply) wire.ReplyHeader {
	t.Helper()
	h, err := wire.DecodeReplyHeader(r.Frame)
	if err != nil {
		t.Fatalf("reply header: got %v", err)
	}
	return h
}

func named(name string) wire.Ident { return wire.IdentNamed([]byte(name)) }

func streamBody(name string) []byte {
	return wire.AppendCreateStream(nil, wire.CreateStream{Name: []byte(name)})
}

func topicBody(stream, name string, partitions uint32) []byte {
	return wire.AppendCreateTopic(nil, wire.CreateTopic{Stream: named(stream), PartitionsCount: partitions, Name: []byte(name)})
}

func changeBody(stream, topic string, count uint32) []byte {
	return wire.AppendChangePartitions(nil, wire.ChangePartitions{Stream: named(stream), Topic: named(topic), Count: count})
}

func topicRef(stream, topic string) []byte {
	return wire.AppendTopicRef(nil, wire.TopicRef{Stream: named(stream), Topic: named(topic)})
}

// catalogBytes is everything a catalog holds.
func catalogBytes(c *components.Catalog) []byte {
	var b []byte
	for e := range c.Events {
		b = wire.AppendEvent(b, e)
	}
	return fmt.Appendf(b, "applied %d committed %d", c.Applied, c.Committed)
}

// equalCatalogs fails unless every shard and the deciding catalog agree.
func (w *world) equalCatalogs() {
	w.t.Helper()
	want := catalogBytes(w.control().Decided)
	for _, s := range w.shards {
		if !bytes.Equal(catalogBytes(s.Catalog), want) {
			w.t.Fatalf("catalog of shard %d at seq %d: differs from the decided one at %d", s.Shard, s.Catalog.Applied, w.control().Decided.Applied)
		}
	}
}

func segmentsBody(stream, topic string, partition, count uint32) []byte {
	return wire.AppendDeleteSegments(nil, wire.DeleteSegments{Stream: named(stream), Topic: named(topic), PartitionID: partition, SegmentsCount: count})
}

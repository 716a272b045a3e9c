package systems

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"

	"galgo/components"
	"galgo/ecs"
	"galgo/wire"
)

const (
	fuzzConns    = 3
	fuzzRequests = 48 // of one input, at most
	fuzzSlab     = 4 << 20
)

// How a fuzzed request departs from what a client sends.
const (
	fuzzNoClient = 1 << iota
	fuzzNoSession
	fuzzOldSession
	fuzzNoNumber
	fuzzSameNumber
	fuzzChecksum
	fuzzWrongChecksum
	fuzzHangUp // the connection ends before the answer
)

// fuzzRequest is one request of an input:
//
//	| connection u8 | departures u8 | operation u8 | code u16 | size u16 | body |
type fuzzRequest struct {
	conn, departs uint8
	op            wire.Operation
	code          wire.Code
	body          []byte
}

func (r fuzzRequest) append(dst []byte) []byte {
	dst = append(dst, r.conn, r.departs, byte(r.op))
	dst = binary.LittleEndian.AppendUint16(dst, uint16(r.code))
	dst = binary.LittleEndian.AppendUint16(dst, uint16(len(r.body)))
	return append(dst, r.body...)
}

// nextFuzzRequest takes a request off an input. A size that is more than there is means all there is.
func nextFuzzRequest(src []byte) (r fuzzRequest, rest []byte, ok bool) {
	if len(src) < 7 {
		return r, nil, false
	}
	r = fuzzRequest{conn: src[0] % fuzzConns, departs: src[1], op: wire.Operation(src[2]), code: wire.Code(binary.LittleEndian.Uint16(src[3:]))}
	size := min(int(binary.LittleEndian.Uint16(src[5:])), len(src)-7)
	r.body = src[7 : 7+size]
	return r, src[7+size:], true
}

// fuzzWorld is a live world: a server of one shard with a topic, messages and a group. Connections 0 and 1 are root's, 2 has not
// logged in.
type fuzzWorld struct {
	*tickWorld
	slots [fuzzConns]*tickConn
	made  uint32
}

func newFuzzWorld(t *testing.T) *fuzzWorld {
	w := &fuzzWorld{tickWorld: newTickWorldOf(t, fuzzSlab)}
	w.works = true
	random := rand.NewChaCha8([32]byte{7})
	w.state.Random = func(b []byte) { _, _ = random.Read(b) }
	w.state.Machine = func(*wire.Stats) {}
	w.state.Collect = func(wire.GetSnapshot, int) ([]byte, error) { return []byte("PK"), nil }
	w.state.TokensMax = 4
	for slot := range w.slots {
		w.connect(slot)
	}
	w.slots[0], w.slots[1] = w.conn(fuzzConns+1), w.conn(fuzzConns+2)
	for _, c := range w.slots[:2] { // as if they had logged in
		row := w.state.Conns.MustRow(c.entity)
		for _, catalog := range []*components.Catalog{w.state.Catalog, w.state.Control.Decided} {
			catalog.Sessions[c.client] = components.Session{Number: w.state.Conns.Session[row], User: w.state.Conns.User[row]}
		}
	}
	return w
}

// connect puts a new connection into a slot.
func (w *fuzzWorld) connect(slot int) {
	w.made++
	c := &tickConn{idle: true, client: wire.U128{Lo: 1000 + uint64(w.made)}}
	c.entity, _ = w.state.Conns.Insert(1000+w.made, netip.MustParseAddrPort("10.0.0.8:4000"), netip.MustParseAddrPort("10.0.0.1:8090"))
	w.state.Presence.Set(components.Present{ClientID: 1000 + w.made})
	w.slots[slot] = c
	w.conns = append(w.conns, c)
}

// send delivers a request, and lets the world go on until it is answered.
func (w *fuzzWorld) send(r fuzzRequest) {
	c := w.slots[r.conn]
	row, ok := w.state.Conns.Row(c.entity)
	if !ok || c.gone {
		w.connect(int(r.conn))
		c = w.slots[r.conn]
		row = w.state.Conns.MustRow(c.entity)
	}
	h := wire.RequestHeader{Client: c.client, Session: w.state.Conns.Session[row], Operation: r.op, Code: r.code, Command: wire.FrameRequest,
		Size: uint32(wire.FrameHeaderSize + len(r.body))}
	if r.op == wire.OpRegister {
		h.Session = 0
	} else {
		if r.departs&fuzzSameNumber == 0 {
			c.request++
		}
		h.Request = c.request
	}
	set := func(departure uint8, change func()) {
		if r.departs&departure != 0 {
			change()
		}
	}
	set(fuzzNoClient, func() { h.Client = wire.U128{} })
	set(fuzzNoSession, func() { h.Session = 0 })
	set(fuzzOldSession, func() { h.Session-- })
	set(fuzzNoNumber, func() { h.Request = 0 })
	set(fuzzChecksum, func() { h.RequestChecksum = wire.BodyChecksum(r.body) })
	set(fuzzWrongChecksum, func() { h.RequestChecksum = wire.U128{Lo: 1} })
	span, ok := w.buffers.Alloc(h.Size)
	if !ok {
		w.t.Fatalf("buffers: got no memory for a frame of %d bytes, want some", h.Size)
	}
	copy(w.state.Memory.Bytes(span), append(wire.AppendRequestHeader(nil, h), r.body...))
	c.idle, c.header, c.frame = false, h, span
	w.state.In.Frames.Push(components.FrameIn{Conn: c.entity, Frame: span})
	set(fuzzHangUp, func() { w.run(); w.state.In.Broken.Push(c.entity) })
	for range 40 {
		w.run()
		if c.idle && len(w.disk.inFlight) == 0 && !w.state.In.Any() && w.state.Control.Pending.Len() == 0 {
			return
		}
		for _, kind := range tickKinds {
			w.complete(kind, ecs.None, 0)
		}
		w.state.Now.MonoMicros += 100_000
	}
	w.t.Fatalf("%v, code %v, of %d bytes: got no answer in 40 ticks", r.op, r.code, len(r.body))
}

// check wants everything to hold that has to hold between two requests.
func (w *fuzzWorld) check(r fuzzRequest) {
	s := w.state
	if leaks := w.leaks(); leaks != "" {
		w.t.Fatalf("after %v, code %v: got %s, want none", r.op, r.code, leaks)
	}
	events := func(c *components.Catalog) (b []byte) {
		for e := range c.Events {
			b = wire.AppendEvent(b, e)
		}
		return b
	}
	if !bytes.Equal(events(s.Catalog), events(s.Control.Decided)) {
		w.t.Fatalf("after %v, code %v: got a catalog that is not the decided one", r.op, r.code)
	}
	sessions := 0
	for row := range s.Conns.All {
		if s.Conns.Step[row] != components.Idle || s.Conns.Login[row] != nil || s.Conns.Stats[row] != nil || s.Conns.Parcel[row] != nil {
			w.t.Fatalf("after %v, code %v: got a connection in step %d, want it idle with nothing at hand", r.op, r.code, s.Conns.Step[row])
		}
		if session := s.Conns.Session[row]; session != 0 {
			sessions++
			if client := s.Control.Clients.Find(s.Conns.Client[row]); client == nil || client.Session != session || client.Conn != s.Conns.Entity(row) {
				w.t.Fatalf("after %v, code %v: got session %d of a connection, and %+v in the table of clients", r.op, r.code, session, client)
			}
		}
	}
	if clients, known := s.Control.Clients.Len(), len(s.Catalog.Sessions); clients != sessions || known != sessions {
		w.t.Fatalf("after %v, code %v: got %d clients and %d sessions, want %d, one for each connection that has logged in", r.op, r.code, clients, known, sessions)
	}
	for row := range s.Partitions.All {
		if p := &s.Partitions; p.OffsetFirst[row] > p.OffsetWritten[row] || p.OffsetWritten[row] > p.OffsetNext[row] {
			w.t.Fatalf("after %v, code %v: got offsets %d, %d, %d of a partition, want them to ascend", r.op, r.code, p.OffsetFirst[row], p.OffsetWritten[row], p.OffsetNext[row])
		}
	}
	for group := range s.Catalog.Groups.All {
		if plan := s.Catalog.Groups.Plan[group]; len(plan.Members) > 0 {
			for partition, owner := range plan.Owners {
				if _, ok := plan.Member(owner); !ok {
					w.t.Fatalf("after %v, code %v: got partition %d of a group with members without a member, want one", r.op, r.code, partition)
				}
			}
		}
	}
}

// fuzzLife is a life of a server: what its commands need is there when they come.
func fuzzLife() (life []fuzzRequest) {
	stream, topic, group, user := wire.IdentNamed([]byte("s")), wire.IdentNamed([]byte("t")), wire.IdentNamed([]byte("g")), wire.IdentNamed([]byte("usr"))
	ref := wire.TopicRef{Stream: stream, Topic: topic}
	inGroup := wire.AppendGroupRef(nil, wire.GroupRef{Stream: stream, Topic: topic, Group: group})
	var b wire.BatchBuilder
	b.Reset(1)
	b.Add(wire.U128{Lo: 1}, 0, []byte("hello"), nil)
	b.Add(wire.U128{Lo: 2}, 1, []byte("world"), nil)
	send := wire.AppendSendMessages(nil, wire.SendMessages{Stream: stream, Topic: topic, Partitioning: wire.Partitioning{Kind: wire.PartitionBalanced},
		MessagesCount: 2, Batch: b.Bytes()})
	single, member := wire.Consumer{Kind: wire.ConsumerSingle, Ident: wire.IdentOf(1)}, wire.Consumer{Kind: wire.ConsumerGroup, Ident: group}
	poll := func(c wire.Consumer, strategy uint8, commit bool) []byte {
		return wire.AppendPollMessages(nil, wire.PollMessages{Consumer: c, Stream: stream, Topic: topic, Partition: wire.OptionalPartition{Present: true},
			Strategy: wire.Strategy{Kind: strategy}, Count: 10, AutoCommit: commit})
	}
	key := wire.OffsetKey{Consumer: single, Stream: stream, Topic: topic, Partition: wire.OptionalPartition{Present: true}}
	permissions := wire.AppendPermissions(nil, wire.Permissions{Global: wire.GlobalReadServers, Streams: []wire.StreamPermissions{{Grants: wire.StreamReadStream}}})
	change := wire.AppendChangePartitions(nil, wire.ChangePartitions{Stream: stream, Topic: topic, Count: 2})
	var secret [50]byte
	_, _ = rand.NewChaCha8([32]byte{7}).Read(secret[:])
	login := func(credentials []byte) []byte {
		return wire.AppendRegister(nil, wire.Register{ProtocolVersion: wire.ProtocolVersion, SDKName: []byte("fuzz"), SDKVersion: []byte("1"), Credentials: credentials})
	}
	do := func(conn uint8, op wire.Operation, body []byte) {
		life = append(life, fuzzRequest{conn: conn, departs: fuzzChecksum, op: op, body: body})
	}
	read := func(conn uint8, code wire.Code, body []byte) {
		life = append(life, fuzzRequest{conn: conn, op: wire.OpNonReplicated, code: code, body: body})
	}
	do(0, wire.OpCreateStream, wire.AppendCreateStream(nil, wire.CreateStream{Name: []byte("s")}))
	do(0, wire.OpCreateTopic, wire.AppendCreateTopic(nil, wire.CreateTopic{Stream: stream, PartitionsCount: 2, Name: []byte("t"),
		Options: wire.AppendPair(nil, wire.StringValue([]byte("durability")), wire.StringValue([]byte("persisted")))}))
	do(0, wire.OpSendMessages, send)
	do(1, wire.OpSendMessages, send)
	read(0, wire.CodePollMessages, poll(single, wire.PollNext, true))
	read(0, wire.CodePollMessages, poll(single, wire.PollTimestamp, false))
	do(0, wire.OpStoreConsumerOffset, wire.AppendStoreConsumerOffset(nil, wire.StoreConsumerOffset{OffsetKey: key}))
	read(1, wire.CodeGetConsumerOffset, wire.AppendOffsetKey(nil, key))
	do(1, wire.OpDeleteConsumerOffset, wire.AppendDeleteConsumerOffset(nil, wire.DeleteConsumerOffset{OffsetKey: key}))
	do(0, wire.OpCreateConsumerGroup, wire.AppendCreateConsumerGroup(nil, wire.CreateConsumerGroup{Stream: stream, Topic: topic, Name: []byte("g")}))
	do(0, wire.OpJoinConsumerGroup, inGroup)
	do(1, wire.OpJoinConsumerGroup, inGroup)
	read(1, wire.CodeSyncConsumerGroup, inGroup)
	read(0, wire.CodePollMessages, poll(member, wire.PollNext, true))
	read(0, wire.CodeGetPollRouting, poll(member, wire.PollNext, true))
	read(1, wire.CodeAttachConsumerSession, wire.AppendConsumerSession(nil, wire.ConsumerSession{Client: wire.U128{Lo: 4}, Session: 4}))
	read(1, wire.CodePollMessagesOnPrimary, poll(member, wire.PollFirst, true))
	do(1, wire.OpCreatePartitions, change)
	do(1, wire.OpLeaveConsumerGroup, inGroup)
	do(1, wire.OpDeletePartitions, change)
	read(0, wire.CodeGetConsumerGroup, inGroup)
	read(0, wire.CodeGetTopic, wire.AppendTopicRef(nil, ref))
	read(0, wire.CodeGetStream, wire.AppendIdent(nil, stream))
	do(1, wire.OpDeleteSegments, wire.AppendDeleteSegments(nil, wire.DeleteSegments{Stream: stream, Topic: topic, SegmentsCount: 1}))
	do(1, wire.OpPurgeTopic, wire.AppendTopicRef(nil, ref))
	do(0, wire.OpSendMessages, send)
	do(1, wire.OpPurgeStream, wire.AppendIdent(nil, stream))
	do(1, wire.OpCreatePersonalAccessToken, wire.AppendCreatePersonalAccessToken(nil, wire.CreatePersonalAccessToken{Name: []byte("tok")}))
	do(2, wire.OpRegister, login(wire.AppendTokenCredentials(nil, wire.TokenCredentials{Token: base64.StdEncoding.AppendEncode(nil, secret[:])})))
	read(2, wire.CodeGetMe, nil)
	read(2, wire.CodeGetClients, nil)
	do(2, wire.OpUpdateTopic, wire.AppendUpdateTopic(nil, wire.UpdateTopic{Stream: stream, Topic: topic, Name: []byte("u"),
		Options: wire.AppendPair(nil, wire.StringValue([]byte("message_expiry")), wire.StringValue([]byte("1h")))}))
	do(2, wire.OpLogout, nil)
	do(2, wire.OpRegister, login(wire.AppendPasswordCredentials(nil, wire.PasswordCredentials{Username: []byte("root"), Password: []byte("wrong")})))
	do(0, wire.OpDeletePersonalAccessToken, wire.AppendDeletePersonalAccessToken(nil, []byte("tok")))
	read(0, wire.CodeGetStats, nil)
	read(0, wire.CodeGetSnapshot, wire.AppendGetSnapshot(nil, wire.GetSnapshot{Compression: wire.SnapshotStored, Types: []byte{4}}))
	do(0, wire.OpUpdateStream, wire.AppendUpdateStream(nil, wire.UpdateStream{Stream: stream, Name: []byte("r")}))
	do(0, wire.OpUpdatePermissions, wire.AppendUpdatePermissions(nil, wire.UpdatePermissions{User: user, Permissions: permissions}))
	do(0, wire.OpDeleteStream, wire.AppendIdent(nil, wire.IdentNamed([]byte("r"))))
	return life
}

// FuzzRequests sends anything to a live server: requests with wrong headers and bodies, repeated ones, connections that end before they are
// answered. Everything is answered, nothing leaks, and what must hold holds after every request.
func FuzzRequests(f *testing.F) {
	life := fuzzLife()
	var whole []byte
	for _, r := range life {
		whole = r.append(whole)
	}
	f.Add(whole)
	for departs := uint8(1); departs != 0; departs <<= 1 {
		var odd []byte
		for i, r := range life {
			if i%3 == 0 && i > 2 {
				r.departs ^= departs
			}
			odd = r.append(odd)
		}
		f.Add(odd)
	}
	var cut []byte
	for _, r := range life {
		cut = r.append(cut)
		r.body = r.body[:len(r.body)/2]
		cut = r.append(cut)
	}
	f.Add(cut)
	var unknown []byte
	for op := range 256 {
		unknown = fuzzRequest{conn: uint8(op), op: wire.Operation(op), code: wire.Code(op)}.append(unknown)
	}
	f.Add(unknown)
	f.Fuzz(func(t *testing.T, input []byte) {
		w := newFuzzWorld(t)
		for range fuzzRequests {
			r, rest, ok := nextFuzzRequest(input)
			if !ok {
				return
			}
			input = rest
			w.send(r)
			w.check(r)
			w.out.Reset()
		}
	})
}

package state

import (
	"bytes"
	"encoding/hex"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"

	"galgo/components"
	"galgo/ecs"
	"galgo/wire"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRegisterReply(t *testing.T) {
	w := newWorld(t, 1)
	c := w.conn(0)
	c.client = wire.U128{Lo: 9, Hi: 8}
	// protocol.md, 18.3, with this test's user
	body := unhex(t, "002c0000 06676f2d73646b 05302e392e30 04726f6f74 06736563726574 00000000")
	c.hold(wire.RequestHeader{Client: c.client, Operation: wire.OpRegister}, body)
	beginLogin(c.s, c.row())
	w.settle()
	r := c.reply()
	if r.Kind != components.ReplyOpened || r.Client != c.client || r.Session == 0 {
		t.Fatalf("login: got kind %d, client %v, session %d", r.Kind, r.Client, r.Session)
	}
	h := header(t, r)
	if h.Operation != wire.OpRegister || h.Op != r.Session || h.Client != c.client {
		t.Errorf("register reply: got operation %v, op %d, client %v, want register, %d, %v", h.Operation, h.Op, h.Client, r.Session, c.client)
	}
	want := unhex(t, "00000000 00000000 0000000000000000 002c0000 05302e392e30")
	want[8], want[13] = byte(r.Session), byte(r.Session>>40)
	if got := r.Frame[wire.FrameHeaderSize:]; !bytes.Equal(got, want) {
		t.Errorf("register body: got %x, want %x", got, want)
	}
	if r.Session>>wire.RunShift != testRun {
		t.Errorf("session: got run %d, want %d", r.Session>>wire.RunShift, testRun)
	}
}

func TestRefusedLogins(t *testing.T) {
	password := func(user, password string) []byte {
		return wire.AppendPasswordCredentials(nil, wire.PasswordCredentials{Username: []byte(user), Password: []byte(password)})
	}
	token := wire.AppendTokenCredentials(nil, wire.TokenCredentials{Token: []byte("token")})
	for _, test := range []struct {
		name        string
		version     uint32
		credentials []byte
		want        wire.EvictionReason
	}{
		{"wrong password", wire.ProtocolVersion, password("root", "secreT"), wire.EvictInvalidCredentials},
		{"unknown user", wire.ProtocolVersion, password("nobody", testPassword), wire.EvictInvalidCredentials},
		{"inactive user", wire.ProtocolVersion, password("inactive", testPassword), wire.EvictInvalidCredentials},
		{"short password", wire.ProtocolVersion, password("root", "ab"), wire.EvictInvalidCredentials},
		{"short name", wire.ProtocolVersion, password("ro", testPassword), wire.EvictInvalidCredentials},
		{"token", wire.ProtocolVersion, token, wire.EvictInvalidToken},
		{"neither shape", wire.ProtocolVersion, []byte{9, 9}, wire.EvictMalformedLogin},
		{"trailing byte", wire.ProtocolVersion, append(password("root", testPassword), 0), wire.EvictMalformedLogin},
		{"old client", wire.ProtocolVersion - 1, password("root", testPassword), wire.EvictIncompatibleProtocol},
		{"new client", 12 << 10, password("root", testPassword), wire.EvictIncompatibleProtocol},
		{"new patch", wire.ProtocolVersion + 7, password("root", testPassword), 0},
	} {
		w := newWorld(t, 1)
		c := w.conn(0)
		c.hold(wire.RequestHeader{Client: wire.U128{Lo: 1}, Operation: wire.OpRegister}, wire.AppendRegister(nil, wire.Register{
			ProtocolVersion: test.version, SDKName: []byte("x"), SDKVersion: []byte("1"), Credentials: test.credentials}))
		beginLogin(c.s, c.row())
		w.settle()
		if r := c.reply(); test.want == 0 && r.Kind != components.ReplyOpened || test.want != 0 && (r.Kind != components.ReplyEvict || r.Reason != test.want) {
			t.Errorf("%s: got kind %d, reason %d, want reason %d", test.name, r.Kind, r.Reason, test.want)
		}
	}
	w := newWorld(t, 1)
	c := w.conn(0)
	c.hold(wire.RequestHeader{Client: wire.U128{Lo: 1}, Operation: wire.OpRegister}, []byte{0, 44, 0, 0, 0})
	beginLogin(c.s, c.row())
	w.settle()
	if r := c.reply(); r.Reason != wire.EvictMalformedLogin || c.s.Gauges.LoginsRefused.Load() != 1 {
		t.Errorf("malformed login: got reason %d, %d counted, want %d and 1", r.Reason, c.s.Gauges.LoginsRefused.Load(), wire.EvictMalformedLogin)
	}
}

// A connection that is gone while its password is checked gets no session, but its request comes back.
func TestLoginOfALostConnection(t *testing.T) {
	w := newWorld(t, 1)
	c := w.conn(0)
	c.beginLogin(1, "root", testPassword)
	c.s.Conns.Gone[c.row()] = true
	w.settle()
	if r := c.reply(); r.Kind != components.ReplyEvict || w.control().Clients.Len() != 0 {
		t.Errorf("login of a lost connection: got kind %d, %d clients, want %d and 0", r.Kind, w.control().Clients.Len(), components.ReplyEvict)
	}
}

func TestPasswords(t *testing.T) {
	hash := HashPassword([]byte("iggy"), []byte("saltsaltsaltsalt"), 0, nil)
	if !bytes.HasPrefix(hash, []byte("$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$")) {
		t.Errorf("hash: got %s, want PHC form", hash)
	}
	if !VerifyPassword(hash, []byte("iggy"), nil) {
		t.Error("the password: got refused, want accepted")
	}
	// From the argon2 reference implementation's own tests (argon2id, v=19, m=256, t=2, p=1).
	known := "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	if !VerifyPassword([]byte(known), []byte("password"), nil) {
		t.Error("the reference's hash: got refused, want accepted")
	}
	for name, bad := range map[string]string{
		"other password": string(hash),
		"empty":          "",
		"argon2i":        strings.Replace(string(hash), "argon2id", "argon2i", 1),
		"other version":  strings.Replace(string(hash), "v=19", "v=16", 1),
		"no cost":        strings.Replace(string(hash), "t=2", "t=0", 1),
		"too dear":       strings.Replace(string(hash), "t=2", "t=4000000000", 1),
		"no hash":        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$",
		"bad base64":     "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$!!!",
		"nobody's":       string(nobodysHash(0)),
	} {
		if VerifyPassword([]byte(bad), []byte("wrong"), nil) {
			t.Errorf("%s: got accepted, want refused", name)
		}
	}
}

func TestCreateStreamAndTopic(t *testing.T) {
	w := newWorld(t, 1)
	c := w.root(0, 1)
	c.ask(wire.OpCreateStream, streamBody("orders"))
	w.settle()
	r := c.reply()
	h := header(t, r)
	if h.Operation != wire.OpCreateStream || h.Op != w.shards[0].Catalog.Applied || h.Commit != h.Op || h.Request != 1 || h.Timestamp == 0 {
		t.Errorf("create stream reply: got %+v at seq %d", h, w.shards[0].Catalog.Applied)
	}
	payload, _ := result(t, r)
	stream, err := wire.DecodeStreamDetails(payload)
	if err != nil || stream.ID != 0 || string(stream.Name) != "orders" || stream.TopicsCount != 0 {
		t.Fatalf("stream: got %+v, %v", stream, err)
	}

	for _, test := range []struct{ name, body string }{
		{"Aug", "02066f7264657273 03000000 066576656e7473 020d000000656e666f7263655f6673796e63030100000001"},
		{"0.11.0", "02066f7264657273 03000000 066576656e7474 021a000000636f6e73756d65725f6f66667365745f6475726162696c697479020a0000007265706c696361746564 020a0000006475726162696c697479020a0000007265706c696361746564"},
	} {
		c.ask(wire.OpCreateTopic, unhex(t, test.body))
		w.settle()
		r := c.reply()
		if h := header(t, r); h.Operation != wire.OpCreateTopicWithAssignments {
			t.Errorf("%s: got operation %v, want %v", test.name, h.Operation, wire.OpCreateTopicWithAssignments)
		}
		payload, status := result(t, r)
		topic, err := wire.DecodeTopicDetails(payload)
		if err != nil || status != wire.StatusOK || topic.PartitionsCount != 3 || topic.Partitions[2].ID != 2 || topic.Partitions[2].SegmentsCount != 0 {
			t.Errorf("%s: got %+v, %v, status %d", test.name, topic, err, status)
		}
		explicit, _, _ := wire.ParseTopicOptions(topic.ExplicitOptions, 3)
		if explicit.Persisted() != (test.name == "Aug") || len(topic.DerivedOptions) == 0 {
			t.Errorf("%s: got explicit options %q, derived %q", test.name, topic.ExplicitOptions, topic.DerivedOptions)
		}
	}
	catalog := w.shards[0].Catalog
	topic, _ := catalog.FindTopic(0, named("events"))
	if !catalog.Topics.Options[topic].Persisted || catalog.Topics.Options[topic].OffsetsPersisted {
		t.Errorf("options of events: got %+v, want sends persisted only", catalog.Topics.Options[topic])
	}
	if w.shards[0].Partitions.Len() != 6 {
		t.Errorf("partitions opened: got %d, want 6", w.shards[0].Partitions.Len())
	}
	w.equalCatalogs()
}

func TestRejections(t *testing.T) {
	w := newWorld(t, 1)
	c := w.root(0, 1)
	c.must(wire.OpCreateStream, streamBody("s"))
	c.must(wire.OpCreateTopic, topicBody("s", "t", 2))
	option := func(key, value string) []byte {
		return wire.AppendPair(nil, wire.StringValue([]byte(key)), wire.StringValue([]byte(value)))
	}
	for _, test := range []struct {
		name   string
		op     wire.Operation
		body   []byte
		want   wire.Status
		header bool // in the header: the number stays unused
	}{
		{"stream name taken", wire.OpCreateStream, streamBody("s"), wire.StatusStreamNameAlreadyExists, false},
		{"stream option", wire.OpCreateStream, append(streamBody("x"), option("a", "b")...), wire.StatusUnsupportedOptionKey, true},
		{"no stream name", wire.OpCreateStream, []byte{0}, wire.StatusInvalidCommand, true},
		{"unknown stream", wire.OpDeleteStream, wire.AppendIdent(nil, named("x")), wire.StatusStreamIdNotFound, false},
		{"no identifier", wire.OpDeleteStream, nil, wire.StatusInvalidCommand, true},
		{"topic in unknown stream", wire.OpCreateTopic, topicBody("x", "t", 1), wire.StatusStreamIdNotFound, false},
		{"topic name taken", wire.OpCreateTopic, topicBody("s", "t", 1), wire.StatusTopicNameAlreadyExists, false},
		{"1001 partitions", wire.OpCreateTopic, topicBody("s", "u", 1001), wire.StatusTooManyPartitions, true},
		{"unknown option", wire.OpCreateTopic, append(topicBody("s", "u", 1), option("a", "b")...), wire.StatusUnsupportedOptionKey, true},
		{"bad option", wire.OpCreateTopic, append(topicBody("s", "u", 1), option("durability", "b")...), wire.StatusInvalidOptionValue, true},
		{"small cap", wire.OpCreateTopic, append(topicBody("s", "u", 1), option("max_topic_size", "1 MB")...), wire.StatusInvalidTopicSize, true},
		{"option before stream", wire.OpCreateTopic, append(topicBody("x", "u", 1), option("a", "b")...), wire.StatusUnsupportedOptionKey, true},
		{"delete topic of unknown stream", wire.OpDeleteTopic, topicRef("x", "t"), wire.StatusStreamIdNotFound, false},
		{"delete unknown topic", wire.OpDeleteTopic, topicRef("s", "x"), wire.StatusTopicIdNotFound, false},
		{"no partitions to create", wire.OpCreatePartitions, changeBody("s", "t", 0), wire.StatusTooManyPartitions, true},
		{"no partitions to delete", wire.OpDeletePartitions, changeBody("s", "t", 0), wire.StatusTooManyPartitions, true},
		{"partitions of unknown topic", wire.OpCreatePartitions, changeBody("s", "x", 1), wire.StatusTopicIdNotFound, false},
		{"more partitions than there are", wire.OpDeletePartitions, changeBody("s", "t", 3), wire.StatusInvalidPartitionsCount, false},
		{"purge unknown stream", wire.OpPurgeStream, wire.AppendIdent(nil, named("x")), wire.StatusStreamIdNotFound, false},
		{"purge nothing", wire.OpPurgeStream, nil, wire.StatusInvalidCommand, true},
		{"purge topic of unknown stream", wire.OpPurgeTopic, topicRef("x", "t"), wire.StatusStreamIdNotFound, false},
		{"purge unknown topic", wire.OpPurgeTopic, topicRef("s", "x"), wire.StatusTopicIdNotFound, false},
		{"purge half a name", wire.OpPurgeTopic, topicRef("s", "t")[:4], wire.StatusInvalidCommand, true},
		{"segments of unknown stream", wire.OpDeleteSegments, segmentsBody("x", "t", 0, 1), wire.StatusStreamIdNotFound, false},
		{"segments of unknown topic", wire.OpDeleteSegments, segmentsBody("s", "x", 0, 1), wire.StatusTopicIdNotFound, false},
		{"segments of unknown partition", wire.OpDeleteSegments, segmentsBody("s", "t", 2, 1), wire.StatusPartitionNotFound, false},
		{"half a count of segments", wire.OpDeleteSegments, segmentsBody("s", "t", 0, 1)[:13], wire.StatusInvalidCommand, true},
	} {
		applied, watermark := w.shards[0].Catalog.Applied, w.control().Clients.Find(c.client).Watermark
		c.ask(test.op, test.body)
		w.settle()
		r := c.reply()
		if _, status := result(t, r); status != test.want {
			t.Errorf("%s: got status %d, want %d", test.name, status, test.want)
		}
		if inHeader := r.Kind == components.ReplyStatus; inHeader != test.header {
			t.Errorf("%s: got in the header %v, want %v", test.name, inHeader, test.header)
		}
		used := w.control().Clients.Find(c.client).Watermark != watermark
		if used == test.header {
			t.Errorf("%s: got number used up %v, want %v", test.name, used, !test.header)
		}
		if got := w.shards[0].Catalog.Applied; got != applied {
			t.Errorf("%s: got event %d, want none", test.name, got)
		}
	}
	w.equalCatalogs()
}

func TestLimits(t *testing.T) {
	w := newWorld(t, 1)
	c := w.root(0, 1)
	c.must(wire.OpCreateStream, streamBody("s"))
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		c.must(wire.OpCreateTopic, topicBody("s", name, 1000))
	}
	if _, status := c.do(wire.OpCreateTopic, topicBody("s", "f", 1)); status != wire.StatusTooManyPartitions {
		t.Errorf("partition 5001 of the server: got status %d, want %d", status, wire.StatusTooManyPartitions)
	}
	if _, status := c.do(wire.OpCreatePartitions, changeBody("s", "a", 1)); status != wire.StatusTooManyPartitions {
		t.Errorf("partition 5001 of the server: got status %d, want %d", status, wire.StatusTooManyPartitions)
	}
	for range topicsPerStreamMax - 5 {
		c.w.frames = 0
		c.number++
		out := createTopic(w.shards[0], &ask{user: w.control().Clients.Find(c.client).User, body: topicBody("s", string(rune(c.number+1000)), 0)})
		if out.event == nil {
			t.Fatalf("topic: got rejection %d", out.rejection)
		}
		decide(w.shards[0], out.event, nil)
		if w.control().Pending.Free() == 0 {
			w.settle()
		}
	}
	w.settle()
	if _, status := c.do(wire.OpCreateTopic, topicBody("s", "f", 0)); status != wire.StatusTooManyTopics {
		t.Errorf("topic 4097: got status %d, want %d", status, wire.StatusTooManyTopics)
	}
}

// The tables are full, or nearly, without so many objects: nothing is written.
func TestLimitsOfTables(t *testing.T) {
	w := newWorld(t, 1)
	c := w.root(0, 1)
	c.must(wire.OpCreateStream, streamBody("s"))
	c.must(wire.OpCreateTopic, topicBody("s", "t", 1))
	decided := w.control().Decided
	topic, _ := decided.FindTopic(0, named("t"))
	decided.Topics.Partitions[topic] = partitionsPerTopicMax - 1
	if _, status := c.do(wire.OpCreatePartitions, changeBody("s", "t", 2)); status != wire.StatusPartitionIdSpaceExhausted {
		t.Errorf("partition 1000001 of a topic: got status %d, want %d", status, wire.StatusPartitionIdSpaceExhausted)
	}
	for decided.Streams.Free() > 0 {
		decided.Streams.Insert(decided.Streams.Entities.Take())
	}
	if got, want := decided.Streams.Len(), 1<<20; got != want {
		t.Errorf("streams: got room for %d, want %d", got, want)
	}
	if _, status := c.do(wire.OpCreateStream, streamBody("x")); status != wire.StatusTooManyStreams {
		t.Errorf("one stream more: got status %d, want %d", status, wire.StatusTooManyStreams)
	}
}

// lines remembers what was logged.
type lines struct{ got []string }

func (l *lines) Log(_ components.LogLevel, message string, fields ...components.LogField) {
	for _, f := range fields {
		message += " " + f.Key + "=" + f.Text
	}
	l.got = append(l.got, message)
}

// Clients are told the status only; the log names the option.
func TestRefusedOptionsAreLogged(t *testing.T) {
	w := newWorld(t, 1)
	c := w.root(0, 1)
	c.must(wire.OpCreateStream, streamBody("s"))
	c.must(wire.OpCreateTopic, topicBody("s", "t", 1))
	log := &lines{}
	w.shards[0].Log = log
	c.do(wire.OpCreateTopic, append(topicBody("s", "u", 1), textOption("colour", "red")...))
	c.do(wire.OpUpdateTopic, updateTopicBody("t", "t", textOption("segment_size", "2 MiB")))
	c.do(wire.OpUpdateTopic, updateTopicBody("t", "t", textOption("max_topic_size", "2 MiB")))
	want := []string{"topic option refused key=colour status=", "topic option refused key=segment_size status=", "topic option refused key=max_topic_size status="}
	if !slices.Equal(log.got, want) {
		t.Errorf("log: got %q, want %q", log.got, want)
	}
}

func TestReplays(t *testing.T) {
	w := newWorld(t, 1)
	c := w.root(0, 1)
	body := streamBody("a")
	ask := wire.RequestHeader{Client: c.client, Operation: wire.OpCreateStream, Session: c.session, Request: 7, RequestChecksum: wire.BodyChecksum(body)}
	c.askAs(ask, body)
	w.tick() // decided, being written
	c.askAs(ask, body)
	w.tick()
	if _, status := result(t, c.reply()); status != wire.StatusTransientNotCommitted {
		t.Errorf("a number being applied: got status %d, want %d", status, wire.StatusTransientNotCommitted)
	}
	w.wrote(0)
	w.settle()
	first := c.reply()

	c.askAs(ask, body)
	w.settle()
	if again := c.reply(); !bytes.Equal(again.Frame, first.Frame) {
		t.Errorf("replay: got %x, want %x", again.Frame, first.Frame)
	}
	unstamped := ask
	unstamped.RequestChecksum = wire.U128{}
	c.askAs(unstamped, body)
	w.settle()
	if again := c.reply(); !bytes.Equal(again.Frame, first.Frame) {
		t.Error("replay without checksum: got another frame")
	}
	other := streamBody("b")
	mismatch := ask
	mismatch.RequestChecksum = wire.BodyChecksum(other)
	c.askAs(mismatch, other)
	w.settle()
	if _, status := result(t, c.reply()); status != wire.StatusInvalidFormat {
		t.Errorf("the same number with another body: got status %d, want %d", status, wire.StatusInvalidFormat)
	}
	ask.Request = 6
	c.askAs(ask, body)
	w.settle()
	if _, status := result(t, c.reply()); status != wire.StatusRequestAlreadyApplied {
		t.Errorf("a number in a gap: got status %d, want %d", status, wire.StatusRequestAlreadyApplied)
	}
	// A rejection is kept like a success.
	c.number = 20
	_, status := c.do(wire.OpCreateStream, body)
	ask.Request = 21
	c.askAs(ask, body)
	w.settle()
	if _, again := result(t, c.reply()); status != wire.StatusStreamNameAlreadyExists || again != status {
		t.Errorf("rejection and its replay: got %d and %d, want %d", status, again, wire.StatusStreamNameAlreadyExists)
	}
	if w.shards[0].Catalog.Streams.Len() != 1 {
		t.Errorf("streams: got %d, want 1", w.shards[0].Catalog.Streams.Len())
	}
	// What is too large to be kept is not applied again.
	c.must(wire.OpCreateTopic, topicBody("a", "large", 200))
	ask.Operation, ask.Request, ask.RequestChecksum = wire.OpCreateTopic, 22, wire.U128{}
	c.askAs(ask, topicBody("a", "large", 200))
	w.settle()
	if _, status := result(t, c.reply()); status != wire.StatusRequestAlreadyApplied {
		t.Errorf("replay of a large reply: got status %d, want %d", status, wire.StatusRequestAlreadyApplied)
	}
}

func TestSessionOfARequest(t *testing.T) {
	w := newWorld(t, 1)
	c := w.root(0, 1)
	for _, test := range []struct {
		name    string
		session uint64
		want    wire.EvictionReason
	}{{"older", c.session - 1, wire.EvictSessionTooLow}, {"newer", c.session + 1, wire.EvictNoSession}} {
		c.askAs(wire.RequestHeader{Client: c.client, Operation: wire.OpCreateStream, Session: test.session, Request: 1}, streamBody("a"))
		w.settle()
		if r := c.reply(); r.Kind != components.ReplyEvict || r.Reason != test.want || r.Session != 0 {
			t.Errorf("%s session: got kind %d, reason %d, want reason %d", test.name, r.Kind, r.Reason, test.want)
		}
	}
	// The header's client id does not count: the connection's does.
	c.askAs(wire.RequestHeader{Client: wire.U128{Lo: 77}, Operation: wire.OpCreateStream, Session: c.session, Request: 1}, streamBody("a"))
	w.settle()
	if _, status := result(t, c.reply()); status != wire.StatusOK {
		t.Errorf("another client id in the header: got status %d, want 0", status)
	}
}

func TestTakeover(t *testing.T) {
	w := newWorld(t, 2)
	first := w.root(1, 5)
	first.must(wire.OpCreateStream, streamBody("a"))
	second := w.conn(0)
	second.login(5, "root")
	lost := first.reply()
	if lost.Kind != components.ReplyEvict || lost.Session != first.session || lost.Client != first.client {
		t.Errorf("the old connection: got kind %d, session %d, want the loss of %d", lost.Kind, lost.Session, first.session)
	}
	if second.session <= first.session {
		t.Errorf("session: got %d, want more than %d", second.session, first.session)
	}
	// The old connection finds no session, even where its home has not heard of the loss.
	row := first.row()
	first.s.Conns.Client[row], first.s.Conns.Session[row] = first.client, first.session
	first.askAs(wire.RequestHeader{Client: first.client, Operation: wire.OpCreateStream, Session: first.session, Request: 2}, streamBody("b"))
	w.settle()
	if r := first.reply(); r.Kind != components.ReplyEvict || r.Reason != wire.EvictNoSession {
		t.Errorf("the old connection's next operation: got kind %d, reason %d, want eviction %d", r.Kind, r.Reason, wire.EvictNoSession)
	}
	// The watermark stays with the client id.
	second.askAs(wire.RequestHeader{Client: second.client, Operation: wire.OpCreateStream, Session: second.session, Request: 1}, streamBody("a"))
	w.settle()
	payload, status := result(t, second.reply())
	if status != wire.StatusOK || len(payload) == 0 {
		t.Errorf("replay on the new connection: got status %d, %d bytes, want the kept reply", status, len(payload))
	}
	third := w.conn(1)
	if r := third.login(5, "second"); r.Kind != components.ReplyEvict || r.Reason != wire.EvictSessionError {
		t.Errorf("another user's client id: got kind %d, reason %d, want eviction %d", r.Kind, r.Reason, wire.EvictSessionError)
	}
	first.hangUp()
	w.settle()
	if r := first.reply(); r.Kind != components.ReplyClosed || r.Frame != nil || w.control().Clients.Len() != 1 {
		t.Errorf("hang-up without session: got kind %d, %d clients, want %d and 1", r.Kind, w.control().Clients.Len(), components.ReplyClosed)
	}
	second.hangUp()
	w.settle()
	if r := second.reply(); r.Kind != components.ReplyClosed || w.control().Clients.Len() != 0 {
		t.Errorf("hang-up: got kind %d, %d clients, want %d and 0", r.Kind, w.control().Clients.Len(), components.ReplyClosed)
	}
}

// A takeover may overtake nothing: the connection that loses its session has been given it before.
func TestTakeoverBeforeTheAnswer(t *testing.T) {
	w := newWorld(t, 1)
	first, second := w.conn(0), w.conn(0)
	first.beginLogin(5, "root", testPassword)
	second.beginLogin(5, "root", testPassword)
	w.settle()
	opened, lost := first.reply(), first.reply()
	if opened.Kind != components.ReplyOpened || lost.Kind != components.ReplyEvict || lost.Session != opened.Session {
		t.Errorf("the first connection: got kinds %d and %d, want %d and %d", opened.Kind, lost.Kind, components.ReplyOpened, components.ReplyEvict)
	}
	if first.s.Conns.Session[first.row()] != 0 || second.s.Conns.Session[second.row()] == 0 {
		t.Error("sessions: got the first bound, want the second")
	}
}

// Word that a session is lost may come when its connection has another one already.
func TestLossOfAFormerSession(t *testing.T) {
	w := newWorld(t, 1)
	c := w.root(0, 1)
	for _, test := range []struct {
		lost uint64
		has  bool
	}{{c.session - 1, true}, {c.session, false}} {
		c.s.Replies.Push(components.Reply{Kind: components.ReplyEvict, Conn: c.entity, Client: c.client, Session: test.lost, Reason: wire.EvictNoSession})
		AnswerReplies(c.s)
		if got := c.s.Conns.Session[c.row()] == c.session; got != test.has {
			t.Errorf("session %d is lost: got session %d kept %v, want %v", test.lost, c.session, got, test.has)
		}
	}
}

func TestSecondLoginOfAConnection(t *testing.T) {
	w := newWorld(t, 1)
	c := w.root(0, 5)
	c.must(wire.OpCreateStream, streamBody("a"))
	before := c.session
	for _, client := range []uint64{5, 6} {
		if r := c.login(client, "root"); r.Kind != components.ReplyOpened || r.Session <= before {
			t.Fatalf("login: got kind %d, session %d after %d", r.Kind, r.Session, before)
		}
		before = c.session
		if w.control().Clients.Len() != 1 {
			t.Errorf("clients: got %d, want 1", w.control().Clients.Len())
		}
		// Numbers begin again, and an old reply answers nothing.
		if _, status := c.do(wire.OpCreateStream, streamBody("a")); status != wire.StatusStreamNameAlreadyExists {
			t.Errorf("request 1 of the new session: got status %d, want %d", status, wire.StatusStreamNameAlreadyExists)
		}
	}
	if r := c.login(6, "second"); r.Kind != components.ReplyOpened || w.control().Clients.Len() != 1 {
		t.Errorf("login as another user with the same client id: got kind %d, %d clients, want a session and 1", r.Kind, w.control().Clients.Len())
	}
}

func TestLogout(t *testing.T) {
	w := newWorld(t, 2)
	c := w.root(1, 5)
	c.ask(wire.OpLogout, nil)
	w.settle()
	r := c.reply()
	if r.Kind != components.ReplyClosed || len(r.Frame) != wire.FrameHeaderSize {
		t.Fatalf("logout: got kind %d, %d bytes, want %d and a frame without body", r.Kind, len(r.Frame), components.ReplyClosed)
	}
	if h := header(t, r); h.Operation != wire.OpLogout || h.Status != wire.StatusOK || h.Request != c.number {
		t.Errorf("logout reply: got %+v", h)
	}
	if w.control().Clients.Len() != 0 {
		t.Errorf("clients: got %d, want 0", w.control().Clients.Len())
	}
	if r := c.login(5, "second"); r.Kind != components.ReplyOpened {
		t.Errorf("login after logout: got kind %d, want a session", r.Kind)
	}
}

func TestFullClientTable(t *testing.T) {
	w := newWorld(t, 1)
	var conns []*testConn
	for client := range uint64(9) {
		conns = append(conns, w.root(0, client+1))
		if client == 5 {
			conns[0].must(wire.OpCreateStream, streamBody("a")) // the second is the oldest now
		}
	}
	if lost := conns[1].reply(); lost.Kind != components.ReplyEvict || lost.Session != conns[1].session || w.control().Clients.Len() != 8 {
		t.Errorf("the oldest client: got kind %d, %d clients, want its loss and 8", lost.Kind, w.control().Clients.Len())
	}
}

func TestPermissions(t *testing.T) {
	w := newWorld(t, 1)
	root := w.root(0, 1)
	root.must(wire.OpCreateStream, streamBody("s"))
	root.must(wire.OpCreateTopic, topicBody("s", "t", 1))
	c := w.conn(0)
	c.login(2, "second")
	for op, body := range map[wire.Operation][]byte{
		wire.OpCreateStream: streamBody("s"), wire.OpDeleteStream: wire.AppendIdent(nil, named("s")), wire.OpCreateTopic: topicBody("s", "t", 1),
		wire.OpDeleteTopic: topicRef("s", "t"), wire.OpCreatePartitions: changeBody("s", "t", 1), wire.OpDeletePartitions: changeBody("s", "t", 9),
	} {
		c.ask(op, body)
		w.settle()
		r := c.reply()
		if _, status := result(t, r); status != wire.StatusUnauthorized || r.Kind != components.ReplyFrame {
			t.Errorf("%v: got status %d in kind %d, want %d in the result section", op, status, r.Kind, wire.StatusUnauthorized)
		}
	}
	if _, status := c.do(wire.OpDeleteTopic, topicRef("s", "x")); status != wire.StatusTopicIdNotFound {
		t.Errorf("absent topic: got status %d, want %d before any permission", status, wire.StatusTopicIdNotFound)
	}
}

// A reply comes when every shard has applied, and every shard has the same catalog then.
func TestAnswerWaitsForEveryShard(t *testing.T) {
	w := newWorld(t, 2)
	c := w.root(1, 1)
	w.held = []*components.State{w.shards[1]}
	c.ask(wire.OpCreateStream, streamBody("a"))
	w.settle()
	if c.answered() {
		t.Error("before shard 1 has reported: got an answer")
	}
	// One that is told a name is taken finds what bears it: the rejection waits too.
	d := w.conn(0)
	w.held = nil
	d.login(2, "root")
	if _, status := result(t, c.reply()); status != wire.StatusOK {
		t.Errorf("create: got status %d, want 0", status)
	}
	w.held = []*components.State{w.shards[1]}
	c.ask(wire.OpCreateStream, streamBody("b"))
	d.ask(wire.OpCreateStream, streamBody("b"))
	w.settle()
	if c.answered() || d.answered() {
		t.Error("before shard 1 has reported: got an answer")
	}
	w.held = nil
	w.settle()
	if _, status := result(t, c.reply()); status != wire.StatusStreamNameAlreadyExists {
		t.Errorf("the other one: got status %d, want %d", status, wire.StatusStreamNameAlreadyExists)
	}
	if _, status := result(t, d.reply()); status != wire.StatusOK {
		t.Errorf("the first to reach shard 0: got status %d, want 0", status)
	}
	w.equalCatalogs()
}

func TestReplyShowsWhatWasCreatedThoughItIsGone(t *testing.T) {
	w := newWorld(t, 2)
	c, d := w.root(0, 1), w.root(1, 2)
	w.held = []*components.State{w.shards[1]}
	c.ask(wire.OpCreateStream, streamBody("a"))
	w.settle()
	d.ask(wire.OpDeleteStream, wire.AppendIdent(nil, wire.IdentOf(0)))
	w.settle()
	w.held = nil
	w.settle()
	payload, _ := result(t, c.reply())
	if stream, err := wire.DecodeStreamDetails(payload); err != nil || string(stream.Name) != "a" {
		t.Errorf("created stream: got %+v, %v, want a", stream, err)
	}
	if _, status := result(t, d.reply()); status != wire.StatusOK {
		t.Errorf("delete: got status %d, want 0", status)
	}
}

func TestPartitionsBeginAndEndAtTheirOwner(t *testing.T) {
	w := newWorld(t, 2)
	c := w.root(0, 1)
	c.must(wire.OpCreateStream, streamBody("s"))
	c.must(wire.OpCreateTopic, topicBody("s", "t", 5))
	c.must(wire.OpCreatePartitions, changeBody("s", "t", 2))
	if a, b := w.shards[0].Partitions.Len(), w.shards[1].Partitions.Len(); a+b != 7 || a < 3 || b < 3 {
		t.Errorf("partitions by shard: got %d and %d, want 7 in turn", a, b)
	}
	c.must(wire.OpDeletePartitions, changeBody("s", "t", 3))
	w.reap()
	if w.ready() != 4 {
		t.Errorf("partitions left: got %d, want 4", w.ready())
	}
	c.must(wire.OpDeleteTopic, topicRef("s", "t"))
	c.must(wire.OpCreateTopic, topicBody("s", "t", 3)) // before the files of the first are gone
	w.reap()
	if w.ready() != 3 {
		t.Errorf("partitions of the successor: got %d, want 3", w.ready())
	}
	c.must(wire.OpDeleteStream, wire.AppendIdent(nil, named("s")))
	w.reap()
	if w.ready() != 0 {
		t.Errorf("partitions left: got %d, want 0", w.ready())
	}
	w.noLeak()
}

// ready counts the partitions that are not about to go.
func (w *world) ready() (n int) {
	for _, s := range w.shards {
		for row := range s.Partitions.All {
			if s.Partitions.Phase[row] == components.Ready {
				n++
			}
		}
	}
	return n
}

// reap reports every doomed partition as removed, twice: reports are absolute, and may come again.
func (w *world) reap() {
	for _, s := range w.shards {
		for row := range s.Doomed.All {
			entity := s.Partitions.Entity(row)
			s.Doomed.Clear(row)
			s.Partitions.Remove(entity)
			s.Out.Reports.Removed.Push(entity)
			s.Out.Reports.Removed.Push(entity)
		}
	}
	w.settle()
}

// noLeak fails if an entity is alive that nothing bears.
func (w *world) noLeak() {
	w.t.Helper()
	w.equalCatalogs()
	for _, c := range []*components.Catalog{w.control().Decided, w.shards[0].Catalog} {
		if len(c.Removals) != 0 || c.Partitions.Entities.Len() != c.Partitions.Len() ||
			c.Topics.Entities.Len() != c.Topics.Len() || c.Streams.Entities.Len() != c.Streams.Len() {
			w.t.Errorf("entities alive: got %d streams, %d topics, %d partitions and %d removals, want %d, %d, %d and 0",
				c.Streams.Entities.Len(), c.Topics.Entities.Len(), c.Partitions.Entities.Len(), len(c.Removals),
				c.Streams.Len(), c.Topics.Len(), c.Partitions.Len())
		}
	}
}

func TestFailedControlWrite(t *testing.T) {
	w := newWorld(t, 2)
	c, d, e, out := w.root(0, 1), w.root(1, 2), w.root(1, 3), w.conn(0)
	c.must(wire.OpCreateStream, streamBody("kept"))
	c.ask(wire.OpCreateStream, streamBody("lost"))
	w.tick() // in the write
	d.ask(wire.OpCreateTopic, topicBody("lost", "t", 2))
	e.ask(wire.OpCreateStream, streamBody("lost"))
	out.beginLogin(4, "root", testPassword)
	w.tick()
	w.tick() // behind the write
	before := w.shards[0].Catalog.Applied
	w.wrote(syscall.EIO)
	w.settle()
	for i, conn := range []*testConn{c, d, e} {
		if _, status := result(t, conn.reply()); status != wire.StatusCannotWriteToFile {
			t.Errorf("waiting request %d: got status %d, want %d", i, status, wire.StatusCannotWriteToFile)
		}
	}
	if r := out.reply(); r.Kind != components.ReplyOpened {
		t.Errorf("login behind the failed write: got kind %d, want a session", r.Kind)
	}
	if !w.shards[0].Gauges.ReadOnly.Load() || w.writes != 0 {
		t.Error("after a failed write: got no read-only mark or another write")
	}
	for _, s := range w.shards {
		if s.Catalog.Streams.Len() != 1 || s.Catalog.Applied != before+3 || s.Partitions.Len() != 0 {
			t.Errorf("shard %d: got %d streams at seq %d, want 1 at %d", s.Shard, s.Catalog.Streams.Len(), s.Catalog.Applied, before+3)
		}
	}
	if !bytes.Equal(catalogBytes(w.shards[0].Catalog), catalogBytes(w.shards[1].Catalog)) {
		t.Error("catalogs: got different ones, want equal")
	}
	// Later on: metadata is refused, what was answered is answered again, sessions come and go.
	if _, status := c.do(wire.OpCreateStream, streamBody("late")); status != wire.StatusCannotWriteToFile {
		t.Errorf("create after the failure: got status %d, want %d", status, wire.StatusCannotWriteToFile)
	}
	c.askAs(wire.RequestHeader{Client: c.client, Operation: wire.OpCreateStream, Session: c.session, Request: 1}, streamBody("kept"))
	w.settle()
	if _, status := result(t, c.reply()); status != wire.StatusOK {
		t.Errorf("replay after the failure: got status %d, want 0", status)
	}
	e.hangUp()
	late := w.root(1, 9)
	late.ask(wire.OpLogout, nil)
	w.settle()
	if r := late.reply(); r.Kind != components.ReplyClosed {
		t.Errorf("logout after the failure: got kind %d, want %d", r.Kind, components.ReplyClosed)
	}
	w.shards[0].Reports.Push(components.Report{Kind: components.ReportRemoved, Partition: ecs.MakeEntity(0, 1)})
	w.settle()
}

func TestLateRequestsAreRefused(t *testing.T) {
	w := newWorld(t, 1)
	c, d, gone := w.root(0, 1), w.root(0, 2), w.root(0, 3)
	c.ask(wire.OpCreateStream, streamBody("a"))
	w.tick()
	login := w.conn(0)
	login.beginLogin(4, "root", testPassword)
	d.ask(wire.OpLogout, nil)
	gone.hangUp()
	w.tick()
	w.tick()
	if c.answered() || login.answered() || d.answered() || gone.answered() {
		t.Fatal("behind a write in flight: got an answer")
	}
	w.now.MonoMicros += waitMicros
	w.tick()
	if _, status := result(t, c.reply()); status != wire.StatusCannotWriteToFile {
		t.Errorf("late create: got status %d, want %d", status, wire.StatusCannotWriteToFile)
	}
	if r := login.reply(); r.Kind != components.ReplyStatus || r.Status != wire.StatusCannotWriteToFile {
		t.Errorf("late login: got kind %d, status %d, want %d", r.Kind, r.Status, wire.StatusCannotWriteToFile)
	}
	if a, b := d.reply(), gone.reply(); a.Kind != components.ReplyClosed || len(a.Frame) == 0 || b.Kind != components.ReplyClosed {
		t.Errorf("late logout and hang-up: got kinds %d and %d, want %d", a.Kind, b.Kind, components.ReplyClosed)
	}
	w.wrote(0)
	w.settle()
	if c.answered() || login.answered() || d.answered() || gone.answered() {
		t.Error("after the write: got a second answer")
	}
	if w.control().Clients.Len() != 1 {
		t.Errorf("clients: got %d, want 1: the late login's session is over", w.control().Clients.Len())
	}
	c.askAs(wire.RequestHeader{Client: c.client, Operation: wire.OpCreateStream, Session: c.session, Request: 1}, streamBody("a"))
	w.settle()
	if _, status := result(t, c.reply()); status != wire.StatusOK {
		t.Errorf("replay of the late create: got status %d, want 0", status)
	}
}

func TestDecidingStopsWhileAShardLags(t *testing.T) {
	w := newWorld(t, 2)
	c := w.root(1, 1)
	w.held = []*components.State{w.shards[1]}
	s := w.shards[0]
	for w.control().Pending.Free() >= decisionsPerAsk {
		decide(s, newEvent(s, wire.Event{Kind: wire.EventSessionClosed}), nil)
	}
	c.ask(wire.OpCreateStream, streamBody("a"))
	w.settle()
	if s.Asks.Len() != 1 || c.answered() {
		t.Errorf("requests that wait: got %d, want 1", s.Asks.Len())
	}
	w.now.MonoMicros += waitMicros
	w.settle()
	if _, status := result(t, c.reply()); status != wire.StatusCannotWriteToFile {
		t.Errorf("a request that has waited for 20 s: got status %d, want %d", status, wire.StatusCannotWriteToFile)
	}
	c.ask(wire.OpCreateStream, streamBody("a"))
	c.w.conn(1).hangUp() // is never refused
	w.now.MonoMicros += waitMicros / 2
	w.settle()
	w.held = nil
	w.settle()
	if _, status := result(t, c.reply()); status != wire.StatusOK {
		t.Errorf("once the shard has caught up: got status %d, want 0", status)
	}
	w.equalCatalogs()
}

// Random requests over random delays of disk, events and reports: everybody is answered, catalogs agree, no entity leaks.
func TestRandomRequests(t *testing.T) {
	for seed := range uint64(8) {
		w := newWorld(t, 3)
		rng := rand.New(rand.NewPCG(seed, 2))
		conns := []*testConn{w.root(0, 1), w.root(1, 2), w.root(2, 3)}
		waiting := map[*testConn]bool{}
		names := []string{"a", "b", "c"}
		name := func() string { return names[rng.IntN(len(names))] }
		for range 400 {
			for _, c := range conns {
				if waiting[c] {
					if waiting[c] = !c.answered(); !waiting[c] {
						result(t, c.reply())
					}
					continue
				}
				waiting[c] = true
				w.frames %= 4 << 20
				switch rng.IntN(8) {
				case 0, 1:
					c.ask(wire.OpCreateStream, streamBody(name()))
				case 2:
					c.ask(wire.OpDeleteStream, wire.AppendIdent(nil, named(name())))
				case 3, 4:
					c.ask(wire.OpCreateTopic, topicBody(name(), name(), rng.Uint32N(4)))
				case 5:
					c.ask(wire.OpCreatePartitions, changeBody(name(), name(), 1+rng.Uint32N(3)))
				case 6:
					c.ask(wire.OpDeletePartitions, changeBody(name(), name(), 1+rng.Uint32N(2)))
				case 7:
					c.ask(wire.OpDeleteTopic, topicRef(name(), name()))
				}
			}
			w.held = nil
			if rng.IntN(3) > 0 {
				w.held = []*components.State{w.shards[1+rng.IntN(2)]}
			}
			w.tick()
			if w.writes > 0 && rng.IntN(3) == 0 {
				w.wrote(0)
			}
		}
		w.held = nil
		w.settle()
		w.reap()
		for _, c := range conns {
			if waiting[c] && !c.answered() {
				t.Errorf("seed %d: a client got no answer", seed)
			}
		}
		w.noLeak()
	}
}

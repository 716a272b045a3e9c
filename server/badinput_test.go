package server_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"testing"

	"galgo/wire"
	"galgo/wire/client"
)

// piece is a part of a body, and what else could stand in its place: each makes the body undecodable, unless judged says otherwise.
type piece struct {
	sound []byte
	bad   [][]byte
}

func raw(sound []byte, bad ...[]byte) piece { return piece{sound, bad} }

func num32(n uint32) piece { return raw(binary.LittleEndian.AppendUint32(nil, n)) }
func num64(n uint64) piece { return raw(binary.LittleEndian.AppendUint64(nil, n)) }

// enum is a byte that has few meanings.
func enum(sound byte, bad ...byte) piece {
	p := raw([]byte{sound})
	for _, b := range bad {
		p.bad = append(p.bad, []byte{b})
	}
	return p
}

// text8 is a name: not empty, UTF-8, and as long as it says.
func text8(s string) piece {
	sound := append([]byte{byte(len(s))}, s...)
	return raw(sound, []byte{0}, append([]byte{255}, s...), append([]byte{byte(len(s))}, bytes.Repeat([]byte{0xff}, len(s))...))
}

// opaque8 is a short string of any bytes: only its length can lie.
func opaque8(s string) piece {
	return raw(append([]byte{byte(len(s))}, s...), append([]byte{255}, s...))
}

// id is an identifier by name.
func id(name string) piece {
	sound := wire.AppendIdent(nil, named(name))
	return raw(sound, append([]byte{0}, sound[1:]...), append([]byte{3}, sound[1:]...), []byte{2, 0}, append([]byte{2, 255}, name...),
		append([]byte{2, byte(len(name))}, bytes.Repeat([]byte{0xc0}, len(name))...), []byte{1, 3, 0, 0, 0}, []byte{1, 5, 0, 0, 0, 0, 0})
}

// consumer is an individual consumer, or a group.
func consumer(kind byte, name string) piece {
	ident := id(name)
	p := raw(append([]byte{kind}, ident.sound...))
	for _, bad := range []byte{0, 3, 255} {
		p.bad = append(p.bad, append([]byte{bad}, ident.sound...))
	}
	for _, bad := range ident.bad {
		p.bad = append(p.bad, append([]byte{kind}, bad...))
	}
	return p
}

func partition(id uint32) piece { return raw(binary.LittleEndian.AppendUint32([]byte{1}, id)) }

func strategy(kind byte, value uint64) piece {
	at := func(kind byte) []byte { return binary.LittleEndian.AppendUint64([]byte{kind}, value) }
	return raw(at(kind), at(0), at(6), at(255))
}

// permissions is a block of one stream with one topic.
func permissions() piece {
	block := wire.AppendPermissions(nil, wire.Permissions{Global: wire.GlobalReadServers, Streams: []wire.StreamPermissions{{StreamID: 7,
		Topics: []wire.TopicPermissions{{TopicID: 8, Grants: wire.TopicReadTopic}}}}})
	sized := func(size int, block []byte) []byte {
		return append(binary.LittleEndian.AppendUint32([]byte{1}, uint32(size)), block...)
	}
	more := bytes.Clone(block)
	more[len(more)-1] = 1 // another stream follows, which is not there
	return raw(sized(len(block), block), sized(len(block)-1, block[:len(block)-1]), sized(len(block)+1, append(bytes.Clone(block), 0)),
		sized(1<<32-1, block), sized(0, nil), sized(len(block), more))
}

// sound is a whole body as it should be.
func sound(pieces []piece) (body []byte) {
	for _, p := range pieces {
		body = append(body, p.sound...)
	}
	return body
}

// lies are the bodies that have one piece replaced.
func lies(pieces []piece) (bodies [][]byte) {
	for i, p := range pieces {
		for _, bad := range p.bad {
			body := append(sound(pieces[:i]), bad...)
			bodies = append(bodies, append(body, sound(pieces[i+1:])...))
		}
	}
	return bodies
}

// command is a request with a sound body, what that is answered with, and what a body is answered with that cannot be read.
type command struct {
	op          wire.Operation
	code        wire.Code
	body        []piece
	answer      wire.Status // to the sound body
	undecodable wire.Status
	options     bool        // the body ends with an options block
	unknown     wire.Status // to an option that does not exist
}

const malformed = wire.StatusInvalidCommand

// read is a non-replicated command.
func read(code wire.Code, answer wire.Status, body ...piece) command {
	return command{op: wire.OpNonReplicated, code: code, body: body, answer: answer, undecodable: malformed}
}

func change(op wire.Operation, answer wire.Status, body ...piece) command {
	return command{op: op, body: body, answer: answer, undecodable: malformed}
}

// with is a command whose body ends with options.
func with(c command, unknown wire.Status) command {
	c.options, c.unknown = true, unknown
	return c
}

// commands lists every command there is, in an order in which the sound bodies do what they should.
func commands() []command {
	const ok = wire.StatusOK
	here, topic, group, user := id("s"), id("t"), id("g"), id("usr")
	flush := read(wire.CodeFlushUnsavedBuffer, wire.StatusFeatureUnavailable, here, topic, num32(0), enum(0))
	flush.undecodable = wire.StatusFeatureUnavailable
	sync := read(wire.CodeSyncConsumerGroup, ok, here, topic, group)
	sync.undecodable = ok // an empty body
	var b wire.BatchBuilder
	one := bytes.Clone(batch(&b, 0, 1, 10))
	target := slices.Concat(here.sound, topic.sound, []byte{2, 4, 0, 0, 0, 0, 1, 0, 0, 0})
	send := change(wire.OpSendMessages, ok, raw(binary.LittleEndian.AppendUint32(nil, uint32(len(target))), []byte{0, 0, 0, 0}, []byte{255, 255, 255, 255}),
		here, topic, raw([]byte{2, 4, 0, 0, 0, 0}, []byte{0, 0, 0, 0, 0, 0}, []byte{4, 4, 0, 0, 0, 0}, []byte{2, 3, 0, 0, 0, 0}, []byte{3, 0, 0, 0, 0, 0}, []byte{1, 4, 0, 0, 0, 0}),
		num32(1), raw(one))
	send.undecodable = wire.StatusResourceNotFound
	return []command{
		read(wire.CodePing, ok), read(wire.CodeGetStats, ok), read(wire.CodeGetClusterMetadata, ok), read(wire.CodeGetMe, ok), read(wire.CodeGetClients, ok),
		read(wire.CodeGetUsers, ok), read(wire.CodeGetStreams, ok), read(wire.CodeGetPersonalAccessTokens, ok),
		read(wire.CodeGetSnapshot, ok, enum(1, 0, 7, 255), raw([]byte{1, 4}, []byte{1, 0}, []byte{1, 7}, []byte{1, 99}, []byte{255, 4}, []byte{2, 4, 101})),
		read(wire.CodeDescribeOptions, ok, enum(1, 0, 4, 255)),
		read(wire.CodeAttachConsumerSession, wire.StatusStaleClient, num64(1), num64(0), num64(1), num64(1)),
		read(wire.CodeGetClient, ok, num32(77)),
		with(change(wire.OpCreateStream, ok, text8("s")), wire.StatusUnsupportedOptionKey),
		read(wire.CodeGetStream, ok, here),
		with(change(wire.OpUpdateStream, ok, here, text8("s")), wire.StatusUnsupportedOptionKey),
		with(change(wire.OpCreateTopic, ok, here, num32(2), text8("t")), wire.StatusUnsupportedOptionKey),
		read(wire.CodeGetTopic, ok, here, topic),
		read(wire.CodeGetTopics, ok, here),
		with(change(wire.OpUpdateTopic, ok, here, topic, text8("t")), wire.StatusUnsupportedOptionKey),
		change(wire.OpCreatePartitions, ok, here, topic, num32(1)),
		change(wire.OpDeletePartitions, ok, here, topic, num32(1)),
		send,
		read(wire.CodePollMessages, ok, consumer(1, "c"), here, topic, partition(0), strategy(1, 0), num32(1), enum(0)),
		read(wire.CodeGetPollRouting, ok, consumer(1, "c"), here, topic, partition(0), strategy(5, 0), num32(1), enum(1, 0)),
		flush,
		change(wire.OpStoreConsumerOffset, ok, consumer(1, "c"), here, topic, partition(0), num64(0), enum(1, 2, 255)),
		read(wire.CodeGetConsumerOffset, ok, consumer(1, "c"), here, topic, partition(0)),
		read(wire.CodeGetConsumerOffsetRouting, ok, consumer(1, "c"), here, topic, partition(0)),
		change(wire.OpDeleteConsumerOffset, ok, consumer(1, "c"), here, topic, partition(0), enum(0, 2, 255)),
		change(wire.OpCreateConsumerGroup, ok, here, topic, text8("g")),
		read(wire.CodeGetConsumerGroup, ok, here, topic, group),
		read(wire.CodeGetConsumerGroups, ok, here, topic),
		change(wire.OpJoinConsumerGroup, ok, here, topic, group),
		sync,
		change(wire.OpLeaveConsumerGroup, ok, here, topic, group),
		change(wire.OpDeleteConsumerGroup, ok, here, topic, group),
		with(change(wire.OpCreateUser, ok, text8("usr"), opaque8("pass"), enum(1), permissions()), wire.StatusUnsupportedOptionKey),
		read(wire.CodeGetUser, ok, user),
		with(change(wire.OpUpdateUser, ok, user, enum(1), text8("usr"), enum(1), enum(2, 0, 3, 255)), wire.StatusUnsupportedOptionKey),
		change(wire.OpUpdatePermissions, ok, user, permissions()),
		change(wire.OpChangePassword, ok, user, opaque8("pass"), opaque8("word")),
		change(wire.OpCreatePersonalAccessToken, ok, text8("tok"), num64(0)),
		change(wire.OpDeletePersonalAccessToken, ok, text8("tok")),
		change(wire.OpDeleteUser, ok, user),
		change(wire.OpDeleteSegments, ok, here, topic, num32(0), num32(1)),
		change(wire.OpPurgeTopic, ok, here, topic),
		change(wire.OpPurgeStream, ok, here),
		change(wire.OpDeleteTopic, ok, here, topic),
		change(wire.OpDeleteStream, ok, here),
	}
}

// sessionCommands begin and end sessions, or need one that is attached, or are refused for good.
var sessionCommands = []wire.Code{wire.CodeLoginUser, wire.CodeLoginWithPersonalAccessToken, wire.CodeLogout, wire.CodeRegister, wire.CodeRegisterWithPersonalAccessToken,
	wire.CodePollMessagesOnPrimary}

// No command is missing from the list.
func TestCommandsAreComplete(t *testing.T) {
	var listed []wire.Code
	for _, c := range commands() {
		listed = append(listed, codeOf(c))
	}
	for code := wire.Code(1); code < 1000; code++ {
		if code.Kind() != wire.CodeUnknown && !slices.Contains(listed, code) && !slices.Contains(sessionCommands, code) {
			t.Errorf("%v: got no row, want one", code)
		}
	}
}

func codeOf(c command) wire.Code {
	if c.op == wire.OpNonReplicated {
		return c.code
	}
	return c.op.Code()
}

// ask sends a body and checks the answer. The connection has to be as good as before.
func (c command) ask(t *testing.T, conn *client.Client, what string, body []byte, wants ...wire.Status) []byte {
	t.Helper()
	payload, err := conn.Raw(c.op, c.code, body)
	got := wire.StatusOK
	var refused client.StatusError
	if errors.As(err, &refused) {
		got = refused.Status
	} else if err != nil {
		t.Fatalf("%v, %s (%x): got %v, want one of %v and the connection to stay", codeOf(c), what, body, err, wants)
	}
	if !slices.Contains(wants, got) {
		t.Errorf("%v, %s (%x): got status %d, want one of %d", codeOf(c), what, body, got, wants)
	}
	return payload
}

// Every command with a body that is cut at each byte, that lies about lengths, has values without a meaning, no UTF-8, or more than there should be.
// It is answered as the tables of protocol.md, 7, say, and nothing comes of it.
func TestBadInput(t *testing.T) {
	s := start(t, setup{shards: 2})
	conn := s.dial()
	for _, c := range commands() {
		before := everything(t, conn)
		body, optional := sound(c.body), len(sound(c.body))
		if c.op == wire.OpSendMessages {
			optional -= len(c.body[len(c.body)-1].sound) // the batch is looked at when the rest is known
		}
		for cut := range body {
			if cut < optional {
				c.ask(t, conn, "cut", body[:cut], c.undecodable)
			} else {
				c.ask(t, conn, "cut in the batch", body[:cut], malformed)
			}
		}
		for _, lie := range lies(c.body) {
			c.ask(t, conn, "lie", lie, c.undecodable)
		}
		if c.options {
			key := option("x", "y")
			c.ask(t, conn, "unknown option", append(bytes.Clone(body), key...), c.unknown)
			for cut := 1; cut < len(key); cut++ {
				c.ask(t, conn, "option cut", append(bytes.Clone(body), key[:cut]...), malformed)
			}
			c.ask(t, conn, "option twice", slices.Concat(body, key, key), malformed)
			c.ask(t, conn, "option with a key that is no string", slices.Concat(body, []byte{9, 1, 0, 0, 0, 1, 9, 1, 0, 0, 0, 1}), malformed)
			c.ask(t, conn, "option without UTF-8", slices.Concat(body, []byte{2, 1, 0, 0, 0, 0xff, 9, 1, 0, 0, 0, 1}), malformed)
			c.ask(t, conn, "option longer than there is", slices.Concat(body, []byte{2, 255, 255, 255, 255, 'x'}), malformed)
			c.ask(t, conn, "options of 100 KB", append(bytes.Clone(body), make([]byte, wire.OptionsSizeMax+1)...), wire.StatusOptionsBlockTooLarge)
			var many []byte
			for n := range wire.OptionsCountMax + 1 {
				many = append(many, option(fmt.Sprint(n), "y")...)
			}
			c.ask(t, conn, "1025 options", append(bytes.Clone(body), many...), wire.StatusOptionsBlockTooLarge)
		}
		if after := everything(t, conn); after != before {
			t.Fatalf("%v: bad input changed\n%s to\n%s", codeOf(c), before, after)
		}
		if c.op == wire.OpNonReplicated && len(body) > 0 {
			c.ask(t, conn, "a megabyte more", append(bytes.Clone(body), make([]byte, 1<<20)...), c.answer)
		}
		payload := c.ask(t, conn, "sound", body, c.answer)
		if c.undecodable == wire.StatusOK && len(payload) == 0 {
			t.Errorf("%v: got an empty body, want what was asked for", codeOf(c))
		}
	}
	noError(t, conn.Ping())
}

// everything is what a client can see that commands change.
func everything(t *testing.T, c *client.Client) string {
	t.Helper()
	streams, err := c.Streams()
	noError(t, err)
	tokens, err := c.Raw(wire.OpNonReplicated, wire.CodeGetPersonalAccessTokens, nil)
	text := fmt.Sprintf("tokens %q\nstreams %v\n", tokens, streams)
	noError(t, err)
	for _, stream := range streams {
		topics, err := c.Topics(wire.IdentOf(stream.ID))
		noError(t, err)
		for _, topic := range topics {
			groups, err := c.Groups(wire.IdentOf(stream.ID), wire.IdentOf(topic.ID))
			noError(t, err)
			text += fmt.Sprintf("topic %v\ngroups %v\n", topic, groups)
		}
	}
	return text + usersText(t, c)
}

// Before login every command is answered as protocol.md, 3.2, says, whatever its body is.
func TestCommandsBeforeLogin(t *testing.T) {
	s := start(t, setup{})
	conn := s.dialRaw()
	defer conn.Close()
	for _, c := range commands() {
		want := "status 40"
		switch {
		case c.code == wire.CodePing:
			want = "status 0"
		case c.op != wire.OpNonReplicated:
			want = "eviction 1"
		}
		body := sound(c.body)
		for _, body := range [][]byte{body, nil, body[:len(body)/2], append(body, 0xff)} {
			for _, from := range []wire.RequestHeader{{Client: wire.U128{Lo: 9}}, {}, {Client: wire.U128{Lo: 9}, Session: 5, Request: 1}} {
				from.Command, from.Operation, from.Code, from.Size = wire.FrameRequest, c.op, c.code, uint32(wire.FrameHeaderSize+len(body))
				if got := exchange(t, conn, append(wire.AppendRequestHeader(nil, from), body...)); got != want {
					t.Fatalf("%v before login, from %+v: got %s, want %s", codeOf(c), from, got, want)
				}
			}
		}
	}
}

// exchange writes a frame and says in a word what comes back.
func exchange(t *testing.T, conn net.Conn, frame []byte) string {
	t.Helper()
	if _, err := conn.Write(frame); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, wire.FrameHeaderSize)
	if _, err := io.ReadFull(conn, answer); err != nil {
		t.Fatal(err)
	}
	if kind, _ := wire.FrameKind(answer); kind == wire.FrameEviction {
		eviction, err := wire.DecodeEviction(answer)
		noError(t, err)
		return fmt.Sprintf("eviction %d", eviction.Reason)
	}
	reply, err := wire.DecodeReplyHeader(answer)
	noError(t, err)
	if _, err := io.ReadFull(conn, make([]byte, reply.Size-wire.FrameHeaderSize)); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("status %d", reply.Status)
}

package client_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"galgo/wire"
	"galgo/wire/client"
	"galgo/wire/client/scripted"
)

const session = 77

// dial connects and logs in to a server that answers everything but the login as script says.
func dial(t testing.TB, script scripted.Script) *client.Client {
	t.Helper()
	address := scripted.Serve(t, func(h wire.RequestHeader, body []byte) ([]byte, bool) {
		if h.Operation == wire.OpRegister {
			return scripted.Registered(h, session), true
		}
		return script(h, body)
	})
	c, err := client.Dial(context.Background(), address, client.Options{Username: "iggy", Password: "iggy"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// answering is a script that gives every request the same payload.
func answering(payload []byte) scripted.Script {
	return func(h wire.RequestHeader, _ []byte) ([]byte, bool) { return scripted.Reply(h, payload), true }
}

func TestLoginSendsWhatTheProtocolWants(t *testing.T) {
	var head wire.RequestHeader
	var sent []byte
	address := scripted.Serve(t, func(h wire.RequestHeader, body []byte) ([]byte, bool) {
		head, sent = h, bytes.Clone(body)
		return scripted.Registered(h, session), true
	})
	c, err := client.Dial(context.Background(), address, client.Options{Username: "alice", Password: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if head.Client.IsZero() || head.Session != 0 || head.Request != 0 || head.RequestChecksum != wire.BodyChecksum(sent) {
		t.Errorf("header: got %+v", head)
	}
	register, status := wire.DecodeRegister(sent)
	credentials, ok := wire.DecodePasswordCredentials(register.Credentials)
	if status != wire.StatusOK || register.ProtocolVersion != wire.ProtocolVersion || !ok ||
		string(credentials.Username) != "alice" || string(credentials.Password) != "secret" {
		t.Errorf("body: got %+v %+v, status %s", register, credentials, status)
	}
	if got := c.Registered(); got.Session != session || string(got.ServerVersion) != "0.9.0" {
		t.Errorf("registered: got %+v", got)
	}
}

func TestRequestNumbers(t *testing.T) {
	type sent struct {
		operation wire.Operation
		session   uint64
		request   uint64
		stamped   bool
	}
	var got []sent
	stored := wire.AppendStreamDetails(nil, wire.StreamDetails{Stream: wire.Stream{ID: 1, Name: []byte("s")}})
	c := dial(t, func(h wire.RequestHeader, body []byte) ([]byte, bool) {
		got = append(got, sent{h.Operation, h.Session, h.Request, !h.RequestChecksum.IsZero()})
		if h.Operation == wire.OpCreateStream {
			return scripted.Reply(h, stored), true
		}
		return scripted.Reply(h, nil), true
	})
	key := wire.OffsetKey{Consumer: wire.Consumer{Kind: wire.ConsumerSingle, Ident: wire.IdentOf(1)}, Stream: wire.IdentOf(1), Topic: wire.IdentOf(1)}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(c.Ping())
	_, err := c.CreateStream("s")
	check(err)
	check(c.StoreOffset(key, 5))
	check(c.Ping())
	check(c.DeleteStream(wire.IdentOf(1)))
	check(c.Logout())
	check(c.Ping())
	want := []sent{
		{wire.OpNonReplicated, session, 1, false},
		{wire.OpCreateStream, session, 1, true},
		{wire.OpStoreConsumerOffset, session, 2, false},
		{wire.OpNonReplicated, session, 3, false},
		{wire.OpDeleteStream, session, 3, true},
		{wire.OpLogout, session, 4, true},
		{wire.OpNonReplicated, 0, 0, false},
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("request %d: got %+v, want %+v", i, got[i], want[i])
		}
	}
}

func TestRefusalsLeaveTheConnection(t *testing.T) {
	c := dial(t, func(h wire.RequestHeader, _ []byte) ([]byte, bool) {
		switch h.CommandCode() {
		case wire.CodeGetTopics:
			return scripted.Refuse(h, wire.StatusUnauthorized), true
		case wire.CodeCreateStream:
			return scripted.Reject(h, wire.StatusStreamNameAlreadyExists), true
		}
		return scripted.Reply(h, nil), true
	})
	_, err := c.Topics(wire.IdentOf(1))
	if want := (client.StatusError{Command: wire.CodeGetTopics, Status: wire.StatusUnauthorized}); err != want {
		t.Errorf("in the header: got %v, want %v", err, want)
	}
	_, err = c.CreateStream("s")
	if want := (client.StatusError{Command: wire.CodeCreateStream, Status: wire.StatusStreamNameAlreadyExists}); err != want {
		t.Errorf("in the result section: got %v, want %v", err, want)
	}
	_, err = c.Raw(wire.OpCreateStream, 0, make([]byte, wire.FrameSizeMax))
	if want := (client.SizeError{Command: wire.CodeCreateStream, Size: wire.FrameSizeMax + wire.FrameHeaderSize}); err != want {
		t.Errorf("too large: got %v, want %v", err, want)
	}
	if err := c.Ping(); err != nil {
		t.Errorf("afterwards: got %v", err)
	}
}

// Whatever is no answer to the request ends the connection, and says so again at the next request.
func TestBrokenAnswers(t *testing.T) {
	reply := func(h wire.RequestHeader, change func(frame []byte)) []byte {
		frame := scripted.Reply(h, make([]byte, 40))
		change(frame)
		return frame
	}
	cases := []struct {
		name   string
		answer func(h wire.RequestHeader) []byte
		want   error
	}{
		{"nothing", func(wire.RequestHeader) []byte { return nil }, io.EOF},
		{"half a header", func(h wire.RequestHeader) []byte { return scripted.Reply(h, nil)[:100] }, io.ErrUnexpectedEOF},
		{"no body", func(h wire.RequestHeader) []byte { return scripted.Reply(h, []byte("payload"))[:wire.FrameHeaderSize] }, io.ErrUnexpectedEOF},
		{"half a body", func(h wire.RequestHeader) []byte {
			frame := scripted.Reply(h, []byte("payload"))
			return frame[:len(frame)-3]
		}, io.ErrUnexpectedEOF},
		{"size below the header", func(h wire.RequestHeader) []byte {
			return reply(h, func(f []byte) { binary.LittleEndian.PutUint32(f[48:], 255) })
		}, wire.ErrMalformed},
		{"size above the limit", func(h wire.RequestHeader) []byte {
			return reply(h, func(f []byte) { binary.LittleEndian.PutUint32(f[48:], wire.FrameSizeMax+1) })
		}, wire.ErrMalformed},
		{"another request", func(h wire.RequestHeader) []byte {
			h.Request++
			return scripted.Reply(h, nil)
		}, wire.ErrMalformed},
		{"another operation", func(h wire.RequestHeader) []byte {
			h.Operation = wire.OpSendMessages
			return scripted.Reply(h, nil)
		}, wire.ErrMalformed},
		{"a request", func(h wire.RequestHeader) []byte {
			return reply(h, func(f []byte) { f[60] = wire.FrameRequest })
		}, wire.ErrMalformed},
		{"eviction without a client", func(h wire.RequestHeader) []byte {
			return wire.AppendEviction(nil, wire.Eviction{Reason: wire.EvictNoSession})
		}, wire.ErrMalformed},
		{"eviction", func(h wire.RequestHeader) []byte {
			return wire.AppendEviction(nil, wire.EvictionOf(h.Client, wire.EvictStaleClient))
		}, client.EvictionError{Reason: wire.EvictStaleClient}},
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			c := dial(t, func(h wire.RequestHeader, _ []byte) ([]byte, bool) { return test.answer(h), false })
			err := c.Ping()
			if !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
			if again := c.Ping(); again != err {
				t.Errorf("again: got %v, want %v", again, err)
			}
		})
	}
}

func TestFramedReplyWithoutSection(t *testing.T) {
	c := dial(t, func(h wire.RequestHeader, _ []byte) ([]byte, bool) {
		return wire.AppendReplyHeader(nil, wire.ReplyTo(h)), true
	})
	if err := c.DeleteStream(wire.IdentOf(1)); !errors.Is(err, wire.ErrMalformed) {
		t.Errorf("got %v, want %v", err, wire.ErrMalformed)
	}
}

func TestAnswersThatDoNotDecode(t *testing.T) {
	id := wire.IdentOf(1)
	ask := map[string]func(c *client.Client) error{
		"stream":  func(c *client.Client) error { _, _, err := c.Stream(id); return err },
		"topic":   func(c *client.Client) error { _, _, err := c.Topic(id, id); return err },
		"streams": func(c *client.Client) error { _, err := c.Streams(); return err },
		"topics":  func(c *client.Client) error { _, err := c.Topics(id); return err },
		"offset":  func(c *client.Client) error { _, _, err := c.Offset(offsetKey); return err },
		"stats":   func(c *client.Client) error { _, err := c.Stats(); return err },
		"me":      func(c *client.Client) error { _, err := c.Me(); return err },
		"cluster": func(c *client.Client) error { _, err := c.ClusterMetadata(); return err },
		"options": func(c *client.Client) error { _, err := c.DescribeOptions(wire.ScopeTopic); return err },
		"create":  func(c *client.Client) error { _, err := c.CreateStream("s"); return err },
		"send": func(c *client.Client) error {
			_, err := c.Send(id, id, wire.Partitioning{Kind: wire.PartitionBalanced}, batchOf("a"))
			return err
		},
		"poll": func(c *client.Client) error { _, err := c.Poll(pollAll); return err },
	}
	for name, do := range ask {
		t.Run(name, func(t *testing.T) {
			if err := do(dial(t, answering([]byte{1, 2, 3}))); !errors.Is(err, wire.ErrMalformed) && !errors.Is(err, wire.ErrShort) {
				t.Errorf("got %v, want %v or %v", err, wire.ErrMalformed, wire.ErrShort)
			}
		})
	}
}

func TestNotFound(t *testing.T) {
	c := dial(t, answering(nil))
	if _, found, err := c.Stream(wire.IdentOf(1)); found || err != nil {
		t.Errorf("stream: got %v, %v, want false", found, err)
	}
	if _, found, err := c.Topic(wire.IdentOf(1), wire.IdentOf(1)); found || err != nil {
		t.Errorf("topic: got %v, %v, want false", found, err)
	}
	if _, found, err := c.Offset(offsetKey); found || err != nil {
		t.Errorf("offset: got %v, %v, want false", found, err)
	}
}

func TestWrongPassword(t *testing.T) {
	address := scripted.Serve(t, func(h wire.RequestHeader, _ []byte) ([]byte, bool) {
		return wire.AppendEviction(nil, wire.EvictionOf(h.Client, wire.EvictInvalidCredentials)), false
	})
	_, err := client.Dial(context.Background(), address, client.Options{Username: "iggy", Password: "wrong"})
	if want := (client.EvictionError{Reason: wire.EvictInvalidCredentials}); !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
}

func TestNobodyListens(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	_, err = client.Dial(context.Background(), address, client.Options{Username: "iggy", Password: "iggy"})
	if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("got %v, want %v", err, syscall.ECONNREFUSED)
	}
}

func TestContextBoundsLogin(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	address := scripted.Serve(t, func(wire.RequestHeader, []byte) ([]byte, bool) {
		cancel()
		return nil, true
	})
	if _, err := client.Dial(ctx, address, client.Options{Username: "iggy", Password: "iggy"}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func TestTimeout(t *testing.T) {
	address := scripted.Serve(t, func(wire.RequestHeader, []byte) ([]byte, bool) { return nil, true })
	var timeout net.Error
	short := time.Millisecond
	c, err := client.Dial(context.Background(), address, client.Options{Timeout: short})
	for errors.As(err, &timeout) && timeout.Timeout() { // it bounds connecting too, which takes longer than that where the machine is busy
		short *= 2
		c, err = client.Dial(context.Background(), address, client.Options{Timeout: short})
	}
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Ping(); !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("got %v, want a timeout", err)
	}
}

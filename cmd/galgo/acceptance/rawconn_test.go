package acceptance

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"galgo/wire"
)

// rawConn is a connection whose frames the test makes itself, wrong ones too.
type rawConn struct {
	*net.TCPConn
	t       *testing.T
	client  wire.U128
	session uint64
	next    uint64 // number of the next numbered request
}

// patience is how long a rawConn waits for anything: longer than any client does, so that a server that is silent is found.
const patience = 40 * time.Second

func dialRaw(t *testing.T, s *server) *rawConn {
	t.Helper()
	conn, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return &rawConn{TCPConn: conn.(*net.TCPConn), t: t, client: wire.U128{Lo: 4711}}
}

// loginRaw is dialRaw with a session.
func loginRaw(t *testing.T, s *server) *rawConn {
	t.Helper()
	c := dialRaw(t, s)
	c.write(c.register("iggy", "iggy"))
	a := c.read()
	if a.String() != "ok" {
		t.Fatalf("login: got %s, want ok", a)
	}
	registered, err := wire.DecodeRegistered(a.body)
	if err != nil {
		t.Fatal(err)
	}
	c.session, c.next = registered.Session, 1
	return c
}

// header is that of a sound request; a metadata operation takes the next number.
func (c *rawConn) header(op wire.Operation, code wire.Code) wire.RequestHeader {
	h := wire.RequestHeader{Command: wire.FrameRequest, Operation: op, Code: code, Client: c.client, Session: c.session, Request: c.next}
	if op.Metadata() || op == wire.OpLogout {
		c.next++
	}
	return h
}

// frame puts a header before a body.
func frame(h wire.RequestHeader, body []byte) []byte {
	h.Size = uint32(wire.FrameHeaderSize + len(body))
	return append(wire.AppendRequestHeader(nil, h), body...)
}

// request is a sound frame.
func (c *rawConn) request(op wire.Operation, code wire.Code, body []byte) []byte {
	return frame(c.header(op, code), body)
}

func (c *rawConn) ping() []byte { return c.request(wire.OpNonReplicated, wire.CodePing, nil) }

func (c *rawConn) register(username, password string) []byte {
	return frame(wire.RequestHeader{Command: wire.FrameRequest, Operation: wire.OpRegister, Client: c.client}, registerBody(username, password))
}

func registerBody(username, password string) []byte {
	return wire.AppendRegister(nil, wire.Register{
		ProtocolVersion: wire.ProtocolVersion, SDKName: []byte("raw"), SDKVersion: []byte("1"),
		Credentials: wire.AppendPasswordCredentials(nil, wire.PasswordCredentials{Username: []byte(username), Password: []byte(password)}),
	})
}

func (c *rawConn) write(bytes []byte) {
	c.t.Helper()
	if _, err := c.Write(bytes); err != nil {
		c.t.Fatal(err)
	}
}

// answer is what came back for a request.
type answer struct {
	closed   bool
	err      error // what came is no frame
	eviction wire.Eviction
	reply    wire.ReplyHeader
	result   wire.Status // of the result section
	body     []byte      // without the result section
	raw      []byte
}

// String says what the answer means: "ok", "status 3" (in the header), "result 1009" (in the result section), "eviction 1", "closed".
func (a answer) String() string {
	switch {
	case a.closed:
		return "closed"
	case a.err != nil:
		return a.err.Error()
	case a.eviction.Reason != 0:
		return fmt.Sprintf("eviction %d", a.eviction.Reason)
	case a.reply.Status != wire.StatusOK:
		return fmt.Sprintf("status %d", a.reply.Status)
	case a.result != wire.StatusOK:
		return fmt.Sprintf("result %d", a.result)
	}
	return "ok"
}

// is reports whether the answer is one of those that want names, separated by " or ".
func (a answer) is(want string) bool { return slices.Contains(strings.Split(want, " or "), a.String()) }

// read reads the next frame.
func (c *rawConn) read() (a answer) {
	c.t.Helper()
	a.raw = make([]byte, wire.FrameHeaderSize)
	switch n, err := io.ReadFull(c, a.raw); {
	case errors.Is(err, io.EOF), n == 0 && errors.Is(err, syscall.ECONNRESET):
		return answer{closed: true}
	case err != nil:
		c.t.Fatalf("answer: got %d bytes and %v", n, err)
	}
	if kind, _ := wire.FrameKind(a.raw); kind == wire.FrameEviction {
		a.eviction, a.err = wire.DecodeEviction(a.raw)
		return a
	}
	// A reply to an operation that does not exist echoes it, and does not decode for that.
	header := slices.Clone(a.raw)
	if op := wire.Operation(header[208]); !op.Valid() && !op.Framed() {
		header[208] = byte(wire.OpNonReplicated)
	}
	if a.reply, a.err = wire.DecodeReplyHeader(header); a.err != nil {
		return a
	}
	a.body = make([]byte, int(a.reply.Size)-wire.FrameHeaderSize)
	if _, err := io.ReadFull(c, a.body); err != nil {
		c.t.Fatal(err)
	}
	a.raw = append(a.raw, a.body...)
	if a.reply.Status == wire.StatusOK && a.reply.Operation.Framed() {
		a.body, a.result, a.err = wire.DecodeResult(a.body)
	}
	return a
}

// ask writes a frame and reads the answer.
func (c *rawConn) ask(frame []byte) answer {
	c.t.Helper()
	c.write(frame)
	return c.read()
}

// expect checks what a frame is answered with, and, where the connection stays, that it is of use afterwards.
func (c *rawConn) expect(frame []byte, want string) {
	c.t.Helper()
	a := c.ask(frame)
	if !a.is(want) {
		c.t.Fatalf("got %s, want %s", a, want)
	}
	if a.closed || a.eviction.Reason != 0 {
		return
	}
	if a := c.ask(c.ping()); a.String() != "ok" {
		c.t.Fatalf("ping afterwards: got %s, want ok", a)
	}
}
